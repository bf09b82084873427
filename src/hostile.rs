//! Hostile input for tests of whatever reads foreign bytes.
//!
//! Seeds that a reader takes are changed as an attacker or an accident would change them, and each case must end soon.
//! `PROPTEST_CASES` says how many there are: few in `cargo test`, a minute of them in the gate.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// The longest that one case may take, in a debug build.
const LONGEST: Duration = Duration::from_secs(5);

/// The most bytes that changes make of a seed.
const MOST: usize = 1 << 18;

/// One change; positions are relative to what there is.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Cut(Index, Index),
    Repeat(Index, Index, u16),
    Move(Index, Index, Index),
    Splice(Index, Index, Index, Index),
    Insert(Index, Index, u8),
    Fill(Index, u8, u16),
    Cover(Index, [u8; 8]),
}

fn change() -> impl Strategy<Value = Change> {
    use Change::*;
    let at = any::<Index>;
    let often = prop_oneof![6 => 1..4_u16, 1 => 1..2_000_u16];
    let byte = prop_oneof![any::<u8>(), prop::sample::select(&[0, b'\n', b' ', b'0', b'/', 0x7f, 0x80, 0xff][..])];
    prop_oneof![
        4 => (at(), byte.clone()).prop_map(|(at, byte)| Set(at, byte)),
        2 => (at(), at()).prop_map(|(from, to)| Cut(from, to)),
        2 => (at(), at(), often.clone()).prop_map(|(from, to, times)| Repeat(from, to, times)),
        1 => (at(), at(), at()).prop_map(|(from, to, into)| Move(from, to, into)),
        2 => (at(), at(), at(), at()).prop_map(|(seed, from, to, into)| Splice(seed, from, to, into)),
        6 => (at(), at(), 1..3_u8).prop_map(|(token, into, times)| Insert(token, into, times)),
        1 => (at(), byte, often).prop_map(|(into, byte, times)| Fill(into, byte, times)),
        1 => (at(), any::<[u8; 8]>()).prop_map(|(at, bytes)| Cover(at, bytes)),
    ]
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>], tokens: &[&str]) {
        let place = |index: &Index, length: usize| index.index(length + 1);
        let range = |from: &Index, to: &Index, length: usize| {
            let (from, to) = (place(from, length), place(to, length));
            from.min(to)..from.max(to)
        };
        let length = bytes.len();
        let mut insert = |at: usize, more: &[u8]| {
            if length + more.len() <= MOST {
                bytes.splice(at..at, more.iter().copied());
            }
        };
        match self {
            Self::Set(at, byte) if length > 0 => bytes[at.index(length)] = *byte,
            Self::Set(..) => {}
            Self::Cut(from, to) => drop(bytes.drain(range(from, to, length))),
            Self::Repeat(from, to, times) => {
                let range = range(from, to, length);
                let times = usize::from(*times).min(MOST / range.len().max(1));
                let more = bytes[range.clone()].repeat(times);
                if length + more.len() <= MOST {
                    bytes.splice(range.start..range.start, more);
                }
            }
            Self::Move(from, to, into) => {
                let moved: Vec<_> = bytes.drain(range(from, to, length)).collect();
                let into = place(into, bytes.len());
                bytes.splice(into..into, moved);
            }
            Self::Splice(seed, from, to, into) => {
                let seed = &seeds[seed.index(seeds.len())];
                insert(place(into, length), &seed[range(from, to, seed.len())]);
            }
            Self::Insert(token, into, times) => {
                let token = tokens[token.index(tokens.len())].as_bytes();
                insert(place(into, length), &token.repeat(usize::from(*times)));
            }
            Self::Fill(into, byte, times) => insert(place(into, length), &vec![*byte; usize::from(*times)]),
            Self::Cover(at, covering) => {
                let at = place(at, length);
                bytes.iter_mut().skip(at).zip(covering).for_each(|(byte, new)| *byte = *new);
            }
        }
    }
}

/// Calls a reader with changed seeds, a share of the cases that are asked for.
///
/// A seed as it is comes first, so that a reader that takes nothing is found out by what it asserts itself.
pub(crate) fn each(seeds: &[Vec<u8>], tokens: &[&str], one_in: u32, read: impl Fn(&[u8])) {
    for seed in seeds {
        soon(seed, || read(seed));
    }
    let cases = (Config::default().cases / one_in).max(1);
    let shrinking = Config { max_shrink_iters: 2_000, max_shrink_time: 30_000, ..Config::default() };
    let config = Config { cases, failure_persistence: None, ..shrinking };
    let changes = (any::<Index>(), prop::collection::vec(change(), 0..8));
    // What fails is shown as the bytes it fails on: the changes alone say little.
    let last = RefCell::new(Vec::new());
    let result = TestRunner::new(config).run(&changes, |(seed, changes)| {
        let mut bytes = seeds[seed.index(seeds.len())].clone();
        for change in &changes {
            change.apply(&mut bytes, seeds, tokens);
        }
        last.replace(bytes.clone());
        soon(&bytes, || read(&bytes));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}\nthe bytes: {:?}", String::from_utf8_lossy(&last.borrow()));
    }
}

/// The same for a reader of text.
pub(crate) fn each_text(seeds: &[&str], tokens: &[&str], one_in: u32, read: impl Fn(&str)) {
    let seeds: Vec<_> = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    each(&seeds, tokens, one_in, |bytes| read(&String::from_utf8_lossy(bytes)));
}

/// Calls a reader with one token again and again, up to `bytes`: the time must grow as the text does, not as its square.
pub(crate) fn endless(tokens: &[&str], bytes: usize, read: impl Fn(&str)) {
    const TIMES: usize = 8;
    for token in tokens {
        let repeated = |most: usize| token.repeat(most / token.len());
        let on_lines = |most: usize| format!("{token}\n").repeat(most / (token.len() + 1));
        // Each line is another, as keys have to be.
        let of_keys = |most: usize| -> String {
            (0..most / (token.len() + 8)).map(|line| format!("k{line}: {token}\n")).collect::<Vec<_>>().concat()
        };
        // What is opened and never closed.
        let opened = |most: usize| format!("{token}{}", "\n".repeat(most));
        let forms: [&dyn Fn(usize) -> String; 4] = [&repeated, &on_lines, &of_keys, &opened];
        for form in forms {
            let [short, long] = [form(bytes / TIMES), form(bytes)].map(|text| time_of(|| read(&text)));
            let most = short * 3 * u32::try_from(TIMES).unwrap() + Duration::from_millis(200);
            assert!(long < most, "{TIMES} times as much {:?} takes {long:?} instead of {short:?}", form(32));
        }
    }
}

/// Runs one case, which must end soon.
fn soon(bytes: &[u8], run: impl FnOnce()) {
    let took = time_of(run);
    assert!(took < LONGEST, "took {took:?} for {} bytes", bytes.len());
}

/// The processor's time that this thread takes, so that a busy machine makes nothing slower; elsewhere than on Linux
/// time as it passes.
fn time_of(run: impl FnOnce()) -> Duration {
    let spent = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().map(Duration::from_nanos).ok()
    };
    let (begun, before) = (Instant::now(), spent());
    run();
    before.zip(spent()).map_or_else(|| begun.elapsed(), |(before, after)| after.saturating_sub(before))
}

/// Runs a test with the stack that the program has, which is larger than that of a test.
pub(crate) fn on_main_stack<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(8 << 20).spawn_scoped(scope, test).unwrap();
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
