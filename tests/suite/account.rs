//! `%{account}` in texts: the account that the credentials belong to, which is known after the log-in.

use serde_json::{Value, json};

use crate::harness::{Aws, Fault, Kind, Proxy, Universe, boto, emulator, on_both};

/// A folder with code and this file, before a proxy.
fn with(kind: Kind, text: &str) -> (Universe, Proxy) {
    let proxy = Proxy::before(&emulator(kind).endpoint);
    let universe = Universe::at(&proxy.endpoint).file("dist/index.py", "def handler(e, c): return 1\n");
    (universe.file("dpl.yml", text), proxy)
}

/// A block with the account in texts of every kind.
fn block(name: &str) -> String {
    format!(
        "function_name: {name}
runtime: python3.12
handler: index.handler
zip: dist
role: arn:aws:iam::%{{account}}:role/%{{$ROLE_NAME:-deployed}}
description: in %{{account}}, as %{{role}}, not %%{{account}}
environment:
  ROLE: '%{{role}}'
  HERE: 'x-%{{account}}'
  LITERAL: '%%{{account}}'
function_tags: ['account=%{{account}}']
event_sources:
  - event_source_arn: arn:aws:sqs:us-east-1:%{{account}}:{name}
run: [\"echo said-%{{account}} %{{role}}\"]
"
    )
}

fn lookups(proxy: &Proxy) -> usize {
    proxy.calls().iter().filter(|call| *call == "GetCallerIdentity").count()
}

#[test]
fn the_account_is_looked_up_once_and_filled_in() {
    on_both(|kind| {
        let (name, account) = ("accounted", kind.account());
        boto(&emulator(kind).endpoint, "sqs", "create_queue", &json!({ "QueueName": name }));
        let second = "  - {function_name: accounted-too, runtime: python3.12, handler: index.handler, zip: dist, region: [us-east-1, eu-west-1], role: 'arn:aws:iam::%{account}:role/deployed'}\n";
        let first: String = block(name).lines().map(|line| format!("    {line}\n")).collect();
        let (universe, proxy) = with(kind, &format!("deploy:\n  -\n{first}{second}"));
        let role = format!("arn:aws:iam::{account}:role/deployed");
        let plan = universe.run("plan").code(0).says(&role).says(&format!("arn:aws:sqs:us-east-1:{account}:{name}"));
        plan.never_says("%{account}:").never_says("not read");
        assert_eq!(lookups(&proxy), 1, "{:?}", proxy.calls());
        assert_eq!(proxy.writes(), [""; 0]);
        universe.run("deploy").code(0).says(&format!("said-{account} {role}"));
        let live = Aws::of(&emulator(kind).endpoint).get(name);
        let configuration = &live["Configuration"];
        assert_eq!(configuration["Role"], role);
        assert_eq!(configuration["Description"], format!("in {account}, as {role}, not %{{account}}"));
        let variables = json!({ "ROLE": role, "HERE": format!("x-{account}"), "LITERAL": "%{account}" });
        assert_eq!(configuration["Environment"]["Variables"], variables);
        assert_eq!(live["Tags"]["account"], account);
        assert_eq!(Aws::of(&emulator(kind).endpoint).get("accounted-too")["Configuration"]["Role"], role);
        proxy.forget_calls();
        universe.run("deploy").code(0).says("unchanged");
        assert_eq!((lookups(&proxy), proxy.writes()), (1, Vec::new()));
    });
}

#[test]
fn an_account_that_is_known_is_not_looked_up() {
    let text = block("known-account").replace("role: arn:aws:iam::%{account}", "role: arn:aws:iam::210987654321");
    let (universe, proxy) = with(Kind::Moto, &text);
    universe.run("plan").code(0).says("arn:aws:sqs:us-east-1:210987654321:known-account");
    assert_eq!(lookups(&proxy), 0, "{:?}", proxy.calls());
    // With `expect_account`, the only look-up is the one that compares.
    let (universe, proxy) = with(Kind::Moto, &(block("known-account") + "expect_account: '123456789012'\n"));
    universe.run("plan").code(0).says("arn:aws:iam::123456789012:role/deployed");
    assert_eq!(lookups(&proxy), 1, "{:?}", proxy.calls());
    let (universe, _) = with(Kind::Moto, &(block("known-account") + "expect_account: '210987654321'\n"));
    universe.run("plan").code(3).says("belong to account 123456789012, not to 210987654321");
}

#[test]
fn without_a_log_in_the_account_stays_a_name() {
    let (universe, proxy) = with(Kind::Moto, &block("offline-account"));
    universe.run("check").code(0).says("is configured correctly");
    let rendered: Value = universe.run("render --format json").code(0).json();
    let value = |option: &str| rendered["configuration"][0][option]["value"].clone();
    assert_eq!(value("role"), "arn:aws:iam::%{account}:role/deployed");
    assert_eq!(value("description"), "in %{account}, as arn:aws:iam::%{account}:role/deployed, not %{account}");
    assert_eq!(value("function_tags"), json!(["account=%{account}"]));
    let policy = universe.run("policy").code(0).json().to_string();
    assert!(policy.contains("\"arn:aws:iam::*:role/deployed\"") && !policy.contains("%{"), "{policy}");
    universe.run("package --list").code(0);
    universe.run("status").says("offline-account");
    assert_eq!(lookups(&proxy), 0, "{:?}", proxy.calls());
}

#[test]
fn what_is_needed_before_the_log_in_takes_no_account() {
    for line in [
        "function_name: 'f-%{account}'",
        "alias: 'a%{account}'",
        "region: '%{account}'",
        "profile: '%{account}'",
        "endpoint_url: 'http://localhost/%{account}'",
        "role_to_assume: 'arn:aws:iam::%{account}:role/ci'",
        "external_id: 'a%{account}'",
        "role_session_name: 'a%{account}'",
        "expect_account: '%{account}'",
        "zip: 'dist-%{account}'",
        "exclude: ['%{account}']",
        "architecture: '%{account}'",
        "publish: '%{account}'",
        "junit: '%{account}.xml'",
        "layer: {name: '%{account}'}",
        "function_name: 'f-%{role}'\nrole: 'arn:aws:iam::%{account}:role/a'",
    ] {
        let rest = [("function_name", "f"), ("region", "eu-west-1"), ("zip", "dist")];
        let rest = rest.iter().filter(|(name, _)| !line.contains(&format!("{name}:")));
        let text: String = rest.map(|(name, value)| format!("{name}: {value}\n")).collect();
        let place = format!("(dpl.yml:{}:", text.lines().count() + 1);
        let (universe, proxy) = with(Kind::Moto, &format!("{text}{line}\n"));
        for verb in ["check", "deploy"] {
            let outcome = universe.run(verb).code(3).says("`%{account}` is not known before the log-in").says(&place);
            outcome.says("set `expect_account`");
        }
        assert_eq!(proxy.calls(), [""; 0], "{line}");
    }
    // There it is known before.
    let known = "function_name: 'f-%{account}'\nregion: eu-west-1\nzip: dist\nexpect_account: '123456789012'\n";
    with(Kind::Moto, known).0.run("check").code(0).says("`f-123456789012`");
}

#[test]
fn texts_of_flags_and_of_dpl_have_the_account_too() {
    let (universe, proxy) = with(Kind::Moto, "");
    let flags =
        "--function_name flagged-account --role deployed --runtime python3.12 --handler index.handler --zip dist";
    let outcome =
        universe.run(&format!("deploy {flags} --description 'in %{{account}}' --run 'echo said-%{{account}}'"));
    outcome.code(0).says("said-123456789012");
    let live = Aws::of(&emulator(Kind::Moto).endpoint).get("flagged-account");
    assert_eq!(live["Configuration"]["Description"], "in 123456789012");
    assert_eq!(lookups(&proxy), 1);
    let travis = "deploy:\n  provider: lambda\n  function_name: flagged-account\n  role: deployed\n  runtime: python3.12\n  handler: index.handler\n  zip: dist\n  description: of %{account}\n";
    let (universe, _) = with(Kind::Moto, "");
    let universe = universe.file(".travis.yml", travis).with("TRAVIS", "true").with("TRAVIS_BRANCH", "master");
    universe.run("plan --config .travis.yml").code(0).says("of 123456789012");
}

#[test]
fn an_account_that_cannot_be_looked_up_stops_the_run_on_the_line() {
    for (fault, code, said) in [
        (
            Fault::Answer(403, "ExpiredToken", "The security token included in the request is expired"),
            4,
            "have expired",
        ),
        (Fault::Answer(500, "InternalFailure", "no"), 1, "AWS failed at"),
        (
            Fault::Answer(403, "AccessDenied", "User is not authorized to perform: sts:GetCallerIdentity"),
            4,
            "sts:GetCallerIdentity",
        ),
    ] {
        let (universe, proxy) = with(Kind::Moto, &block("unknown-account"));
        proxy.on("GetCallerIdentity", 0, fault);
        universe.run("deploy").code(code).says(said).says("dpl.yml:5:7");
        assert_eq!(proxy.writes(), [""; 0]);
    }
    for fault in [Fault::ResetBefore, Fault::Half, Fault::Answer(503, "ServiceUnavailable", "later")] {
        let (universe, proxy) = with(Kind::Moto, &block("unknown-account"));
        proxy.on("GetCallerIdentity", 1, fault);
        universe.run("plan").code(0).says("arn:aws:iam::123456789012:role/deployed");
    }
}
