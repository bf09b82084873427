//! Finds what another program changed while a plan was applied.

use super::step::{AliasChange, Step};
use super::{Plan, wanted};
use crate::deployment::Deployment;
use crate::package::Package;
use crate::remote::{Caller, Live};
use crate::settings::SettingName;

/// A live thing that is not as the plan left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// The thing, as messages name it.
    pub what: String,
    /// `false` if it has the value before the plan: then the read may be older than the write.
    pub is_certain: bool,
}

impl Plan {
    /// What is not as this plan left it. `left` is the function after its last write, `now` the function with its alias and
    /// attachments, `version` the version with this deployment.
    pub(crate) fn foreign(
        &self,
        deployment: &Deployment,
        package: &Package,
        caller: &Caller,
        left: &Live,
        now: &Live,
        version: Option<&str>,
    ) -> Vec<Foreign> {
        let mut again = Self::new(self.subject, &self.name, caller);
        let wanted = wanted::settings(deployment, package.archive(), Some(now), caller, &mut again);
        // A setting that AWS did not take differs too, but not from what the last write left.
        let (unlike_wanted, unlike_left) = (wanted.differing(&now.settings), left.settings.differing(&now.settings));
        let settings = unlike_left.into_iter().filter(|name| unlike_wanted.contains(name)).map(SettingName::name);
        let code = left.code() != now.code() || left.architecture != now.architecture;
        let mut foreign: Vec<_> = settings
            .chain(code.then_some("code"))
            .map(|name| Foreign { what: name.to_owned(), is_certain: true })
            .collect();
        // The code signing config of a new function is a part of its creation.
        if !self.steps.iter().any(|step| matches!(step, Step::CreateFunction { .. })) {
            again.sign(deployment, now);
        }
        if now.tags.is_some() {
            again.tags(deployment, now);
        }
        if version.is_some() {
            again.published = version.map(str::to_owned);
            again.point_alias(deployment, now.alias.as_ref());
        }
        again.attach(deployment, Some(now));
        foreign.extend(again.steps.iter().map(|step| self.undone(step)));
        foreign
    }

    /// A step that would have to be done again.
    fn undone(&self, step: &Step) -> Foreign {
        match step {
            Step::PointAlias(AliasChange { name, from, .. }) => {
                let before = |step: &Step| matches!(step, Step::PointAlias(change) if change.from == *from);
                let now =
                    from.as_ref().map_or_else(|| "is gone".to_owned(), |now| format!("is at version {}", now.version));
                Foreign {
                    what: format!("the alias `{}`, which {now}", name.0),
                    is_certain: !self.steps.iter().any(before),
                }
            }
            Step::Attach(change) => Foreign { what: change.shown(), is_certain: !self.steps.contains(step) },
            step => Foreign { what: step.view().subject.to_owned(), is_certain: !self.steps.contains(step) },
        }
    }
}
