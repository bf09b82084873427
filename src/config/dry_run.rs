//! `dry_run`: whether a plan is applied.

use super::{
    layer::{Layer, yes_or_no},
    read::Reader,
};

/// Whether a plan is applied or only shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum DryRun {
    /// The plan is applied.
    #[default]
    No,
    /// The plan is only shown.
    Plan,
    /// The plan is only shown, and AWS checks the code update.
    Aws,
}

impl DryRun {
    /// What these options say.
    pub(super) fn of(options: &Layer) -> Self {
        Self::read(&mut Reader::new(options.clone()))
    }

    /// Reads the option. A wrong value counts as true, so that its error comes before any change.
    pub(super) fn read(reader: &mut Reader) -> Self {
        let Some(text) = reader.text("dry_run") else { return Self::No };
        match yes_or_no(&text) {
            Some(false) => Self::No,
            Some(true) => Self::Plan,
            None if text.eq_ignore_ascii_case("aws") => Self::Aws,
            None => {
                reader.wrong("dry_run", format!("must be true, false or aws, got `{text}`"));
                Self::Plan
            }
        }
    }
}
