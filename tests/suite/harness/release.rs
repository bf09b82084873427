//! A full release of a function: the block, what AWS has of it, and the choice of cases of a matrix.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};

use super::{Aws, Universe};

/// One state of a deployment. States with other numbers differ in every part of that kind.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    pub code: u32,
    pub settings: u32,
    pub around: u32,
}

impl Variant {
    /// The variant in which all numbers are the same.
    pub fn all(number: u32) -> Self {
        Self { code: number, settings: number, around: number }
    }
}

/// What a release has besides the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Settings, tags, code and what stands around the function, without a version.
    Plain,
    /// With a version and an alias.
    Alias,
    /// With a layer, a bucket and a role of its own, too.
    Full,
}

/// A universe with the block and the files of a variant.
pub fn universe(endpoint: &str, name: &str, extent: Extent, variant: Variant) -> Universe {
    let universe = Universe::at(endpoint);
    put(&universe, name, extent, variant);
    universe
}

/// Writes the block and the files of a variant.
pub fn put(universe: &Universe, name: &str, extent: Extent, variant: Variant) {
    let Variant { code, settings, around } = variant;
    universe.write("dist/index.py", format!("def handler(e, c): return {code}\n"));
    universe.write("layer/python/greeting.py", format!("TEXT = {code}\n"));
    let layer = format!("- layer: {{name: {name}, zip: layer}}\n");
    let own = format!("  create_role: true\n  s3_bucket: {name}\n  layers: [{name}]\n");
    let role = "  role: arn:aws:iam::000000000000:role/deployed\n";
    let (before, role) = if extent == Extent::Full { (layer.as_str(), own.as_str()) } else { ("", role) };
    let alias = if extent == Extent::Plain { "" } else { "  alias: live\n  keep_versions: 1\n" };
    let timeout = 10 + settings;
    let concurrency = 10 + around;
    let retries = around % 3;
    let principal = ["s3", "sns", "events", "iot"][around as usize % 4];
    let block = format!(
        "deploy:\n{before}- function_name: {name}\n{role}{alias}  runtime: python3.12\n  handler: index.handler\n  zip: dist\n  wait_timeout: 120\n  \
         timeout: {timeout}\n  function_tags: {{release: '{settings}'}}\n  reserved_concurrency: {concurrency}\n  async_config: {{maximum_retry_attempts: {retries}}}\n  \
         function_url: {{auth_type: NONE, cors: {{max_age: {around}}}}}\n  permissions: {{statement_id: a, principal: {principal}}}\n  \
         event_sources: {{event_source_arn: 'arn:aws:sqs:us-east-1:000000000000:{name}', batch_size: {around}}}\n"
    );
    universe.write("dpl.yml", block);
}

/// Makes the queue and the bucket that a release needs.
pub fn ground(aws: &Aws, name: &str, extent: Extent) {
    let (status, answer) =
        aws.call("sqs", "POST", "/", &format!("Action=CreateQueue&Version=2012-11-05&QueueName={name}"));
    assert_eq!(status, 200, "{answer}");
    if extent == Extent::Full {
        aws.make_bucket(name);
    }
}

