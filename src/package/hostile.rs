//! What a package is made of, by somebody else: ready archives, ignore files, globs, and what installers wrote.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Cursor, Seek, Write};
use std::path::Path;

use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{build, installed, ready, select, store};
use crate::deployment::{Hidden, IncludeFrom, Links, Rules};
use crate::hostile::{each, each_text, endless};

/// What means something in archives: signatures of their parts, extra fields, sizes of ZIP64, and names.
const OF_ARCHIVES: &[&str] = &[
    "PK\x01\x02",
    "PK\x03\x04",
    "PK\x05\x06",
    "PK\x06\x06",
    "PK\x06\x07",
    "PK\x07\x08",
    "\x01\0\x10\0",
    "\0\0\0\0",
    "../",
    "/",
    "..\\",
    "C:\\",
    "\0",
    "a/",
    "./",
    "//",
    ".class",
    "bootstrap",
    "lib/a.jar",
];

type Writer = ZipWriter<Cursor<Vec<u8>>>;

/// Archives with all that they may hold.
fn archives() -> Vec<Vec<u8>> {
    let bytes = |fill: &dyn Fn(&mut Writer)| {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        fill(&mut writer);
        writer.finish().unwrap().into_inner()
    };
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let class = bytes(&|writer| {
        writer.start_file("example/Handler.class", deflated).unwrap();
        writer.write_all(&[0xca, 0xfe, 0xba, 0xbe]).unwrap();
    });
    let all = bytes(&|writer| {
        for (name, content, options) in [
            ("bootstrap", &b"#!/bin/sh\nexec ./run\n"[..], stored.unix_permissions(0o755)),
            ("app.py", b"def handler(event, context):\n    return event\n", deflated),
            (".env", b"KEY=AKIAIOSFODNN7EXAMPLE\n", deflated),
            ("lib/a.jar", &class, stored),
            ("lib/x.so", b"\x7fELF\x02\x01\x01\0", stored),
        ] {
            writer.start_file(name, options).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.add_directory("empty/", stored).unwrap();
        writer.add_symlink("link", "app.py", stored).unwrap();
    });
    let large = bytes(&|writer| {
        writer.start_file("zeros", deflated.large_file(true)).unwrap();
        writer.write_all(&vec![0; 70_000]).unwrap();
    });
    vec![all, large, class]
}

/// A name that nothing is unpacked outside of the package by.
fn stays_inside(name: &str) -> bool {
    !name.starts_with('/') && !name.contains('\0') && name.split(['/', '\\']).all(|part| part != "..")
}

#[test]
fn ready_archives_are_listed_or_refused() {
    each(&archives(), OF_ARCHIVES, 1, |bytes| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        if let Ok(artifact) = ready(Path::new("a.zip"), file, &Rules::default()) {
            assert!(artifact.entries.iter().all(|entry| stays_inside(&entry.name)));
            let names: BTreeSet<_> = artifact.entries.iter().map(|entry| &entry.name).collect();
            assert_eq!(names.len(), artifact.entries.len());
            // What is sent is what was looked at.
            assert_eq!(artifact.code_sha256, store::code_sha256(bytes));
        }
    });
}

const OF_GLOBS: &[&str] = &[
    "*",
    "**",
    "**/",
    "/**",
    "?",
    "[",
    "]",
    "[!",
    "[a-",
    "{",
    "}",
    "{a,",
    ",",
    "\\",
    "!",
    "#",
    "/",
    "//",
    "./",
    "../",
    "../../",
    "/etc/",
    "~",
    " ",
    "\t",
    "\r\n",
    "\n",
    "\0",
    "\u{feff}",
    "\u{202e}",
    ".",
    ".env",
    "src",
    "link",
    "*.py",
    "[[:alpha:]]",
    "{,}",
];

/// A folder with a package, and a file outside of it.
fn tree() -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    for name in ["secret", "dist/app.py", "dist/src/lib/a.js", "dist/.env", "dist/a b/[c].txt", "shared/util.py"] {
        let path = tree.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("app.py", tree.path().join("dist/link")).unwrap();
    tree
}

