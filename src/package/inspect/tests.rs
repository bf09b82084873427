//! Tests the rules on small packages. Their native files are copies of this test's own program, patched for other platforms.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Cursor, Write},
    sync::OnceLock,
};

use proptest::prelude::*;

use super::super::Listed;
use super::survey::Binary;
use super::*;

/// A package in memory.
#[derive(Default)]
struct Package {
    entries: Vec<Listed>,
    bytes: BTreeMap<String, Vec<u8>>,
}

impl Package {
    fn of(files: &[&str]) -> Self {
        files.iter().fold(Self::default(), |package, name| package.with(name, b"x"))
    }

    /// Adds a file. A `!` at the end of the name makes it executable.
    fn with(self, name: &str, bytes: &[u8]) -> Self {
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

    fn survey(&self) -> Survey {
        survey(self).unwrap()
    }

    /// The problems found, each as `rule severity`.
    fn found(&self, runtime: &str, handler: &str) -> Vec<String> {
        self.findings(runtime, handler, |_| {}).iter().map(named).collect()
    }

    fn findings(&self, runtime: &str, handler: &str, change: impl Fn(&mut Facts<'_>)) -> Vec<Problem> {
        let (runtime, handler, ignore) = (Runtime(runtime.to_owned()), Handler(handler.to_owned()), BTreeSet::new());
        let mut facts = Facts {
            runtime: Some(&runtime).filter(|runtime| !runtime.0.is_empty()),
            handler: Some(&handler).filter(|handler| !handler.0.is_empty()),
            architecture: None,
            has_other_code: false,
            today: Date::new(2025, 1, 1),
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

fn named(finding: &Problem) -> String {
    let severity = if finding.stops() { "error" } else { "warning" };
    format!("{} {severity}", finding.rule.unwrap())
}

/// The start of this program, with its symbols, and its table of sections at the end. It is patched to `x86_64`, so that all
/// machines run the same test.
fn intel() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let elf = fs::read("/proc/self/exe").unwrap();
        let offset = u64::from_le_bytes(elf[0x28..0x30].try_into().unwrap());
        let (table, number) = (usize::try_from(offset).unwrap(), u16::from_le_bytes([elf[0x3c], elf[0x3d]]));
        let mut short = elf[..0x1_0000.min(elf.len())].to_vec();
        let end = short.len() as u64;
        short[0x28..0x30].copy_from_slice(&end.to_le_bytes());
        short.extend(&elf[table..table + usize::from(number) * 64]);
        patched(&short, 62)
    })
}

fn arm() -> Vec<u8> {
    patched(intel(), 183)
}

fn patched(elf: &[u8], machine: u8) -> Vec<u8> {
    let mut elf = elf.to_vec();
    elf[18..20].copy_from_slice(&[machine, 0]);
    elf
}

/// The same program, as if linked with glibc 2.99.
fn of_the_future() -> Vec<u8> {
    let mut elf = intel().to_vec();
    for at in positions(&elf, b"GLIBC_2.") {
        if elf[at + 8..at + 11] == *b"17\0" || elf[at + 8..at + 11] == *b"34\0" {
            elf[at + 8..at + 10].copy_from_slice(b"99");
        }
    }
    elf
}

/// The same program, as if built for Alpine Linux. The patched names keep their length.
fn of_alpine() -> Vec<u8> {
    let mut elf = intel().to_vec();
    for loader in [&b"/lib64/ld-linux-x86-64.so.2"[..], b"/lib/ld-linux-aarch64.so.1"] {
        if let Some(at) = positions(&elf, loader).first() {
            elf[*at..*at + 24].copy_from_slice(b"/lib/ld-musl-x86_64.so.1");
        }
    }
    elf
}

fn positions(bytes: &[u8], part: &[u8]) -> Vec<usize> {
    bytes.windows(part.len()).enumerate().filter(|(_, window)| *window == part).map(|(at, _)| at).collect()
}

fn format(bytes: &[u8]) -> Option<binary::Format> {
    binary::read(Box::new(Cursor::new(bytes)))
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
        (&["dist\\index.js"], "nodejs22.x", "index.handler", "separates folders by `\\`"),
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
    let with_layers = |runtime, handler| package.findings(runtime, handler, |facts| facts.has_other_code = true);
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
fn a_native_file_tells_what_it_is_for() {
    let Some(binary::Format::Elf(own)) = format(intel()) else { panic!("this program is not understood") };
    assert_eq!(own.machine, binary::Machine::Known(Architecture::X86_64));
    assert!(own.glibc.is_some_and(|version| ((2, 17)..(2, 60)).contains(&version)), "{:?}", own.glibc);
    assert!(!own.musl);
    let Some(binary::Format::Elf(future)) = format(&of_the_future()) else { panic!() };
    assert_eq!(future.glibc, Some((2, 99)));
    let Some(binary::Format::Elf(alpine)) = format(&of_alpine()) else { panic!() };
    assert!(alpine.musl);
    assert_eq!(format(b"\xca\xfe\xba\xbe\0\0\0\x02"), Some(binary::Format::MacOs));
    assert_eq!(format(b"\xca\xfe\xba\xbe\0\0\0\x34"), None, "a class of Java");
    assert_eq!(format(b"#!/bin/sh"), None);
    assert_eq!(format(b"MZ"), None);
}

/// A package of native files, each with its platform: `x` (`x86_64`), `a` (arm64), `f` (glibc 2.99), `m` (musl), `w`
/// (Windows), or else macOS.
fn native(files: &[(&str, char)]) -> Package {
    files.iter().fold(Package::of(&["index.py", "index.js"]), |package, (name, kind)| match kind {
        'x' => package.with(name, intel()),
        'a' => package.with(name, &arm()),
        'f' => package.with(name, &of_the_future()),
        'm' => package.with(name, &of_alpine()),
        'w' => package.with(name, b"MZ\x90\0"),
        _ => package.with(name, b"\xcf\xfa\xed\xfe"),
    })
}

#[test]
fn native_code_is_for_the_functions_processor() {
    let x86 = |facts: &mut Facts<'_>| facts.architecture = Some(Architecture::X86_64);
    for (files, rules) in [
        (&[("a/_x.cpython-313-x86_64-linux-gnu.so", 'x')][..], &[][..]),
        (&[("a/_x.cpython-313-aarch64-linux-gnu.so", 'a')], &["wrong-architecture error"]),
        (&[("a/_x.abi3.so", 'a')], &["wrong-architecture error"]),
        // The module only makes the source beside it faster.
        (&[("a/x.cpython-313-aarch64-linux-gnu.so", 'a'), ("a/x.py", '-')], &["wrong-architecture warning"]),
        (&[("a/data/lib.so", 'a')], &["wrong-architecture error"]),
        (&[("a/data/arm.so", 'a'), ("a/data/intel.so", 'x')], &[]),
        (&[("node_modules/a/build/Release/a.node", 'a')], &["wrong-architecture error"]),
        (
            &[("node_modules/a/prebuilds/linux-arm64/a.node", 'a'), ("node_modules/a/prebuilds/linux-x64/a.node", 'x')],
            &[],
        ),
        (
            &[
                ("node_modules/@img/sharp-linux-arm64/lib/s.node", 'a'),
                ("node_modules/@img/sharp-linux-x64/lib/s.node", 'x'),
            ],
            &[],
        ),
        (&[("node_modules/@img/sharp-linux-arm64/lib/s.node", 'a')], &["wrong-architecture error"]),
        (&[("node_modules/@esbuild/linux-arm64/bin/esbuild!", 'a')], &["wrong-architecture warning"]),
        (
            &[
                ("node_modules/@esbuild/linux-arm64/bin/esbuild!", 'a'),
                ("node_modules/@esbuild/linux-x64/bin/esbuild!", 'x'),
            ],
            &[],
        ),
        // The package ships builds for several platforms, so it probably works without them.
        (
            &[("node_modules/a/prebuilds/linux-arm64/a.node", 'a'), ("node_modules/a/prebuilds/win32-x64/a.node", 'w')],
            &["wrong-architecture warning"],
        ),
        (&[("extensions/agent", 'a')], &["wrong-architecture error"]),
        (&[("venv/lib/python3.13/site-packages/a/_x.cpython-313-x.so", 'a')], &["wrong-architecture warning"]),
        (&[("tomli/_a__mypyc.cpython-313-x.so", 'a')], &["wrong-architecture warning"]),
        (&[("bin/tool!", 'a')], &["wrong-architecture warning"]),
        (&[("bin/tool", 'a')], &[]),
        (&[("lib/libx.so.1.2", 'a')], &["wrong-architecture error"]),
        (&[("query-linux-arm64-openssl-3.so.node", 'a'), ("query-rhel-openssl-3.so.node", 'x')], &[]),
    ] {
        let package = native(files);
        let found: Vec<_> = package.findings("python3.13", "index.handler", x86).iter().map(named).collect();
        assert_eq!(found, rules, "{files:?}");
    }
    let bootstrap = native(&[("bootstrap!", 'a')]);
    let found = bootstrap.findings("provided.al2023", "x", x86);
    assert_eq!(found[0].message, "`bootstrap` is built for arm64, but the function runs on x86_64");
    assert_eq!(found[0].help.as_deref(), Some("build for x86_64, or set `architecture: arm64`"));
    assert_eq!(found[0].option.as_deref(), Some("architecture"));
    assert_eq!(bootstrap.found("provided.al2023", "x"), [""; 0], "the architecture is unknown");
    let old = Package::default().with("bootstrap!", &patched(intel(), 243));
    assert_eq!(old.found("provided.al2023", "x"), ["wrong-architecture error"], "Lambda does not have this processor");
}

#[test]
fn the_architecture_is_that_of_all_essential_files() {
    use Architecture::{Arm64, X86_64};
    for (files, architecture) in [
        (&[][..], None),
        (&[("bootstrap!", 'a')][..], Some(Arm64)),
        (&[("bootstrap!", 'x'), ("bin/tool!", 'a')], Some(X86_64)),
        (&[("bin/tool!", 'a')], None),
        (&[("a/_a.abi3.so", 'a'), ("b/_b.abi3.so", 'x')], None),
        (&[("a/_a.abi3.so", 'a'), ("a/_b.abi3.so", 'x')], None),
        (
            &[("node_modules/a/l-x64.node", 'x'), ("node_modules/a/l-arm64.node", 'a'), ("node_modules/b/b.node", 'a')],
            Some(Arm64),
        ),
        (
            &[("node_modules/a/l.node", 'x'), ("node_modules/b/m-x64.node", 'x'), ("node_modules/b/w.node", 'w')],
            Some(X86_64),
        ),
        (
            &[("node_modules/a/l.node", 'a'), ("node_modules/b/m-x64.node", 'x'), ("node_modules/b/w.node", 'w')],
            Some(Arm64),
        ),
        (&[("bootstrap!", 'd')], None),
    ] {
        assert_eq!(native(files).survey().architecture(None), architecture, "{files:?}");
    }
    for (files, live, architecture) in [
        (&[("bootstrap!", 'a')][..], X86_64, Arm64),
        (&[("a/_a.abi3.so", 'a')], X86_64, Arm64),
        (&[("node_modules/a/a.node", 'a')], X86_64, X86_64),
        (&[("lib/liba.so", 'a'), ("bin/tool!", 'a')], X86_64, X86_64),
        (&[("a/_a.abi3.so", 'a'), ("b/_b.abi3.so", 'x')], Arm64, Arm64),
    ] {
        assert_eq!(native(files).survey().architecture(Some(live)), Some(architecture), "{files:?}");
    }
    let mixed = native(&[("a/_a.abi3.so", 'a'), ("b/_b.abi3.so", 'x')]);
    let found = mixed.findings("python3.13", "index.handler", |_| {});
    assert_eq!(named(&found[0]), "wrong-architecture error");
    assert_eq!(
        found[0].message,
        "`b/_b.abi3.so` is built for x86_64 and `a/_a.abi3.so` for arm64, so they cannot run in one function"
    );
}

#[test]
fn native_code_for_another_libc_is_found() {
    for (files, rules) in [
        (&[("a/_x.abi3.so", 'f')][..], &["glibc-too-new error"][..]),
        (&[("a/_x.abi3.so", 'm')], &["wrong-libc error"]),
        (&[("a/_x.cpython-313-x86_64-linux-musl.so", 'm'), ("a/_x.cpython-313-x86_64-linux-gnu.so", 'x')], &[]),
        (&[("a/_x.abi3.so", 'f'), ("a/_y.abi3.so", 'x')], &["glibc-too-new error"]),
        (
            &[
                ("node_modules/@img/sharp-linuxmusl-x64/lib/s.node", 'm'),
                ("node_modules/@img/sharp-linux-x64/lib/s.node", 'x'),
            ],
            &[],
        ),
        (&[("node_modules/@img/sharp-linuxmusl-x64/lib/s.node", 'm')], &["wrong-libc error"]),
        (&[("a.libs/liba.so.1", 'f')], &["glibc-too-new error"]),
        (&[("bin/tool!", 'f'), ("bin/other!", 'x')], &[]),
    ] {
        assert_eq!(native(files).found("python3.13", "index.handler"), rules, "{files:?}");
    }
    let found = native(&[("bootstrap!", 'f')]).findings("provided.al2", "x", |_| {});
    assert_eq!(found[0].message, "`bootstrap` needs glibc 2.99, but the runtime's Amazon Linux 2 has 2.26");
    assert_eq!(native(&[("bootstrap!", 'f')]).found("", ""), [""; 0], "the runtime is unknown");
}

#[test]
fn extension_modules_are_for_the_runtimes_python() {
    for (names, rules) in [
        (&["a/_x.cpython-313-x86_64-linux-gnu.so"][..], &[][..]),
        (&["a/_x.cpython-312-x86_64-linux-gnu.so"], &["python-version error"]),
        (&["a/_x.cpython-312-x86_64-linux-gnu.so", "a/_x.cpython-313-x86_64-linux-gnu.so"], &[]),
        (&["a/_x.cpython-312-x86_64-linux-gnu.so", "b/_x.cpython-313-x86_64-linux-gnu.so"], &["python-version error"]),
        (&["a/_x.abi3.so"], &[]),
        (&["a/_x.so"], &[]),
        (&["a/x.cpython-312-x86_64-linux-gnu.so", "a/x.py"], &[]),
    ] {
        let package = names.iter().fold(Package::of(&["index.py"]), |package, name| package.with(name, b"x"));
        assert_eq!(package.found("python3.13", "index.handler"), rules, "{names:?}");
    }
    let package = Package::of(&["index.py", "_x.cpython-312-x86_64-linux-gnu.so"]);
    let found = package.findings("python3.13", "index.handler", |_| {});
    assert_eq!(
        found[0].message,
        "`_x.cpython-312-x86_64-linux-gnu.so` is built for Python 3.12, but the runtime is python3.13"
    );
}

#[test]
fn a_file_for_another_system_is_found_unless_it_has_a_build_for_linux() {
    for (files, rules) in [
        (&[("a/_x.cpython-313-darwin.so", 'd')][..], &["foreign-binary warning"][..]),
        (&[("a/_x.cp313-win_amd64.pyd", 'w')], &["foreign-binary warning"]),
        (&[("bootstrap!", 'd')], &["foreign-binary error"]),
        (&[("node_modules/fsevents/fsevents.node", 'd')], &["foreign-binary warning"]),
        (
            &[("node_modules/a/prebuilds/win32-x64/a.node", 'w'), ("node_modules/a/prebuilds/linux-x64/a.node", 'x')],
            &[],
        ),
        (
            &[
                ("node_modules/@esbuild/darwin-arm64/bin/esbuild!", 'd'),
                ("node_modules/@esbuild/linux-x64/bin/esbuild!", 'x'),
            ],
            &[],
        ),
        (&[("setuptools/cli-64.exe", 'w')], &[]),
        (&[("tool.exe", 'w')], &["foreign-binary warning"]),
    ] {
        assert_eq!(native(files).found("python3.13", "index.handler"), rules, "{files:?}");
    }
    let dotnet = Package::of(&["App.runtimeconfig.json"]).with("App.dll", b"MZ\x90\0");
    assert_eq!(dotnet.found("dotnet8", "App::App.Function::Run"), [""; 0]);
}

#[test]
fn a_package_that_is_too_large_is_an_error() {
    let package = Package::of(&["index.py"]).sized("torch/lib.bin", 200_000_000).sized("numpy/lib.bin", 62_144_000);
    let found = package.findings("python3.13", "index.handler", |_| {});
    assert_eq!(found[0].message, "the package is 250.0 MB unpacked, but AWS takes at most 250.0 MB, layers included");
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
    let ignored = BTreeSet::from(["secret-file".to_owned()]);
    let (runtime, handler) = (Runtime("nodejs22.x".to_owned()), Handler("index.handler".to_owned()));
    let facts = Facts {
        runtime: Some(&runtime),
        handler: Some(&handler),
        architecture: None,
        has_other_code: false,
        today: Date::new(2025, 1, 1),
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
        (survey.binaries, survey.secrets, survey.classes, survey.bootstrap),
        (Vec::<Binary>::new(), vec![], None, None)
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
