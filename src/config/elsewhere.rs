//! Puts values from elsewhere into the options of a deployment.
//!
//! The configuration is loaded twice: once to find the references, and once more with their values.

use std::path::Path;

use super::{
    after::After,
    context::Context,
    dry_run::DryRun,
    from_function,
    interpolate::{self, Names},
    layer::{Form, Given, Layer, MapEntry, Value},
    options::{self, Group, Opt, canonical, nearest_of},
    read::Reader,
    references::{SOURCES, each, first, has_keys, is_reference, may_be_elsewhere, misplaced},
    sought::References,
};
use crate::arn::Arn;
use crate::place::{Place, Problem};
use crate::reference::{Borrowed, Found, Reference, State};
use crate::settings::Secret;
use crate::verb::Purpose;

impl Context<'_> {
    /// A reader of the options of a deployment, with the values from elsewhere that are known.
    pub(super) fn reader_of_deployment(&self, options: Layer, names: Names) -> Reader {
        let mut reader = self.reader(options);
        let account = names.account.clone().or_else(|| self.account(reader.layer()));
        let only_plans = self.purpose == Purpose::Plan || DryRun::of(reader.layer()) != DryRun::No;
        reader.fill(|options, problems| fill(options, account.as_deref(), self, only_plans, problems));
        reader.names = Names { account, ..names };
        reader
    }
}

/// Puts the known values into the options of a block. References without a known value stay.
///
/// `account` says whether the account is known. `only_plans` says whether nothing is written for this block.
fn fill(
    options: &mut Layer,
    account: Option<&str>,
    context: &Context<'_>,
    only_plans: bool,
    problems: &mut Vec<Problem>,
) -> References {
    let is_of_access =
        |name: &str| name == "function_name" || options::find(name).is_some_and(|option| option.group == Group::Target);
    let access = options.iter().filter(|(name, _)| is_of_access(name));
    let access = access.map(|(name, given)| (*name, given.clone())).collect();
    let mut filling = Filling { context, only_plans, problems, found: References { access, ..References::default() } };
    options.retain(|name, given| {
        let Some(option) = options::find(name) else { return true };
        if let Some(place) = first(given)
            && let Err(problem) = may_be_elsewhere(option)
        {
            filling.problems.push(problem.of(option.name).at(place));
            // The name counts as given.
            return *name == "function_name";
        }
        if let Some(problem) = misplaced(option, given) {
            filling.problems.push(problem.of(option.name));
            return true;
        }
        if account.is_none() && interpolate::IN_DPL.contains(&option.name) {
            filling.account(option, given);
        }
        each(option, given, &mut |key, given| filling.part(option, key, given));
        true
    });
    filling.found
}

struct Filling<'a> {
    context: &'a Context<'a>,
    only_plans: bool,
    problems: &'a mut Vec<Problem>,
    found: References,
}

