//! Where a function or layer is, as far as the configuration says it.

use crate::arn::{Arn, Partition};
use crate::deployment::{Deployment, SourceFunction, Target};
use crate::settings::{FunctionName, Role};

/// Partition, Region and account of a function or layer; `*` for what the configuration does not say.
pub(super) struct Place {
    /// The partition.
    pub partition: Partition,
    region: String,
    /// The account.
    pub account: String,
}

impl Place {
    /// The place of a deployment.
    pub(super) fn of(deployment: &Deployment) -> Self {
        let role = match &deployment.settings.role {
            Some(Role::Arn(arn)) => Arn::of(arn),
            Some(Role::Name(_)) | None => None,
        };
        let region = deployment.target.region.clone();
        let named = Arn::of(&deployment.function.written).or(role).map(|arn| Partition(arn.partition.to_owned()));
        let account = deployment.function.account.clone().or_else(|| of_target(&deployment.target));
        Self {
            partition: named.unwrap_or_else(|| Partition::of_region(region.as_deref().unwrap_or_default())),
            region: region.unwrap_or_else(|| "*".to_owned()),
            account: account.or_else(|| Some(role?.account.to_owned())).unwrap_or_else(|| "*".to_owned()),
        }
    }

    /// The place of a function with this name.
    pub(super) fn of_named(function: &FunctionName, target: &Target) -> Self {
        let Self { partition, region, account } = Self::of_target(target);
        Self {
            partition: Arn::of(&function.written).map_or(partition, |arn| Partition(arn.partition.to_owned())),
            region,
            account: function.account.clone().unwrap_or(account),
        }
    }

    /// The place of what belongs to a target.
    pub(super) fn of_target(target: &Target) -> Self {
        let region = target.region.clone();
        Self {
            partition: Partition::of_region(region.as_deref().unwrap_or_default()),
            region: region.unwrap_or_else(|| "*".to_owned()),
            account: of_target(target).unwrap_or_else(|| "*".to_owned()),
        }
    }

    /// The ARN of another function, or of its version or alias.
    pub(super) fn function(&self, source: &SourceFunction) -> String {
        let SourceFunction { function, qualifier, region, .. } = source;
        let region = region.as_ref().unwrap_or(&self.region);
        let account = function.account.as_ref().unwrap_or(&self.account);
        let qualifier = qualifier.as_ref().map(|name| format!(":{name}")).unwrap_or_default();
        self.partition.arn("lambda", region, account, &format!("function:{}{qualifier}", function.name))
    }

    /// The ARN of a resource there.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        self.partition.arn(service, &self.region, &self.account, resource)
    }
}

/// The account of a target: the expected one, or that of the role that is assumed.
fn of_target(target: &Target) -> Option<String> {
    let assumed = || match &target.role.as_ref()?.role {
        Role::Arn(arn) => Some(Arn::of(arn)?.account.to_owned()),
        Role::Name(_) => None,
    };
    target.expect_account.clone().or_else(assumed)
}
