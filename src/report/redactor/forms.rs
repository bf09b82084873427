//! Undoes escapes, so that a secret is found in an escaped text too.
//!
//! Each form of escaping is undone, also several in turn. Every byte keeps its position in the original text. So a
//! secret is found if all of its characters are escaped, and if only some are.

use std::ops::Range;

/// A text with some of its escapes undone.
pub(super) struct View {
    /// The text.
    pub bytes: Vec<u8>,
    /// The origin of each byte: the first and the last byte of its escape in the original text.
    origins: Vec<(usize, usize)>,
    /// How many forms were undone in turn.
    pub depth: usize,
}

impl View {
    fn plain(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), origins: (0..text.len()).map(|at| (at, at)).collect(), depth: 0 }
    }

    /// The position of a range in the original text.
    pub(super) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        self.origins[range.start].0..self.origins[range.end - 1].1 + 1
    }

    /// The view with one form undone; absent: that changes nothing.
    fn undone(&self, form: &Form) -> Option<Self> {
        let first = self.bytes.iter().position(|byte| form.begins.contains(byte))?;
        let (mut bytes, mut origins) = (self.bytes[..first].to_vec(), self.origins[..first].to_vec());
        let (mut at, mut changed) = (first, false);
        while let Some(byte) = self.bytes.get(at) {
            let found = if form.begins.contains(byte) { (form.undo)(&self.bytes[at..]) } else { None };
            let (taken, meant) = found.unwrap_or((1, Meant::byte(*byte)));
            changed |= found.is_some();
            let origin = (self.origins[at].0, self.origins[at + taken - 1].1);
            bytes.extend(meant.as_bytes());
            origins.extend(meant.as_bytes().iter().map(|_| origin));
            at += taken;
        }
        changed.then_some(Self { bytes, origins, depth: self.depth + 1 })
    }
}

/// Calls `see` with each view of the text that has escapes undone. Does not show the original text.
pub(super) fn views(text: &str, see: &mut dyn FnMut(&View)) {
    if !text.bytes().any(|byte| FORMS.iter().any(|form| form.begins.contains(&byte))) {
        return;
    }
    // Depth 3 covers JSON in JSON in HTML. A long text is a function's response, where that would take too long.
    let deepest = match text.len() {
        ..0x4000 => 3,
        0x4000..0x10_0000 => 2,
        _ => 1,
    };
    let plain = View::plain(text);
    further(&plain, OUTERMOST, deepest, see);
    further(&plain, FORMS, deepest, see);
}

fn further(view: &View, forms: &[Form], deepest: usize, see: &mut dyn FnMut(&View)) {
    for undone in forms.iter().filter_map(|form| view.undone(form)) {
        see(&undone);
        if undone.depth < deepest {
            further(&undone, FORMS, deepest, see);
        }
    }
}

/// The bytes that an escape stands for.
#[derive(Clone, Copy)]
struct Meant {
    bytes: [u8; 4],
    length: usize,
}

impl Meant {
    const NOTHING: Self = Self { bytes: [0; 4], length: 0 };

