//! Native files: copies of this test's own program, patched for other platforms.

use std::fs;
use std::io::Cursor;
use std::sync::OnceLock;

use super::super::binary;
use super::super::tests::{Package, named};
use super::*;

/// The start of this program, with its symbols, and its table of sections at the end. It is patched to `x86_64`, so that all
/// machines run the same test.
pub(in crate::package::inspect) fn intel() -> &'static [u8] {
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

pub(in crate::package::inspect) fn arm() -> Vec<u8> {
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

pub(in crate::package::inspect) fn format(bytes: &[u8]) -> Option<Format> {
    binary::read(Box::new(Cursor::new(bytes)))
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
fn a_native_file_tells_what_it_is_for() {
    let Some(Format::Elf(own)) = format(intel()) else { panic!("this program is not understood") };
    assert_eq!(own.machine, Machine::Known(Architecture::X86_64));
    assert!(own.glibc.is_some_and(|version| ((2, 17)..(2, 60)).contains(&version)), "{:?}", own.glibc);
    assert!(!own.musl);
    let Some(Format::Elf(future)) = format(&of_the_future()) else { panic!() };
    assert_eq!(future.glibc, Some((2, 99)));
    let Some(Format::Elf(alpine)) = format(&of_alpine()) else { panic!() };
    assert!(alpine.musl);
    assert_eq!(format(b"\xca\xfe\xba\xbe\0\0\0\x02"), Some(Format::MacOs));
    assert_eq!(format(b"\xca\xfe\xba\xbe\0\0\0\x34"), None, "a class of Java");
    assert_eq!(format(b"#!/bin/sh"), None);
    assert_eq!(format(b"MZ"), None);
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
