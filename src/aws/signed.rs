//! Signed calls of services that have no client here, because only one or two of their operations are needed.
//!
//! Such a call has the credentials, attempts, limits and errors of every other call.

use std::error::Error;
use std::fmt;

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::ServiceClockSkewInterceptor;
use aws_sdk_lambda::config::Region;
use aws_sdk_lambda::error::{ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::primitives::SdkBody;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::SharedAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{AuthSchemeOptionResolverParams, SharedAuthScheme};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::config_bag::Layer;
use aws_types::service_config::ServiceConfigKey;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

use super::Connection;
use super::wire::Unreadable;
use crate::arn::Partition;

/// The characters that a form does not contain as they are.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The most levels of elements in an answer.
const DEEPEST: usize = 32;

/// A service without a client.
#[derive(Debug)]
pub(super) struct Service {
    /// Its id, as in `AWS_ENDPOINT_URL_<ID>`.
    pub id: &'static str,
    /// The first part of its host name, which is also its name in signatures.
    pub host: &'static str,
    /// The form of its requests and answers.
    pub protocol: Protocol,
}

/// The form of requests and answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Protocol {
    /// JSON. The name of an operation follows this word in a header.
    Json(&'static str),
    /// The same of version 1.0 of the protocol.
    Json10(&'static str),
    /// A form, of this version of the API. Answers are XML.
    Query(&'static str),
}

/// A refusal of a service.
#[derive(Debug)]
pub(super) struct Refused(ErrorMetadata);

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Error for Refused {}

impl ProvideErrorMetadata for Refused {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl Connection {
    /// Calls an operation. The members of a form are texts. An answer in XML is returned as JSON: a text for an element
    /// without elements, and a list for elements that are all named `member`.
    pub(super) async fn call(
        &self,
        service: &'static Service,
        operation: &'static str,
        input: Value,
    ) -> Result<Value, SdkError<Refused, HttpResponse>> {
        let config = self.config();
        let region = Region::new(self.region.clone());
        let mut layer = Layer::new("signing");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(region.into()),
            name: Some(service.host.into()),
            ..SigV4OperationSigningConfig::default()
        });
        let mut signing = RuntimeComponentsBuilder::new("signing");
        signing.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
            StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
        )));
        signing.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
        signing.set_identity_cache(Some(IdentityCache::no_cache()));
        if let Some(credentials) = config.credentials_provider() {
            signing.set_identity_resolver(SCHEME_ID, credentials);
        }
        signing.set_http_client(config.http_client());
        signing.set_sleep_impl(config.sleep_impl());
        signing.set_time_source(config.time_source());
        let mut call = Operation::builder().service_name(service.id).operation_name(operation);
        if let Some(retries) = config.retry_config() {
            call = call.standard_retry(retries);
        }
        if let Some(timeouts) = config.timeout_config() {
            call = call.timeout_config(timeouts.clone());
        }
        let protocol = service.protocol;
        let call = call
            .endpoint_url(&self.endpoint(service))
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<Refused>::new())
            .retry_classifier(AwsErrorCodeClassifier::<Refused>::new())
            .retry_classifier(Unreadable)
            .interceptor(ServiceClockSkewInterceptor::new())
            .interceptor(RequestInfoInterceptor::new())
            .runtime_plugin(StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(signing))
            .serializer(move |input: Value| Ok(request(protocol, operation, &input)?))
            .deserializer(move |answer: &HttpResponse| read(protocol, answer))
            .build();
        call.invoke(input).await
    }

    /// The endpoint of a service: that of the configuration, or else that of the Region.
    fn endpoint(&self, service: &Service) -> String {
        let config = self.config();
        let general = config.endpoint_url().map(str::to_owned);
        let own = || {
            let key =
                ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
            config.service_config()?.load_config(key.build().ok()?)
        };
        // As in the clients of the SDK: the endpoint of a service counts more than a general one of the environment.
        let named = if config.get_origin("endpoint_url").is_client_config() { general } else { own().or(general) };
        named.unwrap_or_else(|| {
            let (host, region) = (service.host, &self.region);
            let fips = if config.use_fips() == Some(true) { "-fips" } else { "" };
            match config.use_dual_stack() {
                Some(true) => format!("https://{host}{fips}.{region}.api.aws"),
                _ => format!("https://{host}{fips}.{region}.{}", Partition::of_region(region).dns_suffix()),
            }
        })
    }
}

/// The request for an operation.
fn request(
    protocol: Protocol,
    operation: &str,
    input: &Value,
) -> Result<HttpRequest, aws_smithy_runtime_api::http::HttpError> {
    let (kind, body) = match protocol {
        Protocol::Json(_) => ("application/x-amz-json-1.1", input.to_string()),
        Protocol::Json10(_) => ("application/x-amz-json-1.0", input.to_string()),
        Protocol::Query(version) => {
            let members = input.as_object().into_iter().flatten();
            let members = members.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
            let fields = [("Action", operation), ("Version", version)].into_iter().chain(members);
            let encoded = |text| utf8_percent_encode(text, FORM);
            let fields = fields.map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
            ("application/x-www-form-urlencoded", fields.collect::<Vec<_>>().join("&"))
        }
    };
    let mut request = HttpRequest::new(SdkBody::from(body.as_str()));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", kind);
    request.headers_mut().insert("content-length", body.len().to_string());
    if let Protocol::Json(word) | Protocol::Json10(word) = protocol {
        request.headers_mut().insert("x-amz-target", format!("{word}.{operation}"));
    }
    Ok(request)
}

