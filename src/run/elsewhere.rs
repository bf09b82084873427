//! The values that the configuration keeps elsewhere: they are read after the log-in and before the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::connect::Login;
use super::{Run, secrets};
use crate::aws;
use crate::config::{self, Loaded, Sought, Values};
use crate::deployment::Target;
use crate::error::Error;
use crate::event::Event;
use crate::fault::{Fault, FaultKind};
use crate::files;
use crate::place::Problem;
use crate::reference::{Found, MOST_STATE, Reference, State, of_state};
use crate::settings::Secret;

/// What was read, by reference.
type Read = BTreeMap<Reference, Result<Found, Fault>>;

impl Run<'_> {
    /// The configuration with the values from elsewhere; `None` if it has none.
    pub(super) async fn with_values(&self, loaded: &Loaded) -> Result<Option<Loaded>, Error> {
        if loaded.sought.is_empty() {
            return Ok(None);
        }
        let (mut values, mut failures, mut known) = (Values::default(), Failures::default(), Vec::new());
        let mut targets: Vec<&Target> = Vec::new();
        for Sought { target, .. } in &loaded.sought {
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        for target in targets {
            let mut sought: Vec<_> = loaded.sought.iter().filter(|sought| sought.target == *target).collect();
            sought.sort_by(|a, b| a.place.cmp(&b.place));
            let (of_functions, others): (Vec<_>, Vec<_>) =
                sought.into_iter().partition(|sought| matches!(sought.reference, Reference::Function { .. }));
            let read = self.read_values(target, &others, loaded).await?;
            let answer = |sought: &'_ Sought| read.get(&sought.reference).cloned();
            let mut answers: Vec<_> = others.into_iter().filter_map(|sought| Some((sought, answer(sought)?))).collect();
            answers.extend(self.outputs_for(target, of_functions, loaded).await?);
            for (sought, answer) in answers {
                match answer {
                    Ok(Found::Nothing { message, help }) if !sought.has_default => {
                        failures.add(sought, &Fault::new(FaultKind::Misconfigured, message).help(help));
                    }
                    Ok(Found::Plain(account)) if matches!(sought.reference, Reference::Account { .. }) => {
                        values.add_account(sought, account.expose().to_owned());
                    }
                    Ok(found) => {
                        if let Found::Plain(value) | Found::Secret(value) = &found {
                            known.push((sought, value.clone()));
                        }
                        // Names and addresses of functions are no secrets, and the report of each has its own.
                        if !matches!(sought.reference, Reference::Function { .. }) {
                            secrets::hide_found(&found, &self.console);
                        }
                        values.add(sought, found);
                    }
                    Err(fault) => failures.add(sought, &fault),
                }
            }
        }
        if let Some(sought) = self.outputs.first()
            && loaded.entries.iter().any(|entry| entry.cleanup && !self.only_plans(entry))
        {
            let message =
                "is read again during the run, and `cleanup` takes files of the configuration away until its end";
            let fault = Fault::new(FaultKind::Misconfigured, message)
                .help("remove `cleanup`, or deploy that function in an earlier run");
            failures.add(&sought, &fault);
        }
        failures.none()?;
        let complete = config::load(&self.request, self.host, self.detected, Some(&values));
        secrets::hide_configured(&complete, &self.console);
        let without_values = |problem: &Problem| {
            let of_option = known.iter().filter(|(sought, _)| problem.option.as_deref() == Some(sought.option));
            let message = of_option.fold(problem.message.clone(), |message, (sought, value)| {
                without(&message, value.expose(), &sought.reference.to_string())
            });
            Problem { message, ..problem.clone() }
        };
        let new = complete.warnings.iter().filter(|warning| !loaded.warnings.contains(warning));
        new.for_each(|warning| self.report(&Event::Warning(without_values(warning))));
        if !complete.problems.is_empty() {
            return Err(Error::Configuration(complete.problems.iter().map(without_values).collect()));
        }
        if let Some(Sought { reference, option, place, .. }) = complete.sought.first() {
            let problem = Problem::new(format!("`{reference}` is new: the configuration was changed during the run"));
            return Err(Error::Configuration(vec![problem.of(*option).at(place).help("run the command again")]));
        }
        self.outputs.begin(values);
        Ok(Some(complete))
    }

    /// Reads the values for all deployments with a target, each once.
    async fn read_values(&self, target: &Target, sought: &[&Sought], loaded: &Loaded) -> Result<Read, Error> {
        let all: BTreeSet<_> = sought.iter().map(|sought| &sought.reference).collect();
        let (in_aws, here): (BTreeSet<_>, BTreeSet<_>) = all.into_iter().partition(|reference| reference.is_in_aws());
        let (accounts, in_aws): (BTreeSet<_>, BTreeSet<_>) =
            in_aws.into_iter().partition(|reference| matches!(reference, Reference::Account { .. }));
        let mut read: Read = here.into_iter().map(|reference| (reference.clone(), self.read_here(reference))).collect();
        if in_aws.is_empty() && accounts.is_empty() {
            return Ok(read);
        }
        let limit = sought.iter().map(|sought| sought.limit).max().unwrap_or_default();
        let login = self.login_for_values(target, limit, loaded).await?;
        if !accounts.is_empty() {
            let account = self.identify(&login, limit).await.map(|()| {
                let account = login.connection.caller().account.unwrap_or_default();
                Found::Plain(Secret::new(account))
            });
            read.extend(accounts.into_iter().map(|reference| (reference.clone(), account.clone())));
        }
        let values = async { Ok(aws::read_values(&login.connection, in_aws).await) };
        read.append(&mut self.within(limit, "the values from elsewhere", values).await.map_err(unread)?);
        Ok(read)
    }

    /// Connects to read values.
    async fn login_for_values(&self, target: &Target, limit: Duration, loaded: &Loaded) -> Result<Rc<Login>, Error> {
        let login = self.connect(target, limit).await.map_err(unread)?;
        let entry = loaded.entries.iter().find(|entry| entry.item.target() == target);
        let place = entry.and_then(|entry| entry.places.of("expect_account"));
        self.expect_account(&login, target, limit, place, unread).await?;
        Ok(login)
    }

    /// The values of functions for all deployments with a target.
    async fn outputs_for<'l>(
        &self,
        target: &Target,
        sought: Vec<&'l Sought>,
        loaded: &Loaded,
    ) -> Result<Vec<(&'l Sought, Result<Found, Fault>)>, Error> {
        let Some(limit) = sought.iter().map(|sought| sought.limit).max() else { return Ok(Vec::new()) };
        let login = self.login_for_values(target, limit, loaded).await?;
        let login = &login;
        let read = sought.into_iter().map(async |sought| (sought, self.output(sought, login, &loaded.entries).await));
        Ok(stream::iter(read).buffered(self.parallel).collect().await)
    }

    /// Reads a value from a file.
    fn read_here(&self, reference: &Reference) -> Result<Found, Fault> {
        let Reference::State { state: State::File { written, path }, output } = reference else {
            return Err(Fault::new(FaultKind::Misconfigured, format!("`{reference}` is in no file")));
        };
        let path = self.host.directory.join(path);
        if !path.exists() {
            let help = "write it with `terraform state pull` in an earlier step, or set a `default`".to_owned();
            return Ok(Found::Nothing { message: format!("`{written}` does not exist"), help });
        }
        let state = files::bytes(&path, MOST_STATE);
        let state = state.map_err(|error| Fault::new(FaultKind::Misconfigured, format!("`{written}` {error}")))?;
        of_state(&state, written, output)
    }
}

