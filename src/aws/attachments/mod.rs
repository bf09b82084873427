//! Reads the attachments of a function, and performs changes of them.
//!
//! Each kind of attachment has two functions, to read and to write, in a file of its own or together with similar kinds.

mod concurrency;
mod configs;
mod event_sources;
mod logs;
mod mapping;
mod permissions;
mod url;

use std::collections::{BTreeMap, BTreeSet};

use super::Session;
use super::expected::UNTIL_SHOWN;
use super::fault::Failed;
use super::refusals::Meaning;
use super::settle::Pace;
use super::write::deleted_meanwhile;
use crate::apply::Done;
use crate::deployment::Deployment;
use crate::fault::{Fault, FaultKind};
use crate::plan::{Action, AttachmentChange};
use crate::remote::{Live, LiveAttachment, LiveAttachments};
use crate::settings::{Attachment, Belongs};

/// The live attachments of one kind, by key.
type ByKey = BTreeMap<String, LiveAttachment>;

/// The qualifier of the function itself.
const LATEST: &str = "$LATEST";

/// The function or alias of the attachments to read or write.
#[derive(Clone, Copy)]
struct Scope<'a> {
    /// The unqualified ARN of the function.
    arn: &'a str,
    /// The alias; absent for the function itself.
    alias: Option<&'a str>,
    /// The function's log group.
    log_group: &'a str,
    /// The function's package type.
    package_type: &'a str,
}

impl Scope<'_> {
    /// The qualifier in an ARN: an alias, a version, or `$LATEST` if the ARN has none; `None` for an ARN of another function.
    fn qualifier<'q>(&self, arn: &'q str) -> Option<&'q str> {
        match arn.strip_prefix(self.arn)? {
            "" => Some(LATEST),
            rest => rest.strip_prefix(':'),
        }
    }
}

