//! Plans as data, from a small model: a deployment, a package and a live function.
#![expect(clippy::use_debug, clippy::unnecessary_wraps, reason = "a test may print and build as is shortest")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use insta::assert_snapshot;

use super::*;
use crate::{
    arn::Partition,
    deployment::{Code, CodeSource, HandlerParts, MapMode, MissingRole, Release, Rules, Target, WantedMap},
    package::{
        Archive, Artifact, Image, Listed,
        inspect::{Contents, ReadSeek, survey},
    },
    remote::{Caller, Failure},
    settings::{
        Description, End, Environment, FunctionName, Handler, LayerRef, Layers, MemorySize, Role, Runtime, Secret,
        Setting, Timeout, Written,
    },
};

/// A day when most runtimes are supported.
pub(super) const NEW_YEAR: Date = Date::MIN;

pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role/deployed";

/// A deployment that names a function and its package, and nothing else.
pub(super) fn wanted(change: impl FnOnce(&mut Deployment)) -> Deployment {
    let mut deployment = Deployment {
        function: FunctionName::parse(&Written::Text("f".to_owned())).unwrap(),
        only: None,
        target: Target::default(),
        settings: Settings::default(),
        handler_parts: None,
        first_handler: None,
        missing_role: MissingRole::default(),
        environment: None,
        tags: None,
        code: Code {
            how_to_build: None,
            source: CodeSource::Path(PathBuf::from("dist")),
            rules: Rules::default(),
            architecture: None,
            upload: None,
            source_kms_key_arn: None,
            ignore: BTreeSet::new(),
        },
        release: Release::default(),
        borrowed: Vec::new(),
        attachments: BTreeMap::new(),
        wait_timeout: Duration::from_secs(1),
    };
    change(&mut deployment);
    deployment
}

struct Named(Vec<Listed>);

impl Contents for Named {
    fn entries(&self) -> &[Listed] {
        &self.0
    }

    fn open(&self, _: &Listed) -> std::io::Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(std::io::Cursor::new(b"#!/bin/sh\nexports.handler = 1\n")))
    }
}

/// A package with a program and a script, which have names but no contents.
pub(super) fn artifact(sha256: &str) -> Artifact {
    let entry = |name: &str| Listed { name: name.to_owned(), mode: 0o100_755, crc32: 0, size: 5, packed: 5 };
    let entries = ["a/B.class", "bootstrap", "index.js"].map(entry).to_vec();
    let survey = survey(&Named(entries.clone())).unwrap();
    let archive = Archive::in_memory(vec![0; 100]);
    Artifact {
        archive,
        code_sha256: sha256.to_owned(),
        entries,
        left_out: Vec::new(),
        survey,
        warnings: Vec::new(),
        version_id: None,
        architecture: None,
    }
}

/// A live function with the code `old`.
pub(super) fn live(change: impl FnOnce(&mut Live)) -> Remote {
    let mut live = Live {
        files: None,
        arn: "arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned(),
        settings: Settings {
            role: Some(Role::Arn(ROLE.to_owned())),
            handler: Some(Handler("index.handler".to_owned())),
            runtime: Some(Runtime("nodejs22.x".to_owned())),
            description: Some(Description("by hand".to_owned())),
            memory_size: Some(MemorySize(128)),
            timeout: Some(Timeout(3)),
            environment: Some(environment(&[("KEPT", "1")])),
            layers: Some(layers(&["1:layer:one:1", "1:layer:two:2"])),
            subnet_ids: Some(ids(&["subnet-1", "subnet-2"])),
            security_group_ids: Some(ids(&["sg-1"])),
            ..Settings::default()
        },
        code_sha256: "old".to_owned(),
        image: None,
        architecture: Some(Architecture::Arm64),
        package_type: "Zip".to_owned(),
        tags: Some(BTreeMap::from([("aws:stack".to_owned(), "x".to_owned()), ("team".to_owned(), "media".to_owned())])),
        revision_id: "r1".to_owned(),
        newest_version: None,
        versions: Vec::new(),
        alias: None,
        aliases: Vec::new(),
        shift: None,
        provisioned: BTreeSet::new(),
        attachments: BTreeMap::new(),
        source_kms_key_arn: None,
        storage: Storage::Copy,
        failure: None,
        tags_unread: None,
        warnings: Vec::new(),
    };
    change(&mut live);
    Remote::Present(Box::new(live))
}