/// Reads an answer.
fn read(protocol: Protocol, answer: &HttpResponse) -> Result<Value, OrchestratorError<Refused>> {
    let body = answer.body().bytes().unwrap_or_default();
    let found = match protocol {
        Protocol::Json(_) | Protocol::Json10(_) => serde_json::from_slice(body).map_err(|error| error.to_string()),
        Protocol::Query(_) => std::str::from_utf8(body).map_err(|error| error.to_string()).and_then(tree),
    };
    if answer.status().is_success() {
        return found.map_err(OrchestratorError::other);
    }
    let found = found.unwrap_or_default();
    let mut refusal = ErrorMetadata::builder();
    let (code, words) = match protocol {
        Protocol::Json(_) | Protocol::Json10(_) => {
            let header = answer.headers().get("x-amzn-errortype").map(str::to_owned);
            let code =
                header.or_else(|| found["__type"].as_str().or_else(|| found["code"].as_str()).map(str::to_owned));
            // A code may have a namespace before it, and an address after it.
            let code = code.as_deref().map(|code| {
                let code = code.split(':').next().unwrap_or_default();
                code.rsplit('#').next().unwrap_or_default().to_owned()
            });
            (code, ["message", "Message", "errorMessage"].iter().find_map(|name| found[*name].as_str()))
        }
        Protocol::Query(_) => {
            let error = &found["Error"];
            (error["Code"].as_str().map(str::to_owned), error["Message"].as_str())
        }
    };
    if let Some(code) = code {
        refusal = refusal.code(code);
    }
    if let Some(words) = words {
        refusal = refusal.message(words);
    }
    Err(OrchestratorError::operation(Refused(refusal.build())))
}

/// The contents of the root element of an XML document.
fn tree(text: &str) -> Result<Value, String> {
    /// An element that has begun: its name, its elements, and its text.
    type Open = (String, Vec<(String, Value)>, String);
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let ended = match event {
            Event::Start(tag) if open.len() < DEEPEST => {
                open.push((String::from_utf8_lossy(tag.local_name().as_ref()).into_owned(), Vec::new(), String::new()));
                continue;
            }
            Event::Start(_) => return Err("the elements are nested too deeply".to_owned()),
            Event::Empty(tag) => {
                (String::from_utf8_lossy(tag.local_name().as_ref()).into_owned(), Value::String(String::new()))
            }
            Event::End(_) => match open.pop() {
                Some((name, elements, text)) => (name, value(elements, text)),
                None => return Err("an element ends that did not begin".to_owned()),
            },
            Event::Text(part) => {
                let part = part.xml_content(XmlVersion::Explicit1_0).map_err(|error| error.to_string())?;
                open.last_mut().into_iter().for_each(|(.., text)| text.push_str(&part));
                continue;
            }
            Event::CData(part) => {
                let part = part.xml_content(XmlVersion::Explicit1_0).map_err(|error| error.to_string())?;
                open.last_mut().into_iter().for_each(|(.., text)| text.push_str(&part));
                continue;
            }
            Event::GeneralRef(entity) => {
                let name = entity.decode().map_err(|error| error.to_string())?;
                let number = entity.resolve_char_ref().map_err(|error| error.to_string())?.map(String::from);
                let meant = number.or_else(|| quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned));
                let meant = meant.ok_or_else(|| format!("the entity `{name}` is unknown"))?;
                open.last_mut().into_iter().for_each(|(.., text)| text.push_str(&meant));
                continue;
            }
            Event::Eof => return Err("the document has no end".to_owned()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
        };
        match open.last_mut() {
            Some((_, elements, _)) => elements.push(ended),
            None => return Ok(ended.1),
        }
    }
}

/// The contents of an element.
fn value(elements: Vec<(String, Value)>, text: String) -> Value {
    if elements.is_empty() {
        Value::String(text)
    } else if elements.iter().all(|(name, _)| name == "member") {
        Value::Array(elements.into_iter().map(|(_, value)| value).collect())
    } else {
        Value::Object(elements.into_iter().collect::<Map<_, _>>())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_becomes_its_contents() {
        for (text, contents) in [
            ("<a/>", json!("")),
            ("<?xml version=\"1.0\"?>\n<a xmlns='x'> 1 &amp; &#50;<!-- no --><![CDATA[<3>]]></a>", json!(" 1 & 2<3>")),
            ("<a>\n <b>1</b>\n <c><member>2</member><member/></c></a>", json!({ "b": "1", "c": ["2", ""] })),
            ("<a><c><member><k>x</k></member></c></a>", json!({ "c": [{ "k": "x" }] })),
        ] {
            assert_eq!(tree(text), Ok(contents), "{text}");
        }
        for text in ["", "<a>", "<a></b>", "</a>", "x", "<a>&unknown;</a>", "<a>&#xFFFFFF;</a>", &"<a>".repeat(1 << 16)]
        {
            assert!(tree(text).is_err(), "{text:.40}");
        }
    }
}
