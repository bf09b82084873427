//! The rights for what is attached to a function.

use super::function::Allowed;
use super::statements::{Condition, any};
use crate::deployment::{MapMode, WantedMap};
use crate::settings::{Attachment, Structure};

/// A read that only follows the change of a mapping.
pub(super) const READ_AFTER_WRITE: &str = "lambda:GetEventSourceMapping";

impl Allowed<'_> {
    /// Allows to change the attachments.
    pub(super) fn attachments(&mut self) {
        let functions = self.functions();
        let mut attachments = self.deployment.attachments.clone();
        for attachment in Attachment::ALL {
            if self.deployment.is_unread(attachment.option()) {
                let unread = WantedMap { entries: [(String::new(), Some(Structure::default()))].into(), mode: None };
                attachments.entry(attachment).or_insert(unread);
            }
        }
        for (attachment, managed) in &attachments {
            let (set, removes) = (managed.entries.values().any(Option::is_some), removes(managed));
            let Actions { read, write, remove } = actions(*attachment);
            let changes: Vec<_> =
                write.iter().filter(|_| set).chain(remove.iter().filter(|_| removes)).copied().collect();
            let statements = &mut *self.statements;
            match attachment {
                Attachment::EventSources => {
                    // AWS chooses the ids of mappings, so the condition names the function instead.
                    statements.read(&["lambda:ListEventSourceMappings"], any());
                    let changes: Vec<_> = changes.into_iter().chain([READ_AFTER_WRITE]).collect();
                    let invoked = Condition::new("ArnLike", "lambda:FunctionArn", functions.clone());
                    statements.write_if(&changes, any(), Some(&invoked));
                }
                Attachment::LogRetention => {
                    statements.read(read, any());
                    let config = self.deployment.settings.logging_config.as_ref();
                    let group = config.and_then(|config| config.text("LogGroup"));
                    let group = group.unwrap_or_else(|| format!("/aws/lambda/{}", self.deployment.function.name));
                    let group = self.place.arn("logs", &format!("log-group:{group}"));
                    statements.write(&changes, vec![group.clone(), format!("{group}:*")]);
                }
                Attachment::CodeSigning => {
                    let configs =
                        managed.entries.values().flatten().filter_map(|arn| arn.0.as_str().map(str::to_owned));
                    statements.read(read, functions.clone());
                    statements.write(&changes, functions.iter().cloned().chain(configs).collect());
                }
                Attachment::FunctionUrl => {
                    // A public URL needs statements in the resource policy. For any other URL they are removed.
                    statements.read(&[read, &["lambda:GetPolicy"]].concat(), functions.clone());
                    statements.write(&changes, functions.clone());
                    statements.write(&["lambda:AddPermission", "lambda:RemovePermission"], functions.clone());
                }
                _ => {
                    statements.read(read, functions.clone());
                    statements.write(&changes, functions.clone());
                }
            }
        }
    }
}

/// Whether the deployment may remove something of this kind.
fn removes(managed: &WantedMap<Option<Structure>>) -> bool {
    managed.mode == Some(MapMode::Replace) || managed.entries.values().any(Option::is_none)
}

/// The actions for one kind of attachment.
pub(super) struct Actions {
    /// Those that read it.
    pub read: &'static [&'static str],
    write: &'static [&'static str],
    remove: &'static [&'static str],
}

/// The actions for one kind of attachment.
pub(super) fn actions(attachment: Attachment) -> Actions {
    let (read, write, remove): (&[_], &[_], &[_]) = match attachment {
        Attachment::CodeSigning => (
            &["lambda:GetFunctionCodeSigningConfig"],
            &["lambda:PutFunctionCodeSigningConfig"],
            &["lambda:DeleteFunctionCodeSigningConfig"],
        ),
        Attachment::RuntimeManagement => {
            (&["lambda:GetRuntimeManagementConfig"], &["lambda:PutRuntimeManagementConfig"], &[])
        }
        Attachment::RecursiveLoop => {
            (&["lambda:GetFunctionRecursionConfig"], &["lambda:PutFunctionRecursionConfig"], &[])
        }
        Attachment::LogRetention => (
            &["logs:DescribeLogGroups"],
            &["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
            &["logs:DeleteRetentionPolicy"],
        ),
        Attachment::ReservedConcurrency => (
            &["lambda:GetFunctionConcurrency"],
            &["lambda:PutFunctionConcurrency"],
            &["lambda:DeleteFunctionConcurrency"],
        ),
        Attachment::ProvisionedConcurrency => (
            &["lambda:GetProvisionedConcurrencyConfig"],
            &["lambda:PutProvisionedConcurrencyConfig"],
            &["lambda:DeleteProvisionedConcurrencyConfig"],
        ),
        Attachment::AsyncConfig => (
            &["lambda:GetFunctionEventInvokeConfig"],
            &["lambda:PutFunctionEventInvokeConfig"],
            &["lambda:DeleteFunctionEventInvokeConfig"],
        ),
        Attachment::FunctionUrl => (
            &["lambda:GetFunctionUrlConfig"],
            &["lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"],
            &["lambda:DeleteFunctionUrlConfig"],
        ),
        // To change a statement, it is removed and added again.
        Attachment::Permissions => {
            (&["lambda:GetPolicy"], &["lambda:AddPermission", "lambda:RemovePermission"], &["lambda:RemovePermission"])
        }
        Attachment::EventSources => (
            &["lambda:ListEventSourceMappings", "lambda:GetEventSourceMapping"],
            &["lambda:CreateEventSourceMapping", "lambda:UpdateEventSourceMapping"],
            &["lambda:DeleteEventSourceMapping"],
        ),
    };
    Actions { read, write, remove }
}
