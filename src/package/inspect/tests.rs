//! Tests the rules on small packages. Their native files are copies of this test's own program, patched for other platforms.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Cursor, Write},
};

use proptest::prelude::*;

use super::super::Listed;
use super::native::tests::{arm, format, intel};
use super::rule::*;
use super::survey::Binary;
use super::*;
use crate::settings::{Handler, Runtime};

/// A package in memory.
#[derive(Default)]
pub(super) struct Package {
    entries: Vec<Listed>,
    bytes: BTreeMap<String, Vec<u8>>,
}

impl Package {
    pub(super) fn of(files: &[&str]) -> Self {
        files.iter().fold(Self::default(), |package, name| package.with(name, b"x"))
    }

    /// Adds a file. A `!` at the end of the name makes it executable.
    pub(super) fn with(self, name: &str, bytes: &[u8]) -> Self {
        let (name, mode) = name.strip_suffix('!').map_or((name, 0o100_644), |name| (name, 0o100_755));
        self.entry(name, mode, bytes.len() as u64, bytes)
    }

    fn sized(self, name: &str, size: u64) -> Self {
        self.entry(name, 0o100_644, size, b"x")
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.entry(name, 0o120_777, target.len() as u64, target.as_bytes())
    }

    fn entry(mut self, name: &str, mode: u32, size: u64, bytes: &[u8]) -> Self {
        self.entries.push(Listed { name: name.to_owned(), mode, crc32: 0, size, packed: 0 });
        self.entries.sort_by(|a, b| a.name.cmp(&b.name));
        self.bytes.insert(name.to_owned(), bytes.to_vec());
        self
    }

    pub(super) fn survey(&self) -> Survey {
        survey(self).unwrap()
    }

    /// The problems found, each as `rule severity`.
    pub(super) fn found(&self, runtime: &str, handler: &str) -> Vec<String> {
        self.findings(runtime, handler, |_| {}).iter().map(named).collect()
    }

    pub(super) fn findings(&self, runtime: &str, handler: &str, change: impl Fn(&mut Facts<'_>)) -> Vec<Problem> {
        // Most files of these packages have no true contents.
        let ignore = BTreeSet::from([Rule::HandlerUndefined.name().to_owned()]);
        let (runtime, handler) = (Runtime(runtime.to_owned()), Handler(handler.to_owned()));
        let mut facts = Facts {
            runtime: Some(&runtime).filter(|runtime| !runtime.0.is_empty()),
            handler: Some(&handler).filter(|handler| !handler.0.is_empty()),
            architecture: None,
            subject: Subject::Function,
            other_code: OtherCode::No,
            variables: BTreeMap::new(),
            existence: Existence::default(),
            today: Date::MIN,
            ignore: &ignore,
        };
        change(&mut facts);
        inspect(&self.survey(), &facts)
    }
}

impl Contents for Package {
    fn entries(&self) -> &[Listed] {
        &self.entries
    }

    fn open(&self, entry: &Listed) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(Cursor::new(&self.bytes[&entry.name])))
    }
}

pub(super) fn named(finding: &Problem) -> String {
    let severity = if finding.stops() { "error" } else { "warning" };
    format!("{} {severity}", finding.rule.unwrap())
}

#[test]
fn every_rule_is_parsed_from_its_own_name() {
    for rule in Rule::ALL {
        assert_eq!(Rule::parse(rule.name()), Ok(*rule));
    }
    let names: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
    assert_eq!(
        Rule::parse("secret-files").unwrap_err(),
        "there is no rule `secret-files`; the nearest is `secret-file`"
    );
}

