//! Packages: the same files give the same bytes, and nothing goes in by accident.

use std::{fs, os::unix::fs::PermissionsExt, os::unix::net::UnixListener, path::Path, process::Command};

use proptest::prelude::*;

use crate::harness::{Universe, unpack};

/// The listing of a package as `MODE NAME`.
fn listing(universe: &Universe, options: &str) -> Vec<String> {
    let document = universe.run(&format!("package --zip dist --list --format json {options}")).code(0).json();
    let entry = |entry: &serde_json::Value| {
        format!("{} {}", entry["mode"].as_str().unwrap().trim_start_matches("10"), entry["name"].as_str().unwrap())
    };
    document["packages"][0]["entries"].as_array().unwrap().iter().map(entry).collect()
}

fn hash(universe: &Universe) -> String {
    let document = universe.run("package --zip dist --list --format json").code(0).json();
    document["packages"][0]["code_sha256"].as_str().unwrap().to_owned()
}

#[test]
fn packaging_needs_nothing_but_files() {
    let universe = Universe::empty().file("dist/index.py", "x = 1\n");
    universe.run("package --zip dist --output f.zip").code(0).says("Packaged f.zip: 1 file");
    assert_eq!(universe.bytes("f.zip")[..2], *b"PK");
}

#[test]
fn modes_are_those_that_lambda_needs_as_unzip_restores_them() {
    let universe = Universe::empty()
        .file("dist/plain.txt", "x")
        .file("dist/run.sh!", "echo\n")
        .file("dist/script", "#!/bin/sh\n")
        .file("dist/lib/native.so", b"\x7fELF....")
        .file("dist/bootstrap", "echo\n")
        .file("dist/deeper/bootstrap", "echo\n")
        .file("dist/extensions/agent", "x")
        .file("dist/secret.pem", "x");
    fs::set_permissions(universe.path("dist/secret.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    universe.run("package --zip dist --output f.zip").code(0);
    let out = universe.path("out");
    unpack(&universe.path("f.zip"), &out);
    for (name, mode) in [
        ("plain.txt", 0o644),
        ("run.sh", 0o755),
        ("script", 0o755),
        ("lib/native.so", 0o755),
        ("bootstrap", 0o755),
        ("deeper/bootstrap", 0o644),
        ("extensions/agent", 0o755),
        ("secret.pem", 0o644),
    ] {
        assert_eq!(fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777, mode, "{name}");
    }
}

#[test]
fn the_same_files_give_the_same_bytes_whatever_is_around_them() {
    let files = [("dist/b.py", "2"), ("dist/a/ü.py", "1"), ("dist/a.py", "3"), ("dist/a/z", "")];
    let one = files.iter().fold(Universe::empty(), |universe, (name, text)| universe.file(name, text));
    let two = files.iter().rev().fold(Universe::empty(), |universe, (name, text)| universe.file(name, text));
    for (name, _) in files {
        let path = two.path(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(Command::new("touch").args(["-d", "2001-01-01"]).arg(&path).status().unwrap().success());
    }
    fs::create_dir(two.path("dist/empty")).unwrap();
    assert_eq!(hash(&one), hash(&two));
    two.write("dist/b.py", "other");
    assert_ne!(hash(&one), hash(&two));
}

#[test]
fn what_nobody_means_to_package_stays_out() {
    let universe = Universe::empty()
        .file("dist/index.py", "")
        .file("dist/.env", "")
        .file("dist/.git/config", "")
        .file("dist/lib/.libs/x.so", "")
        .file("dist/lib/.git/config", "")
        .file("dist/lib/__pycache__/x.pyc", "")
        .file("dist/lib/.DS_Store", "")
        .file("dist/f.zip", "an older one")
        .file("dist/dpl.yml", "function_name: f\nenv_file: dist/vars.txt\n")
        .file("dist/vars.txt", "A1=b\n");
    assert_eq!(
        listing(&universe, "--config dist/dpl.yml --output dist/f.zip"),
        ["0644 index.py", "0644 lib/.libs/x.so"]
    );
    let with_dots = listing(&universe, "--config dist/dpl.yml --output dist/f.zip --dot_match");
    assert_eq!(with_dots, ["0644 .env", "0644 index.py", "0644 lib/.libs/x.so"]);
    universe.run("package --zip dist --list").code(0).says("names left out by default");
}

#[test]
fn globs_choose_and_git_rules_exclude() {
    let universe = Universe::empty()
        .file("dist/index.js", "")
        .file("dist/index.test.js", "")
        .file("dist/lib/a.js", "")
        .file("dist/lib/a.test.js", "")
        .file("dist/docs/x.md", "")
        .file("dist/.hidden", "");
    assert_eq!(
        listing(&universe, "--include index.js --include lib"),
        ["0644 index.js", "0644 lib/a.js", "0644 lib/a.test.js"]
    );
    assert_eq!(listing(&universe, "--include '*.js'"), ["0644 index.js", "0644 index.test.js"]);
    assert_eq!(listing(&universe, "--include '**/*.js' --exclude '*.test.js'"), ["0644 index.js", "0644 lib/a.js"]);
    assert_eq!(listing(&universe, "--include .hidden"), ["0644 .hidden"]);
    universe.write("dist/.lambdaignore", "docs/\n*.test.js\n!index.test.js\n");
    assert_eq!(listing(&universe, "--exclude /lib"), ["0644 index.js", "0644 index.test.js"]);
    universe
        .run("package --zip dist --list --include nothing/**")
        .code(3)
        .says("`include` has `nothing/**`, which matches no file");
    universe.run("package --zip dist --list --include 'a['").code(3).says("is not a glob");
}

#[test]
fn links_stay_inside_of_the_package() {
    let universe = Universe::empty()
        .file("dist/lib/real.so", "x")
        .file("outside/secret", "s")
        .link("dist/near.so", "lib/real.so")
        .link("dist/lib/dir", "../lib");
    assert_eq!(listing(&universe, ""), ["120777 lib/dir", "0644 lib/real.so", "120777 near.so"].map(str::to_owned));
    universe.run("package --zip dist --output f.zip").code(0);
    unpack(&universe.path("f.zip"), &universe.path("out"));
    assert_eq!(fs::read_link(universe.path("out/near.so")).unwrap(), Path::new("lib/real.so"));

    let escaping =
        Universe::empty().file("dist/index.py", "").file("outside/secret", "s").link("dist/out", "../outside/secret");
    escaping
        .run("package --zip dist --list")
        .code(3)
        .says("points to `../outside/secret`, which is outside of the package");
    assert_eq!(listing(&escaping, "--symlinks follow"), ["0644 index.py", "0644 out"]);
    escaping.run("package --zip dist --list --exclude out").code(0);
    for (target, said) in [
        ("nowhere", "is not in the package"),
        ("/etc/hostname", "outside of the package"),
        ("self", "is not in the package"),
    ] {
        let universe = Universe::empty().file("dist/index.py", "").link("dist/self", target);
        universe.run("package --zip dist --list").code(3).says(said);
    }
    let cycle = Universe::empty().file("dist/a/x", "").link("dist/a/up", "..");
    cycle.run("package --zip dist --list --symlinks follow").code(3).says("leads back to a folder that contains it");
    let excluded = Universe::empty().file("dist/a.py", "").file("dist/b.py", "").link("dist/link", "b.py");
    excluded.run("package --zip dist --list --exclude b.py").code(3).says("is not in the package");
}

#[test]
fn links_mean_the_same_after_unpacking() {
    let universe =
        Universe::empty().file("dist/deep/dir/keep", "").file("dist/deep/x", "right").file("dist/x", "wrong");
    let universe = universe.link("dist/b", "deep/dir").link("dist/l", "b/../x");
    let absolute = universe.path("dist/deep/x");
    let around = format!("../{}/x", "dist");
    let universe = universe.link("dist/absolute", absolute.to_str().unwrap()).link("dist/around", &around);
    universe.run("package --zip dist --output f.zip").code(0);
    let out = universe.path("out");
    unpack(&universe.path("f.zip"), &out);
    for (name, content) in [("l", "right"), ("absolute", "right"), ("around", "wrong")] {
        assert_eq!(fs::read_to_string(out.join(name)).unwrap(), content, "{name}");
    }
}

#[test]
fn what_is_excluded_may_be_broken() {
    let universe = Universe::empty()
        .file("dist/index.py", "")
        .file("dist/tests/t.py", "")
        .link("dist/dangling", "nowhere")
        .link("dist/.#lock", "user@host");
    assert_eq!(listing(&universe, "--exclude dangling --exclude ./tests"), ["0644 index.py"]);
    assert_eq!(listing(&universe, "--exclude dangling --exclude ./tests --symlinks follow"), ["0644 index.py"]);
    assert_eq!(listing(&universe, "--exclude dangling --include ."), ["0644 index.py", "0644 tests/t.py"]);
    universe.run("package --zip dist --list --exclude dangling --include '[a'").code(3).says("`[a` is not a glob");
    universe.run("package --zip dist --exclude dangling --output nowhere/f.zip").code(3).says("cannot be written");
}

#[test]
fn a_package_that_cannot_be_sent_is_told_by_check() {
    let universe = Universe::empty().file("dpl.yml", "function_name: f\nzip: big.zip\n");
    fs::create_dir(universe.path("dist")).unwrap();
    let file = fs::File::create(universe.path("dist/random")).unwrap();
    let status = Command::new("head").args(["-c", "55000000", "/dev/urandom"]).stdout(file).status().unwrap();
    assert!(status.success());
    universe.run("package --zip dist --output big.zip").code(0);
    universe.run("check").code(3).says("AWS takes at most 52428800 in a call (dpl.yml:2:6)");
}

#[test]
fn a_single_file_goes_to_the_root_and_a_ready_archive_is_sent_as_it_is() {
    let universe = Universe::empty().file("src/index.js", "x").file("dist/a", "b");
    universe.run("package --zip src/index.js --list").code(0).says("100644            1 index.js");
    universe.run("package --zip dist --output Ready.ZIP").code(0);
    let before = universe.bytes("Ready.ZIP");
    universe.run("package --zip Ready.ZIP --output copy.jar").code(0);
    assert_eq!(universe.bytes("copy.jar"), before);
    universe.write("broken.zip", "no archive");
    universe.run("package --zip broken.zip --list").code(3).says("`broken.zip` is not a zip archive");
}

#[test]
fn what_cannot_be_packaged_is_named() {
    let universe = Universe::empty().file("dist/.hidden", "").file("dpl.yml", "function_name: f\nzip: nowhere\n");
    universe.run("package --zip dist --list").code(3).says("there is nothing to package in `dist`").says("dot_match");
    universe.run("check").code(3).says("`nowhere` does not exist (dpl.yml:2:6)");
    fs::create_dir(universe.path("sockets")).unwrap();
    let _socket = UnixListener::bind(universe.path("sockets/s")).unwrap();
    universe.run("package --zip sockets --list").code(3).says("is neither a file, a directory nor a link");
    universe.run("package --zip dist").code(3).says("nowhere to write to");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_tree_gives_a_valid_archive_of_just_its_files(files in proptest::collection::btree_map("[a-zé ]{1,6}(/[a-z.#%]{1,4}x)?", proptest::collection::vec(any::<u8>(), 0..300), 1..12)) {
        let universe = Universe::empty();
        let mut written = std::collections::BTreeMap::new();
        for (name, content) in &files {
            let path = universe.path(&format!("dist/{name}"));
            let fits = !name.starts_with('.') && path.parent().is_some_and(|parent| parent.is_dir() || !parent.exists()) && !path.exists();
            if fits && fs::create_dir_all(path.parent().unwrap()).is_ok() && fs::write(&path, content).is_ok() {
                written.insert(name.clone(), content.clone());
            }
        }
        prop_assume!(!written.is_empty());
        universe.run("package --zip dist --output f.zip").code(0);
        let test = Command::new("python3").args(["-c", "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])"]).arg(universe.path("f.zip")).arg(universe.path("out")).status().unwrap();
        prop_assert!(test.success());
        for (name, content) in &written {
            prop_assert_eq!(&fs::read(universe.path("out").join(name)).unwrap(), content);
        }
        prop_assert_eq!(count(&universe.path("out")), written.len());
    }
}

fn count(directory: &Path) -> usize {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { count(&path) } else { 1 })
        .sum()
}
