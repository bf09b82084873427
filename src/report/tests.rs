//! What each CI gets from the same run: a deployment, a failure with problems, a plan, and a run that skips everything.
//!
//! The file is long because each snapshot is a table of all CIs, one below the other, so that they can be compared.
//!
//! `|` is a line of the log, `!` one on standard error, `>` a command for the CI. Everything else names its file, program
//! or service, with what goes there below.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::delivery::{Stream, Written};
use super::*;
use crate::event::{Deployed, DeployedCode, Event, Failure, Stage};
use crate::place::Place;
use crate::plan::{AliasChange, Plan, Step, Subject, VersionRef};
use crate::release::OnFailure;
use crate::settings::AliasName;

/// Variables that each CI sets, as far as its dialect reads them.
const VARIABLES: &[(&str, &str)] = &[
    ("APPVEYOR_API_URL", "http://localhost:9023/"),
    ("AGENT_TEMPDIRECTORY", "/agent/temp"),
    ("BASH_ENV", "/ci/bash_env"),
    ("BITBUCKET_COMMIT", "abc"),
    ("BITBUCKET_PIPELINES_VARIABLES_PATH", "/ci/variables"),
    ("BITBUCKET_REPO_FULL_NAME", "o/r"),
    ("BUILDKITE_JOB_ID", "0190-ab"),
    ("DRONE_OUTPUT", "/ci/drone"),
    ("GITHUB_OUTPUT", "/ci/output"),
    ("GITHUB_STEP_SUMMARY", "/ci/summary"),
];

/// What every CI gets, one after the other; those that get the same share a heading.
fn side_by_side(verb: Verb, events: &[Event], exit_code: u8) -> String {
    let mut shown: Vec<(String, String)> = Vec::new();
    for (name, ci) in Ci::NAMES.iter().rev() {
        let told = told(*ci, verb, events, exit_code);
        match shown.iter_mut().find(|(_, same)| *same == told) {
            Some((names, _)) => *names = format!("{names}, {name}"),
            None => shown.push(((*name).to_owned(), told)),
        }
    }
    let shown: Vec<_> = shown.iter().map(|(names, told)| format!("== {names}\n{told}")).collect();
    shown.join("\n")
}

fn told(ci: Ci, verb: Verb, events: &[Event], exit_code: u8) -> String {
    let host = Host { directory: "/checkout".into(), ..Host::with_variables(VARIABLES) };
    let clock = || Duration::from_secs(1_700_000_000);
    let surroundings = Surroundings { ci, host: &host, build: Build::default(), nonce: "NONCE".to_owned(), clock };
    let manner = Manner { colour: Colour::Never, ..Manner::default() };
    let console = Console::default();
    let dialect = dialects::of(ci, &host, &surroundings.nonce);
    let (mut outcome, mut out) = (Outcome::new(Some(verb), &console, clock), String::new());
    let mut observers = observers(dialect, &manner, Some(verb), &surroundings, &console);
    for event in events {
        outcome.receive(event, None);
        observers
            .iter_mut()
            .flat_map(|observer| observer.receive(event, None))
            .for_each(|delivery| show(&delivery, &mut out));
    }
    let verdict = outcome.verdict(exit_code);
    observers.iter_mut().flat_map(|observer| observer.finish(&verdict)).for_each(|delivery| show(&delivery, &mut out));
    out
}

