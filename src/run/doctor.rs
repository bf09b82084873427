//! Looks whether a deployment from this job can work, and changes nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Run;
use super::connect::Login;
use crate::config::Entry;
use crate::deployment::{Credentials, Deployment, Item, Proof, Target};
use crate::error::{Error, ExitCode};
use crate::event::{Answer, Event};
use crate::fault::{Fault, FaultKind};
use crate::host::{Ci, Host};
use crate::place::Places;
use crate::policy::{self, For, Patterns};
use crate::remote::Quota;
use crate::report;
use crate::settings::FunctionName;

/// The share of the storage for code, in percent, from which on there is a warning.
const FULL: u64 = 90;

/// What was looked at.
struct Finding {
    name: &'static str,
    grade: Grade,
    text: String,
    help: Option<String>,
}

/// What a finding means for a deployment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grade {
    /// It is as it should be.
    Ok,
    /// It may be wrong, or could not be looked at.
    Warning,
    /// A deployment fails with this code.
    Error(ExitCode),
}

impl Grade {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error(_) => "error",
        }
    }
}

/// The findings, in the order in which they were made.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, name: &'static str, grade: Grade, text: impl Into<String>, help: Option<String>) {
        self.0.push(Finding { name, grade, text: text.into(), help });
    }

    fn ok(&mut self, name: &'static str, text: impl Into<String>) {
        self.add(name, Grade::Ok, text, None);
    }

    /// Adds a call that failed. A deployment does not need what only `doctor` reads.
    fn unread(&mut self, name: &'static str, fault: Fault) {
        self.add(name, Grade::Warning, fault.message, fault.help);
    }

    /// Adds a call that failed and that a deployment makes too.
    fn failed(&mut self, name: &'static str, fault: Fault) {
        let code = if fault.kind == FaultKind::Denied { ExitCode::Denied } else { ExitCode::Refused };
        self.add(name, Grade::Error(code), fault.message, fault.help);
    }

    /// The code of the first error.
    fn code(&self) -> ExitCode {
        let error = |finding: &Finding| match finding.grade {
            Grade::Error(code) => Some(code),
            Grade::Ok | Grade::Warning => None,
        };
        self.0.iter().find_map(error).unwrap_or(ExitCode::Success)
    }

    fn text(&self) -> String {
        let width = self.0.iter().map(|finding| finding.name.len()).max().unwrap_or_default();
        let lines = self.0.iter().flat_map(|Finding { name, grade, text, help }| {
            let help = help.as_ref().map(|help| format!("         help: {}", one_line(help)));
            [format!("{:<7}  {name:<width$}  {}", grade.word(), one_line(text))].into_iter().chain(help)
        });
        lines.map(|line| line + "\n").collect()
    }

    fn json(&self) -> Value {
        let finding = |Finding { name, grade, text, help }: &Finding| json!({ "name": name, "result": grade.word(), "message": text, "help": help });
        self.0.iter().map(finding).collect()
    }
}

