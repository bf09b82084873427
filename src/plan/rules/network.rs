//! The VPC of a function, and the file systems in it.

use super::Named::Setting;
use super::{Facts, Row, error, has_ids, is_set, service};
use crate::place::Problem;
use crate::settings::{SettingName, Settings};

pub(super) const RULES: &[Row] = &[
    (
        &[
            Setting(SettingName::FileSystemConfigs),
            Setting(SettingName::SubnetIds),
            Setting(SettingName::SecurityGroupIds),
        ],
        file_systems_without_vpc,
    ),
    (&[Setting(SettingName::FileSystemConfigs)], file_system_is_an_access_point),
    (&[Setting(SettingName::SubnetIds), Setting(SettingName::SecurityGroupIds)], half_of_a_vpc),
    (&[Setting(SettingName::Ipv6AllowedForDualStack)], ipv6_without_vpc),
];

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-filesystem.html>: the function must be in a VPC.
fn file_systems_without_vpc(facts: &Facts<'_>) -> Option<Problem> {
    let Settings { file_system_configs, subnet_ids, security_group_ids, .. } = facts.settings;
    let outside = facts.lacks(subnet_ids.as_ref()) || facts.lacks(security_group_ids.as_ref());
    (is_set(file_system_configs.as_ref()) && outside)
        .then(|| error("a file system needs a VPC", "set `subnet_ids` and `security_group_ids` as well"))
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_FileSystemConfig.html>: one access point, of EFS or S3 Files.
fn file_system_is_an_access_point(facts: &Facts<'_>) -> Option<Problem> {
    let arn = facts.settings.file_system_configs.as_ref()?.0.get(0)?.get("Arn")?.as_str()?;
    let known = matches!(service(arn), "elasticfilesystem" | "s3files") && arn.contains("access-point/fsap-");
    (!known).then(|| {
        let help = "an access point looks like `arn:aws:elasticfilesystem:REGION:ACCOUNT:access-point/fsap-…`";
        error(format!("`{arn}` is not an access point of a file system"), help)
    })
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html>; AWS: "`SubnetIds` and `SecurityIds` must coexist
/// or
/// be both empty list."
fn half_of_a_vpc(facts: &Facts<'_>) -> Option<Problem> {
    let (subnets, groups) = (facts.settings.subnet_ids.as_ref(), facts.settings.security_group_ids.as_ref());
    if has_ids(subnets) && facts.lacks(groups) {
        return Some(error("subnets need security groups", "set `security_group_ids`, or empty both to leave the VPC"));
    }
    (has_ids(groups) && facts.lacks(subnets))
        .then(|| error("security groups need subnets", "set `subnet_ids`, or empty both to leave the VPC"))
}

/// The same page: it is a setting of the VPC.
fn ipv6_without_vpc(facts: &Facts<'_>) -> Option<Problem> {
    let wanted = facts.settings.ipv6_allowed_for_dual_stack.is_some_and(|switch| switch.0);
    (wanted && facts.lacks(facts.settings.subnet_ids.as_ref()))
        .then(|| error("needs a VPC", "set `subnet_ids` and `security_group_ids` as well"))
}
