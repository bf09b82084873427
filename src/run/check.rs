//! The verbs that need no AWS: `check`, `render` and `policy`.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::lanes::{block, blocks};
use super::{Run, packaged};
use crate::config::{Entry, Loaded, Rendered};
use crate::deployment::{CodeSource, Item};
use crate::error::{Error, ExitCode};
use crate::event::{Answer, Event};
use crate::host::Host;
use crate::package::Package;
use crate::package::inspect::day_of;
use crate::place::Problem;
use crate::plan;
use crate::policy::{self, For, LiveVerb, MOST, Patterns, Policy};
use crate::verb::Verb;

impl Run<'_> {
    /// Checks the configuration and the package of each block. A failed block does not keep the others from being checked.
    pub(super) async fn check(&self, entries: &[Entry]) -> Result<ExitCode, Error> {
        self.report(&blocks(entries));
        let mut code = ExitCode::Success;
        for entry in entries {
            let check = async {
                match self.check_one(entry).await {
                    Err(error) if self.interrupt.borrow().is_none() => Ok(Some(self.fail_of(entry, &error))),
                    checked => checked.map(|()| None),
                }
            };
            code = self.about(block(entry), Box::pin(check)).await?.unwrap_or(code);
        }
        Ok(code)
    }

    async fn check_one(&self, entry: &Entry) -> Result<(), Error> {
        let (name, today) = (entry.item.name().to_owned(), day_of(Host::now()));
        let region = entry.region_of_twin().map(str::to_owned);
        let (problems, checked) = match &entry.item {
            Item::Function(deployment) => {
                let package = match deployment.code.source {
                    CodeSource::Path(_) => Some(self.code_of(entry).await?),
                    // `check` works without AWS, so it cannot read a package in S3, in a registry, or in another function.
                    _ => None,
                };
                let artifact = package.as_ref().and_then(Package::archive);
                let package = artifact.map(|artifact| packaged(artifact, None, false));
                let only = deployment.only.as_ref().map(|only| only.half);
                (plan::check(deployment, artifact, today), Event::Checked { function: name, region, package, only })
            }
            Item::Layer(layer) => {
                let package = self.code_of(entry).await?;
                let Some(artifact) = package.archive() else { return Ok(()) };
                let package = packaged(artifact, None, false);
                (plan::check_layer(layer, artifact, None, today), Event::LayerChecked { layer: name, region, package })
            }
        };
        self.report_problems(entry, &problems)?;
        self.report(&checked);
        Ok(())
    }

    /// Shows each block after resolving it.
    pub(super) fn render(&self, loaded: &Loaded) -> ExitCode {
        let blocks: Vec<_> = loaded.rendered.iter().map(Rendered::yaml).collect();
        let json = loaded.rendered.iter().map(Rendered::json).collect();
        self.report(&Event::Answer(Answer { name: "configuration", text: blocks.join("---\n"), json }));
        ExitCode::Success
    }

    /// Shows the smallest policies for these verbs and all blocks together. `like` has patterns for names.
    pub(super) fn policy(
        &self,
        loaded: &Loaded,
        verbs: &BTreeSet<Verb>,
        like: Option<&str>,
    ) -> Result<ExitCode, Error> {
        let of_entries = loaded.entries.iter().filter_map(|entry| entry.item.function());
        let of_entries = of_entries.map(|deployment| {
            let group = deployment.settings.logging_config.as_ref().and_then(|logging| logging.text("LogGroup"));
            (&deployment.function, &deployment.target, group)
        });
        let of_subjects = loaded.subjects.iter();
        let of_subjects =
            of_subjects.map(|subject| (&subject.function, &subject.access.target, subject.log_group.clone()));
        let functions: Vec<_> = of_entries.chain(of_subjects).collect();
        let mut all = Vec::new();
        for verb in verbs {
            let of_live = |verb| functions.iter().map(move |(function, target, _)| For::Live(verb, function, target));
            match verb {
                Verb::Deploy => all.extend(loaded.entries.iter().map(|entry| match &entry.item {
                    Item::Function(deployment) => For::Deploy(deployment),
                    Item::Layer(layer) => For::DeployLayer(layer),
                })),
                Verb::Plan => all.extend(loaded.entries.iter().map(|entry| match &entry.item {
                    Item::Function(deployment) => For::Plan(deployment),
                    Item::Layer(layer) => For::PlanLayer(layer),
                })),
                Verb::Invoke => all.extend(of_live(LiveVerb::Invoke)),
                Verb::Status => all.extend(of_live(LiveVerb::Status)),
                Verb::Init => all.extend(of_live(LiveVerb::Init)),
                Verb::Delete => all.extend(of_live(LiveVerb::Delete)),
                Verb::Rollback => all.extend(of_live(LiveVerb::Rollback)),
                Verb::Logs => {
                    all.extend(
                        functions.iter().map(|(function, target, group)| For::Logs(function, target, group.as_deref())),
                    );
                }
                Verb::Doctor => all.extend(functions.iter().map(|(function, target, _)| For::Doctor(function, target))),
                Verb::List => all.push(For::List),
                Verb::Check
                | Verb::Package
                | Verb::Render
                | Verb::Policy
                | Verb::Schema
                | Verb::Completions
                | Verb::Man => {}
            }
        }
        if all.is_empty() {
            let problem = Problem::new("no block is for a function, so there is nothing to allow").of("--for");
            return Err(Error::Usage(problem.help("name the function with `--function_name`")));
        }
        let names: Vec<_> = loaded.entries.iter().map(|entry| entry.item.name()).collect();
        let names: Vec<_> = functions.iter().map(|(function, ..)| function.name.as_str()).chain(names).collect();
        let policies = policy::policies(&all, &patterns(like, &names)?);
        let (name, json) = match &policies[..] {
            [only] => ("policy", only.document.clone()),
            several => ("policies", several.iter().map(in_account).collect()),
        };
        let text = format!("{json:#}\n");
        self.report(&Event::Answer(Answer { name, text, json }));
        if let Some(notice) = about(&policies) {
            self.report(&Event::Notice(notice));
        }
        Ok(ExitCode::Success)
    }
}