/// A text of AWS may have several lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Run<'_> {
    /// Shows what a deployment needs and whether it is there. Goes on after each failure.
    pub(super) async fn doctor(&self, entries: &[Entry], ci: Ci) -> Result<ExitCode, Error> {
        let mut findings = Findings::default();
        self.look_at_machine(&mut findings, ci);
        let (mut targets, mut regions): (Vec<&Target>, _) = (Vec::new(), BTreeSet::new());
        for entry in entries {
            let target = entry.item.target();
            let limit = entry.item.wait_timeout();
            let is_new = !targets.contains(&target);
            targets.push(target);
            let login = match self.connect(target, limit).await {
                Ok(login) => login,
                Err(fault) => {
                    interrupted(&fault)?;
                    if is_new {
                        findings.failed("credentials", fault);
                    }
                    continue;
                }
            };
            if is_new {
                self.look_at_target(&mut findings, &login, entry).await?;
            }
            if regions.insert((login.connection.region.clone(), login.connection.access_key_id.clone())) {
                let settings = self.within(limit, "the account", login.connection.account_settings()).await;
                match settings {
                    Ok(account) => account_of(&mut findings, &account),
                    Err(fault) => {
                        interrupted(&fault)?;
                        findings.unread("account", fault);
                    }
                }
            }
            if let Item::Function(deployment) = &entry.item {
                self.look_at_function(&mut findings, &login, &deployment.function, deployment).await?;
            }
            self.look_at_rights(&mut findings, &login, entry).await?;
        }
        for finding in &mut findings.0 {
            finding.text = self.console.redact_foreign(&finding.text);
        }
        let code = findings.code();
        self.report(&Event::Answer(Answer { name: "checks", text: findings.text(), json: findings.json() }));
        Ok(code)
    }

    /// The proxy, the certificates and the CI.
    fn look_at_machine(&self, findings: &mut Findings, ci: Ci) {
        let host = self.host;
        let variable = |names: &[&'static str]| names.iter().copied().find(|name| host.variable(name).is_some());
        match variable(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) {
            Some(name) => findings.ok("proxy", format!("{name} names one")),
            None => findings.ok("proxy", "none"),
        }
        match variable(&["AWS_CA_BUNDLE", "SSL_CERT_FILE"]) {
            Some(name) => findings.ok("certificates", format!("those of {name}")),
            None => findings.ok("certificates", "those of the system"),
        }
        match lacking(host, ci) {
            None => findings.ok("ci", if ci == Ci::None { "none" } else { ci.name() }),
            Some((text, help)) => {
                findings.add("ci", Grade::Warning, format!("{}: {text}", ci.name()), Some(help.to_owned()));
            }
        }
    }

    /// The identity, the account, the Region and the clock.
    async fn look_at_target(&self, findings: &mut Findings, login: &Login, entry: &Entry) -> Result<(), Error> {
        let (target, limit) = (entry.item.target(), entry.item.wait_timeout());
        let whence = whence(target, &entry.places);
        let key = report::mask(&login.connection.access_key_id);
        if let Some(help) = no_token(target) {
            findings.add(
                "token",
                Grade::Warning,
                "the role is assumed without a token or connection of the CI",
                Some(help.to_owned()),
            );
        }
        let identified = self.within(limit, "`sts:GetCallerIdentity`", login.connection.identify()).await;
        let caller = login.connection.caller();
        if let Err(fault) = identified {
            interrupted(&fault)?;
            findings.failed("identity", fault);
        } else {
            let (account, identity) = (caller.account.unwrap_or_default(), caller.identity.unwrap_or_default());
            let text = format!("{identity} of account {account}, key {key}, by {whence}");
            match &target.expect_account {
                Some(expected) if *expected != account => {
                    let text = format!("{text}; but `expect_account` is {expected}");
                    let help = "use credentials of the expected account".to_owned();
                    findings.add("identity", Grade::Error(ExitCode::Refused), text, Some(help));
                }
                _ => findings.ok("identity", text),
            }
            match login.connection.clock() {
                Some(help) => {
                    findings.add("clock", Grade::Warning, "differs from that of AWS", Some(help.to_owned()));
                }
                None => findings.ok("clock", "agrees with that of AWS"),
            }
        }
        let place =
            entry.places.of("region").map_or_else(|| "the profile or this machine".to_owned(), ToString::to_string);
        findings.ok("region", format!("{}, by {place}", login.connection.region));
        Ok(())
    }

    /// The state of a function.
    async fn look_at_function(
        &self,
        findings: &mut Findings,
        login: &Login,
        function: &FunctionName,
        deployment: &Deployment,
    ) -> Result<(), Error> {
        let session = self.session(login, &function.written, None, deployment.wait_timeout);
        let name = &function.name;
        match session.status(name, &login.connection.region).await {
            Err(fault) => {
                interrupted(&fault)?;
                findings.failed("function", fault);
            }
            Ok(None) => findings.ok("function", format!("`{name}` does not exist; a deployment creates it")),
            Ok(Some(status)) => {
                let [state, update] = [&status.state, &status.last_update].map(|condition| {
                    let reason = condition.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                    format!("{}{reason}", condition.word)
                });
                let text = format!("`{name}` is {state}, its last update is {update}");
                let failed = [&status.state, &status.last_update].iter().any(|condition| condition.word == "Failed");
                findings.add("function", if failed { Grade::Warning } else { Grade::Ok }, text, None);
            }
        }
        Ok(())
    }

    /// The rights that a deployment needs.
    async fn look_at_rights(&self, findings: &mut Findings, login: &Login, entry: &Entry) -> Result<(), Error> {
        let caller = login.connection.caller();
        let mut item = entry.item.clone();
        let target = match &mut item {
            Item::Function(deployment) => &mut deployment.target,
            Item::Layer(layer) => &mut layer.target,
        };
        target.region = Some(caller.region);
        target.expect_account = caller.account.or_else(|| target.expect_account.clone());
        let needed = [match &item {
            Item::Function(deployment) => For::Deploy(deployment),
            Item::Layer(layer) => For::DeployLayer(layer),
        }];
        let needed = policy::policies(&needed, &Patterns::default());
        let statements = needed.iter().filter_map(|policy| policy.document["Statement"].as_array()).flatten();
        let (mut all, mut lacking) = (BTreeSet::new(), Vec::new());
        for statement in statements {
            let (actions, resources) = (texts(&statement["Action"]), texts(&statement["Resource"]));
            for resource in resources {
                let simulated = login.connection.lacking(&actions, &resource);
                match self.within(item.wait_timeout(), "`iam:SimulatePrincipalPolicy`", simulated).await {
                    Ok(Some(found)) => lacking.extend(found.iter().map(|action| format!("`{action}` on `{resource}`"))),
                    Ok(None) => {
                        let why = match caller.identity {
                            Some(_) => "IAM cannot tell them for this identity",
                            None => "not checked: the identity is unknown, because `sts:GetCallerIdentity` failed",
                        };
                        findings.add("rights", Grade::Warning, why, None);
                        return Ok(());
                    }
                    Err(fault) => {
                        interrupted(&fault)?;
                        let help = format!("allow `iam:SimulatePrincipalPolicy`, or compare with `{POLICY}`");
                        findings.unread("rights", fault.help(help));
                        return Ok(());
                    }
                }
            }
            all.extend(actions);
        }
        if lacking.is_empty() {
            let (count, whose) = (all.len(), entry.shown());
            findings.ok("rights", format!("the policies of the identity allow all {count} for {whose}"));
        } else {
            let text = format!("the policies of the identity do not allow {}", lacking.join(", "));
            let help = format!("`{POLICY}` prints the policy that {} needs", entry.shown());
            findings.add("rights", Grade::Error(ExitCode::Denied), text, Some(help));
        }
        Ok(())
    }
}