#[test]
fn a_handler_is_looked_for_where_its_runtime_does() {
    for (runtime, handler, file, found) in [
        ("nodejs22.x", "index.handler", "index.js", true),
        ("nodejs22.x", "index.handler", "index.mjs", true),
        ("nodejs22.x", "index.handler", "index.cjs", true),
        ("nodejs22.x", "index.handler", "index", true),
        ("nodejs22.x", "index.handler", "index/index.js", true),
        ("nodejs22.x", "index.handler", "node_modules/index/package.json", true),
        ("nodejs22.x", "index.handler", "index.ts", false),
        ("nodejs24.x", "index.handler", "index.ts", true),
        ("nodejs22.x", "src/app.api.get", "src/app.js", true),
        ("nodejs22.x", "./src/app.get", "src/app.js", true),
        ("nodejs22.x", "src/a.b/app.get", "src/a.b/app.js", true),
        ("nodejs22.x", "/opt/nodejs/x.handler", "index.js", true),
        ("nodejs22.x", "/var/task/index.handler", "index.js", true),
        ("nodejs22.x", "index", "index.js", false),
        ("nodejs22.x", "../index.handler", "index.js", false),
        ("nodejs22.x", "index.js", "index.js", true),
        ("python3.13", "app.handler", "app.py", true),
        ("python3.13", "app.handler", "app.pyc", true),
        ("python3.13", "app.handler", "app/__init__.py", true),
        ("python3.13", "app.handler", "app.abi3.so", true),
        ("python3.13", "app.handler", "app/main.py", false),
        ("python3.13", "a.b.handler", "a/b.py", true),
        ("python3.13", "a/b.handler", "a/b.py", true),
        ("python3.13", "a/b.c.handler", "a/b/c.py", true),
        ("python3.13", "app", "app.py", false),
        ("python3.13", "/a.handler", "a.py", false),
        ("ruby3.4", "app.handler", "app.rb", true),
        ("ruby3.4", "lib/app.Module::Class.handler", "lib/app.rb", true),
        ("ruby3.4", "app", "app.rb", false),
        ("java21", "com.example.App::run", "com/example/App.class", true),
        ("java21", "com.example.App", "com/example/App.class", true),
        ("java21", "com.example.App$Inner::run", "com/example/App$Inner.class", true),
        ("java21", "com.example.App::run", "com/example/Other.class", false),
        ("dotnet8", "My.App::My.App.Function::Run", "My.App.dll", true),
        ("dotnet8", "My.App", "My.App.dll", true),
        ("dotnet8", "My.App::Run", "My.App.dll", false),
        ("go1.x", "main", "main", true),
        ("cobol85", "anything", "index.js", true),
        ("", "index.handler", "other.js", true),
        ("nodejs22.x", "", "other.js", true),
    ] {
        let rules: Vec<_> = Package::of(&[file]).findings(runtime, handler, |_| {}).iter().map(|f| f.rule).collect();
        assert_eq!(!rules.contains(&Some(Rule::HandlerMissing.name())), found, "{runtime} {handler} {file}: {rules:?}");
    }
}

#[test]
fn a_missing_handler_gives_an_error_with_the_probable_cause() {
    let error = |package: &Package, runtime: &str, handler: &str| {
        let found = package.findings(runtime, handler, |_| {});
        let found = found.iter().find(|finding| finding.stops()).unwrap();
        format!("{}: {} - {}", found.rule.unwrap(), found.message, found.help.as_deref().unwrap())
    };
    for (files, runtime, handler, part) in [
        (
            &["Index.js"][..],
            "nodejs22.x",
            "index.handler",
            "handler-missing: `index.handler` is not in the package: there is no `index.js`, `index.mjs`, `index.cjs` - there is `Index.js`: upper and lower case",
        ),
        (&["src/index.ts"], "nodejs22.x", "src/index.handler", "`src/index.ts` is TypeScript: compile it"),
        (
            &["dist/index.js", "a.js", "node_modules/x/index.js"],
            "nodejs22.x",
            "index.handler",
            "`zip` to that folder, or `handler` to `dist/index.handler`",
        ),
        (&["main.py", "x.py"], "python3.13", "app.handler", "correct `handler`; the package has `main.py`, `x.py`"),
        (&["bootstrap.exe"], "provided.al2023", "x", "there is `bootstrap.exe`"),
        (
            &["app/index.js", "app/lib/x.js"],
            "nodejs22.x",
            "index.handler",
            "root-too-deep: all files of the package are in `app`",
        ),
        (
            &["a/b/app.py", "a/b/x.py", "__MACOSX/a/._b"],
            "python3.13",
            "app.handler",
            "all files of the package are in `a/b`",
        ),
        (&["out/bootstrap"], "provided.al2", "x", "root-too-deep: all files of the package are in `out`"),
        (&["classes/com/App.class"], "java21", "com.App", "root-too-deep"),
    ] {
        let error = error(&Package::of(files), runtime, handler);
        assert!(error.contains(part), "{files:?}: {error}");
    }
}

