//! Rollback: the version that an alias goes back to.

use crate::remote::Alias;

/// The change of an alias to an earlier version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rollback {
    /// The alias as it is now.
    pub alias: Alias,
    /// The number of the version that gets all of the traffic.
    pub to: String,
    /// The new description of the alias. It records the version that the alias points at now.
    pub description: String,
}

impl Rollback {
    /// The rollback to the wanted version, or else to the previous one; `None` if the alias has no record of a previous
    /// version.
    ///
    /// While traffic is shifted between two versions, the rollback undoes that shift, not an earlier one.
    pub(crate) fn of(alias: &Alias, wanted: Option<&str>) -> Option<Self> {
        let previous = alias.previous();
        let has_traffic = |version: &&str| *version == alias.version || alias.weights.contains_key(*version);
        let to = match (wanted, alias.weights.is_empty()) {
            (Some(wanted), _) => wanted,
            (None, true) => previous?,
            (None, false) => previous.filter(has_traffic).unwrap_or(&alias.version),
        };
        let stays = to == alias.version;
        let description = if stays { alias.description.clone() } else { alias.description_once_moved() };
        Some(Self { alias: alias.clone(), to: to.to_owned(), description })
    }

    /// Whether the rollback changes the alias.
    pub(crate) fn changes(&self) -> bool {
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
            moving_from: None,
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
    fn an_alias_at_the_wanted_version_does_not_change() {
        let back = Rollback::of(&alias("7", "[before: 6]", &[]), Some("7")).unwrap();
        assert!(!back.changes());
        assert_eq!(back.description, "[before: 6]");
    }

    #[test]
    fn a_rollback_undoes_the_current_shift_and_not_an_earlier_one() {
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
