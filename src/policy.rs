//! The smallest IAM policy that allows a deployment of this configuration.
//!
//! Source of actions and resources: "Actions, resources, and condition keys for AWS Lambda" in the Service
//! Authorization Reference, and the same pages of the other services. A test compares the policy with the calls that a
//! deployment really makes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::arn::{Arn, Partition};
use crate::deployment::{
    Code, CodeSource, Deployment, Half, LayerDeployment, MapMode, MissingRole, ObjectKey, Publish, Target, Upload,
    WantedMap,
};
use crate::plan;
use crate::release::Check;
use crate::settings::{Attachment, ImageUri, LayerRef, Role, Settings, Structure};

/// The allowed actions, by resources and condition.
type Statements = BTreeMap<(Vec<String>, Option<Condition>), BTreeSet<&'static str>>;

/// A condition: its operator, its key, and the accepted values.
type Condition = (&'static str, &'static str, Vec<String>);

/// The policy for these layers and functions, as an IAM document. Unknown parts of an ARN, such as the account, are
/// `*`.
pub(crate) fn policy<'a>(
    layers: impl Iterator<Item = &'a LayerDeployment>,
    deployments: impl Iterator<Item = &'a Deployment>,
) -> Value {
    let mut statements = Statements::new();
    for layer in layers {
        let place = Place::of_target(&layer.target);
        newest_of(
            &mut statements,
            &place.arn("lambda", &format!("layer:{}", layer.name)),
            &["lambda:PublishLayerVersion"],
        );
        code(&mut statements, &place, &layer.code);
    }
    for deployment in deployments {
        let mut allowed = Allowed { deployment, place: Place::of(deployment), statements: &mut statements };
        allowed.function();
        allowed.release();
        allowed.attachments();
        let Allowed { place, .. } = allowed;
        code(&mut statements, &place, &deployment.code);
        let mut allowed = Allowed { deployment, place, statements: &mut statements };
        allowed.settings();
    }
    // Actions on the same resources share one statement.
    let statements: Vec<_> = statements
        .into_iter()
        .map(|((resources, condition), actions)| {
            let resource = if let [only] = &resources[..] { json!(only) } else { json!(resources) };
            let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
            if let (Some((operator, key, values)), Some(statement)) = (condition, statement.as_object_mut()) {
                let value = if let [only] = &values[..] { json!(only) } else { json!(values) };
                statement.insert("Condition".to_owned(), json!({ operator: { key: value } }));
            }
            statement
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Partition, Region and account of a function or layer; `*` for what the configuration does not say.
struct Place {
    partition: Partition,
    region: String,
    account: String,
}

impl Place {
    fn of(deployment: &Deployment) -> Self {
        let role = match &deployment.settings.role {
            Some(Role::Arn(arn)) => Arn::of(arn),
            Some(Role::Name(_)) | None => None,
        };
        let region = deployment.target.region.clone();
        let named = Arn::of(&deployment.function.written).or(role).map(|arn| Partition(arn.partition.to_owned()));
        let account = deployment.function.account.clone().or_else(|| deployment.target.expect_account.clone());
        Self {
            partition: named.unwrap_or_else(|| Partition::of_region(region.as_deref().unwrap_or_default())),
            region: region.unwrap_or_else(|| "*".to_owned()),
            account: account.or_else(|| Some(role?.account.to_owned())).unwrap_or_else(|| "*".to_owned()),
        }
    }

    fn of_target(target: &Target) -> Self {
        let region = target.region.clone();
        Self {
            partition: Partition::of_region(region.as_deref().unwrap_or_default()),
            region: region.unwrap_or_else(|| "*".to_owned()),
            account: target.expect_account.clone().unwrap_or_else(|| "*".to_owned()),
        }
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        self.partition.arn(service, &self.region, &self.account, resource)
    }
}

fn allow(
    statements: &mut Statements,
    actions: &[&'static str],
    mut resources: Vec<String>,
    condition: Option<Condition>,
) {
    resources.sort();
    resources.dedup();
    if !actions.is_empty() && !resources.is_empty() {
        statements.entry((resources, condition)).or_default().extend(actions);
    }
}

/// Allows to find the newest version of a layer and to read it, and `more` actions on the layer.
fn newest_of(statements: &mut Statements, layer: &str, more: &[&'static str]) {
    let actions: Vec<_> = ["lambda:ListLayerVersions"].iter().chain(more).copied().collect();
    allow(statements, &actions, vec![layer.to_owned()], None);
    allow(statements, &["lambda:GetLayerVersion"], vec![format!("{layer}:*")], None);
}

struct Allowed<'a> {
    deployment: &'a Deployment,
    place: Place,
    statements: &'a mut Statements,
}

impl Allowed<'_> {
    fn allow(&mut self, actions: &[&'static str], resources: Vec<String>) {
        self.allow_if(actions, resources, None);
    }

    fn allow_if(&mut self, actions: &[&'static str], resources: Vec<String>, condition: Option<Condition>) {
        allow(self.statements, actions, resources, condition);
    }

    /// The ARN of the function, and a pattern for its versions and aliases if the deployment uses them.
    fn functions(&self) -> Vec<String> {
        let arn = self.place.arn("lambda", &format!("function:{}", self.deployment.function.name));
        let release = &self.deployment.release;
        let qualified = release.publish != Publish::No || release.keep_versions.is_some();
        let versions = qualified.then(|| format!("{arn}:*"));
        std::iter::once(arn).chain(versions).collect()
    }

    fn function(&mut self) {
        let Deployment { settings, environment, handler_parts, tags, only, release, .. } = self.deployment;
        let functions = self.functions();
        let write: &[_] = match only.as_ref().map(|only| only.half) {
            None => &["lambda:CreateFunction", "lambda:UpdateFunctionCode"],
            Some(Half::Code) => &["lambda:UpdateFunctionCode"],
            Some(Half::Settings) => &[],
        };
        self.allow(&[&["lambda:GetFunction"], write].concat(), functions.clone());
        if release.publish == Publish::Always
            || *settings != Settings::default()
            || environment.is_some()
            || handler_parts.is_some()
        {
            self.allow(&["lambda:UpdateFunctionConfiguration"], functions.clone());
        }
        if let Some(WantedMap { mode, .. }) = tags {
            self.allow(&["lambda:TagResource", "lambda:ListTags"], functions.clone());
            if *mode == Some(MapMode::Replace) {
                self.allow(&["lambda:UntagResource"], functions);
            }
        }
    }

    fn release(&mut self) {
        let release = &self.deployment.release;
        let functions = self.functions();
        if release.publish != Publish::No {
            self.allow(&["lambda:PublishVersion", "lambda:ListVersionsByFunction"], functions.clone());
        }
        if release.tests.iter().any(|test| matches!(test.check, Check::Call(_))) {
            self.allow(&["lambda:InvokeFunction"], functions.clone());
        }
        if release.alias.is_some() {
            self.allow(&["lambda:GetAlias", "lambda:CreateAlias", "lambda:UpdateAlias"], functions.clone());
        }
        if release.keep_versions.is_some() {
            let read =
                ["lambda:ListVersionsByFunction", "lambda:ListAliases", "lambda:ListProvisionedConcurrencyConfigs"];
            self.allow(&read, functions.clone());
            // AWS defines this action for functions only, so the policy cannot limit it to versions.
            self.allow(&["lambda:DeleteFunction"], functions);
        }
    }

    fn attachments(&mut self) {
        let functions = self.functions();
        for (attachment, managed) in &self.deployment.attachments {
            let (set, removes) = (managed.entries.values().any(Option::is_some), removes(managed));
            let Actions { read, write, remove } = actions(*attachment);
            let mut actions = read.to_vec();
            if set {
                actions.extend(write);
            }
            if removes {
                actions.extend(remove);
            }
            match attachment {
                Attachment::EventSources => {
                    // AWS chooses the ids of mappings, so the condition names the function instead.
                    self.allow(&["lambda:ListEventSourceMappings"], vec!["*".to_owned()]);
                    actions.retain(|action| *action != "lambda:ListEventSourceMappings");
                    let invoked = ("ArnLike", "lambda:FunctionArn", functions.clone());
                    self.allow_if(&actions, vec!["*".to_owned()], Some(invoked));
                }
                Attachment::LogRetention => {
                    self.allow(&["logs:DescribeLogGroups"], vec!["*".to_owned()]);
                    let config = self.deployment.settings.logging_config.as_ref();
                    let group = config.and_then(|config| config.text("LogGroup"));
                    let group = group.unwrap_or_else(|| format!("/aws/lambda/{}", self.deployment.function.name));
                    let group = self.place.arn("logs", &format!("log-group:{group}"));
                    actions.retain(|action| *action != "logs:DescribeLogGroups");
                    self.allow(&actions, vec![group.clone(), format!("{group}:*")]);
                }
                Attachment::CodeSigning => {
                    let configs =
                        managed.entries.values().flatten().filter_map(|arn| arn.0.as_str().map(str::to_owned));
                    self.allow(&actions, functions.iter().cloned().chain(configs).collect());
                }
                Attachment::FunctionUrl => {
                    // A public URL needs statements in the resource policy. For any other URL they are removed.
                    let policy = ["lambda:GetPolicy", "lambda:AddPermission", "lambda:RemovePermission"];
                    actions.extend(policy);
                    self.allow(&actions, functions.clone());
                }
                _ => self.allow(&actions, functions.clone()),
            }
        }
    }

    fn settings(&mut self) {
        let Deployment { settings, .. } = self.deployment;
        if let Some(role) = &settings.role {
            let role = match role {
                Role::Arn(arn) => arn.clone(),
                Role::Name(name) => self.place.partition.role(&self.place.account, name),
            };
            self.allow_if(&["iam:PassRole"], vec![role], Some(to_lambda()));
        }
        if self.deployment.missing_role == MissingRole::Create && settings.role.is_none() {
            let name = plan::role_name(&self.deployment.function.name);
            let role = self.place.partition.role(&self.place.account, &name);
            self.allow(&["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:CreateRole"], vec![role.clone()]);
            // Without this condition, the identity could give the function any right.
            let policies = plan::role_policies(self.deployment, &self.place.partition);
            let only = ("ArnEquals", "iam:PolicyARN", policies);
            self.allow_if(&["iam:AttachRolePolicy"], vec![role.clone()], Some(only));
            self.allow_if(&["iam:PassRole"], vec![role], Some(to_lambda()));
        }
        if settings.subnet_ids.as_ref().is_some_and(|ids| !ids.0.is_empty()) {
            let actions = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];
            self.allow(&actions, vec!["*".to_owned()]);
        }
        if settings.file_system_configs.as_ref().is_some_and(|configs| !configs.is_empty()) {
            self.allow(&["elasticfilesystem:DescribeMountTargets"], vec!["*".to_owned()]);
        }
        if let Some(key) = settings.kms_key_arn.as_ref().map(|arn| arn.0.clone()).filter(|arn| !arn.is_empty()) {
            self.allow(&["kms:CreateGrant", "kms:Encrypt", "kms:Decrypt"], vec![key]);
        }
        for layer in settings.layers.iter().flat_map(|layers| &layers.0) {
            match layer {
                LayerRef::Newest(arn) if arn.starts_with("arn:") => newest_of(self.statements, arn, &[]),
                LayerRef::Newest(name) | LayerRef::Coming(name) => {
                    let arn = self.place.arn("lambda", &format!("layer:{name}"));
                    newest_of(self.statements, &arn, &[]);
                }
                LayerRef::Version(arn) => self.allow(&["lambda:GetLayerVersion"], vec![arn.clone()]),
            }
        }
    }
}

/// Allows to read or upload the code.
fn code(statements: &mut Statements, place: &Place, code: &Code) {
    let named = |bucket: &str| place.partition.arn("s3", "", "", bucket);
    match (&code.source, &code.upload) {
        (CodeSource::Object { bucket, key, version_id, .. }, _) => {
            let object = format!("{}/{key}", named(bucket));
            let versions = version_id.is_some().then_some("s3:GetObjectVersion");
            let actions: Vec<_> = ["s3:GetObject"].into_iter().chain(versions).collect();
            allow(statements, &actions, vec![object], None);
        }
        (CodeSource::Path(_), Some(Upload { bucket, key, kms_key_arn, .. })) => {
            let objects = match key {
                ObjectKey::ByHash(prefix) => format!("{}/{prefix}*", named(bucket)),
                ObjectKey::Given(key) => format!("{}/{key}", named(bucket)),
            };
            let bucket = named(bucket);
            let actions = ["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:AbortMultipartUpload"];
            allow(statements, &actions, vec![objects], None);
            // Without the first right, S3 answers 403 instead of 404 for a missing object. The second finds unfinished uploads.
            allow(statements, &["s3:ListBucket", "s3:ListBucketMultipartUploads"], vec![bucket], None);
            if let Some(key) = kms_key_arn.clone() {
                allow(statements, &["kms:GenerateDataKey", "kms:Decrypt"], vec![key], None);
            }
        }
        (CodeSource::Image(uri), _) => {
            let ImageUri { region, account, repository, .. } = uri;
            let repository =
                Partition::of_region(region).arn("ecr", region, account, &format!("repository/{repository}"));
            // Lambda reads the image with the rights of the deploying identity, and adds itself to the policy of the
            // repository.
            let look = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
            let policy = ["ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy"];
            allow(statements, &[look, policy].concat(), vec![repository], None);
        }
        (CodeSource::Path(_), None) | (CodeSource::Live, _) => {}
    }
    if let Some(key) = code.source_kms_key_arn.clone() {
        allow(statements, &["kms:GenerateDataKey", "kms:Decrypt"], vec![key], None);
    }
}

/// The condition that a role is passed to Lambda and to no other service.
fn to_lambda() -> Condition {
    ("StringEquals", "iam:PassedToService", vec!["lambda.amazonaws.com".to_owned()])
}

/// Whether the deployment may remove something of this kind.
fn removes(managed: &WantedMap<Option<Structure>>) -> bool {
    managed.mode == Some(MapMode::Replace) || managed.entries.values().any(Option::is_none)
}

/// The actions for one kind of attachment.
struct Actions {
    read: &'static [&'static str],
    write: &'static [&'static str],
    remove: &'static [&'static str],
}

fn actions(attachment: Attachment) -> Actions {
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
