//! Handlers and start-up scripts that layers of well-known tools bring.

use super::language::Language;
use super::rule::Facts;

/// The variable with the program that starts the runtime.
pub(super) const EXEC_WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";

/// Handlers that read the function's own handler from a variable. Sources: the installation pages of Datadog, New Relic,
/// Sentry, Lumigo, Instana and Thundra, and the wrappers in their layers.
const WRAPPERS: &[(&str, &str)] = &[
    ("datadog_lambda.handler.handler", "DD_LAMBDA_HANDLER"),
    ("/opt/nodejs/node_modules/datadog-lambda-js/handler.handler", "DD_LAMBDA_HANDLER"),
    ("node_modules/datadog-lambda-js/handler.handler", "DD_LAMBDA_HANDLER"),
    ("node_modules/datadog-lambda-js/dist/handler.handler", "DD_LAMBDA_HANDLER"),
    ("newrelic_lambda_wrapper.handler", "NEW_RELIC_LAMBDA_HANDLER"),
    ("newrelic-lambda-wrapper.handler", "NEW_RELIC_LAMBDA_HANDLER"),
    ("/opt/nodejs/node_modules/newrelic-esm-lambda-wrapper/index.handler", "NEW_RELIC_LAMBDA_HANDLER"),
    ("com.newrelic.java.HandlerWrapper::handleRequest", "NEW_RELIC_LAMBDA_HANDLER"),
    ("com.newrelic.java.HandlerWrapper::handleStreamsRequest", "NEW_RELIC_LAMBDA_HANDLER"),
    ("sentry_sdk.integrations.init_serverless_sdk.sentry_lambda_handler", "SENTRY_INITIAL_HANDLER"),
    ("lumigo-auto-instrument.handler", "LUMIGO_ORIGINAL_HANDLER"),
    ("lumigo_tracer._handler", "LUMIGO_ORIGINAL_HANDLER"),
    ("/opt/python/lumigo_tracer._handler", "LUMIGO_ORIGINAL_HANDLER"),
    ("instana-aws-lambda-auto-wrap.handler", "LAMBDA_HANDLER"),
    ("instana-aws-lambda-auto-wrap-esm.handler", "LAMBDA_HANDLER"),
    ("instana.lambda_handler", "LAMBDA_HANDLER"),
    ("thundra.handler.wrapper", "THUNDRA_AGENT_LAMBDA_HANDLER"),
];

/// The variables whose values the inspection reads.
pub(crate) fn variables() -> impl Iterator<Item = &'static str> {
    [EXEC_WRAPPER].into_iter().chain(WRAPPERS.iter().map(|(_, variable)| *variable))
}

/// The variable from which a handler reads the function's own handler; `None` if it is no wrapper.
pub(super) fn variable(handler: &str) -> Option<&'static str> {
    let row = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == handler.trim_start_matches("./"));
    row.map(|(_, variable)| *variable)
}

/// Whether the AWS Lambda Web Adapter starts the function: its handler is then a program in the package.
/// Source: <https://awslabs.github.io/aws-lambda-web-adapter/getting-started/zip-packages.html>
pub(super) fn starts_web_server(facts: &Facts<'_>) -> bool {
    let provided = facts.language() == Some(Language::Provided);
    !provided && facts.variables.get(EXEC_WRAPPER).is_some_and(|program| *program == "/opt/bootstrap")
}
