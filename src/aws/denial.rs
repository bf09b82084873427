//! Denied calls: who may not do what, and the kind of policy that decides it.
//!
//! The forms of the messages: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>.

use std::borrow::Cow;

use super::call::Call;

/// The kinds of policies that AWS names when it denies a call, by the words for them.
const POLICIES: [(&str, Policy); 8] = [
    ("identity-based policy", Policy::Identity),
    ("permissions boundary", Policy::Boundary),
    ("session policy", Policy::Session),
    ("service control policy", Policy::Organization),
    ("resource control policy", Policy::Organization),
    ("vpc endpoint policy", Policy::Endpoint),
    ("resource-based policy", Policy::Resource),
    ("role trust policy", Policy::Trust),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Identity,
    Boundary,
    Session,
    /// A policy that the account's organization sets for all its accounts.
    Organization,
    Endpoint,
    Resource,
    Trust,
}

/// A denied call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denial<'a> {
    /// The denied action. It may be another one than the call's, as `iam:PassRole` is when a function is created.
    pub action: &'a str,
    /// The resource of the denied action.
    pub resource: Cow<'a, str>,
    /// The identity, as in "the role `ci`"; absent if AWS does not name it.
    who: Option<String>,
    /// The policy that decides; absent if AWS does not name it.
    policy: Option<Policy>,
    /// Whether a policy forbids the action. Otherwise no policy allows it.
    forbidden: bool,
}

impl<'a> Denial<'a> {
    /// Reads what AWS said about a denied call.
    pub(super) fn read(call: &Call<'a>, said: &'a str) -> Self {
        let lower = said.to_ascii_lowercase();
        let policy = POLICIES.iter().find(|(words, _)| lower.contains(words)).map(|(_, policy)| *policy);
        let forbidden = lower.contains("explicit deny");
        if let Some(object) = denied_object(said) {
            return Self { action: "s3:GetObject", resource: object.into(), who: None, policy, forbidden };
        }
        let (before, rest) = said.split_once("not authorized to perform: ").unwrap_or((said, ""));
        let who = before.split_once("User: ").and_then(|(_, rest)| identity(rest.split_whitespace().next()?));
        let mut words = rest.split_whitespace();
        let action = words.next().filter(|action| action.contains(':'));
        let resource = rest.split_once("on resource: ").map(|(_, resource)| resource_in(resource));
        Self {
            action: action.unwrap_or(call.action),
            resource: resource.filter(|resource| !resource.is_empty()).unwrap_or(call.resource).into(),
            who,
            policy,
            forbidden,
        }
    }

    /// Whether the identity's own policies decide.
    pub(super) fn is_of_identity(&self) -> bool {
        matches!(self.policy, None | Some(Policy::Identity))
    }

    /// What to change so that the call is allowed.
    pub(super) fn help(&self) -> String {
        let Self { action, resource, who, policy, forbidden } = self;
        let who = who.as_deref().unwrap_or("the identity that deploys");
        match (policy, forbidden) {
            (None | Some(Policy::Identity), true) => {
                format!(
                    "a policy of {who} forbids `{action}`: change the statement with the effect Deny, and run again"
                )
            }
            (None | Some(Policy::Identity), false) => format!(
                "allow `{action}` in the policy of {who}, and run again; `dpl-lambda policy` shows all that a verb needs"
            ),
            (Some(Policy::Boundary), _) => {
                format!("the permissions boundary of {who} must allow `{action}` as well as its policies")
            }
            (Some(Policy::Session), _) => {
                format!("the session policy that {who} got when its role was assumed must allow `{action}`")
            }
            (Some(Policy::Organization), _) => format!(
                "a policy of the organization decides this, and no policy of the account can allow it: ask those who manage the organization to allow `{action}`"
            ),
            (Some(Policy::Endpoint), _) => {
                format!("the policy of the VPC endpoint that this machine uses must allow `{action}`")
            }
            (Some(Policy::Resource), _) => {
                format!(
                    "the policy of `{resource}` must allow `{action}` to {who}: ask its owner, if it is of another account"
                )
            }
            (Some(Policy::Trust), _) => format!("the trust policy of `{resource}` must allow `{action}` to {who}"),
        }
    }
}