/// Whatever was selected lies in the folders that were named.
fn select(tree: &Path, rules: &Rules) {
    let Ok(selection) = select::directory(Path::new("dist"), tree, rules) else { return };
    for entry in &selection.entries {
        assert!(stays_inside(&entry.name), "{}", entry.name);
        let source = fs::canonicalize(&entry.source).unwrap();
        let folders = ["dist", "shared"].map(|folder| fs::canonicalize(tree.join(folder)).unwrap());
        assert!(folders.iter().any(|folder| source.starts_with(folder)), "{}", source.display());
    }
}

#[test]
fn globs_select_nothing_outside_of_the_package() {
    let tree = tree();
    let seeds = ["src/**/*.js\n*.py\n", "**/*\n!.env\n", "a b/[[]c].txt\nlink\n", "{app,src/lib/a}.{py,js}\n"];
    each_text(&seeds, OF_GLOBS, 8, |text| {
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        select(tree.path(), &Rules { include: lines.clone(), ..Rules::default() });
        select(tree.path(), &Rules { exclude: lines.clone(), hidden: Hidden::Take, ..Rules::default() });
        let glob = lines.first().cloned().unwrap_or_default();
        let include_from = vec![IncludeFrom { from: "shared".into(), glob, to: "lib".to_owned() }];
        select(tree.path(), &Rules { include_from, links: Links::Follow, ..Rules::default() });
    });
}

#[test]
fn ignore_files_leave_out_or_are_refused() {
    let tree = tree();
    let read = |text: &str| {
        fs::write(tree.path().join("dist/.lambdaignore"), text).unwrap();
        select(tree.path(), &Rules::default());
    };
    each_text(&["# why\n*.py\n!app.py\n/src/\nlib/**\n\\#a\n a \n"], OF_GLOBS, 1, read);
}

#[test]
fn records_of_installers_lose_lines_and_get_none() {
    let names = BTreeSet::from(["six.py", "six-1.17.0.dist-info/RECORD", "bin/six"]);
    let seed = "six.py,sha256=abc,34703\n\"a,b.py\",sha256=x,1\n../../bin/six,,\nsix-1.17.0.dist-info/RECORD,,\n";
    let read = |text: &str| {
        let kept = installed::record_of_present("six-1.17.0.dist-info/RECORD", text, &names);
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        assert!(kept.split_inclusive('\n').all(|line| lines.contains(&line)));
    };
    let tokens = [",", "\"", "\n", "\r", "../", "/", "six.py", "sha256=", "\0"];
    each_text(&[seed], &tokens, 1, read);
    let only_read = |text: &str| drop(installed::record_of_present("six-1.17.0.dist-info/RECORD", text, &names));
    endless(&tokens, 128 << 10, only_read);
}

#[test]
fn packages_of_any_bytes_are_built_again_the_same() {
    let tree = tree();
    let seeds = [&b"#!/bin/sh\n"[..], b"\x7fELF\x02\x01\x01\0\0", b"six.py,sha256=abc,1\n"].map(<[u8]>::to_vec);
    each(&seeds, OF_ARCHIVES, 8, |bytes| {
        for name in ["dist/bootstrap", "dist/lib/a.jar", "dist/.aws/credentials", "dist/six-1.dist-info/RECORD"] {
            let path = tree.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let [one, other] = [(), ()].map(|()| build(Path::new("dist"), &Rules::default(), tree.path(), |_| {}).unwrap());
        assert_eq!(one.code_sha256, other.code_sha256);
        // What we pack we take as a ready archive, and look into alike.
        let path = tree.path().join("again.zip");
        one.archive.copy_to(File::create(&path).unwrap()).unwrap();
        let again = ready(Path::new("again.zip"), File::open(&path).unwrap(), &Rules::default()).unwrap();
        assert_eq!((again.entries, again.survey), (one.entries, one.survey.into_archive()));
    });
}
