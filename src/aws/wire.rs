//! One attempt of a call on its way: how long it may take, how large its answer may be, and whether AWS gave that answer.
//!
//! Every client calls through this module, also the clients that fetch credentials. So no call waits without an end.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_lambda::config::{RuntimeComponents, SharedAsyncSleep, SharedHttpClient};
use aws_sdk_lambda::primitives::{ByteStream, SdkBody};
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector, http_client_fn,
    },
    interceptors::context::InterceptorContext,
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    retries::classifiers::{ClassifyRetry, RetryAction},
};
use aws_smithy_runtime_api::http::Headers;

use super::budget::{self, Budgets};
use super::clock;
use crate::settings::Address;

/// The time of one attempt without a body, where its caller sets no other.
pub(super) const ATTEMPT: Duration = Duration::from_secs(10);

/// The time to connect.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// The bytes of a request that must get through in a second. Each further attempt may be half as fast as the one before.
const RATE: u64 = 256 << 10;

/// The largest answer of `Invoke`, in bytes. Lambda sends at most 6 MB.
const LARGEST_INVOCATION: usize = 8 << 20;

/// The largest answer of every other operation, in bytes. The largest that AWS documents is an image manifest of 4 MiB.
const LARGEST: usize = 5 << 20;

tokio::task_local! {
    /// Whether AWS may have done a call whose answer did not arrive.
    static LOST: Cell<bool>;
    /// How many seconds this machine's clock was ahead of AWS' at the last answer; absent if that had no date.
    static AHEAD: Cell<Option<i64>>;
}

/// Why an attempt has no answer of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// No complete answer arrived in this time.
    Late(Duration),
    /// The answer has more bytes than any of AWS.
    TooLarge(usize),
    /// The answer is a web page. A proxy or a log-in portal sends those.
    WebPage,
}

impl fmt::Display for Silence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(limit) => write!(out, "no complete answer arrived within {} s", limit.as_secs()),
            Self::TooLarge(largest) => write!(out, "the answer is larger than {} MiB", largest >> 20),
            Self::WebPage => out.write_str("the answer is a web page, as proxies and log-in portals send them"),
        }
    }
}

impl Error for Silence {}

/// A client for all services at these endpoints. It trusts the certificates of this PEM text, or else those of the system.
pub(super) fn client(endpoint: Option<&str>, certificates: Option<Arc<[u8]>>) -> SharedHttpClient {
    let endpoint = endpoint.unwrap_or_default().to_owned();
    let budgets = Budgets::default();
    let pool = Builder::new().build_with_connector_fn(move |settings, components| {
        let sleep = components.and_then(RuntimeComponents::sleep_impl);
        plain(&endpoint, certificates.as_deref(), settings.cloned(), sleep)
    });
    http_client_fn(move |settings, components| {
        let limit = settings.read_timeout().unwrap_or(ATTEMPT);
        // This module limits the time to read. So all calls share one pool of connections.
        let mut shared = HttpConnectorSettings::builder();
        shared.set_connect_timeout(settings.connect_timeout());
        let inner = pool.http_connector(&shared.build(), components);
        SharedHttpConnector::new(Attempts { inner, limit, budgets: budgets.clone() })
    })
}

/// A way to one URL, outside of the SDK's clients.
pub(super) fn connector(url: &str) -> SharedHttpConnector {
    let inner = SharedHttpConnector::new(plain(url, None, None, None));
    SharedHttpConnector::new(Attempts { inner, limit: ATTEMPT, budgets: Budgets::default() })
}

/// TLS by rustls, through the proxy that the environment names. An emulator on this machine is never behind a proxy.
///
/// The caller limits time and size.
pub(super) fn plain(
    url: &str,
    certificates: Option<&[u8]>,
    settings: Option<HttpConnectorSettings>,
    sleep: Option<SharedAsyncSleep>,
) -> Connector {
    let here = Address::parse(url).is_some_and(|address| address.is_here());
    let proxy = if here { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
    let mut connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).proxy_config(proxy);
    connector.set_connector_settings(settings);
    connector.set_sleep_impl(sleep);
    let trust = certificates.map(|pem| TrustStore::empty().with_pem_certificate(pem));
    if let Some(Ok(context)) = trust.map(|trust| TlsContext::builder().with_trust_store(trust).build()) {
        connector.set_tls_context(context);
    }
    connector.build()
}