    fn byte(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], length: 1 }
    }

    fn character(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The length of an escape in bytes, and the bytes that it stands for.
type Undone = Option<(usize, Meant)>;

/// One form of escaping.
struct Form {
    /// The bytes that can begin an escape.
    begins: &'static [u8],
    /// Undoes the escape at the beginning of a text; absent: no escape begins there.
    undo: fn(&[u8]) -> Undone,
}

const FORMS: &[Form] = &[
    Form { begins: b"\x1b\xc2\xe2\xef", undo: unseen },
    Form { begins: b"\\", undo: backslash },
    Form { begins: b"%", undo: percent },
    Form { begins: b"%+", undo: |text| if text[0] == b'+' { Some((1, Meant::byte(b' '))) } else { percent(text) } },
    Form { begins: b"&", undo: entity },
    Form { begins: b"|", undo: pipe },
    Form { begins: b"'\"", undo: quote },
];

/// Forms that are only undone first. After another form, such pairs appear by chance.
const OUTERMOST: &[Form] = &[
    Form { begins: b"'", undo: |text| text.starts_with(b"''").then(|| (2, Meant::byte(b'\''))) },
    Form { begins: b"\"", undo: |text| text.starts_with(b"\"\"").then(|| (2, Meant::byte(b'"'))) },
];

/// Colours and other escape sequences of a terminal, and characters without a width.
fn unseen(text: &[u8]) -> Undone {
    let nothing = |taken| Some((taken, Meant::NOTHING));
    let ends = |from: usize, end: &dyn Fn(u8) -> bool| {
        text.iter().skip(from).position(|c| end(*c)).map_or(text.len(), |at| from + at + 1)
    };
    match text {
        [0x1b, b'[', ..] => nothing(ends(2, &|c| (0x40..=0x7e).contains(&c))),
        [0x1b, b']', ..] => nothing(ends(2, &|c| c == 0x07 || c == b'\\')),
        [0x1b, _, ..] | [0xc2, 0xad, ..] => nothing(2),
        [0xe2, 0x80, 0x8b..=0x8f | 0xaa..=0xae, ..] | [0xe2, 0x81, 0xa0..=0xaf, ..] | [0xef, 0xbb, 0xbf, ..] => {
            nothing(3)
        }
        _ => None,
    }
}

/// JSON, YAML, shells, Markdown.
fn backslash(text: &[u8]) -> Undone {
    let number = |from: usize, digits: usize, base| number(text, from..from + digits, base);
    let meant = |taken, number: Option<u32>| Some((taken, Meant::character(char::from_u32(number?)?)));
    match *text.get(1)? {
        b'n' => Some((2, Meant::byte(b'\n'))),
        b't' => Some((2, Meant::byte(b'\t'))),
        b'r' => Some((2, Meant::byte(b'\r'))),
        b'b' => Some((2, Meant::byte(8))),
        b'f' => Some((2, Meant::byte(12))),
        b'a' => Some((2, Meant::byte(7))),
        b'v' => Some((2, Meant::byte(11))),
        b'e' => Some((2, Meant::byte(0x1b))),
        b'N' => meant(2, Some(0x85)),
        b'L' => meant(2, Some(0x2028)),
        b'P' => meant(2, Some(0x2029)),
        b'\n' => Some((2, Meant::NOTHING)),
        b'x' => Some((4, Meant::byte(u8::try_from(number(2, 2, 16)?).ok()?))),
        b'0'..=b'3' => Some((4, Meant::byte(u8::try_from(number(1, 3, 8)?).ok()?))),
        b'u' if text.get(2) == Some(&b'{') => {
            let length = text.iter().skip(3).take(7).position(|c| *c == b'}')?;
            meant(length + 4, number(3, length, 16))
        }
        b'u' => match number(2, 4, 16)? {
            high @ 0xd800..=0xdbff if text.get(6..8) == Some(b"\\u") => {
                let low = number(8, 4, 16)?.checked_sub(0xdc00)?;
                meant(12, Some(0x1_0000 + ((high - 0xd800) << 10) + low))
            }
            unit => meant(6, Some(unit)),
        },
        b'U' => meant(10, number(2, 8, 16)),
        c if c.is_ascii_alphanumeric() => None,
        c if c.is_ascii() => Some((2, Meant::byte(c))),
        _ => Some((1, Meant::NOTHING)),
    }
}

/// URLs, and commands of GitHub and Azure. Azure writes `%AZP25` for `%`.
fn percent(text: &[u8]) -> Undone {
    if text.starts_with(b"%AZP25") {
        return Some((6, Meant::byte(b'%')));
    }
    Some((3, Meant::byte(u8::try_from(number(text, 1..3, 16)?).ok()?)))
}

/// XML and HTML.
fn entity(text: &[u8]) -> Undone {
    const NAMED: &[(&str, char)] = &[
        ("AMP", '&'),
        ("GT", '>'),
        ("Hat", '^'),
        ("LT", '<'),
        ("NewLine", '\n'),
        ("QUOT", '"'),
        ("Tab", '\t'),
        ("amp", '&'),
        ("apos", '\''),
        ("ast", '*'),
        ("bsol", '\\'),
        ("colon", ':'),
        ("comma", ','),
        ("commat", '@'),
        ("dollar", '$'),
        ("equals", '='),
        ("excl", '!'),
        ("grave", '`'),
        ("gt", '>'),
        ("lbrace", '{'),
        ("lbrack", '['),
        ("lcub", '{'),
        ("lowbar", '_'),
        ("lpar", '('),
        ("lsqb", '['),
        ("lt", '<'),
        ("nbsp", ' '),
        ("num", '#'),
        ("percnt", '%'),
        ("period", '.'),
        ("plus", '+'),
        ("quest", '?'),
        ("quot", '"'),
        ("rbrace", '}'),
        ("rbrack", ']'),
        ("rcub", '}'),
        ("rpar", ')'),
        ("rsqb", ']'),
        ("semi", ';'),
        ("sol", '/'),
        ("verbar", '|'),
        ("vert", '|'),
    ];
    let end = text.iter().take(12).position(|c| *c == b';')?;
    let name = std::str::from_utf8(&text[1..end]).ok()?;
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(number.ok()?)?
        }
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((end + 1, Meant::character(character)))
}

/// Service messages of `TeamCity`.
fn pipe(text: &[u8]) -> Undone {
    let meant = |character| Some((2, Meant::character(character)));
    match *text.get(1)? {
        b'n' => meant('\n'),
        b'r' => meant('\r'),
        b'x' => meant('\u{85}'),
        b'l' => meant('\u{2028}'),
        b'p' => meant('\u{2029}'),
        b'0' if text.get(2) == Some(&b'x') => match number(text, 3..7, 16)? {
            high @ 0xd800..=0xdbff if text.get(7..10) == Some(b"|0x") => {
                let low = number(text, 10..14, 16)?.checked_sub(0xdc00)?;
                Some((14, Meant::character(char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)?)))
            }
            unit => Some((7, Meant::character(char::from_u32(unit)?))),
        },
        c @ (b'|' | b'\'' | b'[' | b']') => Some((2, Meant::byte(c))),
        _ => None,
    }
}

/// Quotes inside a quoted text of a shell. `OUTERMOST` has doubled quotes, as in YAML, SQL and CSV.
fn quote(text: &[u8]) -> Undone {
    let forms: [(&[u8], u8); 3] = [(b"'\\''", b'\''), (b"'\"'\"'", b'\''), (b"\"'\"'\"", b'"')];
    let (form, meant) = forms.into_iter().find(|(form, _)| text.starts_with(form))?;
    Some((form.len(), Meant::byte(meant)))
}

/// The value of a number; absent: the text has other characters.
fn number(text: &[u8], digits: Range<usize>, base: u32) -> Option<u32> {
    let digits = text.get(digits)?;
    let is_number = !digits.is_empty() && digits.iter().all(|c| char::from(*c).is_digit(base));
    u32::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| is_number)?, base).ok()
}
