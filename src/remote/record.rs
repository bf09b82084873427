//! The record of the last move of an alias, at the end of its description.
//!
//! The record is kept in AWS because the next job of a CI may run on another machine. It looks like
//! `[before: 6, build: 1f2e3d4c5b6a]` after a deployment, and like `[rolled back: 7]` after a rollback.

use super::Alias;

/// The longest description of an alias, in characters.
const MAX_DESCRIPTION: usize = 256;

/// The parts of a record.
const BEFORE: &str = "before";
const ROLLED_BACK: &str = "rolled back";
const BUILD: &str = "build";

/// The last move of an alias.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// The version that a rollback goes to; absent if there is nothing to roll back.
    pub before: Option<&'a str>,
    /// The newest version that was rolled back; absent if none was, or if the alias points at it again.
    pub rolled_back: Option<&'a str>,
    /// The id of the build that moved the alias; absent for a move outside of a CI.
    pub build: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// The record with the text before it; `None` if the description has no record.
    fn of(description: &'a str) -> Option<(&'a str, Self)> {
        let (own, rest) = description.rsplit_once('[')?;
        let mut record = Self::default();
        for part in rest.strip_suffix(']')?.split(", ") {
            let (name, value) = part.split_once(": ")?;
            let field = match name {
                BEFORE => &mut record.before,
                ROLLED_BACK => &mut record.rolled_back,
                BUILD => &mut record.build,
                _ => return None,
            };
            let is_known = if name == BUILD { is_build(value) } else { number(value).is_some() };
            if !is_known || field.replace(value).is_some() {
                return None;
            }
        }
        (record.before.or(record.rolled_back).is_some()).then_some((own, record))
    }

    /// The text of the record; empty if it records nothing.
    fn text(self) -> String {
        let Self { before, rolled_back, build } = self;
        let build = build.filter(|_| before.is_some());
        let parts = [(BEFORE, before), (ROLLED_BACK, rolled_back), (BUILD, build)];
        let parts: Vec<_> = parts.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}", value?))).collect();
        if parts.is_empty() { String::new() } else { format!("[{}]", parts.join(", ")) }
    }
}

