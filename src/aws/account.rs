//! The account of an identity, as STS knows it.

use super::fault::{self, Call};
use crate::arn::Partition;
use crate::fault::{Fault, FaultKind};

/// The account of an identity.
pub(super) struct Account {
    /// Its number.
    pub id: String,
    /// Its partition; absent when STS does not return it.
    partition: Option<Partition>,
}

impl Account {
    /// The partition to use in a Region. A Region whose partition is known says more than the STS of an emulator.
    pub(super) fn partition(&self, of_region: &Partition) -> Partition {
        self.partition.clone().filter(|_| of_region.0 == "aws").unwrap_or_else(|| of_region.clone())
    }
}

/// Looks up the account of the credentials that STS is called with.
pub(super) async fn account(sts: &aws_sdk_sts::Client) -> Result<Account, Fault> {
    let answer = sts.get_caller_identity().send().await;
    let answer =
        answer.map_err(|error| fault::of(&error, &Call { action: "sts:GetCallerIdentity", resource: "*" }).fault)?;
    let unknown = || Fault::new(FaultKind::Failed, "STS did not return the account of the credentials");
    let id = answer.account().map(str::to_owned).ok_or_else(unknown)?;
    Ok(Account { id, partition: answer.arn().and_then(Partition::of_arn) })
}
