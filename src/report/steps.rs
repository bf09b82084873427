//! The steps of a plan as JSON.

use serde::Serialize;
use serde_json::Value;

use super::ends;
use super::plan::SHOWN_FILES;
use crate::package::{FileChange, FileChanges};
use crate::plan::{Plan, View};

/// A step with its changes.
#[derive(Serialize)]
pub(super) struct Planned {
    pub step: String,
    changes: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Files>,
    /// The names that built-in rules left out of the package.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
}

/// The steps of a plan, in order.
pub(super) fn steps(plan: &Plan) -> Vec<Planned> {
    let step = |view: View<'_>| Planned {
        changes: view.changes.iter().map(ends::document).collect(),
        files: view.files().map(Files::of),
        left_out: view.left_out().to_vec(),
        step: view.id.into_owned(),
    };
    plan.views().map(step).collect()
}

/// The files that differ between two packages.
#[derive(Serialize)]
pub(super) struct Files {
    added: usize,
    changed: usize,
    removed: usize,
    /// The first of them.
    first: Vec<ChangedFile>,
}

#[derive(Serialize)]
struct ChangedFile {
    name: String,
    from: Option<u64>,
    to: Option<u64>,
    unit: &'static str,
}

impl Files {
    /// The numbers of the files, and the first of them.
    pub(super) fn of(differing: &FileChanges) -> Self {
        let [added, changed, removed] = differing.counts();
        let file = |change: &FileChange| ChangedFile {
            name: change.name.clone(),
            from: change.from,
            to: change.to,
            unit: "bytes",
        };
        Self { added, changed, removed, first: differing.0.iter().take(SHOWN_FILES).map(file).collect() }
    }
}
