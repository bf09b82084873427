//! What stands around a function: reading each kind, and bringing about one change at a time.
//!
//! Each kind has a file or a section of its own with two functions, `read` and `write`.

mod concurrency;
mod configs;
mod event_sources;
mod logs;
mod mapping;
mod permissions;
mod url;

use std::collections::{BTreeMap, BTreeSet};

use super::Session;
use super::fault::{Answer, Failed};
use super::settle::Pace;
use crate::apply::{Done, Fault, FaultKind};
use crate::deployment::Deployment;
use crate::plan::{Action, AttachmentChange};
use crate::remote::{Attached, Live, Surroundings};
use crate::settings::{Attachment, Belongs};

/// Things of one kind by their keys.
type Known = BTreeMap<String, Attached>;

/// The function itself, among its aliases and versions.
const LATEST: &str = "$LATEST";

/// What things stand around.
#[derive(Clone, Copy)]
struct Whose<'a> {
    /// The unqualified ARN of the function.
    arn: &'a str,
    /// The alias that a kind belongs to; absent for the function itself.
    alias: Option<&'a str>,
    /// Where the function's log goes.
    log_group: &'a str,
}

impl Whose<'_> {
    /// What an ARN of this function names of it: an alias, a version, or `$LATEST` for the function itself; nothing for an
    /// ARN of another function.
    fn qualifier<'q>(&self, arn: &'q str) -> Option<&'q str> {
        match arn.strip_prefix(self.arn)? {
            "" => Some(LATEST),
            rest => rest.strip_prefix(':'),
        }
    }
}

impl Session<'_> {
    /// Reads what stands around the function, of the kinds that are managed.
    pub(super) async fn surroundings(&self, deployment: &Deployment, live: &Live) -> Result<Surroundings, Failed> {
        let mut kinds: BTreeSet<_> = deployment.attachments.keys().copied().collect();
        if kinds.contains(&Attachment::FunctionUrl) {
            // A public address needs statements of the policy.
            kinds.insert(Attachment::Permissions);
        }
        let alias = deployment.release.alias.as_ref().map(|alias| alias.0.as_str());
        // The log that is going to be counts, not the one that is.
        let group = deployment.settings.logging_config.as_ref().and_then(|config| config.text("LogGroup"));
        let log_group = group.unwrap_or_else(|| live.log_group());
        let whose = Whose { arn: &live.arn, alias, log_group: &log_group };
        self.all_things(kinds, whose).await.into_iter().map(|(kind, things)| Ok((kind, things?))).collect()
    }

    /// Reads everything that stands around the function and this alias of it. What cannot be read is told beside it.
    pub(super) async fn everything(&self, live: &Live, alias: Option<&str>) -> (Surroundings, Vec<String>) {
        let log_group = live.log_group();
        let whose = Whose { arn: &live.arn, alias, log_group: &log_group };
        let (mut surroundings, mut unread) = (Surroundings::new(), Vec::new());
        for (kind, things) in self.all_things(Attachment::ALL, whose).await {
            match things {
                Ok(things) => drop(surroundings.insert(kind, things)),
                Err(failed) => unread.push(format!("the {} is not known: {}", kind.name(), failed.fault.message)),
            }
        }
        (surroundings, unread)
    }

    /// Reads things of several kinds, all at once.
    async fn all_things(
        &self,
        kinds: impl IntoIterator<Item = Attachment>,
        whose: Whose<'_>,
    ) -> Vec<(Attachment, Result<Known, Failed>)> {
        let read = async |kind: Attachment| {
            let alias = whose.alias.filter(|_| kind.belongs() == Belongs::Alias);
            (kind, self.things(kind, Whose { alias, ..whose }).await)
        };
        futures_util::future::join_all(kinds.into_iter().map(read)).await
    }

    async fn things(&self, kind: Attachment, whose: Whose<'_>) -> Result<Known, Failed> {
        match kind {
            Attachment::CodeSigning => configs::code_signing(self).await,
            Attachment::RuntimeManagement => configs::runtime_management(self).await,
            Attachment::RecursiveLoop => configs::recursive_loop(self).await,
            Attachment::LogRetention => logs::read(self, whose).await,
            Attachment::ReservedConcurrency => concurrency::reserved(self).await,
            Attachment::ProvisionedConcurrency => concurrency::provisioned(self, whose.alias).await,
            Attachment::AsyncConfig => configs::async_config(self, whose.alias).await,
            Attachment::FunctionUrl => url::read(self, whose.alias).await,
            Attachment::Permissions => permissions::read(self, whose).await,
            Attachment::EventSources => event_sources::read(self, whose).await,
        }
    }

    async fn write_thing(&self, change: &AttachmentChange, whose: Whose<'_>) -> Result<(), Failed> {
        match change.attachment {
            Attachment::CodeSigning => configs::write_code_signing(self, change).await,
            Attachment::RuntimeManagement => configs::write_runtime_management(self, change).await,
            Attachment::RecursiveLoop => configs::write_recursive_loop(self, change).await,
            Attachment::LogRetention => logs::write(self, whose, change).await,
            Attachment::ReservedConcurrency => concurrency::write_reserved(self, change).await,
            Attachment::ProvisionedConcurrency => concurrency::write_provisioned(self, change).await,
            Attachment::AsyncConfig => configs::write_async_config(self, change).await,
            Attachment::FunctionUrl => url::write(self, change).await,
            Attachment::Permissions => permissions::write(self, change).await,
            Attachment::EventSources => event_sources::write(self, whose, change).await,
        }
    }

    /// Brings about one change and waits until it has settled. What is so already is done.
    pub(super) async fn attach(&mut self, change: &AttachmentChange) -> Result<Done, Failed> {
        let what = change.attachment.name();
        let base = self.base()?;
        let alias = change.alias.as_ref().map(|alias| alias.0.as_str());
        let whose = Whose { arn: &base.arn, alias, log_group: &base.log_group() };
        let mut pace = Pace::new();
        loop {
            let Err(failed) = self.write_thing(change, whose).await else { break };
            match failed.answer {
                Answer::NotFound if change.action == Action::Remove => break,
                Answer::NotFound if change.action == Action::Update => {
                    let message = format!("the {what} is gone: somebody removed it meanwhile");
                    return Err(Fault::new(FaultKind::Conflict, message).help("run again to make it anew").into());
                }
                // Something else is going on, or the answer to our own first attempt was lost.
                Answer::Busy => {
                    let there = self.things(change.attachment, whose).await?;
                    match there.get(&change.key) {
                        Some(known) if is_so(change, known) => break,
                        Some(_) if change.action == Action::Create && !is_always_there(change.attachment) => {
                            let message = format!("the {what} was created by somebody else meanwhile");
                            return Err(Fault::new(FaultKind::Conflict, message)
                                .help("run again to see what differs")
                                .into());
                        }
                        None if change.action == Action::Remove => break,
                        _ => self.pause(&mut pace, &format!("another operation on the {what}")).await?,
                    }
                }
                Answer::Stale | Answer::NotFound | Answer::Other => return Err(failed),
            }
        }
        let mut done = Done::default();
        match change.attachment {
            Attachment::EventSources => done.warnings = event_sources::settled(self, whose, change).await?,
            Attachment::ProvisionedConcurrency => concurrency::settled(self, change).await?,
            Attachment::FunctionUrl if change.action != Action::Remove => {
                let there = url::read(self, alias).await?;
                done.url = there.get("").and_then(|known| known.handle.clone());
            }
            // The writes that follow carry the function's revision, which this one changes.
            Attachment::CodeSigning => self.live = self.settled("the code signing config").await?,
            _ => {}
        }
        Ok(done)
    }
}