impl Filling<'_> {
    /// Seeks the account for texts that are filled in where they are read.
    fn account(&mut self, option: &'static Opt, given: &Given) {
        match &given.value {
            Value::Text(text) if interpolate::has_account(text) => self.seek_account(option, text, &given.place),
            Value::Text(_) | Value::Null => {}
            Value::List(items) => items.iter().for_each(|item| self.account(option, item)),
            Value::Map(entries) => entries.iter().for_each(|entry| self.account(option, &entry.given)),
        }
    }

    fn seek_account(&mut self, option: &'static Opt, text: &str, place: &Place) {
        if self.context.reads_values() {
            self.found.open.push((Reference::Account { text: text.to_owned() }, false, option.name, place.clone()));
        }
    }

    /// Reads an unknown part of a value.
    fn part(&mut self, option: &'static Opt, key: Option<&str>, given: &mut Given) {
        if given.form != Form::Open {
            // What is still from a variable has an error, or is hidden where it is read.
            if is_reference(given) {
                self.reference(option, key, given);
            }
            return;
        }
        let Some(text) = given.as_text() else { return };
        let (key, text) = match (key, text.split_once('=')) {
            (None, Some((key, value))) if has_keys(option) => (Some(key.trim()), value),
            _ => (key, text),
        };
        self.seek_account(option, text, &given.place);
        let reference = Reference::Account { text: text.to_owned() };
        let key = key.map(str::to_owned);
        self.found.borrowed.push(Borrowed { option: option.name, key, reference, value: None, after: None });
    }

    fn reference(&mut self, option: &'static Opt, key: Option<&str>, given: &mut Given) {
        let place = given.place.clone();
        let read = self.parsed(given).and_then(|(reference, default)| {
            if reference.is_secret() && option.name != "environment" {
                return Err(exposed(&reference).at(&place));
            }
            if matches!(reference, Reference::Function { .. }) && option.group == Group::Code {
                let message = "is needed to build the package, and values of functions are known later";
                return Err(Problem::new(message).at(&place).help("write the value itself"));
            }
            Ok((reference, default))
        });
        let (reference, default) = match read {
            Ok(read) => read,
            Err(problem) => {
                let place = problem.place.clone().unwrap_or(place);
                self.problems.push(Problem { place: Some(place), ..problem.of(option.name) });
                // So that the value counts as given but unknown.
                return;
            }
        };
        if let Reference::Function { function, .. } = &reference {
            let (name, place, entries) = (function.clone(), Some(place.clone()), Vec::new());
            self.found.functions.push(After { name, option: option.name, place, entries });
        }
        let reads = self.context.reads_values();
        let known = reads.then(|| self.known(option, &reference, default.as_deref(), &place)).flatten();
        let (value, after) = known.map_or((None, None), |(value, after)| (Some(value), after));
        if let Some(value) = &value {
            given.value = Value::Text(interpolate::as_it_is(option.name, value.expose()));
        }
        let key = key.map(str::to_owned);
        self.found.borrowed.push(Borrowed { option: option.name, key, reference, value, after });
    }

    /// The value of a reference, as far as it is known, and the function of the run that has to be deployed before.
    fn known(
        &mut self,
        option: &'static Opt,
        reference: &Reference,
        default: Option<&str>,
        place: &Place,
    ) -> Option<(Secret, Option<String>)> {
        let is_foreign = self.context.build.pull_request.is_some() && !self.context.trust.is_free(place);
        if is_foreign && reference.is_in_aws() {
            if !self.only_plans {
                let message = format!("`{reference}` is not read in the build of a pull request");
                let help = "whoever writes the pull request could read what the job may read; if every change of the file is reviewed, `--trust_config` allows it";
                self.problems.push(Problem::new(message).of(option.name).at(place).help(help));
            }
            return None;
        }
        let Some(found) = self.context.values.and_then(|values| values.find(&self.found.access, reference)) else {
            self.found.open.push((reference.clone(), default.is_some(), option.name, place.clone()));
            return None;
        };
        match (found, default) {
            (Found::Secret(_), _) if option.name != "environment" => {
                self.problems.push(exposed(reference).of(option.name).at(place));
                None
            }
            (Found::Plain(value) | Found::Secret(value), _) => Some((value.clone(), None)),
            (Found::Coming { stand_in, function }, _) => Some((stand_in.clone(), Some(function.clone()))),
            (Found::Nothing { .. }, Some(default)) => Some((Secret::new(default), None)),
            (Found::Nothing { message, help }, None) => {
                self.problems.push(Problem::new(message).of(option.name).at(place).help(help));
                None
            }
        }
    }

    /// The reference that a map is, and its default.
    fn parsed(&self, given: &Given) -> Result<(Reference, Option<String>), Problem> {
        let Value::Map(entries) = &given.value else { return Err(Problem::new("must be a map")) };
        let known = |entry: &MapEntry| SOURCES.iter().find(|(key, _)| *key == canonical(&entry.key));
        let Some((source, members)) = entries.iter().find_map(known) else {
            return Err(Problem::new("must be a reference"));
        };
        for entry in entries {
            let (key, place) = (canonical(&entry.key), &entry.place);
            if key != *source && !members.contains(&key.as_str()) {
                let problem = Problem::new(format!("`{key}` is not a member of a reference with `{source}`"));
                let near = nearest_of(&key, members.iter().copied()).map(|near| format!("did you mean `{near}`?"));
                let all: Vec<_> = members.iter().map(|member| format!("`{member}`")).collect();
                return Err(problem.at(place).help(near.unwrap_or_else(|| format!("it may have {}", all.join(", ")))));
            }
            if entry.given.as_text().is_none_or(|text| text.trim().is_empty() && key != "default") {
                return Err(Problem::new(format!("`{key}` must be a text")).at(place));
            }
        }
        let text = |name: &str| {
            let entry = entries.iter().find(|entry| canonical(&entry.key) == name);
            entry.and_then(|entry| Some((entry.given.as_text()?.trim().to_owned(), &entry.given.place)))
        };
        let (what, place) = text(source).ok_or_else(|| Problem::new("must be a text"))?;
        let output = || {
            let missing = || Problem::new(format!("`{source}` needs `output`, the name of the output"));
            text("output").map(|(output, _)| output).ok_or_else(missing)
        };
        let reference = match *source {
            "from_ssm" => parameter(&what).map_err(|message| Problem::new(message).at(place))?,
            "from_secret" => {
                arn_of(&what, "secretsmanager").map_err(|message| Problem::new(message).at(place))?;
                let (key, stage) = (text("key"), text("version_stage"));
                Reference::Secret { id: what, key: key.map(|(key, _)| key), stage: stage.map(|(stage, _)| stage) }
            }
            "from_stack" => {
                arn_of(&what, "cloudformation").map_err(|message| Problem::new(message).at(place))?;
                Reference::Output { stack: what, output: output()? }
            }
            "from_function" => from_function::reference((&what, place), text("qualifier"), text("output"))?,
            _ => Reference::State { state: self.state(&what, place)?, output: output()? },
        };
        let default = entries.iter().find(|entry| canonical(&entry.key) == "default");
        Ok((reference, default.and_then(|entry| entry.given.as_text()).map(str::to_owned)))
    }

    fn state(&self, what: &str, place: &Place) -> Result<State, Problem> {
        if let Some(rest) = what.strip_prefix("s3://") {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() || key.is_empty() {
                let problem = Problem::new(format!("`{what}` is not the URL of an object"));
                return Err(problem.at(place).help("write `s3://BUCKET/KEY`"));
            }
            return Ok(State::Object { bucket: bucket.to_owned(), key: key.to_owned() });
        }
        if what.contains("://") {
            let problem = Problem::new(format!("`{what}` is neither a file nor an object in S3"));
            return Err(problem.at(place).help("name a file, or write `s3://BUCKET/KEY`"));
        }
        // A path in a file is relative to that file.
        let beside = place.in_file().and_then(|file| Path::new(&*file.path).parent().map(Path::to_owned));
        let path = beside.unwrap_or_default().join(what);
        self.context.trust.may_read(&path, what, place)?;
        Ok(State::File { written: what.to_owned(), path })
    }
}