fn show(delivery: &Delivery, out: &mut String) {
    let file = |file: &PathBuf| file.display().to_string();
    let (sign, head, text) = match delivery {
        Delivery::Line(Stream::Output, text) => ("| ", String::new(), text.clone()),
        Delivery::Line(Stream::Error, text) => ("! ", String::new(), text.clone()),
        Delivery::Command(text) => ("> ", String::new(), text.clone()),
        Delivery::Event(line) => ("{ ", String::new(), line.clone()),
        Delivery::Document(text) => ("  ", "document\n".to_owned(), text.clone()),
        Delivery::Append(Written { file: path, text, .. }) => {
            ("  ", format!("append {}\n", file(&path.path)), page(text))
        }
        Delivery::Replace(Written { file: path, text, .. }) => {
            ("  ", format!("replace {}\n", file(&path.path)), page(text))
        }
        Delivery::Run { program, arguments, input } => {
            ("  ", format!("run {program} {}\n", arguments.join(" ")), page(input))
        }
        Delivery::Send { service, method, path, body } => {
            let proxy = service.proxy.as_ref().map(|proxy| format!(" by {proxy}")).unwrap_or_default();
            ("  ", format!("{method} {}{path}{proxy}\n", service.url), body.to_string())
        }
        Delivery::InOrder(deliveries) => return deliveries.iter().for_each(|delivery| show(delivery, out)),
        Delivery::Warn(message) => ("warning: ", String::new(), message.clone()),
        Delivery::Comment(comment) => ("comment ", comment.api().to_owned(), String::new()),
    };
    let _ = write!(out, "{head}");
    for line in text.split('\n').map(|line| line.replace('\u{1b}', "ESC").replace('\r', "CR").replace('\u{7}', "BEL")) {
        let _ = writeln!(out, "{}", format!("{sign}{line}").trim_end());
    }
}

