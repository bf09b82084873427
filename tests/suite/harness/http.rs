//! A second, independent way to an emulator: plain HTTP, without the SDK under test.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

/// The control plane at an endpoint.
pub struct Aws {
    address: String,
}

impl Aws {
    pub fn of(endpoint: &str) -> Self {
        Self { address: endpoint.trim_start_matches("http://").to_owned() }
    }

    /// One call; panics when there is no answer at all.
    pub fn call(&self, service: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let kind = match service {
            "lambda" => "application/json",
            "s3" => "application/xml",
            _ => "application/x-www-form-urlencoded",
        };
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\nX-Amz-Date: 20200101T000000Z"
        );
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {authorization}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn lambda(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = self.call("lambda", method, path, &body);
        assert!(status < 300, "{method} {path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// The function's configuration and tags.
    pub fn get(&self, function: &str) -> Value {
        self.lambda("GET", &format!("/2015-03-31/functions/{function}"), &Value::Null)
    }

    pub fn exists(&self, function: &str) -> bool {
        self.call("lambda", "GET", &format!("/2015-03-31/functions/{function}"), "").0 == 200
    }

    /// Numbers of all published versions, oldest first.
    pub fn versions(&self, function: &str) -> Vec<String> {
        let answer = self.lambda("GET", &format!("/2015-03-31/functions/{function}/versions"), &Value::Null);
        let numbers = answer["Versions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|version| version["Version"].as_str().unwrap().to_owned());
        numbers.filter(|number| number != "$LATEST").collect()
    }

    /// Where an alias points, its weights and its description.
    pub fn alias(&self, function: &str, name: &str) -> Value {
        self.lambda("GET", &format!("/2015-03-31/functions/{function}/aliases/{name}"), &Value::Null)
    }

    /// Makes an alias behind the tool's back.
    pub fn make_alias(&self, function: &str, alias: &Value) {
        self.lambda("POST", &format!("/2015-03-31/functions/{function}/aliases"), alias);
    }

    /// Changes an alias behind the tool's back.
    pub fn change_alias(&self, function: &str, name: &str, alias: &Value) {
        self.lambda("PUT", &format!("/2015-03-31/functions/{function}/aliases/{name}"), alias);
    }

    /// Numbers of all versions of a layer, newest first; each with what it is.
    pub fn layer_versions(&self, layer: &str) -> Vec<Value> {
        let answer = self.lambda("GET", &format!("/2018-10-31/layers/{layer}/versions"), &Value::Null);
        answer["LayerVersions"].as_array().unwrap().clone()
    }

    /// One version of a layer.
    pub fn layer_version(&self, layer: &str, number: u32) -> Value {
        self.lambda("GET", &format!("/2018-10-31/layers/{layer}/versions/{number}"), &Value::Null)
    }

    /// Changes settings behind the tool's back, and waits until that has settled.
    pub fn configure(&self, function: &str, settings: &Value) {
        self.lambda("PUT", &format!("/2015-03-31/functions/{function}/configuration"), settings);
        self.wait(function);
    }

    pub fn wait(&self, function: &str) {
        for _ in 0..200 {
            let answer = self.get(function);
            let config = &answer["Configuration"];
            if config["State"] != "Pending" && config["LastUpdateStatus"] != "InProgress" {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{function} does not settle");
    }

    /// Makes or replaces something that belongs to a function, and returns it.
    pub fn put(&self, method: &str, path: &str, body: &Value) -> Value {
        self.lambda(method, path, body)
    }

    pub fn tag(&self, function: &str, tags: &Value) {
        let arn = self.get(function)["Configuration"]["FunctionArn"].as_str().unwrap().to_owned();
        self.lambda("POST", &format!("/2017-03-31/tags/{arn}"), &json!({ "Tags": tags }));
    }

    /// Invokes and returns the payload; the function really runs.
    pub fn invoke(&self, function: &str, payload: &Value) -> Value {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let (status, answer) = self.call("lambda", "POST", &path, &payload.to_string());
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
    }

    /// Makes a bucket, which keeps versions of its objects.
    pub fn make_bucket(&self, name: &str) {
        let (status, answer) = self.call("s3", "PUT", &format!("/{name}"), "");
        assert_eq!(status, 200, "{answer}");
        let versions = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        let (status, answer) = self.call("s3", "PUT", &format!("/{name}?versioning"), versions);
        assert_eq!(status, 200, "{answer}");
    }

    /// What a listing of a bucket says; `query` chooses which.
    pub fn bucket(&self, name: &str, query: &str) -> String {
        self.call("s3", "GET", &format!("/{name}?{query}"), "").1
    }

    /// A user who may do what this policy says, by the id and the secret of a key.
    pub fn user(&self, name: &str, policy: &Value) -> (String, String) {
        let iam = |body: String| {
            let (status, answer) = self.call("iam", "POST", "/", &body);
            assert_eq!(status, 200, "{answer}");
            answer
        };
        iam(format!("Action=CreateUser&Version=2010-05-08&UserName={name}"));
        let policy = policy.to_string();
        let encoded = percent_encoding::utf8_percent_encode(&policy, percent_encoding::NON_ALPHANUMERIC);
        iam(format!("Action=PutUserPolicy&Version=2010-05-08&UserName={name}&PolicyName=p&PolicyDocument={encoded}"));
        let keys = iam(format!("Action=CreateAccessKey&Version=2010-05-08&UserName={name}"));
        (within(&keys, "AccessKeyId"), within(&keys, "SecretAccessKey"))
    }

    /// Id, secret and token of keys for a role, of any account.
    pub fn assume(&self, role: &str) -> [String; 3] {
        let body = format!("Action=AssumeRole&Version=2011-06-15&RoleSessionName=test&RoleArn={role}");
        let (status, answer) = self.call("sts", "POST", "/", &body);
        assert_eq!(status, 200, "{answer}");
        ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(|tag| within(&answer, tag))
    }

    pub fn make_role(&self, name: &str) {
        let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
        let body = format!("Action=CreateRole&Version=2010-05-08&RoleName={name}&AssumeRolePolicyDocument={trust}");
        let (status, answer) = self.call("iam", "POST", "/", &body);
        assert_eq!(status, 200, "{answer}");
    }
}

/// What an element of an XML document holds.
fn within(xml: &str, tag: &str) -> String {
    xml.split_once(&format!("<{tag}>")).unwrap().1.split('<').next().unwrap().to_owned()
}
