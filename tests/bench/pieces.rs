//! The pieces of a run that take time: `cargo bench --bench pieces`. How the whole compares with others: `compare.py`.
#![expect(clippy::expect_used, reason = "a benchmark may fall")]

use std::{fs, path::Path};

use divan::{Bencher, counter::BytesCount};
use dpl_lambda::internals::Rules;
use dpl_lambda::internals::package::inspect::{Contents, ReadSeek, survey};
use dpl_lambda::internals::package::{self, Listed};
use tempfile::TempDir;

fn main() {
    divan::main();
}

/// A folder with so many files of so many bytes, which are like code or like compressed data.
fn tree(files: usize, size: usize, content: fn(usize, usize) -> Vec<u8>) -> TempDir {
    let tree = tempfile::tempdir().expect("a folder for the files");
    for number in 0..files {
        let folder = tree.path().join(format!("node_modules/package-{}/lib", number % 100));
        fs::create_dir_all(&folder).expect("a folder of the tree");
        fs::write(folder.join(format!("{number}.js")), content(number, size)).expect("a file of the tree");
    }
    tree
}

fn code(number: usize, size: usize) -> Vec<u8> {
    let line = |line: usize| format!("exports.f{line} = (a, b) => a * {} + b.field{};\n", line * number, line % 13);
    (0..).flat_map(|number| line(number).into_bytes()).take(size).collect()
}

fn noise(number: usize, size: usize) -> Vec<u8> {
    let mut state = number as u64 + 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(size).collect()
}

fn pack(bencher: Bencher<'_, '_>, files: usize, size: usize, content: fn(usize, usize) -> Vec<u8>) {
    let tree = tree(files, size, content);
    let packed =
        || package::build(Path::new("."), &Rules::default(), tree.path(), |_| {}).expect("a package").archive.size();
    bencher.counter(BytesCount::new(files * size)).bench(packed);
}

#[divan::bench(sample_count = 10)]
fn pack_many_small_files(bencher: Bencher<'_, '_>) {
    pack(bencher, 5_000, 4_000, code);
}

#[divan::bench(sample_count = 10)]
fn pack_some_large_files(bencher: Bencher<'_, '_>) {
    pack(bencher, 10, 4_000_000, code);
}

#[divan::bench(sample_count = 10)]
fn pack_one_file_larger_than_memory_may_hold(bencher: Bencher<'_, '_>) {
    pack(bencher, 1, 60_000_000, code);
}

#[divan::bench(sample_count = 10)]
fn pack_what_is_compressed_already(bencher: Bencher<'_, '_>) {
    pack(bencher, 20, 2_000_000, noise);
}

/// Names alone, since only few files of a package are looked into.
struct Names(Vec<Listed>);

impl Contents for Names {
    fn entries(&self) -> &[Listed] {
        &self.0
    }

    fn open(&self, _: &Listed) -> std::io::Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(std::io::Cursor::new(b"{}")))
    }
}

#[divan::bench]
fn survey_twenty_thousand_names(bencher: Bencher<'_, '_>) {
    let name = |number: usize| format!("node_modules/package-{:03}/lib/{number:05}.js", number / 100);
    let entry = |number| Listed { name: name(number), mode: 0o100_644, crc32: 0, size: 4_000, packed: 1_000 };
    let names = Names((0..20_000).map(entry).collect());
    bencher.bench(|| survey(&names).expect("names alone cannot be unreadable"));
}