impl Session<'_> {
    /// The address of the function URL; `None` if there is none.
    pub(super) async fn url(&self, alias: Option<&str>) -> Result<Option<String>, Failed> {
        Ok(url::address(self, alias).await?.and_then(|url| url.handle))
    }

    /// Reads the attachments of the kinds that the deployment manages.
    pub(super) async fn managed_attachments(
        &self,
        deployment: &Deployment,
        live: &Live,
    ) -> Result<LiveAttachments, Failed> {
        let mut kinds: BTreeSet<_> = deployment.attachments.keys().copied().collect();
        if kinds.contains(&Attachment::FunctionUrl) {
            // A public URL needs statements in the resource policy.
            kinds.insert(Attachment::Permissions);
        }
        let alias = deployment.release.alias.as_ref().map(|alias| alias.0.as_str());
        // The retention is for the log group after the deployment.
        let group = deployment.settings.logging_config.as_ref().and_then(|config| config.text("LogGroup"));
        let log_group = group.unwrap_or_else(|| live.log_group());
        let scope = Scope { arn: &live.arn, alias, log_group: &log_group, package_type: &live.package_type };
        self.read_kinds(kinds, scope).await.into_iter().map(|(kind, attachments)| Ok((kind, attachments?))).collect()
    }

    /// Reads the attachments of all kinds, of the function and one alias. Returns a warning for each kind that could not be
    /// read. A passed deadline and an interruption are errors.
    pub(super) async fn all_attachments(
        &self,
        live: &Live,
        alias: Option<&str>,
    ) -> Result<(LiveAttachments, Vec<String>), Failed> {
        let log_group = live.log_group();
        let scope = Scope { arn: &live.arn, alias, log_group: &log_group, package_type: &live.package_type };
        let (mut found, mut unread) = (LiveAttachments::new(), Vec::new());
        for (kind, attachments) in self.read_kinds(Attachment::ALL, scope).await {
            match attachments {
                Ok(attachments) => drop(found.insert(kind, attachments)),
                Err(failed) if matches!(failed.fault.kind, FaultKind::TimedOut | FaultKind::Interrupted(_)) => {
                    return Err(failed);
                }
                Err(failed) => unread.push(format!("cannot read the {}: {}", kind.name(), failed.fault.message)),
            }
        }
        Ok((found, unread))
    }

    /// Reads the attachments of several kinds at the same time.
    async fn read_kinds(
        &self,
        kinds: impl IntoIterator<Item = Attachment>,
        scope: Scope<'_>,
    ) -> Vec<(Attachment, Result<ByKey, Failed>)> {
        let read = async |kind: Attachment| {
            let alias = scope.alias.filter(|_| kind.belongs() == Belongs::Alias);
            (kind, self.read_kind(kind, Scope { alias, ..scope }).await)
        };
        futures_util::future::join_all(kinds.into_iter().map(read)).await
    }

    async fn read_kind(&self, kind: Attachment, scope: Scope<'_>) -> Result<ByKey, Failed> {
        match kind {
            // AWS refuses this question about a function of an image, which can have no code signing.
            Attachment::CodeSigning if scope.package_type == "Image" => Ok(ByKey::new()),
            Attachment::CodeSigning => configs::code_signing(self).await,
            Attachment::RuntimeManagement => configs::runtime_management(self).await,
            Attachment::RecursiveLoop => configs::recursive_loop(self).await,
            Attachment::LogRetention => logs::read(self, scope).await,
            Attachment::ReservedConcurrency => concurrency::reserved(self).await,
            Attachment::ProvisionedConcurrency => concurrency::provisioned(self, scope.alias).await,
            Attachment::AsyncConfig => configs::async_config(self, scope.alias).await,
            Attachment::FunctionUrl => url::read(self, scope.alias).await,
            Attachment::Permissions => permissions::read(self, scope).await,
            Attachment::EventSources => event_sources::read(self, scope).await,
        }
    }

    async fn write_change(&self, change: &AttachmentChange, scope: Scope<'_>) -> Result<(), Failed> {
        match change.attachment {
            Attachment::CodeSigning => configs::write_code_signing(self, change).await,
            Attachment::RuntimeManagement => configs::write_runtime_management(self, change).await,
            Attachment::RecursiveLoop => configs::write_recursive_loop(self, change).await,
            Attachment::LogRetention => logs::write(self, scope, change).await,
            Attachment::ReservedConcurrency => concurrency::write_reserved(self, change).await,
            Attachment::ProvisionedConcurrency => concurrency::write_provisioned(self, change).await,
            Attachment::AsyncConfig => configs::write_async_config(self, change).await,
            Attachment::FunctionUrl => url::write(self, change).await,
            Attachment::Permissions => permissions::write(self, change).await,
            Attachment::EventSources => event_sources::write(self, scope, change).await,
        }
    }

    /// Looks whether an attachment still has the state for which its change was planned. A change by another program is an
    /// error, unless it is the same change.
    async fn is_as_planned(&self, change: &AttachmentChange, scope: Scope<'_>) -> Result<(), Failed> {
        let planned = self.planned.get(&change.attachment).and_then(|known| known.get(&change.key));
        if planned.is_none() && always_exists(change.attachment) {
            return Ok(());
        }
        let now = self.read_kind(change.attachment, scope).await?;
        match now.get(&change.key) {
            now if now == planned => Ok(()),
            Some(now) if is_applied(change, now) => Ok(()),
            None if change.action == Action::Remove => Ok(()),
            _ => Err(self.contested(&format!("another program changed the {} in the meantime", change.shown())).into()),
        }
    }

    /// Performs one change and waits until it has settled. A change that is already live counts as done.
    pub(super) async fn attach(&mut self, change: &AttachmentChange) -> Result<Done, Failed> {
        self.still_ours().await?;
        let what = change.attachment.name();
        let base = self.base()?;
        let alias = change.alias.as_ref().map(|alias| alias.0.as_str());
        let scope = Scope { arn: &base.arn, alias, log_group: &base.log_group(), package_type: &base.package_type };
        self.is_as_planned(change, scope).await?;
        let mut pace = Pace::new();
        loop {
            let Err(failed) = self.write_change(change, scope).await else { break };
            match failed.meaning {
                Meaning::NotFound if self.get_function(None).await?.is_none() => return Err(deleted_meanwhile()),
                Meaning::NotFound if change.action == Action::Remove => break,
                Meaning::NotFound if change.action == Action::Update => {
                    let message = format!("another program removed the {what} in the meantime");
                    return Err(Fault::new(FaultKind::Conflict, message).help("run again to create it again").into());
                }
                // AWS does not know the function or alias everywhere yet.
                Meaning::NotFound if self.made.function || alias.is_some() && self.made.alias => {
                    self.hear(failed.fault.message);
                    let made = if self.made.function { "function" } else { "alias" };
                    self.pause_and_report(&mut pace, &format!("the new {made} to be known")).await?;
                }
                Meaning::Passing(_) => self.wait_out(failed, &mut pace).await?,
                // Another change is in progress, or the answer to an earlier attempt was lost.
                Meaning::InProgress | Meaning::Exists => {
                    let there = self.read_kind(change.attachment, scope).await?;
                    match there.get(&change.key) {
                        Some(known) if is_applied(change, known) => break,
                        Some(_) if change.action == Action::Create && !always_exists(change.attachment) => {
                            let message = format!("another program created the {what} in the meantime");
                            return Err(Fault::new(FaultKind::Conflict, message)
                                .help("run again to see what differs")
                                .into());
                        }
                        None if change.action == Action::Remove => break,
                        _ if failed.meaning == Meaning::Exists && pace.so_far() >= UNTIL_SHOWN => return Err(failed),
                        _ => {
                            self.hear(failed.fault.message);
                            self.pause(&mut pace, &format!("another operation on the {what}")).await?;
                        }
                    }
                }
                Meaning::Lost => {
                    let look = async {
                        let there = self.read_kind(change.attachment, scope).await?;
                        let known = there.get(&change.key);
                        Ok(known.map_or(change.action == Action::Remove, |known| is_applied(change, known)))
                    };
                    self.unless_done(failed, look).await?;
                    break;
                }
                Meaning::Conflict
                | Meaning::Stale
                | Meaning::NotFound
                | Meaning::Forbidden
                | Meaning::StorageFull
                | Meaning::Other => {
                    return Err(failed);
                }
            }
        }
        let mut done = Done::default();
        match change.attachment {
            Attachment::EventSources => done.warnings = event_sources::settled(self, scope, change).await?,
            Attachment::ProvisionedConcurrency => concurrency::settled(self, change).await?,
            Attachment::FunctionUrl if change.action != Action::Remove => {
                done.url = Some(url::settled(self, alias).await?);
            }
            // This write changes the function's revision, which the next writes must send.
            Attachment::CodeSigning => self.live = self.settled("the code signing config").await?,
            _ => {}
        }
        Ok(done)
    }
}