impl Alias {
    /// The record of the last move; an empty one if the description has none.
    ///
    /// Earlier versions of this program recorded a rollback like a deployment. Deployments move an alias to a newer version,
    /// so a move to an older one was a rollback.
    pub(crate) fn record(&self) -> Record<'_> {
        let record = Record::of(&self.description).map(|(_, record)| record).unwrap_or_default();
        if record.rolled_back.is_none() && number_or_zero(record.before) > number_or_zero(Some(&self.version)) {
            return Record { rolled_back: record.before, ..Record::default() };
        }
        record
    }

    /// The version that a rollback goes to; `None` if there is nothing to roll back.
    pub(crate) fn previous(&self) -> Option<&str> {
        self.record().before
    }

    /// Whether this version was rolled back: it is newer than the version of the alias, and not newer than the newest that
    /// was rolled back.
    pub(crate) fn has_rolled_back(&self, version: u64) -> bool {
        number_or_zero(Some(&self.version)) < version && version <= number_or_zero(self.record().rolled_back)
    }

    /// The description after a move to the version `to`. `build` is the build that moves the alias; absent outside of a CI.
    pub(crate) fn description_once_moved(&self, to: &str, build: Option<&str>) -> String {
        let record = self.record();
        let numbers = std::iter::once(self.version.as_str()).chain(self.weights.keys().map(String::as_str));
        let newest = numbers.chain(record.rolled_back).max_by_key(|version| number_or_zero(Some(version)));
        let is_newer = |version: &&str| number_or_zero(Some(version)) > number_or_zero(Some(to));
        let from = number(&self.version).map(|_| self.version.as_str());
        let own = Record::of(&self.description).map_or(self.description.as_str(), |(own, _)| own);
        let text = Record {
            before: from.filter(|from| number_or_zero(Some(from)) < number_or_zero(Some(to))),
            rolled_back: newest.filter(is_newer),
            build,
        }
        .text();
        let room = MAX_DESCRIPTION.saturating_sub(text.len() + usize::from(!text.is_empty()));
        let own: String = own.trim_end().chars().take(room).collect();
        [own, text].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// The number of a published version; `None` for other texts, such as `$LATEST`.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

/// The number of a version; 0, which is before all versions, for other texts.
fn number_or_zero(version: Option<&str>) -> u64 {
    version.and_then(number).unwrap_or_default()
}

/// Whether the text can be the id of a build.
fn is_build(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn alias(version: &str, description: &str) -> Alias {
        Alias {
            name: "live".to_owned(),
            version: version.to_owned(),
            weights: BTreeMap::new(),
            moving_from: None,
            description: description.to_owned(),
            revision_id: String::new(),
        }
    }

    #[test]
    fn a_moved_alias_keeps_its_description_and_records_the_move() {
        for (version, description, to, moved) in [
            ("7", "", "8", "[before: 7]"),
            ("7", "[before: 3]", "8", "[before: 7]"),
            ("12", "what customers call [before: 7]", "13", "what customers call [before: 12]"),
            ("7", "[before: noon] is when we deploy", "9", "[before: noon] is when we deploy [before: 7]"),
            ("7", "see [1]", "8", "see [1] [before: 7]"),
            ("7", "ours [before: 6, build: 0a1b]", "6", "ours [rolled back: 7]"),
            ("6", "ours [rolled back: 8]", "7", "ours [before: 6, rolled back: 8]"),
            ("6", "ours [rolled back: 8]", "5", "ours [rolled back: 8]"),
            ("6", "ours [rolled back: 8]", "8", "ours [before: 6]"),
            ("6", "ours [rolled back: 8]", "9", "ours [before: 6]"),
            ("$LATEST", "ours [before: 3]", "4", "ours"),
        ] {
            assert_eq!(alias(version, description).description_once_moved(to, None), moved, "{version} {description}");
        }
        assert_eq!(alias("7", "").description_once_moved("8", Some("0a1b")), "[before: 7, build: 0a1b]");
        assert_eq!(alias("7", "").description_once_moved("6", Some("0a1b")), "[rolled back: 7]");
        assert_eq!(alias("7", &"é".repeat(256)).description_once_moved("8", None).chars().count(), 256);
        let shifting = Alias { weights: BTreeMap::from([("8".to_owned(), 0.1)]), ..alias("7", "[before: 6]") };
        assert_eq!(shifting.description_once_moved("7", None), "[rolled back: 8]");
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_everything_else_is_text_of_people() {
        let both = Record { before: Some("5"), rolled_back: Some("7"), build: Some("0a1b") };
        assert_eq!(alias("6", "x [before: 5, rolled back: 7, build: 0a1b]").record(), both);
        assert_eq!(both.text(), "[before: 5, rolled back: 7, build: 0a1b]");
        for none in [
            "",
            "before: 6",
            "[before: 6] x",
            "[before: six]",
            "[before: 0]",
            "[before: -1]",
            "[before: 6, before: 5]",
            "[before: 6, by: us]",
            "[build: 0a1b]",
            "[before: 6, build: our own]",
            "[before: 6",
            "[]",
        ] {
            assert_eq!(alias("7", none).record(), Record::default(), "{none}");
        }
    }

    #[test]
    fn a_move_to_an_older_version_was_a_rollback() {
        let toggled = alias("6", "[before: 7]");
        assert_eq!(toggled.record(), Record { rolled_back: Some("7"), ..Record::default() });
        assert_eq!(toggled.previous(), None);
        assert_eq!([5, 6, 7, 8].map(|version| toggled.has_rolled_back(version)), [false, false, true, false]);
        assert!(!alias("8", "[rolled back: 7]").has_rolled_back(7));
    }
}