/// Makes attempts, each with limits.
#[derive(Debug)]
struct Attempts {
    inner: SharedHttpConnector,
    /// The time for an attempt, without that for its body.
    limit: Duration,
    budgets: Budgets,
}

impl HttpConnector for Attempts {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let limit = self.limit + time_for_body(&request);
        let expected = Expected::of(&request);
        let (inner, budgets, purse) = (self.inner.clone(), self.budgets.clone(), budget::purse(&request));
        HttpConnectorFuture::new(async move {
            if let Some(purse) = &purse {
                budgets.turn(purse).await;
            }
            let sent = inner.call(request);
            let answered = async { checked(sent.await?, &expected).await };
            let answer = match tokio::time::timeout(limit, answered).await {
                Ok(answer) => answer,
                Err(_) => Err(ConnectorError::timeout(Silence::Late(limit).into())),
            };
            let has_too_many = answer.as_ref().is_ok_and(|answer| answer.status().as_u16() == 429);
            if let Some(purse) = purse.filter(|_| has_too_many) {
                budgets.refused(&purse);
            }
            if let Ok(answer) = &answer {
                // Mostly, nobody asks.
                let _ = AHEAD.try_with(|ahead| ahead.set(clock::ahead(answer.headers())));
            }
            if answer.as_ref().map_or_else(was_sent, |answer| answer.status().is_server_error()) {
                mark_lost();
            }
            answer
        })
    }
}

/// The extra time for the body of a request. The SDK counts the attempts in a header.
fn time_for_body(request: &HttpRequest) -> Duration {
    let attempt = request.headers().get("amz-sdk-request").and_then(|text| text.strip_prefix("attempt="));
    let attempt = attempt.and_then(|text| text.split(';').next()?.trim().parse().ok()).unwrap_or(1_u32);
    let bytes = request.body().content_length().unwrap_or_default();
    Duration::from_secs(bytes / RATE) * 2_u32.saturating_pow(attempt.saturating_sub(1).min(8))
}

/// What the answer to a request may be.
struct Expected {
    /// The largest number of bytes.
    largest: usize,
    /// An object of a bucket: its type can be any, and its caller reads it in pieces.
    is_object: bool,
}

