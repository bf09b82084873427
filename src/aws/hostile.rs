//! Whoever answers for AWS: each operation that is read from gets hostile answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::account::account;
use super::{Connection, InvocationMode, Session, connect, fetch, resolve};
use crate::deployment::{AssumedRole, CodeSource, Credentials, Proof, Target};
use crate::fault::{Fault, FaultKind};
use crate::hostile::each;
use crate::plan::{Action, RoleChange};
use crate::settings::{ImageUri, Role, Secret, Setting, Written};

/// How long an answer that makes no sense is asked for again.
const SOON: Duration = Duration::from_millis(60);

/// What means something in JSON, XML, or to whoever shows what AWS says.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "true",
    "0",
    "-1",
    "1e400",
    "99999999999999999999",
    "\\u0000",
    "\\ud800",
    "\\",
    "\0",
    "\x1b[31m",
    "\n::error::x\n",
    "##vso[task.complete]",
    "<",
    ">",
    "</",
    "<![CDATA[",
    "<!DOCTYPE x [<!ENTITY a \"b\">]>",
    "&a;",
    "&#0;",
    "%",
    "%00",
    "arn:aws:lambda:us-east-1:000000000000:function:a",
    ":",
    "$LATEST",
    "\"Version\":\"99999999999999999999\"",
    "\u{202e}",
    "\u{2028}",
    "é",
];

