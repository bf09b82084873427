//! Packages: the same files give the same bytes, and nothing goes in by accident.

use std::{fs, os::unix::fs::PermissionsExt, os::unix::net::UnixListener, path::Path, process::Command};

use dpl_lambda::internals::Rules;
use dpl_lambda::internals::package::{self, Artifact};
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
fn files_of_tools_and_version_control_stay_out() {
    let universe = Universe::empty()
        .file("dist/index.py", "")
        .file("dist/.env", "")
        .file("dist/.git/config", "")
        .file("dist/lib/.libs/x.so", "")
        .file("dist/lib/.git/config", "")
        .file("dist/lib/__pycache__/x.pyc", "")
        .file("dist/lib/.DS_Store", "")
        .file("dist/f.zip", "an older one")
        .file("dist/dpl.yml", "function_name: f\nenv_file: vars.txt\n")
        .file("dist/vars.txt", "A1=b\n");
    assert_eq!(
        listing(&universe, "--config dist/dpl.yml --output dist/f.zip"),
        ["0644 index.py", "0644 lib/.libs/x.so"]
    );
    let with_dots = listing(&universe, "--config dist/dpl.yml --output dist/f.zip --dot_match");
    assert_eq!(with_dots, ["0644 .env", "0644 index.py", "0644 lib/.libs/x.so"]);
    universe.run("package --zip dist --list").code(0).says("left out by default:\n  .env\n  .git/\n  lib/.DS_Store\n");
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
fn include_adds_files_from_other_folders() {
    let universe = Universe::empty()
        .file("functions/a/index.py", "")
        .file("shared/log/fmt.py", "")
        .file("shared/log/notes.md", "")
        .file("shared/.secret", "")
        .file("config/prod.json", "{}")
        .file(
            "dpl.yml",
            "function_name: f\nzip: functions/a\ninclude:\n  - {from: shared, glob: '**/*.py', to: lib/shared}\n  - from: config/prod.json\n",
        );
    let list = |options: &str| {
        let document = universe.run(&format!("package --config dpl.yml --list --format json {options}")).code(0).json();
        let entries = document["packages"][0]["entries"].as_array().unwrap().clone();
        entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(""), ["index.py", "lib/shared/log/fmt.py", "prod.json"]);
    assert_eq!(list("--exclude prod.json --exclude '!prod.json'"), ["index.py", "lib/shared/log/fmt.py", "prod.json"]);
    universe
        .run("package --config dpl.yml --list --exclude lib/")
        .code(3)
        .says("`**/*.py` from `shared`, which matches no file");
    let flag = r#"--include '["*.py", {"from": "shared"}]'"#;
    assert_eq!(list(flag), ["index.py", "log/fmt.py", "log/notes.md"]);
    for (include, said) in [
        ("{from: nowhere}", "`include` adds files from `nowhere`, which does not exist (dpl.yml:3:10)"),
        ("{from: shared, glob: '*.js'}", "`include` has `*.js` from `shared`, which matches no file"),
        ("{form: shared}", "has no member `form` (dpl.yml:3:11)"),
        ("{glob: a}", "`from` is missing (dpl.yml:3:10)"),
        ("{from: shared, to: ../x}", "`../x` is not a folder of the package"),
        ("[{from: config}, {from: config/prod.json}]", ""),
        ("[{from: config}, {from: other}]", "would both become `prod.json`"),
    ] {
        universe.write("other/prod.json", "{}");
        universe.write("dpl.yml", format!("function_name: f\nzip: functions/a\ninclude: {include}\n"));
        let outcome = universe.run("package --config dpl.yml --list");
        if said.is_empty() {
            outcome.code(0)
        } else {
            outcome.code(3).says(said)
        };
    }
}

#[test]
fn an_output_is_never_its_own_input() {
    let universe = Universe::empty().file("one.py", "x = 1\n").file("dist/a", "b");
    universe.run("package --zip one.py --output ./one.py").code(3).says("`./one.py` is also the input of the package");
    assert_eq!(universe.read("one.py"), "x = 1\n");
    universe.run("package --zip dist --output f.zip").code(0);
    let before = universe.bytes("f.zip");
    fs::hard_link(universe.path("f.zip"), universe.path("h.zip")).unwrap();
    universe.run("package --zip f.zip --output f.zip").code(3).says("is also the input of the package");
    universe.run("package --zip f.zip --output h.zip").code(0);
    assert_eq!((universe.bytes("f.zip"), universe.bytes("h.zip")), (before.clone(), before));
    assert_eq!(fs::metadata(universe.path("h.zip")).unwrap().permissions().mode() & 0o400, 0o400);
    let names: Vec<_> = fs::read_dir(universe.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 4, "nothing else is left: {names:?}");
}

#[test]
fn a_glob_for_one_hidden_file_adds_no_other() {
    let universe = Universe::empty()
        .file("dist/index.py", "")
        .file("dist/.aws/config", "")
        .file("dist/.aws/credentials", "")
        .file("dist/lib/.keep", "");
    let listed = listing(&universe, "--include '**' --include .aws/config");
    assert_eq!(listed, ["0644 .aws/config", "0644 index.py", "0644 lib/.keep"]);
    assert_eq!(listing(&universe, "--include .aws"), ["0644 .aws/config", "0644 .aws/credentials"]);
    assert_eq!(listing(&universe, "--include '.*/config'"), ["0644 .aws/config"]);
    assert_eq!(listing(&universe, "--include '**/config' --dot_match"), ["0644 .aws/config"]);
}

#[test]
fn every_part_of_a_link_exists_in_the_archive() {
    let hidden =
        Universe::empty().file("dist/real/f", "").link("dist/.current", "real").link("dist/index.py", ".current/f");
    hidden.run("package --zip dist --list").code(3).says("points to `.current/f`, which is not in the package");
    assert_eq!(listing(&hidden, "--dot_match").len(), 3);
    let around = Universe::empty().file("dist/real/x", "").link("dist/b", "real").link("dist/a", "b/x");
    around.run("package --zip dist --list --exclude /b").code(3).says("points to `b/x`");
    assert_eq!(listing(&around, ""), ["120777 a", "120777 b", "0644 real/x"]);
}

#[test]
fn names_that_cannot_be_unpacked_together_are_an_error() {
    let universe =
        Universe::empty().file("c/lib/x", "").file("other/lib", "").file("other/y", "").link("links/lib", "real");
    let universe = universe.file("links/real/x", "");
    let run = |zip: &str, include: &str| universe.run(&format!("package --zip {zip} --list --include '{include}'"));
    run("c", r#"["**", {"from": "other/lib"}]"#).code(3).says("`lib` would be both a file and the folder of `lib/x`");
    run("links", r#"[{"from": "other", "glob": "y", "to": "lib"}]"#)
        .code(3)
        .says("`lib` would be both a file and the folder");
    let long = "x".repeat(200) + "/";
    run("c", &format!(r#"[{{"from": "other", "to": "{}"}}]"#, long.repeat(30))).code(3).says("too long for Linux");
}

#[test]
fn an_error_in_a_list_names_the_line_of_its_item() {
    let universe = Universe::empty().file("dist/a.py", "");
    for (lines, said) in [
        ("include:\n  - '*.py'\n  - 'typo/**'\n", "`include` has `typo/**`, which matches no file (dpl.yml:5:5)"),
        ("include:\n  - '*.py'\n  - {from: nowhere}\n", "which does not exist (dpl.yml:5:5)"),
        ("exclude:\n  - '*.md'\n  - 'a\\'\n", "(dpl.yml:5:5)"),
    ] {
        universe.write("dpl.yml", format!("function_name: f\nzip: dist\n{lines}"));
        universe.run("check").code(3).says(said);
    }
}

#[test]
fn files_that_are_not_included_may_be_broken() {
    let universe = Universe::empty()
        .file("dist/src/index.py", "")
        .file("dist/.lambdaignore", "*.env\n!\n! \n")
        .file("dist/prod.env", "")
        .link("dist/dangling", "nowhere");
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"odd-\xff");
    fs::write(universe.path("dist").join(odd), "").unwrap();
    assert_eq!(listing(&universe, "--include src"), ["0644 src/index.py"]);
    assert_eq!(listing(&universe, "--include src --symlinks follow"), ["0644 src/index.py"]);
    universe.run("package --zip dist --list --exclude dangling").code(3).says("is not UTF-8");
    fs::remove_file(universe.path("dist").join(odd)).unwrap();
    assert_eq!(listing(&universe, "--exclude dangling"), ["0644 src/index.py"], "`!` alone takes nothing back in");
}

#[test]
fn names_that_differ_only_in_case_give_a_warning() {
    let universe = Universe::empty().file("dist/Index.js", "").file("dist/index.js", "");
    universe.run("package --zip dist --list").code(0).says("`Index.js` and `index.js` differ only in case");
}

#[test]
fn the_list_shows_the_largest_folders_and_the_limits() {
    let universe = Universe::empty()
        .file("dist/index.js", "x")
        .file("dist/node_modules/large/a.js", "x".repeat(9 << 20))
        .file("dist/node_modules/small/a.js", "x".repeat(2048))
        .file("dist/node_modules/small/deep/er.js", "x".repeat(1024));
    let listed = universe.run("package --zip dist --list").code(0).stdout;
    let folders: Vec<_> = listed.lines().skip_while(|line| *line != "largest folders:").skip(1).take(4).collect();
    assert_eq!(
        folders[..3],
        ["        9.0 MB node_modules", "        9.0 MB node_modules/large", "        3.0 KB node_modules/small"]
    );
    assert!(
        folders[3].starts_with("9.0 MB of 250.0 MB that a function may have unpacked, with its layers; "),
        "{listed}"
    );
    let document = universe.run("package --zip dist --list --format json").code(0).json();
    assert_eq!(document["packages"][0]["unpacked_size"], (9 << 20) + 3073);
    assert_eq!(document["packages"][0]["largest_folders"][2]["size"], 3072);
}

#[test]
fn very_large_files_are_packed_in_pieces() {
    let universe = Universe::empty();
    fs::create_dir(universe.path("dist")).unwrap();
    let mut content: Vec<u8> = (0..9_000_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
    fs::write(universe.path("dist/text"), &content).unwrap();
    // The second half cannot be deflated, and is stored within the same stream.
    let mut state = 1_u64;
    content.truncate(20 << 20);
    content.extend((0..20 << 20).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56).to_le_bytes()[0]
    }));
    fs::write(universe.path("dist/half"), &content).unwrap();
    universe.run("package --zip dist --output f.zip").code(0);
    let sizes = format!("{} bytes", universe.bytes("f.zip").len());
    assert!(universe.bytes("f.zip").len() < 45 << 20, "{sizes}");
    let out = universe.path("out");
    unpack(&universe.path("f.zip"), &out);
    assert!(fs::read(out.join("half")).unwrap() == content, "what comes out is what went in");
    assert_eq!(fs::metadata(out.join("text")).unwrap().len(), 36_000_000);
    let test = Command::new("python3").args(["-m", "zipfile", "-t"]).arg(universe.path("f.zip")).output().unwrap();
    assert!(test.status.success() && !String::from_utf8_lossy(&test.stdout).contains("corrupted"));
}

#[test]
fn common_tools_unpack_the_archive() {
    let universe = Universe::empty()
        .file("dist/index.js", "exports.handler = 1\n".repeat(100))
        .file("dist/empty", "")
        .file("dist/bin/run!", "#!/bin/sh\n")
        .file("dist/naïve/ü.txt", "ü")
        .file(
            "dist/image.png",
            (0..70_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect::<Vec<_>>(),
        )
        .link("dist/link.js", "index.js");
    universe.run("package --zip dist --output f.zip").code(0);
    let readers: &[&[&str]] = &[
        &["python3", "-m", "zipfile", "-t", "f.zip"],
        &["unzip", "-tq", "f.zip"],
        &["zipinfo", "-t", "f.zip"],
        &["7z", "t", "f.zip"],
        &["bsdtar", "-tf", "f.zip"],
        &["jar", "tf", "f.zip"],
    ];
    for reader in readers {
        match Command::new(reader[0]).args(&reader[1..]).current_dir(universe.path("")).output() {
            Ok(output) => assert!(output.status.success(), "{reader:?}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => eprintln!("{reader:?} is not tried: {error}"),
        }
    }
}

#[test]
fn reinstalled_dependencies_give_the_same_package() {
    // A wheel with a script, as pip installs it from a path that becomes part of what it writes.
    const MAKE: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + '/greet-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('greet/__init__.py', 'def greet(): return 1\\n')
    wheel.writestr('greet-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: greet\\nVersion: 1.0\\n')
    wheel.writestr('greet-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('greet-1.0.dist-info/RECORD', '')
";
    const LOOK: &str = "
import sys, importlib.metadata as metadata
import greet
assert greet.greet() == 1 and metadata.version('greet') == '1.0'
assert all(file.locate().exists() for file in metadata.files('greet'))
assert metadata.packages_distributions()['greet'] == ['greet']
";
    let universe = Universe::empty();
    let python = |arguments: &[&str], path: &str| {
        let python =
            Command::new("python3").args(arguments).current_dir(universe.path("")).env("PYTHONPATH", path).output();
        let output = python.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let hashes = ["one", "another/deeper"].map(|folder| {
        fs::create_dir_all(universe.path(&format!("{folder}/wheels"))).unwrap();
        python(&["-c", MAKE, &format!("{folder}/wheels")], "");
        let (wheel, target) = (format!("./{folder}/wheels/greet-1.0-py3-none-any.whl"), format!("{folder}/dist"));
        let compile = if folder == "one" { "--compile" } else { "--no-compile" };
        python(&["-m", "pip", "install", "-q", "--no-index", compile, "--target", &target, &wheel], "");
        python(&["-c", "import greet"], &target);
        let document =
            universe.run(&format!("package --zip {target} --list --format json --output {folder}.zip")).code(0);
        document.json()["packages"][0]["code_sha256"].clone()
    });
    assert_ne!(
        universe.read("one/dist/greet-1.0.dist-info/RECORD"),
        universe.read("another/deeper/dist/greet-1.0.dist-info/RECORD")
    );
    assert_eq!(hashes[0], hashes[1]);
    unpack(&universe.path("one.zip"), &universe.path("unpacked"));
    python(&["-B", "-c", LOOK], "unpacked");
}

#[test]
fn files_that_do_not_shrink_are_stored() {
    let mut state = 7_u64;
    let mut random = |length: usize| -> Vec<u8> {
        std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .take(length)
        .collect()
    };
    let universe = Universe::empty()
        .file("dist/large.js", "const answer = 42;\n".repeat(100_000))
        .file("dist/small.js", "const answer = 42;\n".repeat(100))
        .file("dist/photo.jpg", random(1 << 20))
        .file("dist/tiny.bin", random(10));
    universe.run("package --zip dist --output f.zip").code(0);
    let list = "import sys, zipfile\nfor e in zipfile.ZipFile('f.zip').infolist(): print(e.filename, e.compress_type, e.compress_size < e.file_size / 10)";
    let listed = Command::new("python3").args(["-c", list]).current_dir(universe.path("")).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed, "large.js 8 True\nphoto.jpg 0 False\nsmall.js 8 True\ntiny.bin 0 False\n");
}

#[test]
fn hostile_archives_are_refused_and_never_unpacked() {
    const MAKE: &str = "
import struct, sys, zipfile
def archive(name, *entries):
    with zipfile.ZipFile(name, 'w') as out:
        for entry, content in entries:
            out.writestr(zipfile.ZipInfo(entry), content)
archive('up.zip', ('../escape', 'x'))
archive('absolute.zip', ('/etc/x', 'x'))
archive('backslash.zip', ('a' + chr(92) + '..' + chr(92) + 'x', 'x'))
archive('good.zip', ('index.py', 'x' * 100))
import warnings; warnings.simplefilter('ignore')
archive('twice.zip', ('a', '1'), ('a', '2'))
archive('alike.zip', ('lib/a', '1'), ('./lib//a', '2'))
archive('both.zip', ('a', '1'), ('a/b', '2'))
archive('folders.zip', ('a/', ''))
good = bytearray(open('good.zip', 'rb').read())
encrypted = bytearray(good); encrypted[6] |= 1; encrypted[good.find(b'PK\\x01\\x02') + 8] |= 1
open('encrypted.zip', 'wb').write(encrypted)
wrong = bytearray(good); struct.pack_into('<I', wrong, good.find(b'PK\\x01\\x02') + 24, 4_000_000_000)
open('wrong-size.zip', 'wb').write(wrong)
open('cut.zip', 'wb').write(good[:-30])
# Two entries that share one body, as a bomb multiplies what it holds.
local, central = good[:good.find(b'PK\\x01\\x02')], good[good.find(b'PK\\x01\\x02'):good.find(b'PK\\x05\\x06')]
other = bytearray(central); other[46:54] = b'other.py'
end = struct.pack('<4sHHHHIIH', b'PK\\x05\\x06', 0, 0, 2, 2, len(central) * 2, len(local), 0)
open('overlap.zip', 'wb').write(local + central + other + end)
";
    let universe = Universe::empty();
    let made = Command::new("python3").args(["-c", MAKE]).current_dir(universe.path("")).status().unwrap();
    assert!(made.success());
    universe.run("package --zip good.zip --list").code(0);
    for (name, said) in [
        ("up", "its entry `../escape` leads out of the package"),
        ("absolute", "its entry `/etc/x` leads out of the package"),
        ("backslash", "leads out of the package"),
        ("twice", "two entries of the same name"),
        ("alike", "it has two entries `lib/a`"),
        ("both", "its entry `a` is both a file and a folder"),
        ("folders", "there is nothing to package"),
        ("encrypted", "is encrypted"),
        ("wrong-size", "cannot be deployed"),
        ("cut", "is not a zip archive"),
        ("overlap", "cannot be deployed"),
    ] {
        universe.run(&format!("package --zip {name}.zip --list")).code(3).says(said);
    }
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
fn excluded_files_may_be_broken() {
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
fn check_finds_a_package_that_is_too_large_to_send() {
    let universe = Universe::empty().file("dpl.yml", "function_name: f\nzip: big.zip\n");
    fs::create_dir(universe.path("dist")).unwrap();
    let file = fs::File::create(universe.path("dist/random")).unwrap();
    let status = Command::new("head").args(["-c", "55000000", "/dev/urandom"]).stdout(file).status().unwrap();
    assert!(status.success());
    universe.run("package --zip dist --output big.zip").code(0);
    universe
        .run("check")
        .code(3)
        .says("AWS accepts at most 52428800 in one request (dpl.yml:2:6)")
        .says("set `s3_bucket`");
    universe.run("check --s3_bucket packages").code(0);
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
fn an_error_names_the_file_that_cannot_be_packaged() {
    let universe = Universe::empty().file("dist/.hidden", "").file("dpl.yml", "function_name: f\nzip: nowhere\n");
    universe.run("package --zip dist --list").code(3).says("there is nothing to package in `dist`").says("dot_match");
    universe.run("check").code(3).says("`nowhere` does not exist (dpl.yml:2:6)");
    fs::create_dir(universe.path("sockets")).unwrap();
    let _socket = UnixListener::bind(universe.path("sockets/s")).unwrap();
    universe.run("package --zip sockets --list").code(3).says("is neither a file, a directory nor a link");
    universe.run("package --zip dist").code(3).says("no file to write to");
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

    #[test]
    fn any_tree_of_links_and_modes_gives_a_valid_archive_or_a_clear_error(
        things in proptest::collection::btree_map("[a-c](/[a-c]){0,2}", (any::<Option<u8>>(), "(\\.\\./|\\./|/)?[a-c](/\\.\\.)?(/[a-c]){0,2}"), 1..10),
        follow in any::<bool>(),
    ) {
        let universe = Universe::empty();
        fs::create_dir(universe.path("dist")).unwrap();
        for (name, (mode, target)) in &things {
            let path = universe.path(&format!("dist/{name}"));
            if fs::create_dir_all(path.parent().unwrap()).is_err() || path.symlink_metadata().is_ok() {
                continue;
            }
            match mode {
                Some(mode) => {
                    fs::write(&path, name).unwrap();
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o400 | u32::from(*mode))).unwrap();
                }
                None => std::os::unix::fs::symlink(target, &path).unwrap(),
            }
        }
        let outcome = universe.run(&format!("package --zip dist --output f.zip --symlinks {}", if follow { "follow" } else { "keep" }));
        prop_assert!(outcome.code == 0 || outcome.code == 3, "{}", outcome.all());
        if outcome.code == 3 {
            prop_assert!(outcome.stderr.contains("link") || outcome.stderr.contains("nothing to package"), "{}", outcome.all());
        } else {
            let out = universe.path("out");
            unpack(&universe.path("f.zip"), &out);
            // Every entry is there: what a link points to too, since a link that leads nowhere is refused.
            for entry in universe.run("package --zip f.zip --list --format json").json()["packages"][0]["entries"].as_array().unwrap() {
                let path = out.join(entry["name"].as_str().unwrap());
                prop_assert!(path.exists() || !follow && path.symlink_metadata().is_ok(), "{}", path.display());
                let mode = entry["mode"].as_str().unwrap();
                prop_assert!(["100644", "100755"].contains(&mode) || (mode == "120777" && !follow), "{mode}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_an_archive_or_are_not(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = look_into(&bytes);
    }

    #[test]
    fn a_damaged_archive_is_looked_into_without_harm(damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), cut in any::<Option<prop::sample::Index>>()) {
        static GOOD: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let mut bytes = GOOD.get_or_init(|| {
            let universe = Universe::empty()
                .file("dist/bootstrap!", "#!/bin/sh\n")
                .file("dist/lib/a.jar", "PK not really")
                .file("dist/lib/native.so", fs::read("/proc/self/exe").map(|mut exe| { exe.truncate(4096); exe }).unwrap_or_default())
                .file("dist/.npmrc", "//registry/:_authToken=x")
                .link("dist/link", "bootstrap");
            universe.run("package --zip dist --dot_match --output f.zip").code(0);
            universe.bytes("f.zip")
        }).clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        let _ = look_into(&bytes);
    }
}

/// Reads bytes as a ready archive, as a deploy does.
fn look_into(bytes: &[u8]) -> Result<Artifact, package::Error> {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    package::ready(Path::new("f.zip"), file, &Rules::default())
}

fn count(directory: &Path) -> usize {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { count(&path) } else { 1 })
        .sum()
}
