//! The encodings in which a secret is searched for: hexadecimal and base64.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// The bytes of a text, with lowercase digits.
pub(super) fn hexadecimal(text: &str) -> String {
    let digit = |four: u8| char::from_digit(u32::from(four), 16);
    text.bytes().flat_map(|byte| [byte >> 4, byte & 0xf]).filter_map(digit).collect()
}

/// The base64 forms of a text: both alphabets and each offset, without the characters that the text shares with its
/// neighbours. Encoders may break a long text into lines. Leaves out lines of up to `short` characters.
pub(super) fn base64_forms(text: &[u8], short: usize) -> Vec<String> {
    let mut forms = Vec::new();
    for engine in [&STANDARD, &URL_SAFE] {
        for before in 0..3 {
            let padded = [&[0; 2][..before], text].concat();
            let encoded = engine.encode(&padded);
            // A character has six bits.
            let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
            forms.push(encoded[first..end].to_owned());
            for width in [64, 76] {
                let lines = encoded.as_bytes()[..end].chunks(width).filter(|line| before == 0 && line.len() > short);
                forms.extend(lines.map(|line| String::from_utf8_lossy(line).into_owned()));
            }
        }
    }
    forms
}

/// Extends a match to the whole base64 text around it, because the rest may show neighbouring secrets.
pub(super) fn encoded_around(text: &[u8], part: &Range<usize>) -> Range<usize> {
    let is_encoded = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'-' | b'_');
    let before = text[..part.start].iter().rev().take_while(|c| is_encoded(c)).count();
    let after = text[part.end..].iter().take_while(|c| is_encoded(c) || **c == b'=').count();
    part.start - before..part.end + after
}
