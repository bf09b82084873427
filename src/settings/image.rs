//! Addresses of container images.

use std::fmt;

use serde_json::Value;

use super::values::text;
use super::{Setting, Written};
use crate::arn::check_account;

/// A container image in a private ECR registry. Lambda accepts no other registry.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/images-create.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageUri {
    /// The host of the registry.
    pub registry: String,
    /// The account of the registry.
    pub account: String,
    /// The Region of the registry.
    pub region: String,
    /// The repository, with its namespaces.
    pub repository: String,
    /// The tag; absent if only the digest was written.
    pub tag: Option<String>,
    /// The digest, as `sha256:…`; absent if only the tag was written.
    pub digest: Option<String>,
}

impl ImageUri {
    /// The address of the image with this digest. It does not depend on tags.
    pub(crate) fn pinned(&self, digest: &str) -> String {
        format!("{}/{}@{digest}", self.registry, self.repository)
    }

    /// The repository, with the tag if there is one.
    pub(crate) fn name(&self) -> String {
        match &self.tag {
            Some(tag) => format!("{}:{tag}", self.repository),
            None => self.repository.clone(),
        }
    }
}

impl fmt::Display for ImageUri {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.registry, self.name())?;
        self.digest.as_ref().map_or(Ok(()), |digest| write!(out, "@{digest}"))
    }
}

impl Setting for ImageUri {
    /// Accepts `REGISTRY/REPOSITORY` with `:TAG`, `@DIGEST` or both.
    fn parse(written: &Written) -> Result<Self, String> {
        let text = text(written)?;
        let (registry, rest) = text.split_once('/').unwrap_or(("", text));
        let (account, region) = registry_of(registry, text)?;
        let (rest, digest) = rest.split_once('@').map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
        let (repository, tag) = rest.split_once(':').map_or((rest, None), |(name, tag)| (name, Some(tag)));
        if tag.is_none() && digest.is_none() {
            return Err(format!("`{text}` has neither a tag nor a digest; add one of them"));
        }
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        if repository.is_empty() || !repository.chars().all(lower) {
            return Err(format!(
                "`{repository}` is not the name of an ECR repository: lower case letters, digits and `._-/`"
            ));
        }
        let of_tag = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if let Some(tag) = tag
            && !((1..=128).contains(&tag.len()) && tag.chars().all(of_tag) && !tag.starts_with(['.', '-']))
        {
            return Err(format!("`{tag}` is not a tag: up to 128 letters, digits and `._-`"));
        }
        if let Some(digest) = digest
            && !is_digest(digest)
        {
            return Err(format!("`{digest}` is not a digest: `sha256:` and 64 hexadecimal digits"));
        }
        Ok(Self {
            registry: registry.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    fn data(&self) -> Value {
        self.to_string().into()
    }
}

fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    digits.len() == 64 && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// The account and the Region of a registry: `ACCOUNT.dkr.ecr.REGION.DOMAIN`, or `ACCOUNT.dkr-ecr.REGION.DOMAIN` with
/// IPv6.
fn registry_of<'a>(registry: &'a str, text: &str) -> Result<(&'a str, &'a str), String> {
    let parts: Vec<_> = registry.split('.').collect();
    let (account, region) = match parts[..] {
        [_, "dkr", "ecr-fips", ..] | [_, "dkr-ecr-fips", ..] => {
            return Err(format!(
                "`{text}` is a FIPS endpoint, and Lambda cannot read images from it; leave `-fips` out"
            ));
        }
        [account, "dkr", "ecr", region, _, ..] | [account, "dkr-ecr", region, _, ..] => (account, region),
        _ => ("", ""),
    };
    if !account.is_empty() && !region.is_empty() {
        check_account(account).map_err(|why| format!("`{text}`: the account {why}"))?;
        return Ok((account, region));
    }
    Err(format!(
        "`{text}` is not an image in a private registry of ECR, and Lambda accepts no other; one looks like `123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:v3`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ImageUri, String> {
        ImageUri::parse(&Written::Text(text.to_owned()))
    }

    #[test]
    fn images_have_a_tag_or_a_digest_in_any_partition() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (registry, region) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1"),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
            ("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1"),
        ] {
            for rest in ["team/api:v3".to_owned(), format!("api@{digest}"), format!("a/b-c.d_e:1.0@{digest}")] {
                let text = format!("{registry}/{rest}");
                let uri = read(&text).unwrap();
                assert_eq!((uri.account.as_str(), uri.region.as_str()), ("123456789012", region));
                assert_eq!(uri.to_string(), text);
            }
        }
        let both = read(&format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/api:v3@{digest}")).unwrap();
        assert_eq!(both.name(), "team/api:v3");
        assert_eq!(both.pinned(&digest), format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/api@{digest}"));
    }

    #[test]
    fn other_images_are_refused() {
        let registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        for (text, why) in [
            ("public.ecr.aws/lambda/python:3.13".to_owned(), "private registry"),
            ("python:3.13".to_owned(), "private registry"),
            ("12.dkr.ecr.eu-west-1.amazonaws.com/api:v3".to_owned(), "of 2 digits"),
            ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/api:v3".to_owned(), "FIPS"),
            (format!("{registry}/api"), "neither a tag nor a digest"),
            (format!("{registry}/API:v3"), "not the name of an ECR repository"),
            (format!("{registry}/:v3"), "not the name of an ECR repository"),
            (format!("{registry}/api:"), "not a tag"),
            (format!("{registry}/api:-v"), "not a tag"),
            (format!("{registry}/api:a b"), "not a tag"),
            (format!("{registry}/api@sha256:12"), "not a digest"),
        ] {
            let message = read(&text).unwrap_err();
            assert!(message.contains(why), "{text}: {message}");
        }
    }
}
