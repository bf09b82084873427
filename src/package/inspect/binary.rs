//! Reads the platform that a native file is built for.
//!
//! The files can come from any source, so reads are bounded, and a broken file counts as not native.

use std::{io::Read, ops::Range};

use object::LittleEndian;
use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader};
use object::read::{ReadCache, ReadRef};

use super::super::Listed;
use super::contents::ReadSeek;
use super::path::{base, extension};
use crate::settings::Architecture;

/// The largest single read of a file, in bytes.
const MAX_READ: u64 = 4 << 20;

/// The most entries read from a table.
const MAX_ENTRIES: usize = 4096;

/// The format of a native file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// A program or library for Linux.
    Elf(Elf),
    /// A program or library for Windows.
    Windows,
    /// A program or library for macOS.
    MacOs,
}

/// The platform of a Linux file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Elf {
    /// The processor.
    pub(super) machine: Machine,
    /// The newest version of glibc that it requires; absent when it requires none.
    pub(super) glibc: Option<(u32, u32)>,
    /// Whether it needs musl.
    pub(super) musl: bool,
}

/// A processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    /// A processor that Lambda has.
    Known(Architecture),
    /// A processor that Lambda does not have, by its name for messages.
    Other(&'static str),
}

impl Machine {
    /// The name for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Known(Architecture::X86_64) => "x86_64",
            Self::Known(Architecture::Arm64) => "arm64",
            Self::Other(name) => name,
        }
    }
}

/// The format of a file; `None` if it is broken or not native.
pub(super) fn read(mut file: Box<dyn ReadSeek + '_>) -> Option<Format> {
    let mut magic = [0; 4];
    file.read_exact(&mut magic).ok()?;
    match magic {
        elf::ELFMAG => elf(&ReadCache::new(file)).map(Format::Elf),
        [b'M', b'Z', ..] => Some(Format::Windows),
        // Mach-O files for one processor, in both byte orders.
        [0xfe, 0xed, 0xfa, 0xce | 0xcf] | [0xce | 0xcf, 0xfa, 0xed, 0xfe] => Some(Format::MacOs),
        // Java's class files begin like Mach-O files for several processors, but have a version here, not a small count.
        [0xca, 0xfe, 0xba, 0xbe] => {
            let mut count = [0; 4];
            file.read_exact(&mut count).ok()?;
            (u32::from_be_bytes(count) < 20).then_some(Format::MacOs)
        }
        _ => None,
    }
}

/// A file that refuses single reads larger than [`MAX_READ`].
#[derive(Clone, Copy)]
struct Capped<'a, 'file>(&'a ReadCache<Box<dyn ReadSeek + 'file>>);

impl<'a> ReadRef<'a> for Capped<'a, '_> {
    fn len(self) -> Result<u64, ()> {
        self.0.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        if size > MAX_READ { Err(()) } else { self.0.read_bytes_at(offset, size) }
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        self.0.read_bytes_at_until(range, delimiter)
    }
}

fn elf(cache: &ReadCache<Box<dyn ReadSeek + '_>>) -> Option<Elf> {
    let file = Capped(cache);
    let ident = file.read_bytes_at(0, 16).ok()?;
    // Only 64-bit little-endian files can run, so only these are read in full.
    match (ident[4], ident[5]) {
        (1, 1) => {
            let header = FileHeader32::<LittleEndian>::parse(file).ok()?;
            let machine = match header.e_machine(LittleEndian) {
                elf::EM_386 => "32-bit x86",
                elf::EM_ARM => "32-bit ARM",
                _ => "a 32-bit processor",
            };
            loadable(header).then_some(Elf { machine: Machine::Other(machine), glibc: None, musl: false })
        }
        (2, 1) => {
            let header = FileHeader64::<LittleEndian>::parse(file).ok()?;
            let machine = match header.e_machine(LittleEndian) {
                elf::EM_X86_64 => Machine::Known(Architecture::X86_64),
                elf::EM_AARCH64 => Machine::Known(Architecture::Arm64),
                elf::EM_RISCV => Machine::Other("RISC-V"),
                elf::EM_PPC64 => Machine::Other("POWER"),
                _ => Machine::Other("another processor"),
            };
            let (glibc, musl) = (glibc(header, file), musl(header, file));
            loadable(header).then_some(Elf { machine, glibc, musl })
        }
        (1 | 2, 2) => Some(Elf { machine: Machine::Other("a big-endian processor"), glibc: None, musl: false }),
        _ => None,
    }
}