/// Versions of layers in the function's Region, by account, name and number.
fn layers(rests: &[&str]) -> Layers {
    Layers(rests.iter().map(|rest| LayerRef::Version(format!("arn:aws:lambda:eu-west-1:{rest}"))).collect())
}

fn environment(pairs: &[(&str, &str)]) -> Environment {
    Environment(pairs.iter().map(|(key, value)| ((*key).to_owned(), Secret::new(*value))).collect())
}

fn variables(pairs: &[(&str, Option<&str>)], mode: Option<MapMode>) -> Option<WantedMap<Option<Secret>>> {
    Some(WantedMap {
        entries: pairs.iter().map(|(key, value)| ((*key).to_owned(), value.map(Secret::new))).collect(),
        mode,
    })
}

pub(super) fn ids(ids: &[&str]) -> crate::settings::Ids {
    crate::settings::Ids(ids.iter().map(|id| (*id).to_owned()).collect())
}

pub(super) fn version(number: &str, sha256: &str, remote: &Remote) -> Version {
    let Remote::Present(live) = remote else { panic!("no function") };
    let settings = Settings { description: Some(Description("commit 1".to_owned())), ..live.settings.clone() };
    let (number, code_sha256, architecture) = (number.to_owned(), sha256.to_owned(), live.architecture);
    Version { number, code_sha256, settings, architecture, published: None }
}

/// The plan, a line for each thing in it.
pub(super) fn planned(deployment: &Deployment, sha256: &str, remote: &Remote) -> String {
    planned_with(deployment, sha256, remote, Stored::Nothing)
}