/// An operation, what asks for it, and a right answer.
const ANSWERS: &[(&str, &str, &str)] = &[
    (
        "GetFunction",
        "everything",
        r#"{"Configuration":{"FunctionName":"a","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:a","Runtime":"python3.13","Role":"arn:aws:iam::000000000000:role/r","Handler":"a.b","CodeSize":10,"Description":"d","Timeout":3,"MemorySize":128,"LastModified":"2026-01-01T00:00:00.000+0000","CodeSha256":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","Version":"$LATEST","Environment":{"Variables":{"A":"b"},"Error":{"ErrorCode":"x","Message":"y"}},"Layers":[{"Arn":"arn:aws:lambda:us-east-1:000000000000:layer:l:1","CodeSize":1}],"VpcConfig":{"SubnetIds":["subnet-1"],"SecurityGroupIds":["sg-1"],"Ipv6AllowedForDualStack":false},"DeadLetterConfig":{"TargetArn":"arn:aws:sqs:us-east-1:000000000000:q"},"TracingConfig":{"Mode":"Active"},"RevisionId":"r-1","State":"Active","StateReason":"s","StateReasonCode":"Idle","LastUpdateStatus":"Successful","PackageType":"Zip","Architectures":["arm64"],"EphemeralStorage":{"Size":512},"SnapStart":{"ApplyOn":"None","OptimizationStatus":"Off"},"LoggingConfig":{"LogFormat":"JSON","ApplicationLogLevel":"INFO","SystemLogLevel":"INFO","LogGroup":"/aws/lambda/a"},"FileSystemConfigs":[{"Arn":"arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-1","LocalMountPath":"/mnt/a"}]},"Code":{"RepositoryType":"S3","Location":"https://example.com/a","ImageUri":"i"},"Tags":{"t":"u"},"TagsError":{"ErrorCode":"x","Message":"y"},"Concurrency":{"ReservedConcurrentExecutions":1}}"#,
    ),
    (
        "ListAliases",
        "everything",
        r#"{"Aliases":[{"AliasArn":"arn:aws:lambda:us-east-1:000000000000:function:a:live","Name":"live","FunctionVersion":"2","Description":"[before: 1]","RoutingConfig":{"AdditionalVersionWeights":{"1":0.5}},"RevisionId":"r"}]}"#,
    ),
    (
        "GetPolicy",
        "everything",
        r#"{"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"s\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"arn:aws:lambda:us-east-1:000000000000:function:a\",\"Condition\":{\"ArnLike\":{\"AWS:SourceArn\":\"arn:aws:s3:::b\"},\"StringEquals\":{\"AWS:SourceAccount\":\"000000000000\"}}}]}","RevisionId":"r"}"#,
    ),
    (
        "GetFunctionUrlConfig",
        "everything",
        r#"{"FunctionUrl":"https://x.lambda-url.us-east-1.on.aws/","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:a:live","AuthType":"NONE","CreationTime":"2026-01-01T00:00:00Z","LastModifiedTime":"2026-01-01T00:00:00Z","InvokeMode":"BUFFERED","Cors":{"AllowOrigins":["*"],"MaxAge":1}}"#,
    ),
    (
        "GetFunctionEventInvokeConfig",
        "everything",
        r#"{"LastModified":1.7e9,"FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:a:live","MaximumRetryAttempts":1,"MaximumEventAgeInSeconds":60,"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:000000000000:q"}}}"#,
    ),
    ("GetFunctionConcurrency", "everything", r#"{"ReservedConcurrentExecutions":5}"#),
    (
        "GetProvisionedConcurrencyConfig",
        "everything",
        r#"{"RequestedProvisionedConcurrentExecutions":1,"AllocatedProvisionedConcurrentExecutions":1,"Status":"READY"}"#,
    ),
    ("GetFunctionRecursionConfig", "everything", r#"{"RecursiveLoop":"Terminate"}"#),
    (
        "GetRuntimeManagementConfig",
        "everything",
        r#"{"UpdateRuntimeOn":"Auto","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:a","RuntimeVersionArn":"v"}"#,
    ),
    (
        "GetFunctionCodeSigningConfig",
        "everything",
        r#"{"CodeSigningConfigArn":"arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0","FunctionName":"a"}"#,
    ),
    (
        "ListEventSourceMappings",
        "everything",
        r#"{"EventSourceMappings":[{"UUID":"u","BatchSize":10,"EventSourceArn":"arn:aws:sqs:us-east-1:000000000000:q","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:a:live","State":"Enabled","StateTransitionReason":"x","LastModified":1.7e9,"FilterCriteria":{"Filters":[{"Pattern":"{\"body\":{\"a\":[1]}}"}]},"SelfManagedEventSource":{"Endpoints":{"KAFKA_BOOTSTRAP_SERVERS":["a:1"]}},"SourceAccessConfigurations":[{"Type":"BASIC_AUTH","URI":"arn:aws:secretsmanager:us-east-1:000000000000:secret:s"}]}]}"#,
    ),
    (
        "DescribeLogGroups",
        "everything",
        r#"{"logGroups":[{"logGroupName":"/aws/lambda/a","retentionInDays":7,"creationTime":1}]}"#,
    ),
    (
        "ListVersionsByFunction",
        "versions",
        r#"{"Versions":[{"FunctionName":"a","Version":"$LATEST"},{"FunctionName":"a","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:a:2","Version":"2","Description":"d","CodeSha256":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","LastModified":"2026-01-01T00:00:00.000+0000","State":"Active"}]}"#,
    ),
    (
        "GetAlias",
        "alias",
        r#"{"AliasArn":"arn:aws:lambda:us-east-1:000000000000:function:a:live","Name":"live","FunctionVersion":"2","Description":"d","RevisionId":"r","RoutingConfig":{"AdditionalVersionWeights":{"1":1.0}}}"#,
    ),
    (
        "ListFunctionUrlConfigs",
        "status",
        r#"{"FunctionUrlConfigs":[{"FunctionUrl":"https://x.on.aws/","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:a:live","AuthType":"AWS_IAM","CreationTime":"x","LastModifiedTime":"y"}]}"#,
    ),
    (
        "ListProvisionedConcurrencyConfigs",
        "status",
        r#"{"ProvisionedConcurrencyConfigs":[{"FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:a:live","RequestedProvisionedConcurrentExecutions":1,"AvailableProvisionedConcurrentExecutions":1,"AllocatedProvisionedConcurrentExecutions":1,"Status":"FAILED","StatusReason":"s"}]}"#,
    ),
    (
        "ListFunctions",
        "functions",
        r#"{"Functions":[{"FunctionName":"a","Runtime":"x","MemorySize":1,"Timeout":1,"LastModified":"y","PackageType":"Image"}]}"#,
    ),
    (
        "ListLayerVersions",
        "layer",
        r#"{"LayerVersions":[{"LayerVersionArn":"arn:aws:lambda:us-east-1:000000000000:layer:a:3","Version":3,"CompatibleRuntimes":["python3.13"]}]}"#,
    ),
    (
        "GetLayerVersion",
        "layer",
        r#"{"Content":{"Location":"https://x","CodeSha256":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","CodeSize":1},"LayerArn":"l","LayerVersionArn":"arn:aws:lambda:us-east-1:000000000000:layer:a:3","Version":3,"LicenseInfo":"MIT","CompatibleArchitectures":["arm64"]}"#,
    ),
    ("Invoke", "invoke", r#"{"errorMessage":"x","errorType":"y","stackTrace":["a"]}"#),
    (
        "GetRole",
        "role",
        r#"<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role><Path>/</Path><RoleName>r</RoleName><RoleId>AROA</RoleId><Arn>arn:aws:iam::000000000000:role/r</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>"#,
    ),
    (
        "ListAttachedRolePolicies",
        "role",
        r#"<ListAttachedRolePoliciesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListAttachedRolePoliciesResult><IsTruncated>false</IsTruncated><AttachedPolicies><member><PolicyName>p</PolicyName><PolicyArn>arn:aws:iam::aws:policy/p</PolicyArn></member></AttachedPolicies></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>"#,
    ),
    (
        "BatchGetImage",
        "image",
        r#"{"images":[{"registryId":"000000000000","repositoryName":"r","imageId":{"imageDigest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","imageTag":"t"},"imageManifest":"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"digest\":\"sha256:x\"},\"layers\":[]}","imageManifestMediaType":"application/vnd.oci.image.manifest.v1+json"}],"failures":[]}"#,
    ),
    (
        "GetCallerIdentity",
        "identity",
        r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::000000000000:assumed-role/r/s</Arn><UserId>u</UserId><Account>000000000000</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"#,
    ),
    (
        "Token",
        "token",
        r#"{"count":1,"value":"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2EiLCJhdWQiOiJzdHMuYW1hem9uYXdzLmNvbSIsInN1YiI6InMifQ.c2ln"}"#,
    ),
    (
        "AssumeRoleWithWebIdentity",
        "token",
        r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAROLEROLEROLEROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"#,
    ),
    ("GetObject", "object", "PK\x05\x06"),
];

/// The operation that a request is for.
fn operation(head: &str, body: &str) -> &'static str {
    let mut line = head.split(' ');
    let path = line.nth(1).unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["token"] => "Token",
        [_, "functions"] => "ListFunctions",
        [_, "functions", _] => "GetFunction",
        [_, "functions", _, "versions"] => "ListVersionsByFunction",
        [_, "functions", _, "aliases"] => "ListAliases",
        [_, "functions", _, "aliases", _] => "GetAlias",
        [_, "functions", _, "policy"] => "GetPolicy",
        [_, "functions", _, "url"] => "GetFunctionUrlConfig",
        [_, "functions", _, "urls"] => "ListFunctionUrlConfigs",
        [_, "functions", _, "event-invoke-config"] => "GetFunctionEventInvokeConfig",
        [_, "functions", _, "concurrency"] => "GetFunctionConcurrency",
        [_, "functions", _, "provisioned-concurrency"] if query.contains("List") => "ListProvisionedConcurrencyConfigs",
        [_, "functions", _, "provisioned-concurrency"] => "GetProvisionedConcurrencyConfig",
        [_, "functions", _, "recursion-config"] => "GetFunctionRecursionConfig",
        [_, "functions", _, "runtime-management-config"] => "GetRuntimeManagementConfig",
        [_, "functions", _, "code-signing-config"] => "GetFunctionCodeSigningConfig",
        [_, "functions", _, "invocations"] => "Invoke",
        [_, "event-source-mappings", ..] => "ListEventSourceMappings",
        [_, "layers", _, "versions"] => "ListLayerVersions",
        [_, "layers", _, "versions", _] => "GetLayerVersion",
        [] => {
            let named =
                |name: &&str| head.contains(&format!(".{name}\r\n")) || body.contains(&format!("Action={name}&"));
            ANSWERS.iter().map(|(operation, ..)| *operation).find(named).unwrap_or_default()
        }
        _ => "GetObject",
    }
}

/// What stands in for AWS: right answers, but for one operation.
#[derive(Clone)]
struct Service {
    endpoint: String,
    /// The operation that is answered otherwise, the status, and the body.
    instead: Arc<Mutex<(&'static str, u16, Vec<u8>)>>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = Self { endpoint, instead: Arc::new(Mutex::new(("", 200, Vec::new()))) };
        let serving = service.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || while serving.answer(&stream).is_some() {});
            }
        });
        service
    }

    /// Answers one request; nothing when there are no more.
    fn answer(&self, mut stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        let name = operation(&head, &String::from_utf8_lossy(&body));
        let (status, body) = match &*self.instead.lock().unwrap() {
            (instead, status, body) if *instead == name => (*status, body.clone()),
            _ => {
                let right = ANSWERS.iter().find(|(operation, ..)| *operation == name);
                right.map_or((404, b"{}".to_vec()), |(_, _, body)| (200, body.as_bytes().to_vec()))
            }
        };
        // The answer itself is the log too, in base64 or not.
        let log = String::from_utf8_lossy(&body).chars().filter(char::is_ascii_graphic).take(200).collect::<String>();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nX-Amz-Log-Result: {log}\r\nX-Amz-Function-Error: {log}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(&body).ok()
    }

    fn target(&self, role: Option<AssumedRole>) -> Target {
        Target {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(self.endpoint.clone()),
            path_style: true,
            credentials: Credentials::Keys {
                access_key_id: Secret::new("AKIDTESTTESTTEST"),
                secret_access_key: Secret::new("a-secret-access-key"),
                session_token: None,
            },
            role,
            ..Target::default()
        }
    }
}

