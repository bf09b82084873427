//! AWS as recorded: plays the answers of AWS for one function, and changes them as AWS does.
//!
//! The emulators leave out what takes AWS time: a version that is not known yet, a read that shows an older state, an alias
//! that AWS itself moves. The shapes of the answers are those of AWS' recorded answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::proxy::{Call, Played, Proxy};

/// The account of the function.
pub const ACCOUNT: &str = "123456789012";

/// The function, and what stands around it.
pub struct World {
    name: String,
    /// The answer of `GetFunction`; null where there is no function.
    pub function: Value,
    /// The published versions, by number.
    pub versions: BTreeMap<u32, Value>,
    /// The aliases, by name.
    pub aliases: BTreeMap<String, Value>,
    /// Answers by operation, for everything else that is read.
    pub around: BTreeMap<&'static str, Value>,
    /// The environments of an alias, by name.
    pub provisioned: BTreeMap<String, Value>,
    /// How many reads after an update still show the state before it.
    pub stale: usize,
    /// How many reads after an update, or after a version was published, show that it is in progress.
    pub settling: usize,
    /// How many reads do not find a version or alias that was just made.
    pub unknown: usize,
    /// How many reads of a moved alias show that AWS still gives the traffic to the version before.
    pub moving: usize,
    /// Whether an update was sent since the newest version was published.
    pub updated: bool,
    before: Option<(usize, Value)>,
    busy: usize,
    revision: usize,
}

/// A world that is served.
#[derive(Clone)]
pub struct Canned {
    pub proxy: Proxy,
    world: Arc<Mutex<World>>,
}

impl Canned {
    /// A function with what every function has, and these members besides.
    pub fn function(name: &str, more: &Value) -> Self {
        let mut world = World::empty(name);
        world.function = world.fresh();
        for (member, value) in more.as_object().unwrap() {
            world.function["Configuration"][member] = value.clone();
        }
        Self::serve(world)
    }

    /// No function yet.
    pub fn nothing(name: &str) -> Self {
        Self::serve(World::empty(name))
    }

    fn serve(world: World) -> Self {
        let world = Arc::new(Mutex::new(world));
        let played = Arc::clone(&world);
        let proxy = Proxy::playing(Arc::new(move |call| played.lock().unwrap().answer(call)));
        Self { proxy, world }
    }

