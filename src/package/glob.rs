//! Compiles globs from untrusted files, within limits.
//!
//! The library has no limit for nested braces, and it panics if a compiled glob gets too large.

use globset::{GlobBuilder, GlobSet};

/// The longest glob, in bytes.
const LONGEST: usize = 1000;

/// The most braces inside of each other.
const DEEPEST: usize = 8;

/// The most globs in one list.
pub(crate) const MOST_GLOBS: usize = 1000;

/// The characters that `*` and `?` match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stars {
    /// All characters except `/`.
    InNames,
    /// All characters.
    InAll,
}

/// Compiles a glob. The error is a fragment that says what is wrong.
pub(crate) fn compile(glob: &str, stars: Stars) -> Result<GlobSet, String> {
    check(glob)?;
    let glob = GlobBuilder::new(glob).literal_separator(stars == Stars::InNames).build();
    let glob = glob.map_err(|error| error.kind().to_string())?;
    GlobSet::builder().add(glob).build().map_err(|_| "it is too complicated".to_owned())
}

/// Whether a glob is within the limits.
pub(crate) fn check(glob: &str) -> Result<(), String> {
    if glob.len() > LONGEST {
        return Err(format!("it has {} bytes, and a glob has at most {LONGEST}", glob.len()));
    }
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in glob.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > DEEPEST {
        return Err(format!("it has {deepest} braces in each other, and a glob has at most {DEEPEST}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_glob_is_too_much() {
        let nested = |depth: usize| format!("{}a{}", "{".repeat(depth), "}".repeat(depth));
        for (glob, said) in [
            ("{".repeat(500), "500 braces in each other"),
            (nested(9), "9 braces"),
            (nested(400_000), "800001 bytes"),
            ("{a,".repeat(300) + &"}".repeat(100), "braces"),
            ("x".repeat(1001), "1001 bytes"),
            ("[a".to_owned(), "unclosed"),
            ("{a".to_owned(), "unclosed"),
        ] {
            let told = compile(&glob, Stars::InNames).unwrap_err();
            assert!(told.contains(said), "{told}");
        }
        for glob in [
            nested(8),
            "**/".repeat(333),
            "{a,b}".repeat(200),
            "[!a-z]".repeat(166),
            "*?a".repeat(300),
            "{**/a,b/**}".repeat(90),
            "\\{".repeat(5),
        ] {
            let found = compile(&glob, Stars::InNames);
            assert!(found.is_ok(), "{glob}");
        }
    }

    #[test]
    fn stars_stop_at_slashes_in_names() {
        assert!(compile("a*", Stars::InAll).unwrap().is_match("a/b"));
        assert!(!compile("a*", Stars::InNames).unwrap().is_match("a/b"));
    }
}