/// The plan for this state of the bucket.
pub(super) fn planned_with(deployment: &Deployment, sha256: &str, remote: &Remote, stored: Stored) -> String {
    let partition = Partition("aws".to_owned());
    let caller =
        Caller { account: Some("123456789012".to_owned()), identity: None, partition, region: "eu-west-1".to_owned() };
    let package = match &deployment.code.source {
        CodeSource::Image(uri) => Package::Image(Image::of(uri)),
        CodeSource::Path(_) | CodeSource::Object { .. } | CodeSource::Unread { .. } => {
            Package::Archive(Arc::new(artifact(sha256)))
        }
        CodeSource::Function(_) | CodeSource::Live => Package::Live(None),
    };
    let stored = Some(stored);
    let snapshot = Snapshot { function: remote.clone(), caller, layers: BTreeMap::new(), stored, role: None };
    let plan = plan(deployment, &package, &snapshot, NEW_YEAR);
    let mut out = String::new();
    let text = |problem: &Problem| format!("{}: {}", problem.option.as_deref().unwrap_or_default(), problem.message);
    for problem in plan.problems.iter().filter(|problem| problem.stops()) {
        writeln!(out, "{:?} {}", problem.weight, text(problem)).unwrap();
    }
    for step in &plan.steps {
        match step {
            Step::UploadPackage(object) => writeln!(out, "upload {} of {} bytes", object.url(), object.size),
            Step::CreateRole(role) => writeln!(out, "role {:?} {} with {:?}", role.action, role.arn, role.policies),
            Step::CreateFunction { differences, tags, code, .. } => {
                writeln!(out, "create {} {tags:?} {}", identity(code), shown(differences))
            }
            Step::UpdateConfiguration { settings, differences } => {
                let sent = settings.differences(&Settings::default());
                writeln!(out, "configure {}; sends {}", shown(differences), shown(&sent))
            }
            Step::PublishLayer(layer) => {
                writeln!(out, "publish layer {}", layer.code.to.as_deref().unwrap_or_default())
            }
            Step::Resend(settings) => writeln!(out, "resend {}", shown(&settings.differences(&Settings::default()))),
            Step::UpdateTags(TagChange { set, remove, .. }) => writeln!(out, "tags +{set:?} -{remove:?}"),
            Step::UpdateCode(code) => {
                let found = match &code.through {
                    Through::Call | Through::Upload(_) => String::new(),
                    Through::Found { version_id, .. } => format!(" found with version {version_id:?}"),
                    Through::Image(image) => format!(" by {}", image.address()),
                };
                writeln!(out, "code {:?} → {} as {:?}{found}", code.from, identity(code), code.architecture)
            }
            Step::PublishVersion { code_sha256, after, .. } => {
                let after = after.map(|number| format!(" after {number}")).unwrap_or_default();
                writeln!(out, "publish {}{after}", code_sha256.as_deref().unwrap_or("any code"))
            }
            Step::SmokeTest(trial) => writeln!(out, "test {} of {:?}", trial.test.number, trial.on),
            Step::PointAlias(change) => {
                let from = change.from.as_ref().map(|alias| format!(" from {} {:?}", alias.version, alias.weights));
                writeln!(
                    out,
                    "alias {}{} to {}",
                    change.name.0,
                    from.unwrap_or_default(),
                    match &change.to {
                        VersionRef::Number(number) => format!("version {number}"),
                        VersionRef::Published => "the new version".to_owned(),
                    }
                )
            }
            Step::Attach(change) => {
                let (action, name, key) = (change.action, change.attachment.name(), &change.key);
                let of = change.alias.as_ref().map(|alias| format!(" of {}", alias.0)).unwrap_or_default();
                writeln!(
                    out,
                    "{action:?} {name} {key}{of}: {}; sends {}",
                    shown(&change.differences),
                    change.document.0
                )
            }
            Step::DeleteVersions(numbers) => writeln!(out, "delete {numbers:?}"),
        }
        .unwrap();
    }
    for problem in plan.problems.iter().filter(|problem| !problem.stops() && problem.rule.is_none()) {
        writeln!(out, "warning {}", text(problem)).unwrap();
    }
    plan.notes.iter().for_each(|note| writeln!(out, "note {note}").unwrap());
    plan.published.iter().for_each(|version| writeln!(out, "is version {version}").unwrap());
    out
}

fn identity(code: &CodeChange) -> &str {
    code.to.as_deref().unwrap_or("what AWS finds")
}