/// The ARN of the object that Lambda could not read with the caller's rights: `Your access has been denied by S3, please make
/// sure your request credentials have permission to GetObject for BUCKET/KEY. S3 Error Code: …`.
fn denied_object(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("denied by S3").and_then(|(_, rest)| rest.split_once("GetObject for "))?;
    let place = rest.split_once(". S3 Error").map_or(rest, |(place, _)| place);
    Some(format!("arn:aws:s3:::{}", place.trim()))
}

/// The resource at the beginning of a text. IAM writes some without an ARN, as `role ci-deploy`.
fn resource_in(text: &str) -> &str {
    let ends = [" because ", " with an explicit deny", ". ", "\n"].iter().filter_map(|end| text.find(end)).min();
    text[..ends.unwrap_or(text.len())].trim().trim_matches('"').trim_end_matches('.')
}

/// The name of an identity, by its ARN.
fn identity(arn: &str) -> Option<String> {
    let (_, path) = arn.rsplit_once(':')?;
    let mut parts = path.split('/');
    match parts.next()? {
        "assumed-role" => Some(format!("the role `{}`", parts.next()?)),
        "user" => Some(format!("the user `{}`", parts.next_back()?)),
        _ => Some(format!("`{arn}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Call<'static> = Call { action: "lambda:CreateFunction", resource: "f" };

    #[test]
    fn the_action_the_resource_and_the_identity_are_those_that_aws_names() {
        for (said, action, resource, who) in [
            ("no", "lambda:CreateFunction", "f", None),
            (
                "User: arn:aws:sts::123456789012:assumed-role/ci-deploy/session is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/r because no identity-based policy allows the iam:PassRole action",
                "iam:PassRole",
                "arn:aws:iam::123456789012:role/r",
                Some("the role `ci-deploy`"),
            ),
            (
                "User: arn:aws:iam::123456789012:user/team/ci is not authorized to perform: iam:GetRole on resource: role my role with an explicit deny in a service control policy",
                "iam:GetRole",
                "role my role",
                Some("the user `ci`"),
            ),
            (
                "User: arn:aws:iam::123456789012:root is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::b/k\" because of x",
                "s3:PutObject",
                "arn:aws:s3:::b/k",
                Some("`arn:aws:iam::123456789012:root`"),
            ),
            (
                "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: lambda:ListFunctions",
                "lambda:ListFunctions",
                "f",
                Some("the user `ci`"),
            ),
            (
                "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for b/a key.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied",
                "s3:GetObject",
                "arn:aws:s3:::b/a key.zip",
                None,
            ),
            ("User: is not authorized to perform: on resource: ", "lambda:CreateFunction", "f", None),
        ] {
            let denial = Denial::read(&CALL, said);
            assert_eq!(
                (denial.action, denial.resource.as_ref(), denial.who.as_deref()),
                (action, resource, who),
                "{said}"
            );
        }
    }

    #[test]
    fn the_help_names_the_policy_that_decides() {
        for (why, help) in [
            (
                "because no identity-based policy allows the lambda:x action",
                "allow `lambda:x` in the policy of the role `ci`",
            ),
            ("with an explicit deny in an identity-based policy", "effect Deny"),
            ("because no permissions boundary allows the lambda:x action", "permissions boundary of the role `ci`"),
            ("with an explicit deny in a permissions boundary", "permissions boundary of the role `ci`"),
            ("because no session policy allows the lambda:x action", "session policy"),
            ("because no service control policy allows the lambda:x action", "the organization"),
            ("with an explicit deny in a service control policy", "the organization"),
            ("with an explicit deny in a resource control policy", "the organization"),
            ("because no VPC endpoint policy allows the lambda:x action", "the VPC endpoint"),
            ("because no resource-based policy allows the lambda:x action", "the policy of `r`"),
            ("because no role trust policy allows the lambda:x action", "the trust policy of `r`"),
            ("", "allow `lambda:x`"),
        ] {
            let said = format!(
                "User: arn:aws:sts::123456789012:assumed-role/ci/s is not authorized to perform: lambda:x on resource: r {why}"
            );
            let given = Denial::read(&CALL, &said).help();
            assert!(given.contains(help), "{why}: {given}");
            assert_eq!(given.contains("dpl-lambda policy"), help.starts_with("allow"), "{given}");
            let of_identity = why.is_empty() || why.contains("identity-based");
            assert_eq!(Denial::read(&CALL, &said).is_of_identity(), of_identity, "{why}");
        }
    }
}