#[test]
fn layers_and_links_may_have_the_handler() {
    let package = Package::of(&["other.js"]);
    let with_layers = |runtime, handler| package.findings(runtime, handler, |facts| facts.other_code = OtherCode::Yes);
    assert_eq!(
        with_layers("nodejs22.x", "index.handler").iter().map(named).collect::<Vec<_>>(),
        ["handler-missing warning"]
    );
    assert_eq!(with_layers("provided.al2023", "index.handler"), []);
    let linked = Package::of(&["real/index.js"]).link("src", "real");
    assert_eq!(linked.found("nodejs22.x", "src/index.handler"), [""; 0]);
}

#[test]
fn the_class_may_be_in_a_library() {
    let mut jar = zip::ZipWriter::new(Cursor::new(Vec::new()));
    jar.start_file("com/example/App.class", zip::write::SimpleFileOptions::default()).unwrap();
    jar.write_all(b"\xca\xfe\xba\xbe").unwrap();
    let jar = jar.finish().unwrap().into_inner();
    let package = Package::of(&["META-INF/MANIFEST.MF"]).with("lib/app.jar", &jar);
    assert_eq!(package.found("java21", "com.example.App::run"), [""; 0]);
    assert_eq!(package.found("java21", "com.example.Other"), ["handler-missing error"]);
    let broken = Package::of(&["x"]).with("lib/app.jar", b"not one");
    assert_eq!(broken.found("java21", "com.example.App"), [""; 0], "an unreadable library may have the class");
}

#[test]
fn bootstrap_must_be_something_that_starts() {
    for (name, bytes, rules) in [
        ("bootstrap!", &b"#!/bin/sh\necho\n"[..], &[][..]),
        ("bootstrap", b"#!/bin/sh\n", &["bootstrap-not-executable error"]),
        ("bootstrap!", b"#!/bin/sh\r\necho\r\n", &["bootstrap-crlf error"]),
        ("bootstrap!", b"#!/bin/sh\necho\r\n", &[]),
        ("bootstrap!", b"echo\n", &["bootstrap-no-shebang error"]),
        ("bootstrap!", b"\xef\xbb\xbf#!/bin/sh\n", &["bootstrap-no-shebang error"]),
        ("bootstrap!", b"", &["bootstrap-no-shebang error"]),
        ("bootstrap!", b"\x7fELF broken", &[]),
        ("bootstrap!", b"MZ\x90\0", &["foreign-binary error"]),
        ("bootstrap!", b"\xcf\xfa\xed\xfe", &["foreign-binary error"]),
        ("bootstrap!", intel(), &[]),
    ] {
        assert_eq!(
            Package::default().with(name, bytes).found("provided.al2023", "x"),
            rules,
            "{name} {:?}",
            &bytes[..bytes.len().min(12)]
        );
    }
    assert_eq!(Package::of(&["index.js"]).with("bootstrap", b"x").found("nodejs22.x", "index.handler"), [""; 0]);
    assert_eq!(Package::default().link("bootstrap", "bin/app").found("provided.al2023", "x"), [""; 0]);
}