/// Asks for what an operation belongs to.
async fn ask(service: &Service, connection: &Connection, look: &str, time: Duration) -> Result<(), Fault> {
    let (_sender, interrupt) = watch::channel(None);
    let tell = |_| {};
    let mut session = Session::new(connection, "a", None, time, interrupt, tell);
    match look {
        "everything" => session.read_everything(None).await.map(drop),
        "versions" => session.all_versions().await.map(drop),
        "alias" => session.alias("live").await.map(drop),
        "status" => session.status("a", "us-east-1").await.map(drop),
        "functions" => session.functions().await.map(drop),
        "layer" => session.newest_layer().await.map(drop),
        "invoke" => session.invoke("a", None, b"{}".to_vec(), InvocationMode::Synchronous).await.map(drop),
        "role" => {
            let (name, arn) = ("r".to_owned(), "arn:aws:iam::000000000000:role/r".to_owned());
            let role = RoleChange { name, arn, function: "a".to_owned(), action: Action::Create, policies: Vec::new() };
            session.find_role(&role).await.map(drop)
        }
        "image" => {
            let uri = Written::Text("000000000000.dkr.ecr.us-east-1.amazonaws.com/r:t".to_owned());
            resolve(connection, &ImageUri::parse(&uri).unwrap()).await.map(drop)
        }
        "identity" => account(&aws_sdk_sts::Client::new(connection.config())).await.map(drop),
        "object" => {
            let (bucket, key) = ("b".to_owned(), "k".to_owned());
            let source = CodeSource::Object { bucket, key, version_id: None, expected_owner: None };
            fetch(connection, &source, &tell).await.map(drop)
        }
        "token" => {
            let url = format!("{}/token?api-version=2.0", service.endpoint);
            let role = AssumedRole {
                role: Role::parse(&Written::Text("arn:aws:iam::000000000000:role/r".to_owned())).unwrap(),
                account: None,
                session_name: "s".to_owned(),
                duration: None,
                proof: Proof::RequestedToken { url, bearer: Secret::new("bearer") },
            };
            connect(&service.target(Some(role)), |_| {}).await.map(drop)
        }
        _ => panic!("nothing asks for {look}"),
    }
}

