//! ARNs that must name a resource of a certain service.

use super::Named::Setting;
use super::{Facts, Named, Row, error, service};
use crate::place::Problem;
use crate::settings::SettingName;

pub(super) const RULES: &[Row] = &[
    (&[Setting(SettingName::DeadLetterArn)], dead_letters_go_to_a_queue),
    (&[Setting(SettingName::KmsKeyArn)], environment_key),
    (&[Named::PackageKey], package_key),
    (&[Named::ObjectKey], object_key),
];

/// <https://docs.aws.amazon.com/lambda/latest/api/API_DeadLetterConfig.html>. Destinations may be set as well: AWS
/// sends to both.
fn dead_letters_go_to_a_queue(facts: &Facts<'_>) -> Option<Problem> {
    let arn = &facts.settings.dead_letter_arn.as_ref()?.0;
    let fits = arn.is_empty() || matches!(service(arn), "sqs" | "sns");
    (!fits).then(|| error(format!("`{arn}` is neither a queue of SQS nor a topic of SNS"), "name a queue or a topic"))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html>.
fn environment_key(facts: &Facts<'_>) -> Option<Problem> {
    of_kms(facts.settings.kms_key_arn.as_ref().map(|arn| arn.0.as_str()))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/encrypt-zip-package.html>.
fn package_key(facts: &Facts<'_>) -> Option<Problem> {
    of_kms(facts.deployment.code.source_kms_key_arn.as_deref())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-kms-encryption.html>.
fn object_key(facts: &Facts<'_>) -> Option<Problem> {
    of_kms(facts.deployment.code.upload.as_ref()?.kms_key_arn.as_deref())
}

fn of_kms(arn: Option<&str>) -> Option<Problem> {
    let arn = arn.filter(|arn| !arn.is_empty() && service(arn) != "kms")?;
    Some(error(format!("`{arn}` is not a key of KMS"), "a key looks like `arn:aws:kms:REGION:ACCOUNT:key/…`"))
}