    /// The world, to change or to look at.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

fn not_found(said: &str) -> Played {
    refused(404, "ResourceNotFoundException", said)
}

/// A refusal in the form of AWS.
fn refused(status: u16, code: &'static str, said: &str) -> Played {
    (status, code, json!({ "Type": "User", "Message": said, "message": said }))
}

fn ok(body: Value) -> Played {
    (200, "", body)
}

/// The statement of a policy that `AddPermission` makes.
fn statement(body: &Value, function: &str) -> Value {
    let principal = match body["Principal"].as_str().unwrap() {
        "*" => json!("*"),
        service => json!({ "Service": service }),
    };
    let mut statement = json!({
        "Sid": body["StatementId"], "Effect": "Allow", "Principal": principal, "Action": body["Action"],
        "Resource": function,
    });
    if let Some(auth_type) = body.get("FunctionUrlAuthType") {
        statement["Condition"] = json!({ "StringEquals": { "lambda:FunctionUrlAuthType": auth_type } });
    }
    if body.get("InvokedViaFunctionUrl").is_some() {
        statement["Condition"] = json!({ "Bool": { "lambda:InvokedViaFunctionUrl": "true" } });
    }
    statement
}

impl World {
    fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            function: Value::Null,
            versions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            around: BTreeMap::new(),
            provisioned: BTreeMap::new(),
            stale: 0,
            settling: 0,
            unknown: 0,
            moving: 0,
            before: None,
            busy: 0,
            revision: 0,
            updated: false,
        }
    }

    fn arn(&self) -> String {
        format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{}", self.name)
    }

    fn next_revision(&mut self) -> Value {
        self.revision += 1;
        json!(format!("00000000-0000-0000-0000-{:012}", self.revision))
    }

    /// A function just as it was made: `test_function_lifecycle`.
    fn fresh(&mut self) -> Value {
        json!({
            "Configuration": {
                "FunctionName": self.name, "FunctionArn": self.arn(), "Runtime": "python3.13",
                "Role": format!("arn:aws:iam::{ACCOUNT}:role/deployed"), "Handler": "index.handler", "CodeSize": 10,
                "Description": "", "Timeout": 3, "MemorySize": 128, "LastModified": "2025-11-20T10:00:00.000+0000",
                "CodeSha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "Version": "$LATEST",
                "TracingConfig": { "Mode": "PassThrough" }, "RevisionId": self.next_revision(), "State": "Active",
                "LastUpdateStatus": "Successful", "PackageType": "Zip", "Architectures": ["x86_64"],
                "EphemeralStorage": { "Size": 512 }, "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
                "RuntimeVersionConfig": { "RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:0123" },
                "LoggingConfig": { "LogFormat": "Text", "LogGroup": format!("/aws/lambda/{}", self.name) },
            },
            "Code": { "RepositoryType": "S3", "Location": "https://awslambda-us-east-1-tasks.s3.us-east-1.amazonaws.com/snapshots/x" },
        })
    }

    /// The newest version, if nothing was sent since it was published: `test_publish_version_on_create`. What was sent
    /// counts also if it changed nothing: moto's pull request 8379, tried on AWS.
    fn unchanged(&self) -> Option<Value> {
        let newest = self.versions.values().next_back()?;
        let same = |member: &str| newest[member] == self.function["Configuration"][member];
        (!self.updated && ["CodeSha256", "MemorySize", "Timeout", "Environment"].into_iter().all(same))
            .then(|| newest.clone())
    }

    /// Publishes the function as it is.
    pub fn publish(&mut self) -> Value {
        let number = self.versions.keys().max().map_or(1, |newest| newest + 1);
        let mut version = self.function["Configuration"].clone();
        version["Version"] = json!(number.to_string());
        version["FunctionArn"] = json!(format!("{}:{number}", self.arn()));
        self.function["Configuration"]["RevisionId"] = self.next_revision();
        self.versions.insert(number, version.clone());
        self.updated = false;
        version
    }

    /// Points an alias at a version.
    pub fn point(&mut self, name: &str, version: &str) {
        let alias = json!({
            "AliasArn": format!("{}:{name}", self.arn()), "Name": name, "FunctionVersion": version, "Description": "",
            "RevisionId": self.next_revision(),
        });
        self.aliases.insert(name.to_owned(), alias);
    }

    /// Gives an alias provisioned environments.
    pub fn provision(&mut self, name: &str, status: &str) {
        let config = json!({
            "RequestedProvisionedConcurrentExecutions": 1, "AvailableProvisionedConcurrentExecutions": 0,
            "Status": status, "StatusReason": "no capacity", "LastModified": "2025-11-20T10:00:00.000+0000",
        });
        self.provisioned.insert(name.to_owned(), config);
    }

    fn answer(&mut self, call: &Call) -> Played {
        let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        let (path, query) = call.address();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let qualifier = query.split('&').find_map(|part| part.strip_prefix("Qualifier=")).map(str::to_owned);
        match (&*call.operation, qualifier) {
            ("CreateFunction", _) if self.function.is_null() => {
                self.function = self.fresh();
                self.change(&body);
                self.take(&body["Code"]);
                self.before = None;
                (201, "", self.function["Configuration"].clone())
            }
            ("CreateFunction", _) => {
                refused(409, "ResourceConflictException", &format!("Function already exist: {}", self.name))
            }
            _ if self.function.is_null() => not_found(&format!("Function not found: {}", self.arn())),
            ("GetFunction", Some(number)) => self.version(&number),
            ("GetFunction", None) => self.live(),
            ("UpdateFunctionConfiguration", _) => self.update(&body, Self::change),
            ("UpdateFunctionCode", _) => self.update(&body, Self::take),
            ("PublishVersion", _) => {
                if let Some(refusal) = self.outdated(&body) {
                    return refusal;
                }
                if let Some(newest) = self.unchanged() {
                    return (201, "", newest);
                }
                self.busy = self.settling;
                let mut version = self.publish();
                if self.busy > 0 {
                    version["State"] = json!("Pending");
                }
                (201, "", version)
            }
            ("ListVersionsByFunction", _) => {
                let latest = self.function["Configuration"].clone();
                let listed = [latest].into_iter().chain(self.versions.values().cloned()).map(|mut version| {
                    for member in ["State", "LastUpdateStatus", "RuntimeVersionConfig"] {
                        version.as_object_mut().unwrap().remove(member);
                    }
                    version
                });
                ok(json!({ "Versions": listed.collect::<Vec<_>>() }))
            }
            ("ListAliases", _) => ok(json!({ "Aliases": self.aliases.values().collect::<Vec<_>>() })),
            ("GetAlias", _) => self.alias(&name),
            ("CreateAlias", _) => {
                let name = body["Name"].as_str().unwrap().to_owned();
                self.point(&name, body["FunctionVersion"].as_str().unwrap());
                (201, "", self.aliases[&name].clone())
            }
            ("UpdateAlias", _) => self.move_alias(&name, &body),
            ("GetProvisionedConcurrencyConfig", Some(alias)) => match self.provisioned.get(&alias) {
                Some(config) => ok(config.clone()),
                None => refused(
                    404,
                    "ProvisionedConcurrencyConfigNotFoundException",
                    "No Provisioned Concurrency Config found for this function",
                ),
            },
            ("PutProvisionedConcurrencyConfig", Some(alias)) => {
                if self.aliases[&alias].get("RoutingConfig").is_some() {
                    let said = "Alias with weights can not be used with Provisioned Concurrency";
                    return refused(400, "InvalidParameterValueException", said);
                }
                self.provision(&alias, "READY");
                self.provisioned.get_mut(&alias).unwrap()["RequestedProvisionedConcurrentExecutions"] =
                    body["ProvisionedConcurrentExecutions"].clone();
                (202, "", self.provisioned[&alias].clone())
            }
            ("AddPermission" | "CreateFunctionUrlConfig" | "PutFunctionEventInvokeConfig", Some(alias))
                if self.unknown > 0 =>
            {
                self.unknown -= 1;
                not_found(&format!("Cannot find alias arn: {}:{alias}", self.arn()))
            }
            (operation, qualifier) => self.around(operation, qualifier.as_deref(), &body),
        }
    }

    /// What `GetFunction` shows.
    fn live(&mut self) -> Played {
        if let Some((left, before)) = self.before.take_if(|(left, _)| *left > 0) {
            let shown = before.clone();
            self.before = Some((left - 1, before));
            return ok(shown);
        }
        let mut shown = self.function.clone();
        if self.busy > 0 {
            self.busy -= 1;
            if self.busy == 0 {
                // It changes once more when the function settles: `test_function_revisions_basic`.
                self.function["Configuration"]["RevisionId"] = self.next_revision();
            }
            shown["Configuration"]["LastUpdateStatus"] = json!("InProgress");
            shown["Configuration"]["LastUpdateStatusReason"] = json!("The function is being created.");
            shown["Configuration"]["LastUpdateStatusReasonCode"] = json!("Creating");
        }
        ok(shown)
    }

    fn version(&mut self, number: &str) -> Played {
        let known = number.parse().ok().and_then(|number: u32| self.versions.get(&number)).cloned();
        if self.unknown > 0 || known.is_none() {
            self.unknown = self.unknown.saturating_sub(1);
            return not_found(&format!("Function not found: {}:{number}", self.arn()));
        }
        let mut version = known.unwrap();
        if self.busy > 0 {
            self.busy -= 1;
            version["State"] = json!("Pending");
        }
        ok(json!({ "Configuration": version, "Code": self.function["Code"] }))
    }

    /// The refusal of a request with another revision of the function.
    fn outdated(&self, body: &Value) -> Option<Played> {
        let live = &self.function["Configuration"]["RevisionId"];
        let said = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
        let differs = body.get("RevisionId").is_some_and(|revision| revision != live);
        differs.then(|| refused(412, "PreconditionFailedException", said))
    }

    fn update(&mut self, body: &Value, write: impl Fn(&mut Self, &Value)) -> Played {
        if let Some(refusal) = self.outdated(body) {
            return refusal;
        }
        self.before = Some((self.stale, self.function.clone()));
        self.busy = self.settling;
        self.function["Configuration"]["LastUpdateStatus"] = json!("Successful");
        write(self, body);
        self.updated = true;
        self.function["Configuration"]["RevisionId"] = self.next_revision();
        let mut answer = self.function["Configuration"].clone();
        answer["LastUpdateStatus"] = json!("InProgress");
        ok(answer)
    }

    /// The members of a request are the members of an answer, but for a few.
    fn change(&mut self, body: &Value) {
        let config = &mut self.function["Configuration"];
        for (member, value) in body.as_object().unwrap() {
            match (member.as_str(), value) {
                ("Code" | "RevisionId" | "Tags" | "Publish", _) => {}
                ("Layers", Value::Array(layers)) => {
                    config["Layers"] = layers.iter().map(|arn| json!({ "Arn": arn, "CodeSize": 1 })).collect();
                }
                ("ImageConfig", value) => config["ImageConfigResponse"] = json!({ "ImageConfig": value }),
                (_, value) => config[member] = value.clone(),
            }
        }
        if let Some(tags) = body.get("Tags") {
            self.function["Tags"] = tags.clone();
        }
    }

    fn take(&mut self, code: &Value) {
        if let Some(zip) = code.get("ZipFile") {
            let engine = base64::engine::general_purpose::STANDARD;
            let bytes = engine.decode(zip.as_str().unwrap()).unwrap();
            self.function["Configuration"]["CodeSha256"] = json!(engine.encode(Sha256::digest(bytes)));
        }
        if let Some(architectures) = code.get("Architectures") {
            self.function["Configuration"]["Architectures"] = architectures.clone();
        }
    }

    /// What `GetAlias` shows. AWS takes its own weights away once the environments are ready.
    fn alias(&mut self, name: &str) -> Played {
        let Some(shown) = self.aliases.get(name).cloned() else {
            return not_found(&format!("Cannot find alias arn: {}:{name}", self.arn()));
        };
        if shown.get("RoutingConfig").is_some() && self.provisioned.contains_key(name) {
            self.moving = self.moving.saturating_sub(1);
            if self.moving == 0 {
                let revision = self.next_revision();
                let alias = self.aliases.get_mut(name).unwrap().as_object_mut().unwrap();
                alias.remove("RoutingConfig");
                alias.insert("RevisionId".to_owned(), revision);
                self.provisioned.get_mut(name).unwrap()["Status"] = json!("READY");
            }
        }
        ok(shown)
    }

    fn move_alias(&mut self, name: &str, body: &Value) -> Played {
        let revision = self.next_revision();
        let alias = self.aliases.get_mut(name).unwrap();
        if body.get("RevisionId").is_some_and(|revision| *revision != alias["RevisionId"]) {
            let said = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
            return refused(412, "PreconditionFailedException", said);
        }
        let before = alias["FunctionVersion"].clone();
        for member in ["FunctionVersion", "Description", "RoutingConfig"] {
            if let Some(value) = body.get(member) {
                alias[member] = value.clone();
            }
        }
        if alias["RoutingConfig"]["AdditionalVersionWeights"].as_object().is_none_or(serde_json::Map::is_empty) {
            alias.as_object_mut().unwrap().remove("RoutingConfig");
        }
        alias["RevisionId"] = revision;
        if self.provisioned.contains_key(name) && self.moving > 0 {
            self.aliases.get_mut(name).unwrap()["RoutingConfig"] =
                json!({ "AdditionalVersionWeights": { (before.as_str().unwrap()): 1.0 } });
            self.provisioned.get_mut(name).unwrap()["Status"] = json!("IN_PROGRESS");
        }
        ok(self.aliases[name].clone())
    }

    fn around(&mut self, operation: &str, qualifier: Option<&str>, body: &Value) -> Played {
        if let Some(known) = self.around.get(operation) {
            return ok(known.clone());
        }
        let image = self.function["Configuration"]["PackageType"] == "Image";
        match operation {
            "GetFunctionConcurrency" => ok(json!({})),
            "GetFunctionRecursionConfig" => ok(json!({ "RecursiveLoop": "Terminate" })),
            "GetRuntimeManagementConfig" => ok(json!({ "UpdateRuntimeOn": "Auto", "FunctionArn": self.arn() })),
            "GetFunctionCodeSigningConfig" if image => refused(
                400,
                "InvalidParameterValueException",
                "Code signing is not supported for functions created with container images.",
            ),
            "GetFunctionCodeSigningConfig" => ok(json!({ "FunctionName": self.name })),
            "ListEventSourceMappings" => ok(json!({ "EventSourceMappings": [] })),
            "ListFunctionUrlConfigs" => ok(json!({ "FunctionUrlConfigs": [] })),
            "ListProvisionedConcurrencyConfigs" => ok(json!({ "ProvisionedConcurrencyConfigs": [] })),
            "DescribeLogGroups" => ok(json!({ "logGroups": [] })),
            "GetPolicy" => not_found("The resource you requested does not exist."),
            "CreateFunctionUrlConfig" => {
                let url = json!({
                    "FunctionUrl": "https://x.lambda-url.us-east-1.on.aws/", "FunctionArn": self.arn(),
                    "AuthType": body["AuthType"], "CreationTime": "2025-11-20T10:00:00Z",
                    "LastModifiedTime": "2025-11-20T10:00:00Z", "InvokeMode": "BUFFERED",
                });
                self.around.insert("GetFunctionUrlConfig", url.clone());
                (201, "", url)
            }
            "AddPermission" => {
                let function = qualifier.map_or_else(|| self.arn(), |alias| format!("{}:{alias}", self.arn()));
                let known = self.around.remove("GetPolicy");
                let known = known.and_then(|known| serde_json::from_str(known["Policy"].as_str()?).ok());
                let mut policy: Value = known.unwrap_or_else(|| json!({ "Statement": [] }));
                policy["Statement"].as_array_mut().unwrap().push(statement(body, &function));
                let shown = json!({ "Policy": policy.to_string(), "RevisionId": self.next_revision() });
                self.around.insert("GetPolicy", shown);
                (201, "", json!({}))
            }
            "PutFunctionEventInvokeConfig" => {
                self.around.insert("GetFunctionEventInvokeConfig", body.clone());
                ok(body.clone())
            }
            "CreateEventSourceMapping" => {
                let mut mapping = body.clone();
                for (member, value) in [("UUID", "0"), ("State", "Enabled"), ("FunctionArn", &*self.arn())] {
                    mapping[member] = json!(value);
                }
                self.around.insert("ListEventSourceMappings", json!({ "EventSourceMappings": [&mapping] }));
                (202, "", mapping)
            }
            read if read.starts_with("Get") => not_found("The resource you requested does not exist."),
            _ => ok(json!({})),
        }
    }
}