/// What a job of this CI does not have, with its effect on the results, and what to do. Containers often lack it.
fn lacking(host: &Host, ci: Ci) -> Option<(String, &'static str)> {
    let (needed, effect): (&[&str], _) = match ci {
        Ci::GitHub | Ci::Gitea => (&["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"], "the step has no summary or outputs"),
        Ci::Bitbucket => (&["BITBUCKET_PIPELINES_VARIABLES_PATH"], "later steps get no results"),
        Ci::CircleCi => (&["BASH_ENV"], "later steps get no results"),
        Ci::Buildkite => {
            let text = "without the program `buildkite-agent`, the build has no annotations or meta-data";
            let help =
                "mount the program into the container: the docker plugin does so with `mount-buildkite-agent: true`";
            return host.program("buildkite-agent").is_none().then(|| (text.to_owned(), help));
        }
        _ => return None,
    };
    let unset: Vec<_> = needed.iter().copied().filter(|name| host.variable(name).is_none()).collect();
    let help = "pass these variables, and their files, to the container that the tool runs in";
    (!unset.is_empty()).then(|| (format!("without {}, {effect}", unset.join(" and ")), help))
}

/// The command that prints what a deployment needs.
const POLICY: &str = "dpl-lambda policy";

/// Whether a role is assumed although the CI could give the job a token.
fn no_token(target: &Target) -> Option<&'static str> {
    match &target.role.as_ref()?.proof {
        Proof::Credentials { no_token, .. } => *no_token,
        Proof::Token(_) | Proof::RequestedToken { .. } => None,
    }
}

/// What gives the credentials.
fn whence(target: &Target, places: &Places) -> String {
    let place = |option: &str| places.of(option).map(|place| format!(" ({place})")).unwrap_or_default();
    let own = match &target.credentials {
        Credentials::Keys { .. } => format!("the keys{}", place("access_key_id")),
        Credentials::Profile(name) => format!("the profile `{name}`{}", place("profile")),
        Credentials::Chain => "the profile `default` or this machine".to_owned(),
    };
    match target.role.as_ref().map(|role| &role.proof) {
        None => own,
        Some(Proof::Credentials { .. }) => format!("a role{}, assumed with {own}", place("role_to_assume")),
        Some(Proof::Token(_) | Proof::RequestedToken { .. }) => {
            format!("a role{}, assumed with the token of the job", place("role_to_assume"))
        }
    }
}

fn account_of(findings: &mut Findings, quota: &Quota) {
    let Quota { code, most_code, unreserved, concurrent } = quota;
    let text = format!(
        "{} of {} MB used for code; {unreserved} of {concurrent} concurrent executions are not reserved",
        code >> 20,
        most_code >> 20
    );
    if *most_code > 0 && code * 100 / most_code >= FULL {
        let help = "delete old versions: `keep_versions` does so after each deployment".to_owned();
        findings.add("account", Grade::Warning, text, Some(help));
    } else {
        findings.ok("account", text);
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// Ends the run after a signal.
fn interrupted(fault: &Fault) -> Result<(), Error> {
    match fault.kind {
        FaultKind::Interrupted(signal) => {
            Err(Error::Interrupted { signal, during: "looking at what a deployment needs".to_owned() })
        }
        _ => Ok(()),
    }
}