impl Expected {
    fn of(request: &HttpRequest) -> Self {
        let (path, query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
        let largest = if path.ends_with("/invocations") { LARGEST_INVOCATION } else { LARGEST };
        let is_object = request.method() == "HEAD" || query.split('&').any(|part| part == "x-id=GetObject");
        Self { largest, is_object }
    }
}

/// Reads the whole answer, unless its caller reads it in pieces.
async fn checked(answer: HttpResponse, expected: &Expected) -> Result<HttpResponse, ConnectorError> {
    let success = answer.status().is_success();
    if success && expected.is_object {
        return Ok(answer);
    }
    let mut answer = answer;
    let mut pieces = ByteStream::new(answer.take_body());
    let mut body = Vec::new();
    while let Some(piece) = pieces.try_next().await.map_err(|error| ConnectorError::io(error.into()))? {
        if body.len() + piece.len() > expected.largest {
            return Err(ConnectorError::other(Silence::TooLarge(expected.largest).into(), None));
        }
        body.extend_from_slice(&piece);
    }
    // Proxies and portals send pages as a success, as a redirection, or as their own refusal.
    let may_be_page = matches!(answer.status().as_u16(), 200..=399 | 403 | 407);
    if may_be_page && is_web_page(answer.headers(), &body) {
        return Err(ConnectorError::io(Silence::WebPage.into()));
    }
    *answer.body_mut() = SdkBody::from(body);
    Ok(answer)
}

/// Whether an answer is HTML of somebody else. AWS answers with JSON, XML or nothing, and gives each answer an id; what a
/// function returns can be anything. The content type says nothing: emulators send a wrong one.
fn is_web_page(headers: &Headers, body: &[u8]) -> bool {
    const BEGIN: usize = 1024;
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii_start();
    if !body.starts_with(b"<") || ["x-amzn-requestid", "x-amz-request-id"].iter().any(|id| headers.get(id).is_some()) {
        return false;
    }
    let begin = String::from_utf8_lossy(&body[..body.len().min(BEGIN)]).to_ascii_lowercase();
    ["<!doctype html", "<html", "<head>", "<body"].iter().any(|tag| begin.contains(tag))
}

/// Whether AWS may have received a request that failed: the connection was there.
pub(super) fn was_sent(error: &ConnectorError) -> bool {
    let connecting = |error: &(dyn Error + 'static)| error.to_string().starts_with("client error (Connect)");
    !error.is_user() && !std::iter::successors(error.source(), |error| (*error).source()).any(connecting)
}

/// The reason why an error has no answer.
pub(super) fn silence(error: &(dyn Error + 'static)) -> Option<Silence> {
    std::iter::successors(Some(error), |error| (*error).source()).find_map(|error| error.downcast_ref()).copied()
}

fn mark_lost() {
    // Outside of a write, nobody asks.
    let _ = LOST.try_with(|lost| lost.set(true));
}

/// Awaits a call. Also returns whether an attempt of it was sent and has no readable answer.
pub(super) async fn watched<T>(call: impl Future<Output = T>) -> (T, bool) {
    LOST.scope(Cell::new(false), async { (call.await, LOST.with(Cell::get)) }).await
}

/// Awaits a call. Also returns how many seconds this machine's clock is ahead of AWS', if the answer says it.
pub(super) async fn dated<T>(call: impl Future<Output = T>) -> (T, Option<i64>) {
    AHEAD.scope(Cell::new(None), async { (call.await, AHEAD.with(Cell::get)) }).await
}

/// Repeats a call whose success cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable;

impl ClassifyRetry for Unreadable {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let success = context.response().is_some_and(|answer| answer.status().is_success());
        if success && context.is_failed() {
            mark_lost();
            return RetryAction::transient_error();
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "Unreadable"
    }
}

/// A client of a service.
macro_rules! client_of {
    ($service:ident, $config:expr) => {
        $service::Client::from_conf(
            $service::config::Builder::from($config).retry_classifier($crate::aws::wire::Unreadable).build(),
        )
    };
}
pub(super) use client_of;

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(bytes: usize, attempt: u32) -> Duration {
        let mut request = HttpRequest::new(SdkBody::from(vec![0; bytes]));
        request.headers_mut().insert("amz-sdk-request", format!("attempt={attempt}; max=6"));
        time_for_body(&request)
    }

    #[test]
    fn a_body_has_time_by_its_size_and_more_at_each_attempt() {
        assert_eq!(upload(0, 3), Duration::ZERO);
        assert_eq!(upload(8 << 20, 1), Duration::from_secs(32));
        assert_eq!(upload(8 << 20, 3), Duration::from_secs(128));
    }

    #[test]
    fn a_web_page_is_told_from_an_answer() {
        let none = Headers::new();
        for body in [
            "<!DOCTYPE html>",
            "\n <HTML lang=en>",
            "\u{feff}<html>",
            "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\">",
            "<!-- portal --><head>",
        ] {
            assert!(is_web_page(&none, body.as_bytes()), "{body}");
        }
        for body in
            ["", "{\"Description\": \"<html>\"}", "\"<html>\"", "<?xml version=\"1.0\"?><ListBucketResult/>", "<"]
        {
            assert!(!is_web_page(&none, body.as_bytes()), "{body}");
        }
        let mut of_aws = Headers::new();
        of_aws.insert("x-amzn-RequestId", "1");
        assert!(!is_web_page(&of_aws, b"<html>"), "a function may return it");
    }
}