/// The error about a secret in a place where others could see it.
fn exposed(reference: &Reference) -> Problem {
    let message = format!("`{reference}` is a secret, and only `environment` may hold one");
    Problem::new(message).help("everybody who can look at the function in AWS would see it; if it is none, keep it as a text that is not encrypted")
}

/// A parameter by its name or ARN, perhaps with a version or label.
fn parameter(what: &str) -> Result<Reference, String> {
    let help = "a parameter is written `/path/name`, `/path/name:3` for a version or `/path/name:label` for a label";
    let (name, selector) = match Arn::of(what) {
        Some(arn) => {
            arn_of(what, "ssm")?;
            let selector = arn.resource.split_once(':').map(|(_, selector)| selector);
            let length = what.len() - selector.map_or(0, |selector| selector.len() + 1);
            (&what[..length], selector)
        }
        None => what.split_once(':').map_or((what, None), |(name, selector)| (name, Some(selector))),
    };
    let may_have = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    let is_arn = name.starts_with("arn:");
    let is_name = (1..=2048).contains(&name.len()) && name.chars().all(|c| may_have(c) || (is_arn && c == ':'));
    let is_selector = |text: &str| !text.is_empty() && text.len() <= 100 && text.chars().all(may_have);
    if is_name && selector.is_none_or(is_selector) {
        Ok(Reference::Parameter { name: name.to_owned(), selector: selector.map(str::to_owned) })
    } else {
        Err(format!("`{what}` is not the name of a parameter; {help}"))
    }
}

/// Checks that an ARN is one of this service. A text that is no ARN is a name.
fn arn_of(what: &str, service: &str) -> Result<(), String> {
    if !what.starts_with("arn:") {
        return Ok(());
    }
    let arn = Arn::parse(what)?;
    if arn.service == service {
        Ok(())
    } else {
        Err(format!("`{what}` is an ARN of {}, not of {service}", arn.service))
    }
}
