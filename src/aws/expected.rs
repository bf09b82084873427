//! The state that a function must have after a step, and whether a read shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::plan::TagChange;
use crate::remote::Live;
use crate::settings::{Architecture, SettingName, Settings};

/// The time after a write during which reads may still show the state before it.
pub(super) const UNTIL_SHOWN: Duration = Duration::from_secs(20);

/// The state that the function must have after a step. An absent value is not checked.
pub(super) struct Expected {
    pub settings: Settings,
    pub code: Option<String>,
    pub architecture: Option<Architecture>,
    /// The revision before the step, if the step is known to have changed it: a read that still shows it is stale.
    pub outdated: Option<String>,
    /// The tags that the step set and removed.
    pub tags: Option<TagChange>,
}

impl Expected {
    /// The live state. A step replaces the values that it changes.
    pub(super) fn of(live: &Live) -> Self {
        Self {
            settings: live.settings.clone(),
            code: Some(live.code().to_owned()),
            architecture: live.architecture,
            outdated: None,
            tags: None,
        }
    }

    /// Remembers that the step has changed the revision. A service that keeps the revision cannot show a stale read by it.
    pub(super) fn since(&mut self, base: &Live, answered: Option<&str>) {
        let changed = answered.is_some_and(|revision| !revision.is_empty() && revision != base.revision_id);
        self.outdated = changed.then(|| base.revision_id.clone());
    }

    /// Whether a read shows the state before the step.
    pub(super) fn is_stale(&self, live: &Live) -> bool {
        self.outdated.as_deref() == Some(&live.revision_id) || !self.has_tags(live)
    }

    /// Whether the tags are shown, or cannot be read.
    pub(super) fn has_tags(&self, live: &Live) -> bool {
        let (Some(change), Some(tags)) = (&self.tags, &live.tags) else { return true };
        is_set(change, tags) && is_removed(change, tags)
    }

    pub(super) fn is_met(&self, live: &Live) -> bool {
        self.unlike(live).is_empty()
    }

    /// The names of the parts that have another live value.
    pub(super) fn unlike(&self, live: &Live) -> Vec<&'static str> {
        let settings = self.settings.differing(&live.settings).into_iter().map(SettingName::name);
        settings.chain((!self.has_code(live)).then_some("code")).collect()
    }

    pub(super) fn has_code(&self, live: &Live) -> bool {
        let code = self.code.as_deref();
        code.is_none_or(|code| code == live.code())
            && (self.architecture.is_none() || self.architecture == live.architecture)
    }
}

/// The tags of a function.
pub(super) type Tags = BTreeMap<String, String>;

/// Whether the tags have the values that a change sets.
pub(super) fn is_set(change: &TagChange, tags: &Tags) -> bool {
    change.set.iter().all(|(key, value)| tags.get(key) == Some(value))
}

/// Whether the tags lack the keys that a change removes.
pub(super) fn is_removed(change: &TagChange, tags: &Tags) -> bool {
    !change.remove.iter().any(|key| tags.contains_key(key))
}
