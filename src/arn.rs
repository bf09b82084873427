//! ARNs, accounts and partitions: reading, writing, and the table of partitions.
//!
//! Must not know what an ARN is used for.

use std::fmt;

/// The partitions: name, prefix of the Regions, suffix of the host names, and host of the console, if that is public.
///
/// Source: the SDK's own partition table (`partitions.json`);
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>.
const PARTITIONS: [(&str, &str, &str, Option<&str>); 8] = [
    ("aws-cn", "cn-", "amazonaws.com.cn", Some("console.amazonaws.cn")),
    ("aws-us-gov", "us-gov-", "amazonaws.com", Some("console.amazonaws-us-gov.com")),
    ("aws-iso", "us-iso-", "c2s.ic.gov", None),
    ("aws-iso-b", "us-isob-", "sc2s.sgov.gov", None),
    ("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", None),
    ("aws-iso-f", "us-isof-", "csp.hci.ic.gov", None),
    ("aws-eusc", "eusc-", "amazonaws.eu", Some("console.amazonaws-eusc.eu")),
    // All other Regions, including future ones.
    ("aws", "", "amazonaws.com", Some("console.aws.amazon.com")),
];

/// A group of Regions with one set of accounts; it begins every ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partition(pub String);

impl Partition {
    /// The partition that a Region belongs to.
    pub(crate) fn of_region(region: &str) -> Self {
        let found = PARTITIONS.iter().find(|(_, prefix, ..)| region.starts_with(prefix));
        Self(found.map_or("aws", |(name, ..)| name).to_owned())
    }

    /// The partition that an ARN names.
    pub(crate) fn of_arn(arn: &str) -> Option<Self> {
        Some(Self(Arn::of(arn)?.partition.to_owned()))
    }

    /// The suffix of the host names of its services.
    pub(crate) fn dns_suffix(&self) -> &'static str {
        self.row().map_or("amazonaws.com", |(_, _, suffix, _)| suffix)
    }

    /// The host of its console; `None` if that is not public.
    pub(crate) fn console(&self) -> Option<&'static str> {
        self.row().and_then(|(.., console)| *console)
    }

    fn row(&self) -> Option<&'static (&'static str, &'static str, &'static str, Option<&'static str>)> {
        PARTITIONS.iter().find(|(name, ..)| *name == self.0)
    }

    /// The ARN of a resource in this partition. Region and account are empty if the service has none.
    pub(crate) fn arn(&self, service: &str, region: &str, account: &str, resource: &str) -> String {
        Arn { partition: &self.0, service, region, account, resource }.to_string()
    }

    /// The ARN of a role of IAM.
    pub(crate) fn role(&self, account: &str, name: &str) -> String {
        self.arn("iam", "", account, &format!("role/{name}"))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The parts of an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    /// The partition, such as `aws`.
    pub partition: &'a str,
    /// The service, such as `lambda`.
    pub service: &'a str,
    /// The Region; empty if the service has none.
    pub region: &'a str,
    /// The account; empty if the service has none, and a word such as `aws` if the resource belongs to AWS.
    pub account: &'a str,
    /// Everything after the account.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits an ARN without further checks; `None` if the text is not an ARN.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let mut part = || parts.next();
        Some(Self { partition: part()?, service: part()?, region: part()?, account: part()?, resource: part()? })
    }

    /// Reads an ARN that a user wrote. The error is a fragment that says what is wrong with it.
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        let whole = |arn: &Self| {
            let name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            arn.partition.starts_with("aws")
                && name(arn.partition)
                && name(arn.service)
                && (arn.account.is_empty() || name(arn.account))
                && !arn.resource.is_empty()
                && !text.chars().any(char::is_whitespace)
        };
        let arn = Self::of(text).filter(whole).ok_or_else(|| {
            format!("`{text}` is not an ARN; one looks like `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`")
        })?;
        if !arn.region.is_empty() && !is_region(arn.region) {
            let region = arn.region;
            return Err(format!("`{text}` names the Region `{region}`, which is none; one looks like `eu-west-1`"));
        }
        match wrong_account(arn.account) {
            Some(why) => Err(format!("`{text}` names an account {why}; an account is {DIGITS} digits")),
            None => Ok(arn),
        }
    }

    /// The name and the qualifier of a Lambda function; `None` for any other resource.
    pub(crate) fn function(&self) -> Option<(&'a str, Option<&'a str>)> {
        let function = self.resource.strip_prefix("function:").filter(|_| self.service == "lambda")?;
        Some(function.split_once(':').map_or((function, None), |(name, qualifier)| (name, Some(qualifier))))
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(out, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

/// Whether a part of a name is a Region's, as `us-gov-west-1` is.
pub(crate) fn is_region(part: &str) -> bool {
    let mut words = part.split('-').rev();
    let number = words.next().is_some_and(|number| !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit()));
    let words: Vec<_> = words.collect();
    number
        && words.len() >= 2
        && words.iter().all(|word| word.len() >= 2 && word.bytes().all(|c| c.is_ascii_lowercase()))
}

/// The number of digits of an account.
const DIGITS: usize = 12;

/// Whether the text is an account id.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == DIGITS && text.chars().all(|c| c.is_ascii_digit())
}

