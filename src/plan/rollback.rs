//! Rollback: the version that an alias goes back to, and what differs there.

use crate::package::{self, Directory, FileChanges};
use crate::remote::{Alias, Live};
use crate::settings::{Aspect, Difference, End, Setting};

/// The change of an alias to another version, outside of a deployment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rollback {
    /// The alias as it is now.
    pub alias: Alias,
    /// The number of the version that gets all of the traffic.
    pub to: String,
    /// The new description of the alias. It records the move.
    pub description: String,
    /// The values that differ between the version that loses its traffic and the one that it goes to; empty if one of them
    /// could not be read.
    pub differences: Vec<Difference>,
    /// The files that differ; absent if they are unknown.
    pub files: Option<FileChanges>,
}

/// The reason why there is nothing to roll back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nothing<'a> {
    /// The alias has no record of a deployment.
    NoRecord,
    /// The last deployment was rolled back already. Holds its version.
    Done(&'a str),
    /// The last deployment was made by another build, or outside of builds. Holds the version before it.
    OfAnother(&'a str),
}

impl Rollback {
    /// The move to the wanted version, or else back from the last deployment.
    ///
    /// `only` is the build whose deployment may be undone; absent: that of any build. `build` is the build that runs. While
    /// traffic is shifted between two versions, the rollback undoes that shift, not an earlier one.
    pub(crate) fn of<'a>(
        alias: &'a Alias,
        wanted: Option<&str>,
        only: Option<&str>,
        build: Option<&str>,
    ) -> Result<Self, Nothing<'a>> {
        let record = alias.record();
        let has_traffic = |version: &&str| *version == alias.version || alias.weights.contains_key(*version);
        let back = || {
            let back = match (record.before, record.rolled_back) {
                (before, _) if !alias.weights.is_empty() => before.filter(has_traffic).unwrap_or(&alias.version),
                (Some(before), _) => before,
                (None, Some(rolled_back)) => return Err(Nothing::Done(rolled_back)),
                (None, None) => return Err(Nothing::NoRecord),
            };
            if only.is_some() && record.build != only { Err(Nothing::OfAnother(back)) } else { Ok(back) }
        };
        let to = wanted.map_or_else(back, Ok)?;
        Ok(Self {
            alias: alias.clone(),
            to: to.to_owned(),
            description: alias.description_once_moved(to, build),
            differences: Vec::new(),
            files: None,
        })
    }

    /// Whether the rollback changes the alias.
    pub(crate) fn changes(&self) -> bool {
        self.to != self.alias.version || !self.alias.weights.is_empty()
    }

    /// The version that loses its traffic: that of the alias, or the one that traffic is shifted to.
    pub(crate) fn from(&self) -> &str {
        let shifted = self.alias.weights.keys().next_back().filter(|_| self.to == self.alias.version);
        shifted.unwrap_or(&self.alias.version)
    }

    /// The rollback with what differs between the version that loses its traffic and the one that it goes to.
    #[must_use]
    pub(crate) fn between(self, from: &Live, to: &Live) -> Self {
        let code = |live: &Live| match &live.image {
            Some(_) => End::Image { digest: Some(live.code().to_owned()), address: None },
            None => End::Package { sha256: live.code_sha256.clone() },
        };
        let is_new = from.code() != to.code();
        let code = is_new.then(|| Difference::between(Aspect::Code, Some(code(from)), Some(code(to))));
        let data = |live: &Live| live.architecture.map(|architecture| architecture.data());
        let architecture = (from.architecture != to.architecture)
            .then(|| Difference::whole(Aspect::Architecture, data(from), data(to)));
        let settings = to.settings.differences(&from.settings);
        let differences = settings.into_iter().chain(code).chain(architecture).collect();
        let changes = |(from, to): (&Directory, &Directory)| package::changes(&from.files, &to.files);
        let files = from.files.as_ref().zip(to.files.as_ref()).filter(|_| is_new).map(changes);
        Self { differences, files, ..self }
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

    /// The version that a rollback outside of a CI goes to, and the new description.
    fn back(alias: &Alias, wanted: Option<&str>) -> (String, String) {
        let back = Rollback::of(alias, wanted, None, None).unwrap();
        (back.to, back.description)
    }

    fn found(to: &str, description: &str) -> (String, String) {
        (to.to_owned(), description.to_owned())
    }

    #[test]
    fn an_alias_goes_back_once_from_what_a_deployment_did() {
        let deployed = alias("7", "ours [before: 6]", &[]);
        assert_eq!(back(&deployed, None), found("6", "ours [rolled back: 7]"));
        let rolled_back = alias("6", "ours [rolled back: 7]", &[]);
        assert_eq!(Rollback::of(&rolled_back, None, None, None), Err(Nothing::Done("7")));
        assert_eq!(back(&rolled_back, Some("7")), found("7", "ours [before: 6]"));
        assert_eq!(back(&rolled_back, Some("5")), found("5", "ours [rolled back: 7]"));
        assert_eq!(Rollback::of(&alias("7", "ours", &[]), None, None, None), Err(Nothing::NoRecord));
        assert_eq!(back(&alias("7", "ours", &[]), Some("3")), found("3", "ours [rolled back: 7]"));
    }

    #[test]
    fn a_build_undoes_only_its_own_deployment() {
        let (of_ours, by_hand) = (alias("7", "[before: 6, build: aa]", &[]), alias("7", "[before: 6]", &[]));
        let shifting = alias("7", "[before: 6, build: aa]", &[("8", 0.1)]);
        let to = |alias, wanted, only| Rollback::of(alias, wanted, only, Some("bb")).map(|back| back.to);
        assert_eq!(to(&of_ours, None, Some("aa")), Ok("6".to_owned()));
        assert_eq!(to(&of_ours, None, Some("bb")), Err(Nothing::OfAnother("6")));
        assert_eq!(to(&by_hand, None, Some("bb")), Err(Nothing::OfAnother("6")));
        assert_eq!(to(&shifting, None, Some("bb")), Err(Nothing::OfAnother("7")));
        assert_eq!(to(&of_ours, Some("5"), Some("bb")), Ok("5".to_owned()));
        assert_eq!(to(&of_ours, None, None), Ok("6".to_owned()));
    }

    #[test]
    fn an_alias_at_the_wanted_version_does_not_change() {
        let back = Rollback::of(&alias("7", "[before: 6]", &[]), Some("7"), None, None).unwrap();
        assert!(!back.changes());
    }

    #[test]
    fn a_rollback_undoes_the_current_shift_and_not_an_earlier_one() {
        for (version, description, shares, to) in [
            ("7", "[before: 6]", &[("8", 0.1)], "7"),
            ("7", "", &[("8", 0.1)], "7"),
            ("7", "[before: 7]", &[("8", 0.1)], "7"),
            ("8", "[before: 7]", &[("7", 0.9)], "7"),
        ] {
            let back = Rollback::of(&alias(version, description, shares), None, None, None).unwrap();
            assert_eq!(
                (back.to.as_str(), back.description.as_str()),
                (to, "[rolled back: 8]"),
                "{version} {description}"
            );
            assert!(back.changes());
        }
    }
}
