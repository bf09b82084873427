//! The rights for the deployment of a function.

use super::code::code;
use super::layer::newest_of;
use super::place::Place;
use super::statements::{Condition, Statements, any};
use super::values::{elsewhere, pattern};
use crate::deployment::{Deployment, Half, MapMode, MissingRole, Publish, WantedMap};
use crate::plan;
use crate::release::Check;
use crate::settings::{LayerRef, Role, Settings};

/// Allows the deployment of a function.
pub(super) fn of_function(statements: &mut Statements, deployment: &Deployment) {
    let mut allowed = Allowed { deployment, place: Place::of(deployment), statements };
    allowed.function();
    allowed.release();
    allowed.attachments();
    allowed.settings();
    let Allowed { place, .. } = allowed;
    code(statements, &place, &deployment.code, &deployment.borrowed);
    elsewhere(statements, &place, &deployment.borrowed);
}

/// The rights for one deployment.
pub(super) struct Allowed<'a> {
    /// The deployment.
    pub deployment: &'a Deployment,
    /// Where it is.
    pub place: Place,
    /// The statements that allow it.
    pub statements: &'a mut Statements,
}

impl Allowed<'_> {
    /// The ARN of the function, and a pattern for its versions and aliases if the deployment uses them.
    pub(super) fn functions(&self) -> Vec<String> {
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

    fn settings(&mut self) {
        let Deployment { settings, .. } = self.deployment;
        if let Some(role) = &settings.role {
            let role = match role {
                Role::Arn(arn) => arn.clone(),
                Role::Name(name) => self.place.partition.role(&self.place.account, name),
            };
            self.statements.write_if(&["iam:PassRole"], vec![role], Some(&to_lambda()));
        }
        let unread = |options: &[&str]| options.iter().any(|option| self.deployment.is_unread(option));
        if unread(&["role"]) {
            let role = pattern(&self.deployment.borrowed, "role");
            let is_arn = role.starts_with("arn:");
            let role = if is_arn { role } else { self.place.partition.role(&self.place.account, &role) };
            self.statements.write_if(&["iam:PassRole"], vec![role], Some(&to_lambda()));
        } else if self.deployment.missing_role == MissingRole::Create && settings.role.is_none() {
            let name = plan::role_name(&self.deployment.function.name);
            let role = self.place.partition.role(&self.place.account, &name);
            self.statements.read(&["iam:GetRole", "iam:ListAttachedRolePolicies"], vec![role.clone()]);
            self.statements.write(&["iam:CreateRole"], vec![role.clone()]);
            // Without this condition, the identity could give the function any right.
            let policies = plan::role_policies(self.deployment, &self.place.partition);
            let only = Condition::new("ArnEquals", "iam:PolicyARN", policies);
            self.statements.write_if(&["iam:AttachRolePolicy"], vec![role.clone()], Some(&only));
            self.statements.write_if(&["iam:PassRole"], vec![role], Some(&to_lambda()));
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

/// The condition that a role is passed to Lambda and to no other service.
fn to_lambda() -> Condition {
    Condition::new("StringEquals", "iam:PassedToService", vec!["lambda.amazonaws.com".to_owned()])
}
