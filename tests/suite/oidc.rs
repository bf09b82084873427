//! Roles, assumed with the OIDC tokens of CIs or with credentials.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::harness::{Aws, Fault, Kind, Outcome, Proxy, Universe, emulator, proxy::Call};

const ROLE: &str = "arn:aws:iam::000000000000:role/ci";
const BEARER: &str = "the-bearer-of-the-request";
const SECRET: &str = "the-secret-access-key-of-the-role";
const SESSION: &str = "the-session-token-of-the-role";
const KEY: &str = "ASIAROLEROLEROLEROLE";

/// A token with the claims of GitHub's tokens.
fn jwt(sub: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims =
        format!(r#"{{"iss":"https://token.actions.githubusercontent.com","aud":"sts.amazonaws.com","sub":"{sub}"}}"#);
    format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(&claims), part("a signature"))
}

fn token() -> String {
    jwt("repo:o/r:ref:refs/heads/main")
}

fn given(token: &str) -> (u16, String) {
    (200, format!(r#"{{"count":1,"value":"{token}"}}"#))
}

/// GitHub's token service. Returns these answers in turn, and repeats the last one.
struct Tokens {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Tokens {
    fn answering(answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/token?api-version=2.0", listener.local_addr().unwrap());
        let tokens = Self { url, heads: Arc::default() };
        let heads = Arc::clone(&tokens.heads);
        thread::spawn(move || {
            for (index, mut stream) in listener.incoming().flatten().enumerate() {
                let head: Vec<_> =
                    BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                heads.lock().unwrap().push(head.join("\n"));
                let (status, body) = &answers[index.min(answers.len() - 1)];
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
            }
        });
        tokens
    }

    /// The requests so far.
    fn asked(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// A universe without credentials that deploys to ministack with a role.
fn world(function: &str) -> (Universe, Proxy) {
    let proxy = Proxy::before(&emulator(Kind::Ministack).endpoint);
    let universe = Universe::at(&proxy.endpoint)
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .file("dist/index.py", "def handler(e, c): return 1\n")
        .file("dpl.yml", format!("deploy:\n  function_name: {function}\n  role: arn:aws:iam::000000000000:role/deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n  role_to_assume: {ROLE}\n"));
    (universe, proxy)
}

/// The same in a job of GitHub.
fn github(function: &str, tokens: &Tokens) -> (Universe, Proxy) {
    let (universe, proxy) = world(function);
    let universe = universe
        .with("GITHUB_ACTIONS", "true")
        .with("CI", "true")
        .with("GITHUB_RUN_NUMBER", "17")
        .with("ACTIONS_ID_TOKEN_REQUEST_URL", &tokens.url)
        .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER);
    (universe, proxy)
}

/// An answer of STS with keys that the test knows.
fn known_keys(expiration: &str) -> Fault {
    let keys = format!(
        "<Credentials><AccessKeyId>{KEY}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{SESSION}</SessionToken><Expiration>{expiration}</Expiration></Credentials>"
    );
    let answer = |action: &str| format!("<{action}Result>{keys}</{action}Result>");
    let answer = answer("AssumeRoleWithWebIdentity");
    Fault::Instead(200, format!("<AssumeRoleWithWebIdentityResponse>{answer}</AssumeRoleWithWebIdentityResponse>"))
}

/// An answer of STS that denies the call.
fn refused(code: &str) -> Fault {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>it says no</Message></Error>");
    Fault::Instead(400, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"))
}

/// The one call of an operation.
fn only(proxy: &Proxy, operation: &str) -> Call {
    let mut calls = proxy.requests(operation);
    assert_eq!(calls.len(), 1, "{:?}", proxy.calls());
    calls.remove(0)
}

/// Checks that the form has a field of this value.
#[track_caller]
fn assert_sent(call: &Call, name: &str, value: &str) {
    let pair = format!("{name}={}", value.replace(':', "%3A").replace('/', "%2F"));
    assert!(call.body.split('&').any(|field| field == pair), "{pair} is not in {}", call.body);
}

fn is_signed(call: &Call) -> bool {
    call.head.to_ascii_lowercase().contains("\r\nauthorization:")
}

/// Checks that no secret is shown, except in GitHub's own mask command.
#[track_caller]
fn keeps(outcome: &Outcome, secrets: &[&str]) {
    for line in outcome.all().lines().filter(|line| !line.starts_with("::add-mask::")) {
        for secret in secrets {
            assert!(!line.contains(secret), "`{secret}` is said in {line}");
        }
    }
}

#[test]
fn github_gets_its_role_with_a_token_and_without_keys() {
    let tokens = Tokens::answering(vec![given(&token())]);
    let (universe, proxy) = github("oidc-github", &tokens);
    proxy.on("AssumeRoleWithWebIdentity", 0, known_keys("2099-01-01T00:00:00Z"));
    let outcome = universe.run("").code(0).says("Creating function oidc-github.");

    let asked = tokens.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("GET /token?api-version=2.0&audience=sts.amazonaws.com HTTP/1.1"), "{asked:?}");
    assert!(asked[0].contains(&format!("\nauthorization: bearer {BEARER}\n")), "{asked:?}");

    let call = only(&proxy, "AssumeRoleWithWebIdentity");
    assert!(!is_signed(&call), "{}", call.head);
    assert_sent(&call, "RoleArn", ROLE);
    assert_sent(&call, "RoleSessionName", "dpl-lambda-17");
    assert_sent(&call, "WebIdentityToken", &token());
    assert!(!call.body.contains("DurationSeconds"), "{}", call.body);
    let call = only(&proxy, "CreateFunction");
    assert!(call.head.contains(&format!("Credential={KEY}/")) && call.head.contains(SESSION), "{}", call.head);
    assert!(proxy.requests("AssumeRole").is_empty());

    keeps(&outcome, &[&token(), BEARER, SECRET, SESSION, KEY]);
    for secret in [&token(), SECRET, SESSION, KEY] {
        assert_eq!(outcome.stderr.matches(&format!("::add-mask::{secret}\n")).count(), 1, "{secret}");
        assert!(!outcome.stdout.contains(secret), "{secret}");
    }
    let masked = outcome.stderr.find(&token()).unwrap();
    assert!(masked < outcome.stderr.find(SECRET).unwrap(), "as soon as it is there");
}

#[test]
fn secrets_of_a_role_are_shown_nowhere() {
    let tokens = Tokens::answering(vec![given(&token())]);
    let (universe, proxy) = github("oidc-secretive", &tokens);
    let summary = universe.path("summary");
    let universe = universe.with("RUST_LOG", "trace").with("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let quoting = format!("cannot use {} nor {SECRET} nor {SESSION} nor {BEARER} nor {KEY}", token());
    let quoting: &str = Box::leak(quoting.into_boxed_str());
    proxy.on("AssumeRoleWithWebIdentity", 0, known_keys("2099-01-01T00:00:00Z")).on(
        "CreateFunction",
        0,
        Fault::Answer(400, "InvalidParameterValueException", quoting),
    );
    for arguments in ["--verbose", "--verbose --format json", "plan --verbose", "--ci none --verbose"] {
        let outcome = universe.run(arguments).says("with the OIDC token of the CI");
        keeps(&outcome, &[&token(), BEARER, SECRET, SESSION, KEY]);
        if !arguments.starts_with("plan") {
            assert!(outcome.all().contains("cannot use *** nor *** nor *** nor *** nor ***"), "{}", outcome.all());
        }
        assert_eq!(outcome.all().contains("::add-mask::"), !arguments.contains("json") && !arguments.contains("none"));
    }
    assert!(!universe.read("summary").contains(&token()) && universe.read("summary").contains("cannot use"));
}

#[test]
fn a_failing_token_service_is_called_again() {
    let tokens = Tokens::answering(vec![(500, String::new()), (429, "slow".to_owned()), given(&token())]);
    let (universe, proxy) = github("oidc-again", &tokens);
    universe.run("plan").code(0);
    assert_eq!((tokens.asked().len(), proxy.requests("AssumeRoleWithWebIdentity").len()), (3, 1));

    let tokens = Tokens::answering(vec![(503, "nothing".to_owned())]);
    let (universe, proxy) = github("oidc-never", &tokens);
    universe.run("plan --wait_timeout 1").code(6).says("waiting for credentials");
    assert!(tokens.asked().len() > 2 && proxy.calls().is_empty());
}

#[test]
fn a_token_service_that_denies_or_answers_nonsense_is_an_error_at_once() {
    for (answer, code, said) in [
        ((403, format!("no token {}", token())), 4, "gives none: it answered 403"),
        ((200, format!(r#"{{"value": ["{}"]}}"#, token())), 1, "there is none in its answer"),
        ((200, format!("<html>{}", token())), 1, "gives none: the answer is a web page"),
        ((200, r#"{"value": ""}"#.to_owned()), 1, "there is none in its answer"),
        ((302, String::new()), 4, "it answered 302"),
    ] {
        let tokens = Tokens::answering(vec![answer]);
        let (universe, proxy) = github("oidc-nonsense", &tokens);
        let outcome = universe.run("plan --verbose").code(code).says(said);
        keeps(&outcome, &[&token(), BEARER]);
        assert_eq!((tokens.asked().len(), proxy.calls().len()), (1, 0));
    }
    let (universe, _) = github("oidc-nonsense", &Tokens { url: "no url".to_owned(), heads: Arc::default() });
    universe.run("plan").code(3).says("is not an https:// address").says("ACTIONS_ID_TOKEN_REQUEST_URL");
}

#[test]
fn a_token_is_for_the_partition_of_the_role_and_comes_through_the_proxy() {
    let tokens = Tokens::answering(vec![given(&token())]);
    let (universe, proxy) = github("oidc-china", &tokens);
    universe.run("plan --role_to_assume arn:aws-cn:iam::000000000000:role/ci").code(0);
    assert!(tokens.asked()[0].starts_with("GET /token?api-version=2.0&audience=sts.amazonaws.com.cn HTTP/1.1"));
    let of_proxy = tokens.url.split("/token").next().unwrap();
    let universe =
        universe.with("HTTPS_PROXY", of_proxy).with("ACTIONS_ID_TOKEN_REQUEST_URL", "https://token.invalid/t");
    universe.run("plan --wait_timeout 1").code(6);
    let asked = tokens.asked();
    assert!(asked[1].starts_with("CONNECT token.invalid:443 HTTP/1.1"), "{asked:?}");
    assert_eq!(proxy.requests("AssumeRoleWithWebIdentity").len(), 1);
}

#[test]
fn other_cis_set_the_token_in_a_variable() {
    for (variables, expected) in [
        (&["AWS_ID_TOKEN"][..], "AWS_ID_TOKEN"),
        (&["GITLAB_OIDC_TOKEN"], "GITLAB_OIDC_TOKEN"),
        (&["BITBUCKET_STEP_OIDC_TOKEN"], "BITBUCKET_STEP_OIDC_TOKEN"),
        (&["CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"], "CIRCLE_OIDC_TOKEN_V2"),
        (&["CIRCLE_OIDC_TOKEN"], "CIRCLE_OIDC_TOKEN"),
        (&["AWS_ID_TOKEN", "MY_TOKEN"], "MY_TOKEN"),
    ] {
        let (mut universe, proxy) = world("oidc-variable");
        for name in variables {
            universe = universe.with(name, &jwt(name));
        }
        let named = if expected == "MY_TOKEN" { "--web_identity_token_env MY_TOKEN" } else { "" };
        let outcome = universe.run(&format!("plan --verbose {named}")).code(0);
        let call = only(&proxy, "AssumeRoleWithWebIdentity");
        assert_sent(&call, "WebIdentityToken", &jwt(expected));
        assert_sent(&call, "RoleSessionName", "dpl-lambda");
        for name in variables {
            keeps(&outcome, &[&jwt(name)]);
        }
    }
}

#[test]
fn an_unset_token_variable_is_an_error_if_the_token_is_needed() {
    let (universe, proxy) = world("oidc-unset");
    let universe = universe.with("GITLAB_CI", "true").with("CI", "true");
    let named = "--web_identity_token_env MY_TOKEN";
    universe
        .run(&format!("plan {named}"))
        .code(3)
        .says("web_identity_token_env: names the variable `MY_TOKEN`, which is not set (--web_identity_token_env)")
        .says("id_tokens");
    universe.with("MY_TOKEN", "").run(&format!("plan {named}")).code(3).says("which is not set");
    assert_eq!(proxy.calls(), Vec::<String>::new());
    let (universe, _) = world("oidc-unset");
    universe.run(&format!("check {named}")).code(0);
    universe
        .with("AWS_ACCESS_KEY_ID", "AKIDTESTTESTTEST")
        .with("AWS_SECRET_ACCESS_KEY", "test-secret-access-key")
        .run(&format!("plan {named}"))
        .code(0);
}

#[test]
fn given_keys_assume_the_role_instead_of_a_token() {
    let tokens = Tokens::answering(vec![given(&token())]);
    let (universe, proxy) = github("oidc-keys", &tokens);
    let universe = universe
        .with("AWS_ACCESS_KEY_ID", "AKIDTESTTESTTEST")
        .with("AWS_SECRET_ACCESS_KEY", "test-secret-access-key")
        .with("AWS_SESSION_TOKEN", "session-of-the-keys");
    let options = "--external_id of-a-partner --role_session_name by-keys --role_duration 900";
    let outcome = universe.run(&format!("--verbose {options}")).code(0);
    let call = only(&proxy, "AssumeRole");
    assert!(call.head.contains("Credential=AKIDTESTTESTTEST/"), "{}", call.head);
    assert_sent(&call, "RoleArn", ROLE);
    assert_sent(&call, "ExternalId", "of-a-partner");
    assert_sent(&call, "RoleSessionName", "by-keys");
    assert_sent(&call, "DurationSeconds", "900");
    assert!(!only(&proxy, "CreateFunction").head.contains("AKIDTESTTESTTEST"));
    assert!(tokens.asked().is_empty() && proxy.requests("AssumeRoleWithWebIdentity").is_empty());
    keeps(&outcome, &["AKIDTESTTESTTEST", "test-secret-access-key", "session-of-the-keys", BEARER]);

    universe.write(
        "../home/.aws/credentials",
        "[deploy]\naws_access_key_id = PROFILEKEYPROFILEKEY\naws_secret_access_key = profile-secret-key\n",
    );
    proxy.forget_calls();
    universe.run("plan --profile deploy").code(0);
    assert!(only(&proxy, "AssumeRole").head.contains("Credential=PROFILEKEYPROFILEKEY/"));
}

#[test]
fn without_keys_and_token_the_credentials_of_the_chain_assume_the_role() {
    let (universe, proxy) = world("oidc-chain");
    universe.write(
        "../home/.aws/credentials",
        "[default]\naws_access_key_id = DEFAULTKEYDEFAULTKEY\naws_secret_access_key = default-secret-key\n",
    );
    universe.run("plan").code(0);
    assert!(only(&proxy, "AssumeRole").head.contains("Credential=DEFAULTKEYDEFAULTKEY/"));
    proxy.forget_calls();
    universe.with("AWS_ID_TOKEN", &token()).run("plan --external_id x1").code(0).says("external_id: is not sent");
    assert_eq!(proxy.calls(), ["AssumeRoleWithWebIdentity", "GetFunction"]);
}

#[test]
fn a_bare_role_name_gets_the_known_account() {
    let (universe, proxy) = world("oidc-bare");
    let universe =
        universe.with("AWS_ACCESS_KEY_ID", "AKIDTESTTESTTEST").with("AWS_SECRET_ACCESS_KEY", "test-secret-access-key");
    universe.run("plan --role_to_assume teams/ci").code(0);
    assert_eq!(proxy.calls(), ["GetCallerIdentity", "AssumeRole", "GetFunction"]);
    assert_sent(&only(&proxy, "AssumeRole"), "RoleArn", "arn:aws:iam::000000000000:role/teams/ci");

    let (universe, proxy) = world("oidc-bare");
    let universe = universe.with("AWS_ID_TOKEN", &token());
    universe
        .run("plan --role_to_assume ci")
        .code(3)
        .says("role_to_assume: `ci` has no account, and an OIDC token has none either")
        .says("set `expect_account`");
    assert_eq!(proxy.calls(), Vec::<String>::new());
    universe.run("plan --role_to_assume ci --expect_account 000000000000 --region cn-north-1").code(0);
    assert_sent(&proxy.requests("AssumeRoleWithWebIdentity")[0], "RoleArn", "arn:aws-cn:iam::000000000000:role/ci");
    proxy.forget_calls();
    let function = "arn:aws:lambda:us-east-1:000000000000:function:oidc-bare";
    universe.run(&format!("plan --role_to_assume ci --function_name {function}")).code(0);
    assert_sent(&only(&proxy, "AssumeRoleWithWebIdentity"), "RoleArn", ROLE);
}

#[test]
fn the_error_names_what_a_job_needs_for_a_token() {
    for (variables, said) in [
        (&["GITHUB_ACTIONS"][..], "permissions: {id-token: write, contents: read}"),
        (&["GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_URL"], "a pull request from a fork never gets one"),
        (&["GITLAB_CI"], "id_tokens: {AWS_ID_TOKEN:"),
        (&["BITBUCKET_COMMIT"], "give it `oidc: true`"),
        (&["CIRCLECI"], "builds of forks"),
        (&["BUILDKITE"], "`buildkite-agent oidc request-token --audience sts.amazonaws.com`"),
        (&["TF_BUILD"], "service connection for AWS"),
        (&[], "set `AWS_ACCESS_KEY_ID`"),
    ] {
        let (mut universe, proxy) = world("oidc-lacking");
        for name in variables {
            universe = universe.with(name, "true");
        }
        universe.run("plan").code(4).says("there are no usable AWS credentials").says(said);
        assert_eq!(proxy.calls(), Vec::<String>::new());
    }
    let (universe, proxy) = world("oidc-lacking");
    universe.write(
        "../home/.aws/credentials",
        "[default]\naws_access_key_id = DEFAULTKEYDEFAULTKEY\naws_secret_access_key = default-secret-key\n",
    );
    proxy.on("AssumeRole", 0, refused("AccessDenied"));
    let universe = universe.with("GITHUB_ACTIONS", "true");
    universe.run("plan").code(4).says("AWS denied `sts:AssumeRole`").says("id-token: write");
    universe.run("plan --profile default").code(4).says("AWS denied `sts:AssumeRole`").never_says("id-token: write");
}

#[test]
fn the_error_about_an_untrusted_token_shows_its_claims() {
    let endpoint = &emulator(Kind::MinistackWithIam).endpoint;
    let iam = |body: &str| {
        let (status, answer) = Aws::of(endpoint).call("iam", "POST", "/", &format!("Version=2010-05-08&{body}"));
        assert_eq!(status, 200, "{answer}");
    };
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:o/r:ref:refs/heads/main"}}}]}"#;
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:GetFunction","Resource":"*"}]}"#;
    iam(&format!("Action=CreateRole&RoleName=trusting&AssumeRolePolicyDocument={}", encoded(trust)));
    iam(&format!("Action=PutRolePolicy&RoleName=trusting&PolicyName=deploy&PolicyDocument={}", encoded(policy)));
    let proxy = Proxy::before(endpoint);
    let (universe, _) = world("oidc-trusted");
    let universe = universe.toward("AWS_ENDPOINT_URL", &proxy.endpoint);
    let role = "--role_to_assume arn:aws:iam::000000000000:role/trusting";
    universe.run(&format!("plan {role}")).code(4).says("there are no usable AWS credentials");
    let trusted = universe.with("AWS_ID_TOKEN", &token());
    trusted.run(&format!("plan {role}")).code(0).says("+ function");
    assert_eq!(proxy.calls(), ["AssumeRoleWithWebIdentity", "GetFunction"]);

    proxy.forget_calls();
    let foreign = jwt("repo:o/r:environment:production");
    trusted
        .with("AWS_ID_TOKEN", &foreign)
        .run(&format!("plan {role}"))
        .code(4)
        .says("AWS denied `sts:AssumeRoleWithWebIdentity` on `arn:aws:iam::000000000000:role/trusting`")
        .says("`iss` is `https://token.actions.githubusercontent.com`, `aud` is `sts.amazonaws.com`, `sub` is `repo:o/r:environment:production`")
        .never_says(&foreign);
    assert_eq!(proxy.calls(), ["AssumeRoleWithWebIdentity"; 3], "in case it was allowed just now");
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn failures_of_sts_are_tried_again_and_denials_are_errors() {
    let (universe, proxy) = world("oidc-sts");
    let universe = universe.with("AWS_ID_TOKEN", &token());
    let operation = "AssumeRoleWithWebIdentity";
    proxy.on(operation, 1, refused("IDPCommunicationError")).on(operation, 2, Fault::ResetBefore);
    proxy.on(operation, 3, Fault::Instead(503, "<ErrorResponse/>".to_owned())).on(
        operation,
        4,
        refused("AccessDenied"),
    );
    universe.run("plan").code(0);
    assert_eq!(proxy.requests(operation).len(), 5);

    for (code, exit, calls) in [
        ("InvalidIdentityToken", 4, 3),
        ("IDPRejectedClaim", 4, 1),
        ("ExpiredTokenException", 4, 1),
        ("ValidationError", 1, 1),
    ] {
        let (universe, proxy) = world("oidc-sts");
        proxy.on(operation, 0, refused(code));
        universe.with("AWS_ID_TOKEN", &token()).run("plan").code(exit).says("it says no").never_says(&token());
        assert_eq!(proxy.calls().len(), calls, "{code}");
    }
}

#[test]
fn keys_close_to_their_end_are_renewed_with_a_new_token() {
    let later = [jwt("first"), jwt("second"), jwt("third")];
    let tokens = Tokens::answering(later.iter().map(|token| given(token)).collect());
    let (universe, proxy) = github("oidc-renewed", &tokens);
    let operation = "AssumeRoleWithWebIdentity";
    proxy.on(operation, 1, known_keys("2001-01-01T00:00:00Z")).on(operation, 2, known_keys("2001-01-01T00:00:00Z"));
    let outcome = universe.run("").code(0);
    assert_eq!((tokens.asked().len(), proxy.requests(operation).len()), (3, 3));
    for (token, call) in later.iter().zip(proxy.requests(operation)) {
        assert_sent(&call, "WebIdentityToken", token);
        assert_eq!(outcome.stderr.matches(&format!("::add-mask::{token}\n")).count(), 1);
        keeps(&outcome, &[token]);
    }
}

#[test]
fn a_failed_renewal_is_an_error_of_its_own() {
    let tokens = Tokens::answering(vec![given(&token()), (403, String::new())]);
    let (universe, proxy) = github("oidc-not-renewed", &tokens);
    proxy.on("AssumeRoleWithWebIdentity", 1, known_keys("2001-01-01T00:00:00Z"));
    universe.run("").code(4).says("gives none: it answered 403").says("id-token: write");
    assert_eq!(proxy.calls(), ["AssumeRoleWithWebIdentity"]);
}

#[test]
fn an_unexpected_account_is_an_error_before_any_write() {
    let (universe, proxy) = world("oidc-elsewhere");
    let universe = universe.with("AWS_ID_TOKEN", &token());
    universe
        .run("--expect_account 123456789012")
        .code(3)
        .says("role_to_assume:")
        .says("is not in the account of `expect_account`");
    assert_eq!(proxy.calls(), Vec::<String>::new());
    let elsewhere = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/ci/x</Arn><UserId>x</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    proxy.on("GetCallerIdentity", 0, Fault::Instead(200, elsewhere.to_owned()));
    universe
        .run("--expect_account 000000000000")
        .code(3)
        .says("the credentials belong to account 123456789012, not to 000000000000");
    assert_eq!(proxy.calls(), ["AssumeRoleWithWebIdentity", "GetCallerIdentity", "GetFunction"]);
    universe.run("--expect_account 000000000000").code(3);
    let (universe, proxy) = world("oidc-expected");
    universe.with("AWS_ID_TOKEN", &token()).run("--expect_account 000000000000").code(0);
    assert_eq!(proxy.writes(), ["CreateFunction"]);
}

#[test]
fn wrong_values_are_errors_with_their_place() {
    let (universe, proxy) = world("oidc-wrong");
    for (options, said) in [
        ("--role_duration 899", "role_duration: must be between 900 and 43200 seconds, got 899 (--role_duration)"),
        ("--role_duration 43201", "got 43201"),
        ("--role_duration 1h", "role_duration: must be a whole number of seconds, got `1h`"),
        ("--role_session_name a", "role_session_name: must be 2 to 64"),
        ("--role_session_name 'a b'", "got `a b`"),
        ("--role_session_name aé", "role_session_name: must be 2 to 64"),
        ("--external_id x", "external_id: must be 2 to 1224 letters"),
        ("--external_id 'a b'", "external_id: must be 2 to 1224 letters"),
        (
            "--role_to_assume arn:aws:iam::1:role/ci",
            "role_to_assume: `arn:aws:iam::1:role/ci` names an account of 1 digit",
        ),
    ] {
        universe.run(&format!("check {options}")).code(3).says(said);
    }
    let long = "x".repeat(65);
    universe.run(&format!("check --role_session_name {long}")).code(3).says("2 to 64");
    let good = format!("--role_session_name {} --role_duration 43200 --external_id id", &long[1..]);
    universe.run(&format!("check {good}")).code(0);
    universe.write("dpl.yml", "deploy:\n  function_name: oidc-wrong\n  zip: dist\n  role_session_name: ci\n  role_duration: 900\n  external_id: id\n  web_identity_token_env: T\n");
    let outcome = universe.run("check --trust_config").code(3);
    for (line, option) in
        ["role_session_name", "role_duration", "external_id", "web_identity_token_env"].iter().enumerate()
    {
        let place = format!("{option}: is given without `role_to_assume` (dpl.yml:{}:", line + 4);
        assert!(outcome.all().contains(&place), "{}", outcome.all());
    }
    assert_eq!(proxy.calls(), Vec::<String>::new());
}

#[test]
fn a_session_is_named_after_the_build() {
    for (number, name) in [
        ("2026/07 #1", "dpl-lambda-2026-07--1".to_owned()),
        (&"7".repeat(99), format!("dpl-lambda-{}", "7".repeat(53))),
    ] {
        let (universe, proxy) = world("oidc-named");
        let universe =
            universe.with("TF_BUILD", "True").with("BUILD_BUILDNUMBER", number).with("AWS_ID_TOKEN", &token());
        universe.run("plan").code(0);
        assert_sent(&only(&proxy, "AssumeRoleWithWebIdentity"), "RoleSessionName", &name);
    }
}
