//! The account of an identity, as STS knows it.

use super::fault::{self, Call};
use super::{clock, wire};
use crate::arn::{Arn, Partition};
use crate::fault::{Fault, FaultKind};

/// The account of an identity.
pub(super) struct Account {
    /// Its number.
    pub id: String,
    /// Its partition; absent when STS does not return it.
    partition: Option<Partition>,
    /// The kind and the name of the identity, as in `role ci`; absent when STS does not say.
    pub identity: Option<String>,
    /// The ARN of the user or role whose policies count; absent for other kinds of identities.
    pub principal: Option<String>,
    /// What to do about the clock of this machine; absent if it agrees with that of AWS.
    pub clock: Option<String>,
}

impl Account {
    /// The partition to use in a Region. A Region whose partition is known says more than the STS of an emulator.
    pub(super) fn partition(&self, of_region: &Partition) -> Partition {
        self.partition.clone().filter(|_| of_region.0 == "aws").unwrap_or_else(|| of_region.clone())
    }
}

/// Looks up the account of the credentials that STS is called with.
pub(super) async fn account(sts: &aws_sdk_sts::Client) -> Result<Account, Fault> {
    let (answer, ahead) = wire::dated(sts.get_caller_identity().send()).await;
    let answer =
        answer.map_err(|error| fault::of(&error, &Call { action: "sts:GetCallerIdentity", resource: "*" }).fault)?;
    let unknown = || Fault::new(FaultKind::Failed, "STS did not return the account of the credentials");
    let id = answer.account().map(str::to_owned).ok_or_else(unknown)?;
    let arn = answer.arn();
    Ok(Account {
        id,
        partition: arn.and_then(Partition::of_arn),
        identity: arn.and_then(identity),
        principal: arn.and_then(principal),
        clock: ahead.and_then(clock::describe),
    })
}

/// The kind and the name of an identity, from its ARN. The name of a session is left out: CIs make one for each run.
fn identity(arn: &str) -> Option<String> {
    let resource = Arn::of(arn)?.resource;
    let mut parts = resource.split('/');
    match (parts.next()?, parts.next(), parts.next_back()) {
        ("root", None, None) => Some("root".to_owned()),
        ("assumed-role", Some(role), _) => Some(format!("role {role}")),
        // A path may stand before the name.
        ("user", Some(first), last) => Some(format!("user {}", last.unwrap_or(first))),
        ("federated-user", Some(name), None) => Some(format!("federated user {name}")),
        _ => None,
    }
}

/// The user or role whose policies count for an identity, from its ARN. A role with a path is not found under this ARN.
fn principal(arn: &str) -> Option<String> {
    let Arn { partition, account, resource, .. } = Arn::of(arn)?;
    match resource.split_once('/')? {
        ("user", _) => Some(arn.to_owned()),
        ("assumed-role", session) => {
            Some(Partition(partition.to_owned()).role(account, session.split('/').next().unwrap_or_default()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_known_by_its_arn() {
        for (arn, expected) in [
            ("arn:aws:iam::123456789012:root", Some("root")),
            ("arn:aws:iam::123456789012:user/deploy", Some("user deploy")),
            ("arn:aws:iam::123456789012:user/ci/teams/deploy", Some("user deploy")),
            ("arn:aws-cn:sts::123456789012:assumed-role/ci/dpl-lambda-7", Some("role ci")),
            ("arn:aws:sts::123456789012:federated-user/me", Some("federated user me")),
            ("arn:aws:iam::123456789012:new/thing", None),
            ("", None),
        ] {
            assert_eq!(identity(arn).as_deref(), expected, "{arn}");
        }
    }

    #[test]
    fn the_policies_of_an_identity_are_those_of_its_user_or_role() {
        for (arn, expected) in [
            ("arn:aws:iam::123456789012:root", None),
            ("arn:aws:iam::123456789012:user/ci/deploy", Some("arn:aws:iam::123456789012:user/ci/deploy")),
            ("arn:aws-cn:sts::123456789012:assumed-role/ci/run-7", Some("arn:aws-cn:iam::123456789012:role/ci")),
            ("arn:aws:sts::123456789012:federated-user/me", None),
            ("", None),
        ] {
            assert_eq!(principal(arn).as_deref(), expected, "{arn}");
        }
    }
}