/// Reads an account that a user wrote. The error is a fragment that says what is wrong with it.
pub(crate) fn check_account(text: &str) -> Result<(), String> {
    if is_account(text) {
        return Ok(());
    }
    let why = wrong_account(text).map(|why| format!(", {why}")).unwrap_or_default();
    Err(format!("must be the {DIGITS} digits of an account, got `{text}`{why}"))
}

/// The fault of an account id: a wrong count of digits, dashes, or letters. `None` for a correct id, and for a word such
/// as `aws`.
fn wrong_account(account: &str) -> Option<String> {
    let digits = account.chars().filter(char::is_ascii_digit).count();
    let number = digits > 0 && account.chars().all(|c| c.is_ascii_digit() || c == '-');
    match digits {
        _ if is_account(account) => None,
        1.. if account.starts_with(|c: char| c.is_ascii_digit()) && !number => Some("with letters".to_owned()),
        _ if !number => None,
        DIGITS => Some("with dashes".to_owned()),
        1 => Some("of 1 digit".to_owned()),
        count => Some(format!("of {count} digits")),
    }
}

/// The account of an ARN such as `arn:aws:iam::ACCOUNT:root`, which is how AWS writes an account as a principal.
pub(crate) fn account_of_root(principal: &str) -> Option<&str> {
    let arn = Arn::of(principal)?;
    (arn.service == "iam" && arn.resource == "root").then_some(arn.account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_know_their_partition() {
        for (region, name, suffix) in [
            ("eu-west-1", "aws", "amazonaws.com"),
            ("xx-newest-9", "aws", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ] {
            let partition = Partition::of_region(region);
            assert_eq!((partition.0.as_str(), partition.dns_suffix()), (name, suffix), "{region}");
            let role = partition.role("123456789012", "deploy");
            assert_eq!(Partition::of_arn(&role), Some(partition), "{role}");
        }
    }

    #[test]
    fn an_arn_is_split_and_joined() {
        for text in [
            "arn:aws:iam::123456789012:role/a/b",
            "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
            "arn:aws:s3:::bucket/key:with:colons",
            "arn:aws:lambda:::awslayer:AmazonLinux1803",
            "arn:aws-iso-b:lambda:us-isob-east-1:123456789012:function:f:live",
        ] {
            assert_eq!(Arn::parse(text).map(|arn| arn.to_string()).as_deref(), Ok(text));
        }
        let function = |text| Arn::of(text).and_then(|arn| arn.function());
        assert_eq!(function("arn:aws:lambda:eu-west-1:123456789012:function:f"), Some(("f", None)));
        assert_eq!(function("arn:aws:lambda:eu-west-1:123456789012:function:f:live"), Some(("f", Some("live"))));
        assert_eq!(function("arn:aws:lambda:eu-west-1:123456789012:layer:f:3"), None);
        assert_eq!(account_of_root("arn:aws-cn:iam::123456789012:root"), Some("123456789012"));
        assert_eq!(account_of_root("arn:aws:iam::123456789012:role/root"), None);
    }

    #[test]
    fn a_wrong_arn_says_what_is_wrong() {
        for (text, why) in [
            ("", "is not an ARN"),
            ("arn:aws:s3", "is not an ARN"),
            ("arn:azure:s3:::b", "is not an ARN"),
            ("arn:aws::eu-west-1:123456789012:f", "is not an ARN"),
            ("arn:aws:s3:::", "is not an ARN"),
            ("arn:aws:s3:::a b", "is not an ARN"),
            ("arn:aws:iam::0123456789012:role/deploy", "an account of 13 digits; an account is 12 digits"),
            ("arn:aws:iam::12:role/deploy", "an account of 2 digits"),
            ("arn:aws:sqs:eu-west-1:1234-5678-9012:q", "an account with dashes"),
            ("arn:aws:sqs:eu-west-1:12345678901a:q", "an account with letters"),
            ("arn:aws:sqs:euwest1:123456789012:q", "the Region `euwest1`"),
            ("arn:aws:sqs:EU-WEST-1:123456789012:q", "the Region `EU-WEST-1`"),
            ("arn:aws:sqs:eu-west-1a:123456789012:q", "the Region `eu-west-1a`"),
        ] {
            let message = Arn::parse(text).unwrap_err();
            assert!(message.contains(why), "{message}");
        }
        assert_eq!(check_account("123456789012"), Ok(()));
        assert!(check_account("0123456789012").unwrap_err().ends_with("`0123456789012`, of 13 digits"));
        assert!(check_account("twelve").unwrap_err().ends_with("got `twelve`"));
    }
}