/// A message with a reference in the place of a value, or of an item of a list that is written with commas.
fn without(message: &str, value: &str, reference: &str) -> String {
    let parts = std::iter::once(value).chain(value.split(',')).map(str::trim).filter(|part| !part.is_empty());
    parts.fold(message.to_owned(), |message, part| {
        let mut out = String::with_capacity(message.len());
        let mut rest = message.as_str();
        while let Some(at) = rest.find(part) {
            let (before, after) = (&rest[..at], &rest[at + part.len()..]);
            let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let is_inside = is_word(before.chars().next_back().or_else(|| out.chars().next_back()))
                || is_word(after.chars().next());
            out.push_str(before);
            out.push_str(if is_inside { part } else { reference });
            rest = after;
        }
        out.push_str(rest);
        out
    })
}

fn unread(fault: Fault) -> Error {
    let problem = Problem { help: fault.help, ..Problem::new(fault.message) };
    Error::Values { kind: fault.kind, problems: vec![problem] }
}

fn problem(fault: &Fault) -> Problem {
    Problem { help: fault.help.clone(), ..Problem::new(fault.message.clone()) }
}

/// The references whose values could not be read.
#[derive(Default)]
struct Failures {
    problems: Vec<Problem>,
    kinds: Vec<FaultKind>,
}

impl Failures {
    /// Adds a failure. One that several references have, such as expired credentials, is reported once.
    fn add(&mut self, sought: &Sought, fault: &Fault) {
        let is_known = |known: &Problem| known.message == fault.message && known.place.as_ref() != Some(&sought.place);
        if fault.kind != FaultKind::Misconfigured && self.problems.iter().any(is_known) {
            return;
        }
        self.problems.push(problem(fault).of(sought.option).at(&sought.place));
        self.kinds.push(fault.kind);
    }

    fn none(self) -> Result<(), Error> {
        let Self { mut problems, kinds } = self;
        problems.sort();
        problems.dedup();
        let Some(first) = kinds.first() else { return Ok(()) };
        let kind = *kinds.iter().find(|kind| **kind != FaultKind::Misconfigured).unwrap_or(first);
        Err(Error::Values { problems, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn a_message_names_the_reference_and_not_the_value() {
        for (message, value, expected) in [
            ("must be a number, got `12ab`", "12ab", "must be a number, got `{x}`"),
            ("must be between 128 and 10240 MB, got 64", "64", "must be between 128 and 10240 MB, got {x}"),
            ("`b c` is not an id", "a,b c", "`{x}` is not an id"),
            ("a word in awards", "a", "{x} word in awards"),
            ("ééé é", "é", "ééé {x}"),
            ("", "a", ""),
            ("nothing", "", "nothing"),
        ] {
            assert_eq!(without(message, value, "{x}"), expected);
        }
    }
}
