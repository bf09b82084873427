//! The values from elsewhere that a run has to read, and those that it has read.

use std::time::Duration;

use super::{
    after::After,
    layer::Layer,
    options::{self, Group},
};
use crate::deployment::{Item, Target};
use crate::place::Place;
use crate::reference::{Borrowed, Found, Reference};

/// A value that has to be read before a deployment is known.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    /// The reference.
    pub reference: Reference,
    /// Whether the configuration has a value for the case that there is none.
    pub has_default: bool,
    /// The option.
    pub option: &'static str,
    /// Where the reference is written.
    pub place: Place,
    /// The position in [`Loaded::entries`](super::Loaded::entries) of the function, or else of the layer, that gets the
    /// value.
    pub entry: usize,
    /// The positions there of the functions that the reference names.
    pub of: Vec<usize>,
    /// The alias in the block of the function that the reference names; absent if it has none.
    pub alias: Option<String>,
    /// The account and Region to read it from.
    pub target: Target,
    /// How long the deployment may wait.
    pub limit: Duration,
    /// The options that decide about the target.
    access: Layer,
}

/// The values of references, each for the deployments with the same target.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    found: Vec<(Layer, Reference, Found)>,
    /// Accounts by the options that decide about the identity.
    accounts: Vec<(Layer, String)>,
}

impl Values {
    /// Adds the value of a reference.
    pub(crate) fn add(&mut self, sought: &Sought, found: Found) {
        self.found.push((sought.access.clone(), sought.reference.clone(), found));
    }

    /// Adds the account of the identity that a deployment has.
    pub(crate) fn add_account(&mut self, sought: &Sought, account: String) {
        self.accounts.push((identity(&sought.access), account));
    }

    /// The same values, but with another one for a reference.
    #[must_use]
    pub(crate) fn with(mut self, sought: &Sought, found: Found) -> Self {
        self.found.retain(|(access, reference, _)| *access != sought.access || *reference != sought.reference);
        self.add(sought, found);
        self
    }

    pub(super) fn find(&self, access: &Layer, reference: &Reference) -> Option<&Found> {
        self.found.iter().find(|(known, of, _)| known == access && of == reference).map(|(.., found)| found)
    }

    /// The account of the identity that these options decide about; `None` if it was not looked up.
    pub(super) fn account(&self, options: &Layer) -> Option<&str> {
        let identity = identity(options);
        self.accounts.iter().find(|(known, _)| *known == identity).map(|(_, account)| account.as_str())
    }
}

/// The options that decide about the identity.
fn identity(options: &Layer) -> Layer {
    let decides =
        |name: &str| options::find(name).is_some_and(|option| option.group == Group::Target && option.name != "region");
    options.iter().filter(|(name, _)| decides(name)).map(|(name, given)| (*name, given.clone())).collect()
}

/// The references in the options of one block.
#[derive(Debug, Default)]
pub(super) struct References {
    /// The references whose values are still unknown.
    pub open: Vec<(Reference, bool, &'static str, Place)>,
    /// All values from elsewhere, also those that are not read.
    pub borrowed: Vec<Borrowed>,
    /// The functions that have some of the values.
    pub functions: Vec<After>,
    pub access: Layer,
}

impl References {
    /// The references to read for a deployment, which is the one of this entry.
    pub(super) fn sought(&self, item: &Item, entry: usize) -> impl Iterator<Item = Sought> {
        self.open.iter().cloned().map(move |(reference, has_default, option, place)| Sought {
            reference,
            has_default,
            option,
            place,
            entry,
            of: Vec::new(),
            alias: None,
            target: item.target().clone(),
            limit: item.wait_timeout(),
            access: self.access.clone(),
        })
    }

    /// Whether the value of a key in the map of an option is elsewhere.
    pub(super) fn has(&self, option: &str, key: &str) -> bool {
        self.borrowed.iter().any(|borrowed| borrowed.option == option && borrowed.key.as_deref() == Some(key))
    }

    /// Whether the value of an option is still to be read.
    pub(super) fn seeks(&self, option: &str) -> bool {
        self.open.iter().any(|(_, _, of, _)| *of == option)
    }
}