fn shown(differences: &[crate::settings::Difference]) -> String {
    let one = |difference: &crate::settings::Difference| {
        let within = [difference.key.as_deref(), difference.member.as_deref()];
        let within = within.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let end = |end: &Option<End>| match end {
            Some(End::Value(value)) => crate::settings::shown(value, difference.unit),
            Some(End::Hidden(_)) => "(hidden)".to_owned(),
            Some(end) => panic!("{end:?} is of no setting"),
            None => "-".to_owned(),
        };
        let name = if within.is_empty() { String::new() } else { format!(".{within}") };
        let name = format!("{}{name}", difference.about);
        format!("{name}: {} → {}", end(&difference.from), end(&difference.to))
    };
    differences.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn an_unchanged_function_needs_no_step() {
    let same = wanted(|deployment| {
        deployment.settings.memory_size = Some(MemorySize(128));
        deployment.settings.subnet_ids = Some(ids(&["subnet-2", "subnet-1"]));
        deployment.environment = variables(&[("KEPT", Some("1"))], None);
        deployment.handler_parts =
            Some(HandlerParts { module_name: "index".to_owned(), handler_name: "handler".to_owned() });
    });
    assert_snapshot!(planned(&same, "old", &live(|_| ())), @"");
}

#[test]
fn only_named_settings_that_differ_are_sent() {
    let change = wanted(|deployment| {
        deployment.settings.memory_size = Some(MemorySize(256));
        deployment.settings.timeout = Some(Timeout(3));
    });
    assert_snapshot!(planned(&change, "new", &live(|_| ())), @r#"
    configure memory_size: 128 MB → 256 MB; sends memory_size: - → 256 MB
    code Some("old") → new as Some(Arm64)
    "#);
}

#[test]
fn the_order_of_layers_matters_and_a_vpc_is_sent_whole() {
    let change = wanted(|deployment| {
        deployment.settings.layers = Some(layers(&["1:layer:two:2", "1:layer:one:1"]));
        deployment.settings.security_group_ids = Some(ids(&["sg-2"]));
    });
    assert_snapshot!(planned(&change, "old", &live(|_| ())), @"configure layers: arn:aws:lambda:eu-west-1:1:layer:one:1, arn:aws:lambda:eu-west-1:1:layer:two:2 → arn:aws:lambda:eu-west-1:1:layer:two:2, arn:aws:lambda:eu-west-1:1:layer:one:1, security_group_ids: sg-1 → sg-2; sends layers: - → arn:aws:lambda:eu-west-1:1:layer:two:2, arn:aws:lambda:eu-west-1:1:layer:one:1, subnet_ids: - → subnet-1, subnet-2, security_group_ids: - → sg-2");
}

#[test]
fn another_architecture_alone_sends_the_code_again() {
    let change = wanted(|deployment| deployment.code.architecture = Some(Architecture::X86_64));
    assert_snapshot!(planned(&change, "old", &live(|_| ())), @r#"code Some("old") → old as Some(X86_64)"#);
}

#[test]
fn dropping_a_variable_needs_a_mode() {
    let with = |others| wanted(|deployment| deployment.environment = variables(&[("NEW", Some("2"))], others));
    assert_snapshot!(planned(&with(None), "old", &live(|_| ())), @r"
    Error environment: the function has variables that are not named and would be dropped: KEPT
    configure environment.KEPT: (hidden) → -, environment.NEW: - → (hidden); sends environment.NEW: - → (hidden)
    ");
    assert_snapshot!(planned(&with(Some(MapMode::Merge)), "old", &live(|_| ())), @r"
    configure environment.NEW: - → (hidden); sends environment.KEPT: - → (hidden), environment.NEW: - → (hidden)
    note left alone: variables that are not named: KEPT
    ");
    assert_snapshot!(planned(&with(Some(MapMode::Replace)), "old", &live(|_| ())), @"configure environment.KEPT: (hidden) → -, environment.NEW: - → (hidden); sends environment.NEW: - → (hidden)");
    let unset = wanted(|deployment| deployment.environment = variables(&[("KEPT", None)], None));
    assert_snapshot!(planned(&unset, "old", &live(|_| ())), @"configure environment.KEPT: (hidden) → -; sends environment: - → none");
}

#[test]
fn unread_values_are_unknown_and_not_empty() {
    let unread = live(|live| {
        live.settings.environment = None;
        live.tags = None;
    });
    let named = wanted(|deployment| {
        deployment.environment = variables(&[("A", Some("1"))], Some(MapMode::Merge));
        deployment.tags = Some(WantedMap { entries: BTreeMap::new(), mode: Some(MapMode::Replace) });
    });
    assert_snapshot!(planned(&wanted(|_| ()), "old", &unread), @"");
    assert_snapshot!(planned(&named, "old", &unread), @r"
    Error environment: the function's variables could not be read, so it is unknown which to keep
    Error function_tags_mode: the function's tags could not be read, so it is unknown which to remove
    configure environment.A: - → (hidden); sends environment.A: - → (hidden)
    ");
}

#[test]
fn unnamed_tags_stay_and_tags_of_aws_always_stay() {
    let tags = |mode| {
        wanted(|deployment| {
            deployment.tags = Some(WantedMap { entries: BTreeMap::from([("by".to_owned(), "ci".to_owned())]), mode });
        })
    };
    assert_snapshot!(planned(&tags(None), "old", &live(|_| ())), @r#"
    tags +{"by": "ci"} -[]
    note left alone: tags that are not named: team
    "#);
    assert_snapshot!(planned(&tags(Some(MapMode::Replace)), "old", &live(|_| ())), @r#"tags +{"by": "ci"} -["team"]"#);
}

#[test]
fn a_version_is_published_unless_the_newest_is_this_code_and_these_settings() {
    let publish = wanted(|deployment| {
        deployment.settings.memory_size = Some(MemorySize(128));
        deployment.release.publish = Publish::Version;
    });
    let remote = live(|_| ());
    let with = |newest: Version| live(|live| live.newest_version = Some(newest));
    assert_snapshot!(planned(&publish, "old", &remote), @"publish old");
    assert_snapshot!(planned(&publish, "old", &with(version("7", "old", &remote))), @"is version 7");
    assert_snapshot!(planned(&publish, "old", &with(version("7", "older", &remote))), @"publish old");
    let mut other = version("7", "old", &remote);
    other.settings.memory_size = Some(MemorySize(512));
    assert_snapshot!(planned(&publish, "old", &with(other)), @"publish old");
    let mut changed_elsewhere = version("7", "old", &remote);
    changed_elsewhere.settings.timeout = Some(Timeout(77));
    assert_snapshot!(planned(&publish, "old", &with(changed_elsewhere)), @r"
    publish old
    note version 7 has other values of timeout, which were changed elsewhere; the new version gets those of the function
    ");
}

#[test]
fn creating_sends_named_and_required_settings() {
    let script = wanted(|deployment| deployment.settings.handler = Some(Handler("index.handler".to_owned())));
    assert_snapshot!(planned(&script, "new", &Remote::Absent), @r"
    Error role: `f` does not exist yet, and to create it AWS needs a role
    Error runtime: `f` does not exist yet, and to create it AWS needs a runtime
    create new {} handler: - → index.handler
    ");
    // The package has a `bootstrap`, which decides the rest.
    assert_snapshot!(planned(&wanted(|_| ()), "new", &Remote::Absent), @r"
    Error role: `f` does not exist yet, and to create it AWS needs a role
    create new {} handler: - → bootstrap, runtime: - → provided.al2023
    ");
    let complete = wanted(|deployment| {
        deployment.settings.role = Some(Role::Name("path/deployed".to_owned()));
        deployment.settings.runtime = Some(Runtime("java21".to_owned()));
        deployment.handler_parts = Some(HandlerParts { module_name: "a.B".to_owned(), handler_name: "c".to_owned() });
        deployment.release.publish = Publish::Version;
    });
    assert_snapshot!(planned(&complete, "new", &Remote::Absent), @r"
    create new {} role: - → arn:aws:iam::123456789012:role/path/deployed, handler: - → a.B::c, runtime: - → java21
    publish new
    ");
}

#[test]
fn a_first_handler_never_replaces_a_live_one() {
    let action = wanted(|deployment| {
        deployment.settings.role = Some(Role::Arn(ROLE.to_owned()));
        deployment.settings.runtime = Some(Runtime("nodejs24.x".to_owned()));
        deployment.first_handler = Some(Handler("index.handler".to_owned()));
    });
    assert!(planned(&action, "new", &Remote::Absent).contains("handler: - → index.handler"));
    let other = live(|live| live.settings.handler = Some(Handler("app.main".to_owned())));
    assert!(!planned(&action, "old", &other).contains("handler:"));
}

#[test]
fn handlers_are_composed_for_the_effective_runtime() {
    for (runtime, handler) in [
        ("java21", "m::h"),
        ("dotnet8", "m::h"),
        ("go1.x", "h"),
        ("provided.al2023", "m.h"),
        ("python3.13", "m.h"),
        ("ruby3.4", "m.h"),
    ] {
        let parts = wanted(|deployment| {
            deployment.handler_parts = Some(HandlerParts { module_name: "m".to_owned(), handler_name: "h".to_owned() });
        });
        let remote = live(|live| live.settings.runtime = Some(Runtime(runtime.to_owned())));
        assert_eq!(
            planned(&parts, "old", &remote),
            format!("configure handler: index.handler → {handler}; sends handler: - → {handler}\n")
        );
    }
}

#[test]
fn forbidden_changes_are_problems_of_their_option() {
    let guarded = wanted(|deployment| {
        deployment.target.expect_account = Some("210987654321".to_owned());
        deployment.release.revision_id = Some("r0".to_owned());
    });
    let image = live(|live| live.package_type = "Image".to_owned());
    assert_snapshot!(planned(&guarded, "old", &image), @r"
    Error expect_account: the credentials belong to account 123456789012, not to 210987654321
    Error zip: `f` has the package type Image, which AWS never changes; this deployment has the type Zip
    Conflict revision_id: `f` is not at revision r0: it is at r1
    ");
}

#[test]
fn kept_variables_count_against_the_limit_of_the_environment() {
    let large = "x".repeat(3000);
    let managed =
        wanted(|deployment| deployment.environment = variables(&[("NEW", Some(&large))], Some(MapMode::Merge)));
    let remote = live(|live| live.settings.environment = Some(environment(&[("OLD", &large)])));
    assert!(planned(&managed, "old", &remote).contains("Error environment: takes 6019 bytes as JSON together"));
}

#[test]
fn a_function_that_failed_is_never_called_unchanged() {
    let failed = live(|live| live.failure = Some(Failure::Update("no such key".to_owned())));
    assert_snapshot!(planned(&wanted(|_| ()), "old", &failed), @r#"
    code Some("old") → old as Some(Arm64)
    note nothing differs, but the update failed: no such key; so the code is sent again
    "#);
}

#[test]
fn clearing_an_unread_value_is_a_change() {
    let cleared = wanted(|deployment| deployment.environment = variables(&[], Some(MapMode::Replace)));
    let unread = live(|live| live.settings.environment = None);
    assert_snapshot!(planned(&cleared, "old", &unread), @"configure environment: - → none; sends environment: - → none");
}

#[test]
fn leaving_a_vpc_turns_ipv6_off() {
    let leave = wanted(|deployment| {
        deployment.settings.subnet_ids = Some(ids(&[]));
        deployment.settings.security_group_ids = Some(ids(&[]));
    });
    let dual = live(|live| live.settings.ipv6_allowed_for_dual_stack = Some(crate::settings::Switch(true)));
    assert_snapshot!(planned(&leave, "old", &dual), @"configure subnet_ids: subnet-1, subnet-2 → none, security_group_ids: sg-1 → none, ipv6_allowed_for_dual_stack: true → false; sends subnet_ids: - → none, security_group_ids: - → none, ipv6_allowed_for_dual_stack: - → false");
}

#[test]
fn structures_are_sent_whole_and_the_text_format_has_no_levels() {
    let logging = |document| Some(crate::settings::Structure(document));
    let of_json = live(|live| {
        live.settings.logging_config =
            logging(serde_json::json!({ "LogFormat": "JSON", "ApplicationLogLevel": "WARN", "LogGroup": "/team" }));
    });
    let named = |document| wanted(|deployment| deployment.settings.logging_config = logging(document));
    assert_snapshot!(planned(&named(serde_json::json!({ "SystemLogLevel": "DEBUG" })), "old", &of_json), @"configure logging_config.system_log_level: - → DEBUG; sends logging_config.log_format: - → JSON, logging_config.application_log_level: - → WARN, logging_config.log_group: - → /team, logging_config.system_log_level: - → DEBUG");
    assert_snapshot!(planned(&named(serde_json::json!({ "LogFormat": "Text" })), "old", &of_json), @"configure logging_config.log_format: JSON → Text; sends logging_config.log_format: - → Text, logging_config.log_group: - → /team");
}
