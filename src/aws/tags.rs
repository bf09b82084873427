//! Sets and removes tags.

use std::error::Error;
use std::future::Future;

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::Session;
use super::expected::{Expected, Tags, is_removed, is_set};
use super::fault::{Call, Failed};
use super::refusals::Meaning;
use super::settle::Pace;
use super::write::After;
use crate::apply::Done;
use crate::fault::{Fault, FaultKind};
use crate::plan::TagChange;
use crate::remote::Live;

impl Session<'_> {
    /// Sets and removes the tags of a change.
    pub(super) async fn tag(&mut self, change: &TagChange) -> Result<Done, Failed> {
        self.still_ours().await?;
        let base = self.base()?;
        if !change.set.is_empty() {
            let call = Call { action: "lambda:TagResource", resource: &base.arn };
            let tags = change.set.clone().into_iter().collect();
            let request = self.lambda.tag_resource().resource(&base.arn).set_tags(Some(tags));
            self.until_taken(&call, &base, |tags| is_set(change, tags), || request.clone().send()).await?;
        }
        if !change.remove.is_empty() {
            let call = Call { action: "lambda:UntagResource", resource: &base.arn };
            let request = self.lambda.untag_resource().resource(&base.arn).set_tag_keys(Some(change.remove.clone()));
            self.until_taken(&call, &base, |tags| is_removed(change, tags), || request.clone().send()).await?;
        }
        let expected = Expected { tags: Some(change.clone()), ..Expected::of(&base) };
        self.settle_with(After::Tagging, "the tags", &expected).await
    }

    /// Repeats a write while another change is in progress. The write must be safe to repeat. `is_done` looks whether AWS has
    /// done it.
    async fn until_taken<T, E, F>(
        &mut self,
        call: &Call<'_>,
        base: &Live,
        is_done: impl Fn(&Tags) -> bool,
        send: impl Fn() -> F,
    ) -> Result<(), Failed>
    where
        E: ProvideErrorMetadata + Error + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let mut pace = Pace::new();
        while let Err(error) = self.await_write(call, send()).await? {
            let failed = self.refusal(&error, call);
            if failed.meaning == Meaning::Lost {
                let unknown = || Fault::new(FaultKind::Failed, "the tags cannot be read");
                let look = async {
                    let live = self.settled("the tags").await?;
                    Ok(is_done(&live.and_then(|live| live.tags).ok_or_else(unknown)?))
                };
                return self.unless_done(failed, look).await;
            }
            self.judge(failed, base, None, &mut pace).await?;
        }
        Ok(())
    }
}
