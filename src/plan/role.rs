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
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use insta::assert_snapshot;

    use super::*;
    use crate::arn::Partition;
    use crate::deployment::MissingRole;
    use crate::package::Package;
    use crate::plan::tests::{NEW_YEAR, ROLE, artifact, ids, live, planned, wanted};
    use crate::remote::{Remote, Snapshot};
    use crate::settings::{Handler, Role, Runtime};

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

    #[test]
    fn a_role_is_created_for_a_new_function_without_one() {
        let new = wanted(|deployment| {
            deployment.missing_role = MissingRole::Create;
            deployment.settings.runtime = Some(Runtime("nodejs24.x".to_owned()));
            deployment.settings.handler = Some(Handler("index.handler".to_owned()));
            deployment.settings.subnet_ids = Some(ids(&["subnet-1"]));
            deployment.settings.security_group_ids = Some(ids(&["sg-1"]));
        });
        assert_snapshot!(planned(&new, "new", &Remote::Absent), @r#"
    role Create arn:aws:iam::123456789012:role/dpl-lambda-f with ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"]
    create new {} role: - → arn:aws:iam::123456789012:role/dpl-lambda-f, handler: - → index.handler, runtime: - → nodejs24.x, subnet_ids: - → subnet-1, security_group_ids: - → sg-1
    "#);
        assert!(!planned(&new, "old", &live(|_| ())).contains("role "));
        let mut named = new.clone();
        named.settings.role = Some(Role::Arn(ROLE.to_owned()));
        assert!(planned(&named, "new", &Remote::Absent).starts_with("create"));

        let with = |found: FoundRole| {
            let partition = Partition("aws-cn".to_owned());
            let caller = Caller {
                account: Some("123456789012".to_owned()),
                identity: None,
                partition,
                region: "cn-north-1".to_owned(),
            };
            let package = Package::Archive(Arc::new(artifact("new")));
            let function = Remote::Absent;
            let snapshot = Snapshot { function, caller, layers: BTreeMap::new(), stored: None, role: Some(found) };
            let plan = crate::plan::plan(&new, &package, &snapshot, NEW_YEAR);
            let role = plan.role().map(|role| (role.action, role.policies.clone()));
            (role, plan.problems.len())
        };
        let arn = "arn:aws-cn:iam::123456789012:role/dpl-lambda-f".to_owned();
        let policy = |name: &str| format!("arn:aws-cn:iam::aws:policy/service-role/{name}");
        let (basic, vpc) = (policy("AWSLambdaBasicExecutionRole"), policy("AWSLambdaVPCAccessExecutionRole"));
        let present = |arn: &str, trust, policies: &[&String]| FoundRole::Present {
            arn: arn.to_owned(),
            trust,
            policies: policies.iter().map(|policy| (*policy).clone()).collect(),
        };
        assert_eq!(with(FoundRole::Absent), (Some((Action::Create, vec![basic.clone(), vpc.clone()])), 0));
        assert_eq!(with(present(&arn, Trust::Lambda, &[&basic])), (Some((Action::Update, vec![vpc.clone()])), 0));
        assert_eq!(with(present(&arn, Trust::Lambda, &[&basic, &vpc])), (None, 0));
        assert_eq!(with(present(&arn, Trust::Others, &[])).1, 1);
        assert_eq!(with(present("arn:aws-cn:iam::123456789012:role/x/dpl-lambda-f", Trust::Lambda, &[])).1, 1);
    }
}