/// Everything that AWS has of a release, by the subjects of the tool's steps. The name of the function is left out.
pub fn observe(aws: &Aws, name: &str) -> BTreeMap<String, Value> {
    let get = |service: &str, path: &str| {
        let (status, answer) = aws.call(service, "GET", path, "");
        (status == 200).then(|| serde_json::from_str::<Value>(&answer).unwrap_or(Value::String(answer)))
    };
    let function = format!("/2015-03-31/functions/{name}");
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let mut add = |subject: &str, value: Value| {
        let text = value.to_string().replace(name, "NAME");
        found.insert(subject.to_owned(), serde_json::from_str(&text).unwrap());
    };
    let live = get("lambda", &function).unwrap_or_default();
    let config = &live["Configuration"];
    add("function", json!(live.is_object()));
    add("configuration", json!([config["Timeout"], config["Layers"][0]["Arn"]]));
    add("code", config["CodeSha256"].clone());
    add("tags", live["Tags"].clone());
    add("reserved concurrency", live["Concurrency"]["ReservedConcurrentExecutions"].clone());
    let versions = get("lambda", &format!("{function}/versions")).unwrap_or_default();
    let versions: Vec<_> =
        versions["Versions"].as_array().into_iter().flatten().filter(|v| v["Version"] != "$LATEST").cloned().collect();
    let what = |version: &Value| json!([version["CodeSha256"], version["Timeout"]]);
    add("version", versions.iter().map(what).collect());
    let alias = get("lambda", &format!("{function}/aliases/live"));
    let pointed = alias.as_ref().map(|alias| {
        let version = versions.iter().find(|version| version["Version"] == alias["FunctionVersion"]);
        json!([version.map(what), alias["RoutingConfig"]])
    });
    add("alias", json!(pointed));
    let qualifier = if alias.is_some() { "?Qualifier=live" } else { "" };
    let retries = get("lambda", &format!("/2019-09-25/functions/{name}/event-invoke-config{qualifier}"));
    add("asynchronous invocation", retries.unwrap_or_default()["MaximumRetryAttempts"].clone());
    let url = get("lambda", &format!("/2021-10-31/functions/{name}/url{qualifier}")).unwrap_or_default();
    add("function URL", json!([url["AuthType"], url["Cors"]["MaxAge"]]));
    let policy = get("lambda", &format!("{function}/policy{qualifier}")).unwrap_or_default();
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap_or("null")).unwrap();
    for id in ["a", "dpl-lambda-url", "dpl-lambda-url-invoke"] {
        let statements =
            policy["Statement"].as_array().into_iter().flatten().filter(|statement| statement["Sid"] == id);
        add(&format!("permission {id}"), statements.map(|statement| statement["Principal"].clone()).collect());
    }
    let source = format!("/2015-03-31/event-source-mappings/?EventSourceArn=arn:aws:sqs:us-east-1:000000000000:{name}");
    let mappings = get("lambda", &source).unwrap_or_default();
    let mappings = mappings["EventSourceMappings"].as_array().into_iter().flatten();
    add("event source", mappings.map(|mapping| json!([mapping["BatchSize"], mapping["FunctionArn"]])).collect());
    let layers = get("lambda", &format!("/2018-10-31/layers/{name}/versions")).unwrap_or_default();
    add("layer", json!(layers["LayerVersions"].as_array().into_iter().flatten().count()));
    let objects = aws.bucket(name, "list-type=2");
    add("package", json!(objects.matches("<Key>").count()));
    let role = format!("RoleName=dpl-lambda-{name}&Version=2010-05-08");
    let made = aws.call("iam", "POST", "/", &format!("Action=GetRole&{role}")).0 == 200;
    let (_, policies) = aws.call("iam", "POST", "/", &format!("Action=ListAttachedRolePolicies&{role}"));
    add("role", json!([made, policies.matches("<PolicyArn>").count()]));
    found
}

/// The subjects in which two observations differ.
pub fn differing(a: &BTreeMap<String, Value>, b: &BTreeMap<String, Value>) -> Vec<String> {
    a.iter().filter(|(subject, value)| b.get(*subject) != Some(*value)).map(|(subject, _)| subject.clone()).collect()
}

/// Tries the cases of a matrix, several at once: all with `DPL_LAMBDA_TEST_MATRIX=all`, a number of them with a number, else
/// `sample` of them. The choice is always the same. A case returns what is wrong.
pub fn try_cases<C: Sync>(what: &str, cases: &[C], sample: usize, case: impl Fn(&C) -> Result<(), String> + Sync) {
    /// Cases at once. Most of the time a case waits.
    const AT_ONCE: usize = 6;
    /// A prime: steps of this length reach every case, and neighbours are far apart.
    const STEP: usize = 7_919;
    let asked = std::env::var("DPL_LAMBDA_TEST_MATRIX").ok();
    let count = match asked.as_deref() {
        Some("all") => cases.len(),
        Some(number) => number.parse().unwrap_or_else(|_| panic!("DPL_LAMBDA_TEST_MATRIX is `all` or a number")),
        None => sample,
    };
    let count = count.min(cases.len());
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    if let Err(text) = case(&cases[index * STEP % cases.len()]) {
                        eprintln!("{text}");
                        wrong.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    eprintln!("{what}: {count} of {} cases tried, {} wrong", cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{} of {count} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