/// Whether the file is a program or a shared library, and not an object file for a linker.
fn loadable<H: FileHeader<Endian = LittleEndian>>(header: &H) -> bool {
    matches!(header.e_type(LittleEndian), elf::ET_EXEC | elf::ET_DYN)
}

/// The newest version of glibc that a required symbol needs.
fn glibc(header: &FileHeader64<LittleEndian>, file: Capped<'_, '_>) -> Option<(u32, u32)> {
    let sections = header.sections(LittleEndian, file).ok()?;
    let (needs, link) = sections.gnu_verneed(LittleEndian, file).ok()??;
    let strings = sections.strings(LittleEndian, file, link).ok()?;
    // A broken file can claim more entries than its size allows, so this limits their number over all tables.
    needs
        .take(MAX_ENTRIES)
        .map_while(Result::ok)
        .flat_map(|(_, symbols)| symbols.map_while(Result::ok))
        .take(MAX_ENTRIES)
        .filter(|symbol| symbol.vna_flags.get(LittleEndian).0 & elf::VER_FLG_WEAK.0 == 0)
        .filter_map(|symbol| glibc_version(symbol.name(LittleEndian, strings).ok()?))
        .max()
}

/// The version in a symbol's name: `GLIBC_2.34` is 2.34. `GLIBC_ABI_DT_RELR` needs 2.36, the first that knows it.
fn glibc_version(symbol: &[u8]) -> Option<(u32, u32)> {
    if symbol == b"GLIBC_ABI_DT_RELR" {
        return Some((2, 36));
    }
    let version = std::str::from_utf8(symbol).ok()?.strip_prefix("GLIBC_")?;
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Whether the file names the loader or the library of musl.
fn musl(header: &FileHeader64<LittleEndian>, file: Capped<'_, '_>) -> bool {
    let segments = header.program_headers(LittleEndian, file).unwrap_or_default();
    let loader = segments.iter().find_map(|segment| segment.interpreter(LittleEndian, file).ok()?);
    let by_loader = loader.is_some_and(|loader| loader.starts_with(b"/lib/ld-musl"));
    by_loader || needed(header, file).is_some_and(|mut names| names.any(|name| name.starts_with(b"libc.musl-")))
}

/// The names of the libraries that a file needs.
fn needed<'a>(header: &'a FileHeader64<LittleEndian>, file: Capped<'a, '_>) -> Option<impl Iterator<Item = &'a [u8]>> {
    let sections = header.sections(LittleEndian, file).ok()?;
    let dynamic = sections.iter().find(|section| section.sh_type(LittleEndian) == elf::SHT_DYNAMIC)?;
    let (entries, link) = dynamic.dynamic(LittleEndian, file).ok()??;
    let strings = sections.strings(LittleEndian, file, link).ok()?;
    let named = entries.iter().take(MAX_ENTRIES).filter(|entry| entry.d_tag(LittleEndian) == elf::DT_NEEDED);
    Some(named.filter_map(move |entry| strings.get(u32::try_from(entry.d_val(LittleEndian)).ok()?).ok()))
}

/// Whether an entry may be native, by its name, or by its mode if the name does not tell.
pub(super) fn is_candidate(file: &Listed) -> bool {
    match extension(&file.name) {
        "so" | "node" | "dylib" | "pyd" | "exe" | "dll" => true,
        version if base(&file.name).contains(".so.") => begins_with_digit(version),
        _ if file.name == "bootstrap" || file.name.starts_with("extensions/") => true,
        "" | "bin" => file.mode & 0o111 != 0,
        version => file.mode & 0o111 != 0 && begins_with_digit(version),
    }
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}