/// The first lines of a page, which looks the same everywhere.
fn page(text: &str) -> String {
    let text = text.trim_end();
    match text.strip_prefix("### ") {
        Some(page) => format!("### {} …", page.lines().next().unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn plan() -> Plan {
    let alias = AliasChange {
        name: AliasName("live".to_owned()),
        from: None,
        to: VersionRef::Published,
        build: None,
        schedule: None,
        on_failure: OnFailure::GoBack,
    };
    Plan {
        borrowed: Vec::new(),
        subject: Subject::Function,
        name: "f".to_owned(),
        region: "eu-west-1".to_owned(),
        problems: Vec::new(),
        steps: vec![
            Step::PublishVersion { description: Some("it's 50%".to_owned()), code_sha256: None, after: None },
            Step::PointAlias(alias),
        ],
        published: None,
        only: None,
        notes: Vec::new(),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one CI below the other")]
fn a_deployment() {
    let step = |step: &Step| Event::StepStarted { function: "f".to_owned(), step: step.clone() };
    let Plan { steps, .. } = plan();
    let deployed = Deployed {
        function: "f".to_owned(),
        region: "eu-west-1".to_owned(),
        arn: "arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned(),
        version: Some("7".to_owned()),
        alias: Some("live".to_owned()),
        url: None,
        code: DeployedCode::Archive {
            code_sha256: "c2hh=".to_owned(),
            size: 9,
            unpacked: 10,
            largest_folders: Vec::new(),
        },
        plan: plan(),
        took: Duration::from_secs(2),
        kept: Vec::new(),
        steps: vec![("version", Duration::from_secs(1))],
        version_before: Some("6".to_owned()),
    };
    let events = [
        Event::Stage(Stage::Login),
        Event::Identity("AK******************".to_owned()),
        Event::StageDone,
        Event::Planned(plan()),
        Event::Warning(Problem::warning("is not used").of("timeout").at(&Place::Flag("--timeout".to_owned()))),
        Event::Stage(Stage::Deploy),
        step(&steps[0]),
        Event::StepDone { took: Duration::from_secs(1), version: Some("7".to_owned()) },
        step(&steps[1]),
        Event::Deployed(deployed),
        Event::StageDone,
    ];
    insta::assert_snapshot!(side_by_side(Verb::Deploy, &events, 0), @r###"
    == none, generic, jenkins, codebuild, woodpecker
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    | warning: timeout: is not used (--timeout)
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.

    == appveyor
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    POST http://localhost:9023/api/build/messages
      {"message":"timeout: is not used (--timeout)","category":"warning","details":""}
    | warning: timeout: is not used (--timeout)
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_FUNCTION_ARN","value":"arn:aws:lambda:eu-west-1:123456789012:function:f"}
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_CODE_SHA256","value":"c2hh="}
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_PACKAGE_SIZE","value":"9"}
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_PLAN","value":"[{\"step\":\"publish_version\",\"changes\":[{\"setting\":\"version\",\"from\":null,\"to\":\"new\"},{\"setting\":\"version_description\",\"from\":null,\"to\":\"it\\u0027s 50\\u0025\"}]},{\"step\":\"point_alias\",\"changes\":[{\"setting\":\"alias\",\"key\":\"live\",\"from\":null,\"to\":\"new\"}]}]"}
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_VERSION","value":"7"}
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_DEPLOYED_ALIAS","value":"live"}
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_CHANGED","value":"true"}

    == drone
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    | warning: timeout: is not used (--timeout)
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.
    append /ci/drone
      DPL_LAMBDA_FUNCTION_ARN=arn:aws:lambda:eu-west-1:123456789012:function:f
      DPL_LAMBDA_CODE_SHA256=c2hh=
      DPL_LAMBDA_PACKAGE_SIZE=9
      DPL_LAMBDA_VERSION=7
      DPL_LAMBDA_DEPLOYED_ALIAS=live
      DPL_LAMBDA_CHANGED=true

    == bitbucket
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    | warning: timeout: is not used (--timeout)
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.
    append /ci/variables
      DPL_LAMBDA_FUNCTION_ARN=arn:aws:lambda:eu-west-1:123456789012:function:f
      DPL_LAMBDA_CODE_SHA256=c2hh=
      DPL_LAMBDA_PACKAGE_SIZE=9
      DPL_LAMBDA_VERSION=7
      DPL_LAMBDA_DEPLOYED_ALIAS=live
      DPL_LAMBDA_CHANGED=true
    PUT http://api.bitbucket.org/2.0/repositories/o/r/commit/abc/reports/dpl-lambda by http://localhost:29418
      {"title":"dpl-lambda","details":"f deployed, version 7","report_type":"BUG","reporter":"dpl-lambda","result":"PASSED"}

    == teamcity
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    > ##teamcity[message text='timeout: is not used (--timeout)' status='WARNING']
    > ##teamcity[blockOpened name='Run deployment']
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    > ##teamcity[blockClosed name='Run deployment']
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.
    > ##teamcity[setParameter name='env.DPL_LAMBDA_FUNCTION_ARN' value='arn:aws:lambda:eu-west-1:123456789012:function:f']
    > ##teamcity[setParameter name='env.DPL_LAMBDA_CODE_SHA256' value='c2hh=']
    > ##teamcity[setParameter name='env.DPL_LAMBDA_PACKAGE_SIZE' value='9']
    > ##teamcity[setParameter name='env.DPL_LAMBDA_PLAN' value='|[{"step":"publish_version","changes":|[{"setting":"version","from":null,"to":"new"},{"setting":"version_description","from":null,"to":"it\u0027s 50\u0025"}|]},{"step":"point_alias","changes":|[{"setting":"alias","key":"live","from":null,"to":"new"}|]}|]']
    > ##teamcity[setParameter name='env.DPL_LAMBDA_VERSION' value='7']
    > ##teamcity[setParameter name='env.DPL_LAMBDA_DEPLOYED_ALIAS' value='live']
    > ##teamcity[setParameter name='env.DPL_LAMBDA_CHANGED' value='true']
    > ##teamcity[buildStatus text='{build.status.text}; f deployed, version 7']

    == circleci
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    | warning: timeout: is not used (--timeout)
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.
    append /ci/bash_env
      export DPL_LAMBDA_FUNCTION_ARN='arn:aws:lambda:eu-west-1:123456789012:function:f'
      export DPL_LAMBDA_CODE_SHA256='c2hh='
      export DPL_LAMBDA_PACKAGE_SIZE='9'
      export DPL_LAMBDA_PLAN='[{"step":"publish_version","changes":[{"setting":"version","from":null,"to":"new"},{"setting":"version_description","from":null,"to":"it\u0027s 50\u0025"}]},{"step":"point_alias","changes":[{"setting":"alias","key":"live","from":null,"to":"new"}]}]'
      export DPL_LAMBDA_VERSION='7'
      export DPL_LAMBDA_DEPLOYED_ALIAS='live'
      export DPL_LAMBDA_CHANGED='true'

    == buildkite
    > +++ Authenticate deployment
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    | warning: timeout: is not used (--timeout)
    > +++ Run deployment
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.
    > ESC]1339;url='https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/f/versions/7';content='f in eu-west-1, version 7'BEL
    run buildkite-agent meta-data set dpl-lambda:function-arn
      arn:aws:lambda:eu-west-1:123456789012:function:f
    run buildkite-agent meta-data set dpl-lambda:code-sha256
      c2hh=
    run buildkite-agent meta-data set dpl-lambda:package-size
      9
    run buildkite-agent meta-data set dpl-lambda:plan
      [{"step":"publish_version","changes":[{"setting":"version","from":null,"to":"new"},{"setting":"version_description","from":null,"to":"it\u0027s 50\u0025"}]},{"step":"point_alias","changes":[{"setting":"alias","key":"live","from":null,"to":"new"}]}]
    run buildkite-agent meta-data set dpl-lambda:version
      7
    run buildkite-agent meta-data set dpl-lambda:alias
      live
    run buildkite-agent meta-data set dpl-lambda:changed
      true
    run buildkite-agent annotate --append --style success --context dpl-lambda-success-0190-ab
      ### ✔ f deployed …
    run buildkite-agent annotate --append --style warning --context dpl-lambda-warning-0190-ab
      - timeout: is not used (--timeout)

    == azure
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    > ##vso[task.logissue type=warning]timeout: is not used (--timeout)
    > ##[group]Run deployment
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    > ##[endgroup]
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.
    > ##vso[task.setvariable variable=DPL_LAMBDA_FUNCTION_ARN;isoutput=true]arn:aws:lambda:eu-west-1:123456789012:function:f
    > ##vso[task.setvariable variable=DPL_LAMBDA_CODE_SHA256;isoutput=true]c2hh=
    > ##vso[task.setvariable variable=DPL_LAMBDA_PACKAGE_SIZE;isoutput=true]9
    > ##vso[task.setvariable variable=DPL_LAMBDA_PLAN;isoutput=true][{"step":"publish_version","changes":[{"setting":"version","from":null,"to":"new"},{"setting":"version_description","from":null,"to":"it\u0027s 50\u0025"}%5D},{"step":"point_alias","changes":[{"setting":"alias","key":"live","from":null,"to":"new"}%5D}%5D
    > ##vso[task.setvariable variable=DPL_LAMBDA_VERSION;isoutput=true]7
    > ##vso[task.setvariable variable=DPL_LAMBDA_DEPLOYED_ALIAS;isoutput=true]live
    > ##vso[task.setvariable variable=DPL_LAMBDA_CHANGED;isoutput=true]true
    replace /agent/temp/dpl-lambda-NONCE.md
      ### ✔ f deployed …
    > ##vso[task.uploadsummary]/agent/temp/dpl-lambda-NONCE.md

    == travis
    > travis_fold:start:dpl.1CRESC[Ktravis_time:start:362a0000CRESC[KESC[33mAuthenticate deploymentESC[0m
    | Using Access Key: AK******************
    >
    > travis_time:end:362a0000:start=1700000000000000000,finish=1700000000000000000,duration=0CRESC[K
    > travis_fold:end:dpl.1CRESC[K
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    | warning: timeout: is not used (--timeout)
    > travis_fold:start:dpl.2CRESC[Ktravis_time:start:362a0000CRESC[KESC[33mRun deploymentESC[0m
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    >
    > travis_time:end:362a0000:start=1700000000000000000,finish=1700000000000000000,duration=0CRESC[K
    > travis_fold:end:dpl.2CRESC[K
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.

    == gitlab
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    | warning: timeout: is not used (--timeout)
    > ESC[0Ksection_start:1700000000:run_deployment_362a0000_1CRESC[0KRun deployment
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    > ESC[0Ksection_end:1700000000:run_deployment_362a0000_1CRESC[0K
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.

    == github, gitea
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    > ::warning title=dpl-lambda%3A timeout::is not used (--timeout)
    > ::group::Run deployment
    | Updating existing function f.
    | Publishing a version.
    | Published version 7.
    | Pointing the alias live at the new version.
    > ::endgroup::
    | Deployed arn:aws:lambda:eu-west-1:123456789012:function:f, version 7, alias live: version, alias in 2.0 s.
    append /ci/output
      function-arn<<dpl-lambda_NONCE
      arn:aws:lambda:eu-west-1:123456789012:function:f
      dpl-lambda_NONCE
      code-sha256<<dpl-lambda_NONCE
      c2hh=
      dpl-lambda_NONCE
      package-size<<dpl-lambda_NONCE
      9
      dpl-lambda_NONCE
      plan<<dpl-lambda_NONCE
      [{"step":"publish_version","changes":[{"setting":"version","from":null,"to":"new"},{"setting":"version_description","from":null,"to":"it\u0027s 50\u0025"}]},{"step":"point_alias","changes":[{"setting":"alias","key":"live","from":null,"to":"new"}]}]
      dpl-lambda_NONCE
      version<<dpl-lambda_NONCE
      7
      dpl-lambda_NONCE
      alias<<dpl-lambda_NONCE
      live
      dpl-lambda_NONCE
      changed<<dpl-lambda_NONCE
      true
      dpl-lambda_NONCE
    append /ci/summary
      ### ✔ f deployed …
    "###);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one CI below the other")]
fn a_failure_with_problems() {
    let place = |line| Place::file(&"api/dpl.yml".into(), line, 5);
    let problems = vec![
        Problem::new("must be less than 900, got `1 [s]; 50%`").of("timeout").at(&place(3)),
        Problem::new("is not an option").of("memry").at(&place(4)).help("did you mean `memory_size`?"),
        Problem::new("no Region").of("region"),
    ];
    let failure = Failure {
        headline: "the configuration is not right".to_owned(),
        headline_is_cause: false,
        problems,
        done: Vec::new(),
        begun: Vec::new(),
        not_done: Vec::new(),
        help: None,
        function: None,
        layer: None,
        exit_code: 3,
    };
    let events = [Event::Stage(Stage::Prepare), Event::Failed(failure), Event::StageDone];
    insta::assert_snapshot!(side_by_side(Verb::Deploy, &events, 3), @r###"
    == none
    ! error: the configuration is not right
    !   timeout: must be less than 900, got `1 [s]; 50%` (api/dpl.yml:3:5)
    !   memry: is not an option (api/dpl.yml:4:5)
    !     help: did you mean `memory_size`?
    !   region: no Region

    == generic, jenkins, codebuild, woodpecker
    | error: the configuration is not right
    |   timeout: must be less than 900, got `1 [s]; 50%` (api/dpl.yml:3:5)
    |   memry: is not an option (api/dpl.yml:4:5)
    |     help: did you mean `memory_size`?
    |   region: no Region

    == appveyor
    POST http://localhost:9023/api/build/compilationmessages
      {"message":"timeout: must be less than 900, got `1 [s]; 50%` (api/dpl.yml:3:5)","category":"error","details":"","projectName":"dpl-lambda","fileName":"api/dpl.yml","line":3,"column":5}
    POST http://localhost:9023/api/build/compilationmessages
      {"message":"memry: is not an option (api/dpl.yml:4:5)","category":"error","details":"did you mean `memory_size`?","projectName":"dpl-lambda","fileName":"api/dpl.yml","line":4,"column":5}
    POST http://localhost:9023/api/build/messages
      {"message":"region: no Region","category":"error","details":""}
    | error: the configuration is not right
    |   timeout: must be less than 900, got `1 [s]; 50%` (api/dpl.yml:3:5)
    |   memry: is not an option (api/dpl.yml:4:5)
    |     help: did you mean `memory_size`?
    |   region: no Region
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_CHANGED","value":"false"}

    == drone
    | error: the configuration is not right
    |   timeout: must be less than 900, got `1 [s]; 50%` (api/dpl.yml:3:5)
    |   memry: is not an option (api/dpl.yml:4:5)
    |     help: did you mean `memory_size`?
    |   region: no Region
    append /ci/drone
      DPL_LAMBDA_CHANGED=false

    == bitbucket
    | error: the configuration is not right
    |   timeout: must be less than 900, got `1 [s]; 50%` (api/dpl.yml:3:5)
    |   memry: is not an option (api/dpl.yml:4:5)
    |     help: did you mean `memory_size`?
    |   region: no Region
    append /ci/variables
      DPL_LAMBDA_CHANGED=false
    PUT http://api.bitbucket.org/2.0/repositories/o/r/commit/abc/reports/dpl-lambda by http://localhost:29418
      {"title":"dpl-lambda","details":"the configuration is not right: timeout: must be less than 900, got `1 [s]; 50%`","report_type":"BUG","reporter":"dpl-lambda","result":"FAILED"}
    POST http://api.bitbucket.org/2.0/repositories/o/r/commit/abc/reports/dpl-lambda/annotations by http://localhost:29418
      [{"external_id":"dpl-lambda-0","annotation_type":"BUG","path":"api/dpl.yml","line":3,"summary":"timeout: must be less than 900, got `1 [s]; 50%`","severity":"HIGH"},{"external_id":"dpl-lambda-1","annotation_type":"BUG","path":"api/dpl.yml","line":4,"summary":"memry: is not an option help: did you mean `memory_size`?","severity":"HIGH"}]

    == teamcity
    > ##teamcity[blockOpened name='Prepare deployment']
    > ##teamcity[blockClosed name='Prepare deployment']
    > ##teamcity[message text='timeout: must be less than 900, got `1 |[s|]; 50%` (api/dpl.yml:3:5)' status='ERROR']
    > ##teamcity[inspectionType id='dpl-lambda' name='dpl-lambda' category='Deployment' description='Mistakes in a deployment']
    > ##teamcity[inspection typeId='dpl-lambda' message='must be less than 900, got `1 |[s|]; 50%`' file='api/dpl.yml' line='3' SEVERITY='ERROR']
    > ##teamcity[message text='memry: is not an option (api/dpl.yml:4:5)' status='ERROR' errorDetails='did you mean `memory_size`?']
    > ##teamcity[inspection typeId='dpl-lambda' message='is not an option|nhelp: did you mean `memory_size`?' file='api/dpl.yml' line='4' SEVERITY='ERROR']
    > ##teamcity[message text='region: no Region' status='ERROR']
    > ##teamcity[setParameter name='env.DPL_LAMBDA_CHANGED' value='false']
    > ##teamcity[buildProblem description='the configuration is not right: timeout: must be less than 900, got `1 |[s|]; 50%`' identity='dpl_lambda']

    == circleci
    | error: the configuration is not right
    |   timeout: must be less than 900, got `1 [s]; 50%` (api/dpl.yml:3:5)
    |   memry: is not an option (api/dpl.yml:4:5)
    |     help: did you mean `memory_size`?
    |   region: no Region
    append /ci/bash_env
      export DPL_LAMBDA_CHANGED='false'

    == buildkite
    > --- Prepare deployment
    | error: the configuration is not right
    |   timeout: must be less than 900, got `1 [s]; 50%` (api/dpl.yml:3:5)
    |   memry: is not an option (api/dpl.yml:4:5)
    |     help: did you mean `memory_size`?
    |   region: no Region
    run buildkite-agent meta-data set dpl-lambda:changed
      false
    run buildkite-agent annotate --append --style error --context dpl-lambda-error-0190-ab
      ### ✘ the configuration is not right …
    > ^^^ +++

    == azure
    > ##[group]Prepare deployment
    > ##[endgroup]
    > ##vso[task.logissue type=error;sourcepath=api/dpl.yml;linenumber=3;columnnumber=5]timeout: must be less than 900, got `1 [s%5D%3B 50%AZP25`
    > ##vso[task.logissue type=error;sourcepath=api/dpl.yml;linenumber=4;columnnumber=5]memry: is not an option%0Ahelp: did you mean `memory_size`?
    > ##vso[task.logissue type=error]region: no Region
    > ##vso[task.setvariable variable=DPL_LAMBDA_CHANGED;isoutput=true]false
    replace /agent/temp/dpl-lambda-NONCE.md
      ### ✘ the configuration is not right …
    > ##vso[task.uploadsummary]/agent/temp/dpl-lambda-NONCE.md

    == travis
    > travis_fold:start:dpl.1CRESC[Ktravis_time:start:362a0000CRESC[KESC[33mPrepare deploymentESC[0m
    >
    > travis_time:end:362a0000:start=1700000000000000000,finish=1700000000000000000,duration=0CRESC[K
    > travis_fold:end:dpl.1CRESC[K
    ! error: the configuration is not right
    !   timeout: must be less than 900, got `1 [s]; 50%` (api/dpl.yml:3:5)
    !   memry: is not an option (api/dpl.yml:4:5)
    !     help: did you mean `memory_size`?
    !   region: no Region

    == gitlab
    > ESC[0Ksection_start:1700000000:prepare_deployment_362a0000_1[collapsed=true]CRESC[0KPrepare deployment
    > ESC[0Ksection_end:1700000000:prepare_deployment_362a0000_1CRESC[0K
    | error: the configuration is not right
    |   timeout: must be less than 900, got `1 [s]; 50%` (api/dpl.yml:3:5)
    |   memry: is not an option (api/dpl.yml:4:5)
    |     help: did you mean `memory_size`?
    |   region: no Region

    == github, gitea
    > ::group::Prepare deployment
    > ::endgroup::
    > ::error title=dpl-lambda%3A timeout,file=api/dpl.yml,line=3,col=5::must be less than 900, got `1 [s]; 50%25`
    > ::error title=dpl-lambda%3A memry,file=api/dpl.yml,line=4,col=5::is not an option%0Ahelp: did you mean `memory_size`?
    > ::error title=dpl-lambda%3A region::no Region
    append /ci/output
      changed<<dpl-lambda_NONCE
      false
      dpl-lambda_NONCE
    append /ci/summary
      ### ✘ the configuration is not right …
    "###);
}

#[test]
fn a_plan() {
    insta::assert_snapshot!(side_by_side(Verb::Plan, &[Event::Planned(plan()), Event::StageDone], 0), @r###"
    == none, generic, jenkins, codebuild, travis, gitlab, woodpecker
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version

    == appveyor
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_PLAN","value":"[{\"step\":\"publish_version\",\"changes\":[{\"setting\":\"version\",\"from\":null,\"to\":\"new\"},{\"setting\":\"version_description\",\"from\":null,\"to\":\"it\\u0027s 50\\u0025\"}]},{\"step\":\"point_alias\",\"changes\":[{\"setting\":\"alias\",\"key\":\"live\",\"from\":null,\"to\":\"new\"}]}]"}
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_CHANGED","value":"true"}

    == drone
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    append /ci/drone
      DPL_LAMBDA_CHANGED=true

    == bitbucket
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    append /ci/variables
      DPL_LAMBDA_CHANGED=true

    == teamcity
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    > ##teamcity[setParameter name='env.DPL_LAMBDA_PLAN' value='|[{"step":"publish_version","changes":|[{"setting":"version","from":null,"to":"new"},{"setting":"version_description","from":null,"to":"it\u0027s 50\u0025"}|]},{"step":"point_alias","changes":|[{"setting":"alias","key":"live","from":null,"to":"new"}|]}|]']
    > ##teamcity[setParameter name='env.DPL_LAMBDA_CHANGED' value='true']

    == circleci
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    append /ci/bash_env
      export DPL_LAMBDA_PLAN='[{"step":"publish_version","changes":[{"setting":"version","from":null,"to":"new"},{"setting":"version_description","from":null,"to":"it\u0027s 50\u0025"}]},{"step":"point_alias","changes":[{"setting":"alias","key":"live","from":null,"to":"new"}]}]'
      export DPL_LAMBDA_CHANGED='true'

    == buildkite
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    run buildkite-agent meta-data set dpl-lambda:plan
      [{"step":"publish_version","changes":[{"setting":"version","from":null,"to":"new"},{"setting":"version_description","from":null,"to":"it\u0027s 50\u0025"}]},{"step":"point_alias","changes":[{"setting":"alias","key":"live","from":null,"to":"new"}]}]
    run buildkite-agent meta-data set dpl-lambda:changed
      true
    run buildkite-agent annotate --append --style success --context dpl-lambda-success-0190-ab
      ### Plan for f in eu-west-1 …

    == azure
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    > ##vso[task.setvariable variable=DPL_LAMBDA_PLAN;isoutput=true][{"step":"publish_version","changes":[{"setting":"version","from":null,"to":"new"},{"setting":"version_description","from":null,"to":"it\u0027s 50\u0025"}%5D},{"step":"point_alias","changes":[{"setting":"alias","key":"live","from":null,"to":"new"}%5D}%5D
    > ##vso[task.setvariable variable=DPL_LAMBDA_CHANGED;isoutput=true]true
    replace /agent/temp/dpl-lambda-NONCE.md
      ### Plan for f in eu-west-1 …
    > ##vso[task.uploadsummary]/agent/temp/dpl-lambda-NONCE.md

    == github, gitea
    | plan for `f` in eu-west-1
    |   + version         published from this code and these settings
    |   + alias           live created for the new version
    append /ci/output
      plan<<dpl-lambda_NONCE
      [{"step":"publish_version","changes":[{"setting":"version","from":null,"to":"new"},{"setting":"version_description","from":null,"to":"it\u0027s 50\u0025"}]},{"step":"point_alias","changes":[{"setting":"alias","key":"live","from":null,"to":"new"}]}]
      dpl-lambda_NONCE
      changed<<dpl-lambda_NONCE
      true
      dpl-lambda_NONCE
    append /ci/summary
      ### Plan for f in eu-west-1 …
    "###);
}

#[test]
fn a_run_in_which_everything_was_skipped() {
    let notice = Problem::new("nothing was deployed: the only block was skipped");
    insta::assert_snapshot!(side_by_side(Verb::Deploy, &[Event::Notice(notice)], 0), @r###"
    == none, generic, jenkins, codebuild, travis, gitlab, woodpecker
    | notice: nothing was deployed: the only block was skipped

    == appveyor
    POST http://localhost:9023/api/build/messages
      {"message":"nothing was deployed: the only block was skipped","category":"information","details":""}
    | notice: nothing was deployed: the only block was skipped
    POST http://localhost:9023/api/build/variables
      {"name":"DPL_LAMBDA_CHANGED","value":"false"}

    == drone
    | notice: nothing was deployed: the only block was skipped
    append /ci/drone
      DPL_LAMBDA_CHANGED=false

    == bitbucket
    | notice: nothing was deployed: the only block was skipped
    append /ci/variables
      DPL_LAMBDA_CHANGED=false
    PUT http://api.bitbucket.org/2.0/repositories/o/r/commit/abc/reports/dpl-lambda by http://localhost:29418
      {"title":"dpl-lambda","details":"nothing was deployed: the only block was skipped","report_type":"BUG","reporter":"dpl-lambda","result":"PASSED"}

    == teamcity
    > ##teamcity[message text='nothing was deployed: the only block was skipped' status='NORMAL']
    > ##teamcity[setParameter name='env.DPL_LAMBDA_CHANGED' value='false']
    > ##teamcity[buildStatus text='{build.status.text}; nothing was deployed: the only block was skipped']

    == circleci
    | notice: nothing was deployed: the only block was skipped
    append /ci/bash_env
      export DPL_LAMBDA_CHANGED='false'

    == buildkite
    | notice: nothing was deployed: the only block was skipped
    run buildkite-agent meta-data set dpl-lambda:changed
      false
    run buildkite-agent annotate --append --style success --context dpl-lambda-success-0190-ab
      nothing was deployed: the only block was skipped
    run buildkite-agent annotate --append --style info --context dpl-lambda-info-0190-ab
      - nothing was deployed: the only block was skipped

    == azure
    | notice: nothing was deployed: the only block was skipped
    > ##vso[task.setvariable variable=DPL_LAMBDA_CHANGED;isoutput=true]false
    replace /agent/temp/dpl-lambda-NONCE.md
      nothing was deployed: the only block was skipped
    > ##vso[task.uploadsummary]/agent/temp/dpl-lambda-NONCE.md

    == github, gitea
    > ::notice title=dpl-lambda::nothing was deployed: the only block was skipped
    append /ci/output
      changed<<dpl-lambda_NONCE
      false
      dpl-lambda_NONCE
    append /ci/summary
      nothing was deployed: the only block was skipped
    "###);
}