#[test]
fn a_package_that_is_too_large_is_an_error() {
    let package = Package::of(&["index.py"]).sized("torch/lib.bin", 200_000_000).sized("numpy/lib.bin", 62_144_000);
    let found = package.findings("python3.13", "index.handler", |_| {});
    assert_eq!(found[0].message, "the package is 250.0 MB unpacked, but AWS accepts at most 250.0 MB, layers included");
    assert!(found[0].help.as_deref().unwrap().contains("`torch` 190.7 MB, `numpy` 59.2 MB"), "{:?}", found[0].help);
    let fits = Package::default().sized("index.py", 262_144_000);
    assert_eq!(fits.found("python3.13", "index.handler"), [""; 0]);
}

#[test]
fn much_waste_gives_a_warning() {
    let index = || Package::default().sized("index.js", 3_000_000);
    for (name, size, rules) in [
        ("index.js.map", 2_000_000, &["waste warning"][..]),
        ("index.js.map", 1_000_000, &[]),
        ("node_modules/typescript/lib/tsc.js", 9_000_000, &["waste warning"]),
        ("numpy/core/tests/data.csv", 2_000_000, &["waste warning"]),
        ("tests/data.csv", 2_000_000, &[]),
        ("boto3/docs/x.py", 2_000_000, &[]),
        ("map", 2_000_000, &[]),
        ("a/__pycache__/x.pyc", 1, &["interpreter-cache warning"]),
        ("node_modules/.cache/x", 1, &["interpreter-cache warning"]),
    ] {
        assert_eq!(index().sized(name, size).found("nodejs22.x", "index.handler"), rules, "{name}");
    }
    let huge = index().sized("bundle.js", 100_000_000).sized("bundle.js.map", 2_000_000);
    assert_eq!(huge.found("nodejs22.x", "index.handler"), [""; 0], "less than a twentieth");
}

#[test]
fn a_secret_gives_a_warning_that_does_not_show_it() {
    let package = Package::of(&["index.js"])
        .with(".env", b"TOKEN=s3cret\n")
        .with("server.key", b"-----BEGIN PRIVATE KEY-----\ns3cret");
    let found = package.findings("nodejs22.x", "index.handler", |_| {});
    assert_eq!(found.len(), 1);
    assert!(found[0].message.starts_with("2 files seem to hold secrets"), "{}", found[0].message);
    assert!(!format!("{found:?}{:?}", package.survey()).contains("s3cret"));
    let installed =
        Package::of(&["index.py", "moto-5.2.5.dist-info/RECORD"]).with("moto/ca.key", b"-----BEGIN PRIVATE KEY-----");
    assert_eq!(installed.found("python3.13", "index.handler"), [""; 0], "files that pip installed are public");
    let ignored = BTreeSet::from(["secret-file", "handler-undefined"].map(str::to_owned));
    let (runtime, handler) = (Runtime("nodejs22.x".to_owned()), Handler("index.handler".to_owned()));
    let facts = Facts {
        runtime: Some(&runtime),
        handler: Some(&handler),
        architecture: None,
        subject: Subject::Function,
        other_code: OtherCode::No,
        variables: BTreeMap::new(),
        existence: Existence::default(),
        today: Date::MIN,
        ignore: &ignored,
    };
    assert_eq!(inspect(&package.survey(), &facts), []);
}

#[test]
fn a_large_package_is_surveyed_without_opening_its_files() {
    struct Closed(Vec<Listed>);
    impl Contents for Closed {
        fn entries(&self) -> &[Listed] {
            &self.0
        }

        fn open(&self, entry: &Listed) -> io::Result<Box<dyn ReadSeek + '_>> {
            Err(io::Error::other(format!("{} is opened", entry.name)))
        }
    }
    let entry = |index: usize| Listed {
        name: format!("node_modules/p{}/lib/f{index}.js", index % 500),
        mode: 0o100_755,
        crc32: 0,
        size: 100,
        packed: 0,
    };
    let survey = survey(&Closed((0..18_000).map(entry).collect())).unwrap();
    assert_eq!(survey.files.len(), 18_000);
    let other = Closed(vec![Listed { name: "a.node".to_owned(), mode: 0o100_644, crc32: 0, size: 9, packed: 0 }]);
    assert!(matches!(super::survey(&other), Err(super::super::Error::Unreadable(path, _)) if path.ends_with("a.node")));
}

