//! The smallest IAM policy that allows a verb to do its work for this configuration.
//!
//! Source of actions and resources: "Actions, resources, and condition keys for AWS Lambda" in the Service
//! Authorization Reference, and the same pages of the other services. A test compares the policy with the calls that
//! each verb really makes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::arn::{Arn, Partition};
use crate::deployment::{
    Code, CodeSource, Deployment, Half, LayerDeployment, MapMode, MissingRole, ObjectKey, Publish, SourceFunction,
    Target, Upload, WantedMap,
};
use crate::plan;
use crate::reference::{Borrowed, FunctionOutput, Reference, State};
use crate::release::Check;
use crate::settings::{Attachment, FunctionName, ImageUri, LayerRef, Role, Settings, Structure};

/// A condition: its operator, its key, and the accepted values.
type Condition = (&'static str, &'static str, Vec<String>);

/// What a policy is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For<'a> {
    /// Deploying a function.
    Deploy(&'a Deployment),
    /// Deploying a layer.
    DeployLayer(&'a LayerDeployment),
    /// The plan for a function.
    Plan(&'a Deployment),
    /// The plan for a layer.
    PlanLayer(&'a LayerDeployment),
    /// A verb about a live function.
    Live(LiveVerb, &'a FunctionName, &'a Target),
    /// The log of a function, which is in this group; absent: in Lambda's own.
    Logs(&'a FunctionName, &'a Target, Option<&'a str>),
    /// What `doctor` reads for a function.
    Doctor(&'a FunctionName, &'a Target),
    /// The list of the functions of a Region.
    List,
}

/// A verb about a live function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiveVerb {
    /// Invokes it.
    Invoke,
    /// Shows its state.
    Status,
    /// Writes its block.
    Init,
    /// Deletes it or a version of it.
    Delete,
    /// Moves an alias back.
    Rollback,
}

/// The policy for all of these, as an IAM document. Unknown parts of an ARN, such as the account, are `*`.
pub(crate) fn policy<'a>(all: impl IntoIterator<Item = For<'a>>) -> Value {
    let mut statements = Statements::default();
    for one in all {
        statements.only = match one {
            For::Plan(_) | For::PlanLayer(_) => Only::Reads,
            For::Deploy(_) | For::DeployLayer(_) | For::Live(..) | For::Logs(..) | For::Doctor(..) | For::List => {
                Only::All
            }
        };
        match one {
            For::Deploy(deployment) | For::Plan(deployment) => of_function(&mut statements, deployment),
            For::DeployLayer(layer) | For::PlanLayer(layer) => of_layer(&mut statements, layer),
            For::Live(verb, function, target) => of_verb(&mut statements, verb, function, target),
            For::Logs(function, target, group) => of_logs(&mut statements, function, target, group),
            For::Doctor(function, target) => {
                of_verb(&mut statements, LiveVerb::Status, function, target);
                // The policy does not know who has it.
                statements.read(&["iam:SimulatePrincipalPolicy", "lambda:GetAccountSettings"], any());
            }
            For::List => statements.read(&["lambda:ListFunctions"], any()),
        }
    }
    statements.document()
}

fn of_layer(statements: &mut Statements, layer: &LayerDeployment) {
    let place = Place::of_target(&layer.target);
    let arn = place.arn("lambda", &format!("layer:{}", layer.name));
    newest_of(statements, &arn);
    statements.write(&["lambda:PublishLayerVersion"], vec![arn]);
    code(statements, &place, &layer.code, &layer.borrowed);
    elsewhere(statements, &place, &layer.borrowed);
}

fn of_function(statements: &mut Statements, deployment: &Deployment) {
    let mut allowed = Allowed { deployment, place: Place::of(deployment), statements };
    allowed.function();
    allowed.release();
    allowed.attachments();
    allowed.settings();
    let Allowed { place, .. } = allowed;
    code(statements, &place, &deployment.code, &deployment.borrowed);
    elsewhere(statements, &place, &deployment.borrowed);
}

fn of_verb(statements: &mut Statements, verb: LiveVerb, function: &FunctionName, target: &Target) {
    let place = Place::of_named(function, target);
    let arn = place.arn("lambda", &format!("function:{}", function.name));
    let both = vec![arn.clone(), format!("{arn}:*")];
    // AWS checks the ARN of a version or alias for a call that names one.
    let looks_at_versions = matches!(verb, LiveVerb::Rollback | LiveVerb::Delete);
    statements.read(&["lambda:GetFunction"], if looks_at_versions { both.clone() } else { vec![arn] });
    match verb {
        LiveVerb::Invoke => statements.write(&["lambda:InvokeFunction"], both),
        LiveVerb::Status => statements.read(STATUS, both),
        LiveVerb::Rollback => {
            statements.read(&["lambda:GetAlias"], both.clone());
            // For the errors that name what exists.
            statements.read(&["lambda:ListAliases", "lambda:ListVersionsByFunction"], both.clone());
            statements.write(&["lambda:UpdateAlias"], both);
        }
        LiveVerb::Delete => {
            statements.read(STATUS, both.clone());
            statements.read(&["lambda:ListEventSourceMappings"], any());
            statements.write(&["lambda:DeleteFunction"], both);
        }
        LiveVerb::Init => {
            statements.read(&["lambda:ListAliases", "lambda:ListTags"], both.clone());
            for attachment in Attachment::ALL {
                let global =
                    |action: &&str| matches!(*action, "lambda:ListEventSourceMappings" | "logs:DescribeLogGroups");
                let read = actions(attachment).read.iter().copied().filter(|action| *action != READ_AFTER_WRITE);
                let (everywhere, here): (Vec<_>, Vec<_>) = read.partition(global);
                statements.read(&everywhere, any());
                statements.read(&here, both.clone());
            }
        }
    }
}

fn of_logs(statements: &mut Statements, function: &FunctionName, target: &Target, group: Option<&str>) {
    let place = Place::of_named(function, target);
    let arn = place.arn("lambda", &format!("function:{}", function.name));
    statements.read(&["lambda:GetFunction"], vec![arn.clone()]);
    statements.read(&["lambda:GetAlias"], vec![arn.clone(), format!("{arn}:*")]);
    let group = group.map_or_else(|| format!("/aws/lambda/{}", function.name), str::to_owned);
    let group = place.arn("logs", &format!("log-group:{group}"));
    statements.read(&["logs:FilterLogEvents"], vec![group.clone(), format!("{group}:*")]);
}

/// The reads of `status` beside `GetFunction`.
const STATUS: &[&str] = &[
    "lambda:ListAliases",
    "lambda:ListFunctionUrlConfigs",
    "lambda:ListProvisionedConcurrencyConfigs",
    "lambda:ListVersionsByFunction",
];

/// A read that only follows the change of a mapping.
const READ_AFTER_WRITE: &str = "lambda:GetEventSourceMapping";

fn any() -> Vec<String> {
    vec!["*".to_owned()]
}

/// Which of the rights a policy has.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Only {
    /// All of them.
    #[default]
    All,
    /// Those that read.
    Reads,
}

/// The allowed actions, by resources and condition.
#[derive(Default)]
struct Statements {
    only: Only,
    allowed: BTreeMap<(Vec<String>, Option<Condition>), BTreeSet<&'static str>>,
}

impl Statements {
    /// Allows actions of every verb.
    fn read(&mut self, actions: &[&'static str], resources: Vec<String>) {
        self.allow(actions, resources, None);
    }

    /// Allows actions of the verbs that change something.
    fn write(&mut self, actions: &[&'static str], resources: Vec<String>) {
        self.write_if(actions, resources, None);
    }

    fn write_if(&mut self, actions: &[&'static str], resources: Vec<String>, condition: Option<Condition>) {
        if self.only == Only::All {
            self.allow(actions, resources, condition);
        }
    }

    fn allow(&mut self, actions: &[&'static str], mut resources: Vec<String>, condition: Option<Condition>) {
        resources.sort();
        resources.dedup();
        if !actions.is_empty() && !resources.is_empty() {
            self.allowed.entry((resources, condition)).or_default().extend(actions);
        }
    }

    /// The policy as an IAM document. Actions on the same resources share one statement.
    fn document(self) -> Value {
        let statement = |((resources, condition), actions): ((Vec<String>, Option<Condition>), BTreeSet<_>)| {
            let resource = if let [only] = &resources[..] { json!(only) } else { json!(resources) };
            let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
            if let (Some((operator, key, values)), Some(statement)) = (condition, statement.as_object_mut()) {
                let value = if let [only] = &values[..] { json!(only) } else { json!(values) };
                statement.insert("Condition".to_owned(), json!({ operator: { key: value } }));
            }
            statement
        };
        let statements: Vec<_> = self.allowed.into_iter().map(statement).collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }
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

    fn of_named(function: &FunctionName, target: &Target) -> Self {
        let Self { partition, region, account } = Self::of_target(target);
        Self {
            partition: Arn::of(&function.written).map_or(partition, |arn| Partition(arn.partition.to_owned())),
            region,
            account: function.account.clone().unwrap_or(account),
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

    /// The ARN of another function, or of its version or alias.
    fn function(&self, source: &SourceFunction) -> String {
        let SourceFunction { function, qualifier, region, .. } = source;
        let region = region.as_ref().unwrap_or(&self.region);
        let account = function.account.as_ref().unwrap_or(&self.account);
        let qualifier = qualifier.as_ref().map(|name| format!(":{name}")).unwrap_or_default();
        self.partition.arn("lambda", region, account, &format!("function:{}{qualifier}", function.name))
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        self.partition.arn(service, &self.region, &self.account, resource)
    }
}

/// Allows to find the newest version of a layer and to read it.
fn newest_of(statements: &mut Statements, layer: &str) {
    statements.read(&["lambda:ListLayerVersions"], vec![layer.to_owned()]);
    statements.read(&["lambda:GetLayerVersion"], vec![format!("{layer}:*")]);
}

struct Allowed<'a> {
    deployment: &'a Deployment,
    place: Place,
    statements: &'a mut Statements,
}

impl Allowed<'_> {
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
        self.statements.read(&["lambda:GetFunction"], functions.clone());
        self.statements.write(write, functions.clone());
        if release.publish == Publish::Always
            || *settings != Settings::default()
            || environment.is_some()
            || handler_parts.is_some()
            || self.deployment.unread().next().is_some()
        {
            self.statements.write(&["lambda:UpdateFunctionConfiguration"], functions.clone());
        }
        if let Some(WantedMap { mode, .. }) = tags {
            self.statements.read(&["lambda:ListTags"], functions.clone());
            self.statements.write(&["lambda:TagResource"], functions.clone());
            if *mode == Some(MapMode::Replace) {
                self.statements.write(&["lambda:UntagResource"], functions);
            }
        }
    }

    fn release(&mut self) {
        let release = &self.deployment.release;
        let functions = self.functions();
        if release.publish != Publish::No {
            self.statements.read(&["lambda:ListVersionsByFunction"], functions.clone());
            self.statements.write(&["lambda:PublishVersion"], functions.clone());
        }
        if release.tests.iter().any(|test| matches!(test.check, Check::Call(_))) {
            self.statements.write(&["lambda:InvokeFunction"], functions.clone());
        }
        if let Some(schedule) = &release.shifting {
            self.statements.read(&["lambda:GetProvisionedConcurrencyConfig"], functions.clone());
            // AWS knows no resources for these.
            let any = || vec!["*".to_owned()];
            if !schedule.alarms.is_empty() {
                self.statements.read(&["cloudwatch:DescribeAlarms"], any());
            }
            if schedule.errors.is_some() {
                self.statements.write(&["cloudwatch:GetMetricData"], any());
            }
        }
        if release.alias.is_some() {
            self.statements.read(&["lambda:GetAlias"], functions.clone());
            self.statements.write(&["lambda:CreateAlias", "lambda:UpdateAlias"], functions.clone());
        }
        if release.keep_versions.is_some() {
            let read =
                ["lambda:ListVersionsByFunction", "lambda:ListAliases", "lambda:ListProvisionedConcurrencyConfigs"];
            self.statements.read(&read, functions.clone());
            // AWS defines this action for functions only, so the policy cannot limit it to versions.
            self.statements.write(&["lambda:DeleteFunction"], functions);
        }
    }

    fn attachments(&mut self) {
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
                    let invoked = ("ArnLike", "lambda:FunctionArn", functions.clone());
                    statements.write_if(&changes, any(), Some(invoked));
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

    fn settings(&mut self) {
        let Deployment { settings, .. } = self.deployment;
        if let Some(role) = &settings.role {
            let role = match role {
                Role::Arn(arn) => arn.clone(),
                Role::Name(name) => self.place.partition.role(&self.place.account, name),
            };
            self.statements.write_if(&["iam:PassRole"], vec![role], Some(to_lambda()));
        }
        let unread = |options: &[&str]| options.iter().any(|option| self.deployment.is_unread(option));
        if unread(&["role"]) {
            let role = pattern(&self.deployment.borrowed, "role");
            let is_arn = role.starts_with("arn:");
            let role = if is_arn { role } else { self.place.partition.role(&self.place.account, &role) };
            self.statements.write_if(&["iam:PassRole"], vec![role], Some(to_lambda()));
        } else if self.deployment.missing_role == MissingRole::Create && settings.role.is_none() {
            let name = plan::role_name(&self.deployment.function.name);
            let role = self.place.partition.role(&self.place.account, &name);
            self.statements.read(&["iam:GetRole", "iam:ListAttachedRolePolicies"], vec![role.clone()]);
            self.statements.write(&["iam:CreateRole"], vec![role.clone()]);
            // Without this condition, the identity could give the function any right.
            let policies = plan::role_policies(self.deployment, &self.place.partition);
            let only = ("ArnEquals", "iam:PolicyARN", policies);
            self.statements.write_if(&["iam:AttachRolePolicy"], vec![role.clone()], Some(only));
            self.statements.write_if(&["iam:PassRole"], vec![role], Some(to_lambda()));
        }
        if unread(&["subnet_ids", "vpc_config"]) || settings.subnet_ids.as_ref().is_some_and(|ids| !ids.0.is_empty()) {
            let actions = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];
            self.statements.write(&actions, any());
        }
        if unread(&["file_system_configs"])
            || settings.file_system_configs.as_ref().is_some_and(|configs| !configs.is_empty())
        {
            self.statements.write(&["elasticfilesystem:DescribeMountTargets"], any());
        }
        if unread(&["layers"]) {
            newest_of(self.statements, &self.place.arn("lambda", "layer:*"));
        }
        let any_key = unread(&["kms_key_arn"]).then(|| {
            let key = pattern(&self.deployment.borrowed, "kms_key_arn");
            if key.starts_with("arn:") { key } else { self.place.arn("kms", "key/*") }
        });
        let key = settings.kms_key_arn.as_ref().map(|arn| arn.0.clone()).filter(|arn| !arn.is_empty());
        if let Some(key) = key.or(any_key) {
            // Without it, AWS does not show the live variables.
            self.statements.read(&["kms:Decrypt"], vec![key.clone()]);
            self.statements.write(&["kms:CreateGrant", "kms:Encrypt"], vec![key]);
        }
        for layer in settings.layers.iter().flat_map(|layers| &layers.0) {
            match layer {
                LayerRef::Newest(arn) if arn.starts_with("arn:") => newest_of(self.statements, arn),
                LayerRef::Newest(name) | LayerRef::Coming(name) => {
                    let arn = self.place.arn("lambda", &format!("layer:{name}"));
                    newest_of(self.statements, &arn);
                }
                LayerRef::Version(arn) => self.statements.read(&["lambda:GetLayerVersion"], vec![arn.clone()]),
            }
        }
    }
}

/// Allows to read the values that are elsewhere.
fn elsewhere(statements: &mut Statements, place: &Place, borrowed: &[Borrowed]) {
    let arn = |name: &str, service: &str, resource: String| {
        if name.starts_with("arn:") { name.to_owned() } else { place.arn(service, &resource) }
    };
    for Borrowed { reference, .. } in borrowed {
        let (action, resource) = match reference {
            Reference::Parameter { name, .. } => {
                ("ssm:GetParameters", arn(name, "ssm", format!("parameter/{}", name.trim_start_matches('/'))))
            }
            // AWS adds six characters to the name.
            Reference::Secret { id, .. } => {
                ("secretsmanager:GetSecretValue", arn(id, "secretsmanager", format!("secret:{id}-??????")))
            }
            Reference::Output { stack, .. } => {
                ("cloudformation:DescribeStacks", arn(stack, "cloudformation", format!("stack/{stack}/*")))
            }
            Reference::State { state: State::Object { bucket, key }, .. } => {
                ("s3:GetObject", place.partition.arn("s3", "", "", &format!("{bucket}/{key}")))
            }
            Reference::Function { function, qualifier, output } => {
                let function = arn(function, "lambda", format!("function:{function}"));
                output_of(statements, function, qualifier.as_deref(), *output);
                continue;
            }
            // Every identity may ask for its account.
            Reference::State { state: State::File { .. }, .. } | Reference::Account { .. } => continue,
        };
        statements.read(&[action], vec![resource]);
    }
}

/// A pattern for the value of an option that was not read.
fn pattern(borrowed: &[Borrowed], option: &str) -> String {
    let mut references =
        borrowed.iter().filter(|borrowed| borrowed.option == option).map(|borrowed| &borrowed.reference);
    match references.next() {
        Some(reference @ Reference::Account { .. }) => reference.to_string().replace("%{account}", "*"),
        _ => "*".to_owned(),
    }
}

/// Allows to read a value of a function. The alias may be that of its block.
fn output_of(statements: &mut Statements, function: String, qualifier: Option<&str>, output: FunctionOutput) {
    let versions = format!("{function}:{}", qualifier.unwrap_or("*"));
    match (output, qualifier) {
        (FunctionOutput::Arn, _) => {}
        (FunctionOutput::Url, _) => {
            statements.read(&["lambda:GetFunctionUrlConfig"], vec![function.clone(), versions]);
        }
        (FunctionOutput::Version | FunctionOutput::QualifiedArn, qualifier) => {
            if qualifier.is_none() {
                statements.read(&["lambda:ListVersionsByFunction"], vec![function.clone()]);
            }
            statements.read(&["lambda:GetFunction"], vec![versions]);
        }
    }
    statements.read(&["lambda:GetFunction"], vec![function]);
}

/// Allows to put packages into a bucket, and to look whether they are there.
fn upload(statements: &mut Statements, bucket: String, objects: String) {
    statements.read(&["s3:GetObject"], vec![objects.clone()]);
    statements.write(&["s3:PutObject", "s3:GetObjectVersion", "s3:AbortMultipartUpload"], vec![objects]);
    // Without it, S3 answers 403 instead of 404 for a missing object.
    statements.read(&["s3:ListBucket"], vec![bucket.clone()]);
    statements.write(&["s3:ListBucketMultipartUploads"], vec![bucket]);
}

/// Allows to read an image, which Lambda does with the rights of the deploying identity. It adds itself to the policy of
/// the repository.
fn image(statements: &mut Statements, repository: String) {
    statements.read(&["ecr:BatchGetImage"], vec![repository.clone()]);
    let rights = ["ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy", "ecr:GetDownloadUrlForLayer"];
    statements.write(&rights, vec![repository]);
}

/// Allows to read or upload the code.
fn code(statements: &mut Statements, place: &Place, code: &Code, borrowed: &[Borrowed]) {
    let named = |bucket: &str| place.partition.arn("s3", "", "", bucket);
    match (&code.source, &code.upload) {
        (CodeSource::Object { bucket, key, version_id, .. }, _) => {
            let object = format!("{}/{key}", named(bucket));
            let versions = version_id.is_some().then_some("s3:GetObjectVersion");
            let actions: Vec<_> = ["s3:GetObject"].into_iter().chain(versions).collect();
            statements.read(&actions, vec![object]);
        }
        (CodeSource::Path(_) | CodeSource::Function(_), Some(Upload { bucket, key, kms_key_arn, .. })) => {
            let objects = match key {
                ObjectKey::ByHash(prefix) => format!("{}/{prefix}*", named(bucket)),
                ObjectKey::Given(key) => format!("{}/{key}", named(bucket)),
            };
            upload(statements, named(bucket), objects);
            if let Some(key) = kms_key_arn.clone() {
                statements.write(&["kms:GenerateDataKey", "kms:Decrypt"], vec![key]);
            }
        }
        (CodeSource::Image(uri), _) => {
            let ImageUri { region, account, repository, .. } = uri;
            let repository =
                Partition::of_region(region).arn("ecr", region, account, &format!("repository/{repository}"));
            image(statements, repository);
        }
        (CodeSource::Path(_), None) if borrowed.iter().any(|borrowed| borrowed.option == "s3_bucket") => {
            let bucket = pattern(borrowed, "s3_bucket");
            upload(statements, named(&bucket), named(&format!("{bucket}/*")));
        }
        (CodeSource::Unread { option: "image_uri", .. }, _) => image(statements, place.arn("ecr", "repository/*")),
        (CodeSource::Unread { .. }, _) => {
            statements.read(&["s3:GetObject", "s3:GetObjectVersion"], vec![named("*/*")]);
        }
        (CodeSource::Path(_) | CodeSource::Function(_), None) | (CodeSource::Live, _) => {}
    }
    if let CodeSource::Function(source) = &code.source {
        statements.read(&["lambda:GetFunction"], vec![place.function(source)]);
    }
    if let Some(key) = code.source_kms_key_arn.clone() {
        // Without it, AWS does not show where the live package is.
        statements.read(&["kms:Decrypt"], vec![key.clone()]);
        statements.write(&["kms:GenerateDataKey"], vec![key]);
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