/// Whether a thing is as a change would have made it.
fn is_so(change: &AttachmentChange, known: &Attached) -> bool {
    let alias = change.alias.as_ref().map(|alias| alias.0.as_str());
    let same = match change.attachment {
        Attachment::Permissions => change.document.is_same_as(&known.document),
        _ => change.document.is_met_by(&known.document),
    };
    change.action != Action::Remove && known.alias.as_deref() == alias && same
}

/// The one thing of a kind.
fn one(document: crate::settings::Structure, handle: Option<String>, alias: Option<&str>) -> Known {
    Known::from([(String::new(), Attached { document, handle, alias: alias.map(str::to_owned) })])
}

/// Whether every function has one, so that nobody ever makes it.
fn is_always_there(attachment: Attachment) -> bool {
    matches!(attachment, Attachment::RuntimeManagement | Attachment::RecursiveLoop)
}

#[cfg(test)]
pub(super) mod tests {
    use aws_sdk_lambda::operation::{
        get_function_event_invoke_config::GetFunctionEventInvokeConfigOutput,
        get_function_url_config::GetFunctionUrlConfigOutput,
        get_runtime_management_config::GetRuntimeManagementConfigOutput,
    };
    use aws_sdk_lambda::types::EventSourceMappingConfiguration;
    use serde_json::{Value, json};

    use super::{configs, mapping, url};
    use crate::aws::convert::members::{put, told};

    // What AWS tells when it has what was sent: the types that it takes have no getters.

    pub(crate) fn runtime_management(sent: &Value) -> Value {
        let answer = configs::runtime_management_rows!(put!(GetRuntimeManagementConfigOutput::builder(), sent)).build();
        configs::runtime_management_rows!(told!(answer))
    }

    pub(crate) fn async_config(sent: &Value) -> Value {
        let answer = configs::async_config_rows!(put!(GetFunctionEventInvokeConfigOutput::builder(), sent)).build();
        configs::async_config_rows!(told!(answer))
    }

    pub(crate) fn function_url(sent: &Value) -> Value {
        let builder = GetFunctionUrlConfigOutput::builder().function_url("u").function_arn("a");
        let answer = url::rows!(put!(builder, sent)).creation_time("t").last_modified_time("t").build().unwrap();
        url::rows!(told!(answer))
    }

    pub(crate) fn event_source(sent: &Value) -> Value {
        let builder = mapping::fixed!(put!(EventSourceMappingConfiguration::builder(), sent));
        let answer = mapping::changeable!(put!(builder, sent)).state("Enabled").build();
        mapping::document(&answer).0
    }

    #[test]
    fn what_aws_leaves_out_is_its_default() {
        assert_eq!(runtime_management(&json!({})), json!({ "UpdateRuntimeOn": "Auto" }));
        let both = json!({ "MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21_600 });
        assert_eq!(async_config(&json!({})), both);
        let queue = event_source(&json!({ "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:q" }));
        assert_eq!((&queue["BatchSize"], &queue["Enabled"]), (&json!(10), &json!(true)));
    }
}
