//! Where an alias goes back to.

use crate::remote::Alias;

/// An alias that goes back, with both ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollback {
    /// As it is.
    pub alias: Alias,
    /// The number of the version that it is going to point at, with all of the traffic.
    pub to: String,
    /// Its description from then on, which remembers where it points now.
    pub description: String,
}

impl Rollback {
    /// Where the alias goes: to the version that is wanted, else to where it pointed before. Nothing where the alias does
    /// not remember.
    ///
    /// While traffic shifts, going back is undoing that shift, not the one before it.
    pub fn of(alias: &Alias, wanted: Option<&str>) -> Option<Self> {
        let previous = alias.previous();
        let takes_part = |version: &&str| *version == alias.version || alias.weights.contains_key(*version);
        let to = match (wanted, alias.weights.is_empty()) {
            (Some(wanted), _) => wanted,
            (None, true) => previous?,
            (None, false) => previous.filter(takes_part).unwrap_or(&alias.version),
        };
        let stays = to == alias.version;
        let description = if stays { alias.description.clone() } else { alias.description_once_moved() };
        Some(Self { alias: alias.clone(), to: to.to_owned(), description })
    }

    /// Whether anything is going to be another than it is.
    pub fn changes(&self) -> bool {
        self.to != self.alias.version || !self.alias.weights.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alias(version: &str, description: &str, shares: &[(&str, f64)]) -> Alias {
        Alias {
            name: "live".to_owned(),
            version: version.to_owned(),
            weights: shares.iter().map(|(version, share)| ((*version).to_owned(), *share)).collect(),
            description: description.to_owned(),
            revision_id: "r".to_owned(),
        }
    }

    #[test]
    fn an_alias_goes_back_to_where_it_pointed() {
        let back = Rollback::of(&alias("7", "ours [before: 6]", &[]), None).unwrap();
        assert_eq!((back.to.as_str(), back.description.as_str()), ("6", "ours [before: 7]"));
        assert!(back.changes());
        assert_eq!(Rollback::of(&alias("7", "ours", &[]), None), None);
        let back = Rollback::of(&alias("7", "ours", &[]), Some("3")).unwrap();
        assert_eq!((back.to.as_str(), back.description.as_str()), ("3", "ours [before: 7]"));
    }

    #[test]
    fn an_alias_that_is_there_already_stays_as_it_is() {
        let back = Rollback::of(&alias("7", "[before: 6]", &[]), Some("7")).unwrap();
        assert!(!back.changes());
        assert_eq!(back.description, "[before: 6]");
    }

    #[test]
    fn a_shift_that_goes_on_is_undone_and_not_the_one_before() {
        for (version, description, shares, to) in [
            ("7", "[before: 6]", &[("8", 0.1)], "7"),
            ("7", "", &[("8", 0.1)], "7"),
            ("7", "[before: 7]", &[("8", 0.1)], "7"),
            ("8", "[before: 7]", &[("7", 0.9)], "7"),
        ] {
            let back = Rollback::of(&alias(version, description, shares), None).unwrap();
            assert_eq!(back.to, to, "{version} {description}");
            assert!(back.changes());
        }
    }
}