/// Whether a live attachment has the state that a change leads to.
fn is_applied(change: &AttachmentChange, known: &LiveAttachment) -> bool {
    let alias = change.alias.as_ref().map(|alias| alias.0.as_str());
    let same = match change.attachment {
        Attachment::Permissions => change.document.is_same_as(&known.document),
        _ => change.document.is_met_by(&known.document),
    };
    change.action != Action::Remove && known.alias.as_deref() == alias && same
}

/// The only attachment of a kind that has at most one.
fn single(document: crate::settings::Structure, handle: Option<String>, alias: Option<&str>) -> ByKey {
    ByKey::from([(String::new(), LiveAttachment { document, handle, alias: alias.map(str::to_owned) })])
}

/// Whether every function has this attachment, so that it is never created.
fn always_exists(attachment: Attachment) -> bool {
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
    use crate::aws::convert::members::{put, to_json};

    // These functions give AWS' answer after a value was sent. The SDK's request types have no getters.

    pub(crate) fn runtime_management(sent: &Value) -> Value {
        let answer = configs::runtime_management_rows!(put!(GetRuntimeManagementConfigOutput::builder(), sent)).build();
        configs::runtime_management_rows!(to_json!(answer))
    }

    pub(crate) fn async_config(sent: &Value) -> Value {
        let answer = configs::async_config_rows!(put!(GetFunctionEventInvokeConfigOutput::builder(), sent)).build();
        configs::async_config_rows!(to_json!(answer))
    }

    pub(crate) fn function_url(sent: &Value) -> Value {
        let builder = GetFunctionUrlConfigOutput::builder().function_url("u").function_arn("a");
        let answer = url::rows!(put!(builder, sent)).creation_time("t").last_modified_time("t").build().unwrap();
        url::rows!(to_json!(answer))
    }

    pub(crate) fn event_source(sent: &Value) -> Value {
        let builder = mapping::fixed!(put!(EventSourceMappingConfiguration::builder(), sent));
        let answer = mapping::changeable!(put!(builder, sent)).state("Enabled").build();
        mapping::document(&answer).0
    }

    #[test]
    fn a_missing_member_has_its_default() {
        assert_eq!(runtime_management(&json!({})), json!({ "UpdateRuntimeOn": "Auto" }));
        let both = json!({ "MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21_600 });
        assert_eq!(async_config(&json!({})), both);
        let queue = event_source(&json!({ "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:q" }));
        assert_eq!((&queue["BatchSize"], &queue["Enabled"]), (&json!(10), &json!(true)));
    }
}