/// Answers each operation with changes of its right answer. What comes of it is understood, or a fault that says something.
fn answers_are_understood_or_refused(status: u16, one_in: u32, seeds: impl Fn(&str) -> Vec<Vec<u8>>) {
    let runtime: Runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let service = Service::start();
    let connection = runtime.block_on(connect(&service.target(None), |_| {})).unwrap();
    for (operation, look, right) in ANSWERS {
        let seeds = seeds(right);
        each(&seeds, TOKENS, one_in, |bytes| {
            *service.instead.lock().unwrap() = (operation, status, bytes.to_vec());
            let is_right = bytes == right.as_bytes();
            let time = if is_right { Duration::from_secs(30) } else { SOON };
            let asked = async { tokio::time::timeout(time, ask(&service, &connection, look, time)).await };
            match runtime.block_on(asked) {
                Ok(Ok(())) | Err(_) => {}
                Ok(Err(fault)) => {
                    assert!(!(is_right && status == 200), "{operation}: {}", fault.message);
                    assert!(!fault.message.is_empty());
                    assert!(!matches!(fault.kind, FaultKind::Interrupted(_)));
                }
            }
        });
        service.instead.lock().unwrap().0 = "";
    }
}

#[test]
fn successes_are_understood_or_refused() {
    answers_are_understood_or_refused(200, 32, |right| vec![right.as_bytes().to_vec()]);
}

#[test]
fn refusals_are_understood() {
    let json = br#"{"__type":"InvalidParameterValueException","Type":"User","Code":"x","message":"m","Message":"M"}"#;
    let xml = b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>";
    for status in [400, 404] {
        answers_are_understood_or_refused(status, 128, |_| vec![json.to_vec(), xml.to_vec()]);
    }
}