/// The patterns of `--like`. Each must fit a name.
fn patterns(like: Option<&str>, names: &[&str]) -> Result<Patterns, Error> {
    let wrong = |message: String| Error::Usage(Problem::new(message).of("--like"));
    let patterns = like.map_or_else(|| Ok(Patterns::default()), Patterns::parse).map_err(wrong)?;
    match patterns.unused(names) {
        Some(pattern) => Err(wrong(format!("`{pattern}` fits no function and no layer of the configuration"))),
        None => Ok(patterns),
    }
}

/// A policy with its account, which is null if it is unknown.
fn in_account(policy: &Policy) -> Json {
    json!({ "account": policy.account, "policy": policy.document })
}

/// Why there are several policies, and what to do with them; `None` for one.
fn about(policies: &[Policy]) -> Option<Problem> {
    let accounts: BTreeSet<_> = policies.iter().map(|policy| &policy.account).collect();
    let of_accounts = format!("one or more for each of {} accounts", accounts.len());
    let too_large = policies.len() > accounts.len();
    let why = match (accounts.len() > 1, too_large) {
        (false, false) => return None,
        (true, _) => of_accounts,
        (false, true) => format!("IAM takes at most {MOST} characters in one"),
    };
    let problem = Problem::new(format!("these are {} policies: {why}", policies.len()));
    Some(problem.help(if too_large {
        "attach all policies of an account to the identity there; a role takes 10 by default. `--like 'NAME-*'` makes them shorter: the pattern stands for all names that fit it"
    } else {
        "attach each policy to the identity in its account"
    }))
}