#[test]
fn a_file_that_cannot_be_unpacked_stays_unknown() {
    struct Odd(Vec<Listed>);
    impl Contents for Odd {
        fn entries(&self) -> &[Listed] {
            &self.0
        }

        fn open(&self, _: &Listed) -> io::Result<Box<dyn ReadSeek + '_>> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
    let names = [".env", "a.node", "bootstrap", "lib/a.jar"];
    let survey = survey(&Odd(names
        .map(|name| Listed { name: name.to_owned(), mode: 0o755, crc32: 0, size: 9, packed: 0 })
        .to_vec()))
    .unwrap();
    assert_eq!(
        (survey.binaries, survey.secrets, survey.classes, survey.heads),
        (Vec::<Binary>::new(), vec![], None, BTreeMap::new())
    );
}

proptest! {
    #[test]
    fn odd_names_do_not_panic(
        names in prop::collection::vec("[a-c./_\\\\ü-]{0,12}(\\.so|\\.node|\\.jar|\\.cpython-3[0-9]?.so|/node_modules/@?|bootstrap)?[a/]{0,2}", 0..12),
        handler in "[a-c./:ü]{0,8}",
        runtime in prop::sample::select(&["nodejs22.x", "python3.12", "ruby3.4", "java21", "dotnet8", "go1.x", "provided.al2023", "x"][..]),
    ) {
        let names: BTreeSet<_> = names.iter().collect();
        let package = names.iter().fold(Package::default(), |package, name| package.with(name, intel()));
        let _ = package.found(runtime, &handler);
    }

    #[test]
    fn random_bytes_do_not_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..2048), magic in 0..4usize) {
        let start: &[u8] = [&b"\x7fELF\x02\x01\x01"[..], b"\x7fELF\x01\x01\x01", b"\xca\xfe\xba\xbe", b""][magic];
        bytes.splice(0..start.len().min(bytes.len()), start.iter().copied());
        let _ = format(&bytes);
    }

    #[test]
    fn a_broken_program_does_not_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), any::<u8>()), 1..24),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut bytes = intel().to_vec();
        let table = bytes.len() - 64 * 40;
        for (index, anywhere, byte) in changes {
            // Half of the changes hit the header or the table of sections, where they have the most effect.
            let at = if anywhere { index.index(bytes.len()) } else { (index.index(64 * 41) + table) % bytes.len() };
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = format(&bytes);
    }
}

#[test]
fn hostile_files_are_looked_into() {
    let mut library = zip::ZipWriter::new(Cursor::new(Vec::new()));
    library.start_file("example/Handler.class", zip::write::SimpleFileOptions::default()).unwrap();
    let library = library.finish().unwrap().into_inner();
    let seeds =
        [library, b"#!/bin/sh\n".to_vec(), b"[default]\naws_secret_access_key = x\n".to_vec(), arm()[..4096].to_vec()];
    let tokens =
        ["PK\x01\x02", "PK\x05\x06", "\x7fELF", "AKIAIOSFODNN7EXAMPLE", "-----BEGIN PRIVATE KEY-----", "=", "\n", "\0"];
    crate::hostile::each(&seeds, &tokens, 1, |bytes| {
        let names = [
            "bootstrap!",
            "lib/a.jar",
            "app.cpython-313-x86_64-linux-gnu.so",
            ".aws/credentials",
            ".env",
            "key.pem",
            ".npmrc",
        ];
        let package = names.iter().fold(Package::default(), |package, name| package.with(name, bytes));
        for (runtime, handler) in
            [("java21", "example.Handler"), ("python3.13", "app.handler"), ("provided.al2023", "x")]
        {
            let _ = package.found(runtime, handler);
        }
    });
}
