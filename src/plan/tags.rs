//! Tags: which are set, and which are removed.

use std::collections::BTreeMap;

use super::{Plan, Step, TagChange};
use crate::deployment::{Deployment, MapMode};
use crate::remote::Live;

/// The most tags of a function.
const MOST_TAGS: usize = 50;

impl Plan {
    /// Adds the change of the function's tags.
    pub(super) fn tags(&mut self, deployment: &Deployment, live: &Live) {
        let Some(wanted) = &deployment.tags else { return };
        let Some(known) = &live.tags else {
            if wanted.mode == Some(MapMode::Replace) {
                let help = "allow `lambda:ListTags`, or leave `function_tags_mode` out";
                self.refuse(
                    "function_tags_mode",
                    "the function's tags could not be read, so it is unknown which to remove",
                    help,
                );
            }
            // Setting a tag to the value that it has already changes nothing, so all are set.
            self.push_tags(wanted.entries.clone(), Vec::new(), &BTreeMap::new());
            return;
        };
        let set = wanted.entries.iter().filter(|(key, value)| known.get(*key) != Some(*value));
        let set: BTreeMap<_, _> = set.map(|(key, value)| (key.clone(), value.clone())).collect();
        let unread: Vec<_> = deployment.unread_keys("function_tags").collect();
        let is_named = |key: &String| wanted.entries.contains_key(key) || unread.contains(&key.as_str());
        let others = known.keys().filter(|key| !is_named(key) && !key.starts_with("aws:"));
        let others: Vec<_> = others.cloned().collect();
        let before = known.keys().filter(|key| !key.starts_with("aws:") && !wanted.entries.contains_key(*key)).count();
        let count = before + wanted.entries.len();
        if wanted.mode != Some(MapMode::Replace) && count > MOST_TAGS {
            let message = format!("the function would have {count} tags, AWS accepts at most {MOST_TAGS}");
            self.refuse("function_tags", message, "name fewer, or set `function_tags_mode: replace`");
        }
        let remove = if wanted.mode == Some(MapMode::Replace) {
            others
        } else {
            if !others.is_empty() {
                self.notes.push(format!("left alone: tags that are not named: {}", others.join(", ")));
            }
            Vec::new()
        };
        self.push_tags(set, remove, known);
    }

    fn push_tags(&mut self, set: BTreeMap<String, String>, remove: Vec<String>, known: &BTreeMap<String, String>) {
        if set.is_empty() && remove.is_empty() {
            return;
        }
        let before = set.keys().chain(&remove).filter_map(|key| Some((key.clone(), known.get(key)?.clone()))).collect();
        self.steps.push(Step::UpdateTags(TagChange { set, remove, before }));
    }
}
