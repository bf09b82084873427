//! The execution role of a function that has none yet.

use super::Plan;
use super::action::Action;
use super::step::{RoleChange, Step};
use crate::arn::Partition;
use crate::deployment::Deployment;
use crate::package::code_sha256;
use crate::remote::{Caller, FoundRole, Trust};
use crate::settings::{Attachment, Ids, Role};
use crate::sources::Source;

/// AWS' managed policies to write logs, and to run in a VPC. The second includes the first, but a function that leaves
/// its VPC must still be able to write its log.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/permissions-managed-policies.html>.
const BASIC: &str = "AWSLambdaBasicExecutionRole";
const VPC: &str = "AWSLambdaVPCAccessExecutionRole";

/// The longest name of a role, in characters.
const MOST_NAME: usize = 64;

/// The name of the role that is created for a function. The same function always gives the same name, so a later run
/// finds the role again.
pub(crate) fn role_name(function: &str) -> String {
    const HASH: usize = 8;
    let whole = format!("dpl-lambda-{function}");
    if whole.len() <= MOST_NAME {
        return whole;
    }
    let hash: String =
        code_sha256(function.as_bytes()).chars().filter(char::is_ascii_alphanumeric).take(HASH).collect();
    format!("{}-{hash}", &whole[..MOST_NAME - HASH - 1])
}

/// The ARNs of the policies for a created role: to write logs, to run in a VPC, to read the event sources.
pub(crate) fn policies(deployment: &Deployment, partition: &Partition) -> Vec<String> {
    let in_vpc = deployment.settings.subnet_ids.as_ref().is_some_and(|Ids(subnets)| !subnets.is_empty());
    let sources =
        deployment.attachments.get(&Attachment::EventSources).into_iter().flat_map(|managed| managed.entries.keys());
    let kinds: Vec<_> = sources.filter_map(|key| Source::of_key(key)).collect();
    let reads = Source::ALL.into_iter().filter(|source| kinds.contains(source)).filter_map(Source::policy);
    let policies = [Some(BASIC), in_vpc.then_some(VPC)].into_iter().flatten().chain(reads);
    policies.map(|policy| partition.arn("iam", "", "aws", &format!("policy/service-role/{policy}"))).collect()
}

/// The role to create for a new function; `None` if the account is unknown.
pub(super) fn wanted(deployment: &Deployment, caller: &Caller) -> Option<RoleChange> {
    let (account, partition) = (caller.account.as_ref()?, &caller.partition);
    let function = &deployment.function.name;
    let name = role_name(function);
    Some(RoleChange {
        arn: partition.role(account, &name),
        function: function.clone(),
        action: Action::Create,
        policies: policies(deployment, partition),
        name,
    })
}

impl RoleChange {
    /// The value of the setting `role` for a function with this role.
    pub(super) fn as_setting(&self) -> Role {
        Role::Arn(self.arn.clone())
    }
}

impl Plan {
    /// The role that the plan creates or changes; `None` if there is none.
    pub(crate) fn role(&self) -> Option<&RoleChange> {
        self.steps.iter().find_map(|step| match step {
            Step::CreateRole(role) => Some(role),
            _ => None,
        })
    }

    /// Uses a role that exists already: attaches only the policies that it lacks.
    pub(super) fn reuse_role(&mut self, found: &FoundRole) {
        let FoundRole::Present { arn, trust, policies } = found else { return };
        let mut foreign = None;
        self.steps.retain_mut(|step| {
            let Step::CreateRole(role) = step else { return true };
            if *arn != role.arn || *trust == Trust::Others {
                foreign = Some(role.name.clone());
            }
            role.action = Action::Update;
            role.policies.retain(|policy| !policies.contains(policy));
            !role.policies.is_empty()
        });
        if let Some(name) = foreign {
            let message = format!("the role `{name}` exists already, and it is not for Lambda: {arn}");
            let help = "name a role with `role`, or let `lambda.amazonaws.com` assume this one";
            self.refuse("create_role", message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_names_follow_the_function_and_fit_the_limit_of_iam() {
        assert_eq!(role_name("orders"), "dpl-lambda-orders");
        let fits = "x".repeat(53);
        assert_eq!(role_name(&fits), format!("dpl-lambda-{fits}"));
        let (one, other) = (role_name(&format!("{}a", "x".repeat(63))), role_name(&format!("{}b", "x".repeat(63))));
        assert_eq!((one.len(), other.len()), (64, 64));
        assert_ne!(one, other);
        assert!(one.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{one}");
    }
}
