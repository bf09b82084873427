//! Which account and Region are called, at which address, and with which credentials.

use std::sync::Arc;

use super::{context::Context, credentials, network, read::Reader};
use crate::arn::{check_account, is_region};
use crate::deployment::Target;
use crate::place::{Place, Problem};
use crate::settings::{Address, FunctionName, Reach};
use crate::verb::Purpose;

/// The services that the tool calls, by their names in `AWS_ENDPOINT_URL_<SERVICE>`.
const SERVICES: [&str; 9] =
    ["LAMBDA", "S3", "STS", "IAM", "ECR", "CLOUDWATCH_LOGS", "SSM", "SECRETS_MANAGER", "CLOUDFORMATION"];

/// The target of a deployment. `function` is absent for a layer and for a Region.
pub(super) fn target(reader: &mut Reader, function: Option<&FunctionName>, context: &Context<'_>) -> Target {
    let in_arn = function.and_then(|function| function.region.clone());
    let region = region(reader, in_arn.as_deref(), context);
    let expect_account = reader.text("expect_account");
    if let Some(Err(why)) = expect_account.as_deref().map(check_account) {
        reader.wrong("expect_account", why);
    }
    let account = function.and_then(|function| function.account.clone());
    if let (Some(expected), Some(account)) = (&expect_account, &account)
        && expected != account
    {
        reader.wrong("expect_account", format!("is {expected}, but the ARN in `function_name` has {account}"));
    }
    let account = expect_account.clone().or(account);
    let credentials = credentials::credentials(reader);
    let endpoint_url = endpoint_url(reader, context);
    let certificates = certificates(reader, endpoint_url.as_deref(), context);
    Target {
        region: region.or(in_arn),
        fallback_region: context.fallback_region.clone(),
        path_style: endpoint_url.is_some() || context.host.variable("AWS_ENDPOINT_URL_S3").is_some(),
        endpoint_url,
        certificates,
        role: credentials::role(reader, &credentials, expect_account.as_deref(), account, context),
        credentials,
        expect_account,
    }
}

/// The Region that the user named. `in_arn` is the Region in the ARN of the function.
fn region(reader: &mut Reader, in_arn: Option<&str>, context: &Context<'_>) -> Option<String> {
    // The Region of the job, in AWS_REGION, does not contradict an ARN.
    let is_of_job = matches!(reader.place("region"), Some(Place::Variable(name)) if name.starts_with("AWS_") || name.starts_with("LAMBDA_"));
    let named = reader.text("region").filter(|_| !(is_of_job && in_arn.is_some()));
    let of_sdk = || context.host.variable("AWS_DEFAULT_REGION").filter(|_| in_arn.is_none()).map(str::to_owned);
    let region = named.or_else(of_sdk)?;
    let is_well_formed = !(region.is_empty() || region.starts_with('-') || region.ends_with('-'))
        && region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let lower = region.to_ascii_lowercase();
    let zone = lower.strip_suffix(|c: char| c.is_ascii_lowercase()).filter(|rest| is_region(rest));
    let meant = zone.or_else(|| Some(lower.as_str()).filter(|lower| *lower != region && is_region(lower)));
    if !is_well_formed || meant.is_some() {
        let problem = reader.wrong("region", format!("`{region}` is not a Region; one looks like `eu-west-1`"));
        problem.help = meant.map(|meant| format!("did you mean `{meant}`?"));
    }
    if let Some(in_arn) = in_arn.filter(|in_arn| *in_arn != region) {
        reader.wrong("region", format!("is {region}, but the ARN in `function_name` has {in_arn}"));
    }
    Some(region)
}

/// The endpoint for all services. Also checks the endpoints of single services, which the SDK reads by itself.
fn endpoint_url(reader: &mut Reader, context: &Context<'_>) -> Option<String> {
    let variables = SERVICES.map(|service| format!("AWS_ENDPOINT_URL_{service}"));
    let of_services: Vec<_> = variables.iter().filter_map(|name| Some((name, context.host.variable(name)?))).collect();
    // The SDK itself prefers the endpoint of a service to that of AWS_ENDPOINT_URL.
    let is_general = reader.place("endpoint_url") == Some(Place::Variable("AWS_ENDPOINT_URL".to_owned()));
    let endpoint_url = reader.text("endpoint_url").filter(|_| of_services.is_empty() || !is_general);
    if let (Some(url), Some(place)) = (&endpoint_url, reader.place("endpoint_url"))
        && let Err(problem) = check_endpoint(url, &place)
    {
        reader.problems.push(problem.of("endpoint_url"));
    }
    for (name, url) in of_services {
        reader.problems.extend(check_endpoint(url, &Place::Variable(name.clone())).err());
    }
    endpoint_url
}

/// The certificates to trust; absent for those of the system. Also checks the proxies on the way to AWS.
fn certificates(reader: &mut Reader, endpoint_url: Option<&str>, context: &Context<'_>) -> Option<Arc<[u8]>> {
    match context.purpose {
        // These call nobody.
        Purpose::Check | Purpose::Package | Purpose::Render => return None,
        Purpose::Deploy | Purpose::Plan | Purpose::Live | Purpose::Region => {}
    }
    if !endpoint_url.and_then(Address::parse).is_some_and(|address| address.is_here()) {
        reader.problems.extend(network::proxies(context.host));
    }
    context.certificates.of(context.host).unwrap_or_else(|problem| {
        reader.problems.push(problem);
        None
    })
}

/// Whether an address is a URL, and credentials on the way to it cannot be read by others.
fn check_endpoint(url: &str, place: &Place) -> Result<(), Problem> {
    let Some(address) = Address::parse(url) else {
        return Err(Problem::new("must be a URL that begins with http:// or https://").at(place));
    };
    let is_private = match address.reach() {
        Reach::Here => true,
        Reach::Near => place.in_file().is_none(),
        Reach::Far => false,
    };
    if address.is_encrypted() || is_private {
        return Ok(());
    }
    let problem = Problem::new("would send credentials over a network that others can read").at(place);
    Err(problem.help("use https://; http:// is allowed for this machine, and in flags and variables also for names without a dot and private addresses"))
}
