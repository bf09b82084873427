//! References to values that are elsewhere, such as `{from_ssm: /path}`: how they are written, and where they may be.
//!
//! The configuration is loaded twice: once to find the references, and once more with their values.

use std::path::Path;
use std::time::Duration;

use super::{
    context::Context,
    from_env, from_function, interpolate,
    layer::{Form, Given, Layer, MapEntry, Value},
    options::{self, Group, Kind, Opt, canonical, nearest_of},
    order::After,
    structure::same_key,
};
use crate::arn::Arn;
use crate::deployment::{Item, Target};
use crate::place::{Place, Problem};
use crate::reference::{Borrowed, Found, Reference, State};
use crate::settings::Secret;

/// The keys that begin a reference, with its other members.
const SOURCES: [(&str, &[&str]); 5] = [
    ("from_ssm", &["default"]),
    ("from_secret", &["key", "version_stage", "default"]),
    ("from_stack", &["output", "default"]),
    ("from_terraform", &["output", "default"]),
    ("from_function", &["output", "qualifier", "default"]),
];

/// Options that name what is deployed. The run needs these names before it can read anything.
const NAMES: [&str; 4] = ["function_name", "alias", "layer", "code_from"];

/// A value that has to be read before a deployment is known.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    /// The reference.
    pub reference: Reference,
    /// Whether the configuration has a value for the case that there is none.
    pub has_default: bool,
    /// The option.
    pub option: &'static str,
    /// Where the reference is written.
    pub place: Place,
    /// The position in [`Loaded::entries`](super::Loaded::entries) of the function, or else of the layer, that gets the
    /// value.
    pub entry: usize,
    /// The positions there of the functions that the reference names.
    pub of: Vec<usize>,
    /// The alias in the block of the function that the reference names; absent if it has none.
    pub alias: Option<String>,
    /// The account and Region to read it from.
    pub target: Target,
    /// How long the deployment may wait.
    pub limit: Duration,
    /// The options that decide about the target.
    access: Layer,
}

/// The values of references, each for the deployments with the same target.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    found: Vec<(Layer, Reference, Found)>,
    /// Accounts by the options that decide about the identity.
    accounts: Vec<(Layer, String)>,
}

impl Values {
    /// Adds the value of a reference.
    pub(crate) fn add(&mut self, sought: &Sought, found: Found) {
        self.found.push((sought.access.clone(), sought.reference.clone(), found));
    }

    /// Adds the account of the identity that a deployment has.
    pub(crate) fn add_account(&mut self, sought: &Sought, account: String) {
        self.accounts.push((identity(&sought.access), account));
    }

    /// The same values, but with another one for a reference.
    #[must_use]
    pub(crate) fn with(mut self, sought: &Sought, found: Found) -> Self {
        self.found.retain(|(access, reference, _)| *access != sought.access || *reference != sought.reference);
        self.add(sought, found);
        self
    }

    fn find(&self, access: &Layer, reference: &Reference) -> Option<&Found> {
        self.found.iter().find(|(known, of, _)| known == access && of == reference).map(|(.., found)| found)
    }

    /// The account of the identity that these options decide about; `None` if it was not looked up.
    pub(super) fn account(&self, options: &Layer) -> Option<&str> {
        let identity = identity(options);
        self.accounts.iter().find(|(known, _)| *known == identity).map(|(_, account)| account.as_str())
    }
}

/// The options that decide about the identity.
fn identity(options: &Layer) -> Layer {
    let decides =
        |name: &str| options::find(name).is_some_and(|option| option.group == Group::Target && option.name != "region");
    options.iter().filter(|(name, _)| decides(name)).map(|(name, given)| (*name, given.clone())).collect()
}

/// The references in the options of one block.
#[derive(Debug, Default)]
pub(super) struct References {
    /// The references whose values are still unknown.
    open: Vec<(Reference, bool, &'static str, Place)>,
    /// All values from elsewhere, also those that are not read.
    pub borrowed: Vec<Borrowed>,
    /// The functions that have some of the values.
    pub functions: Vec<After>,
    access: Layer,
}

impl References {
    /// The references to read for a deployment, which is the one of this entry.
    pub(super) fn sought(&self, item: &Item, entry: usize) -> impl Iterator<Item = Sought> {
        self.open.iter().cloned().map(move |(reference, has_default, option, place)| Sought {
            reference,
            has_default,
            option,
            place,
            entry,
            of: Vec::new(),
            alias: None,
            target: item.target().clone(),
            limit: item.wait_timeout(),
            access: self.access.clone(),
        })
    }

    /// Whether the value of a key in the map of an option is elsewhere.
    pub(super) fn has(&self, option: &str, key: &str) -> bool {
        self.borrowed.iter().any(|borrowed| borrowed.option == option && borrowed.key.as_deref() == Some(key))
    }

    /// Whether the value of an option is still to be read.
    pub(super) fn seeks(&self, option: &str) -> bool {
        self.open.iter().any(|(_, _, of, _)| *of == option)
    }
}

/// Whether a value is written as a reference. `from_env` is not one of these: its value is known at once.
pub(super) fn is_reference(given: &Given) -> bool {
    match &given.value {
        Value::Map(entries) => entries.iter().any(begins),
        Value::Null | Value::Text(_) | Value::List(_) => false,
    }
}

/// Whether an entry of a map makes the map a reference.
fn begins(entry: &MapEntry) -> bool {
    SOURCES.iter().any(|(source, _)| *source == canonical(&entry.key))
}

/// The error about a map that looks like a reference but is none; `None` for any other value.
pub(super) fn misspelt(given: &Given) -> Option<Problem> {
    let Value::Map(entries) = &given.value else { return None };
    if is_reference(given) || from_env::is_one(given) {
        return None;
    }
    let wrong = entries.iter().find(|entry| canonical(&entry.key).starts_with("from_"))?;
    let problem = Problem::new(format!("`{}` is not a place that values come from", wrong.key)).at(&wrong.place);
    let names = || std::iter::once(from_env::FROM_ENV).chain(SOURCES.iter().map(|(source, _)| *source));
    let all: Vec<_> = names().map(|source| format!("`{source}`")).collect();
    let near = nearest_of(&wrong.key, names());
    Some(
        problem.help(
            near.map_or_else(|| format!("these are: {}", all.join(", ")), |near| format!("did you mean `{near}`?")),
        ),
    )
}

/// Whether a value itself is not known yet: it is a reference, or a text with the account in it.
pub(super) fn is_unknown(given: &Given) -> bool {
    is_reference(given) || from_env::is_one(given) || given.form == Form::Open
}

/// Whether a value, or a part of it, is not known yet.
pub(super) fn is_open(given: &Given) -> bool {
    is_unknown(given)
        || match &given.value {
            Value::List(items) => items.iter().any(is_open),
            Value::Map(entries) => entries.iter().any(|entry| is_open(&entry.given)),
            Value::Null | Value::Text(_) => false,
        }
}

/// The place of the first part of a value that is known only after the log-in.
fn first(given: &Given) -> Option<&Place> {
    if is_reference(given) || given.form == Form::Open {
        return Some(&given.place);
    }
    match &given.value {
        Value::List(items) => items.iter().find_map(first),
        Value::Map(entries) => entries.iter().find_map(|entry| first(&entry.given)),
        Value::Null | Value::Text(_) => None,
    }
}

/// Whether the value of an option is a map of texts, which has its references below its keys.
fn has_keys(option: &Opt) -> bool {
    matches!(option.kind, Kind::Map) && option.name != "layer"
}

/// Shows each unknown part of the value of an option, with the key of its map.
pub(super) fn each(option: &Opt, given: &mut Given, see: &mut dyn FnMut(Option<&str>, &mut Given)) {
    match &mut given.value {
        Value::Map(entries) if has_keys(option) => {
            for MapEntry { key, given, .. } in entries {
                each_within(Some(key), given, see);
            }
        }
        Value::List(items) if has_keys(option) => items.iter_mut().for_each(|item| each(option, item, see)),
        _ => each_within(None, given, see),
    }
}

fn each_within(key: Option<&str>, given: &mut Given, see: &mut dyn FnMut(Option<&str>, &mut Given)) {
    if is_unknown(given) {
        return see(key, given);
    }
    match &mut given.value {
        Value::List(items) => items.iter_mut().for_each(|item| each_within(key, item, see)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| each_within(key, &mut entry.given, see)),
        Value::Null | Value::Text(_) => {}
    }
}

/// The error about a reference where none may be; `None` if there is none.
pub(super) fn misplaced(option: &Opt, given: &Given) -> Option<Problem> {
    let is_any = |given: &Given| is_reference(given) || from_env::is_one(given);
    let is_command = |given: &Given| {
        let problem = Problem::new("is a command, and commands are written in the configuration").at(&given.place);
        problem.help("write the command, with variables as `$NAME` in it")
    };
    if option.name == "run" && is_any(given) {
        return Some(is_command(given));
    }
    match &given.value {
        Value::List(items) => items.iter().find_map(|item| misplaced(option, item)),
        Value::Map(entries) if has_keys(option) => {
            let entry = entries.iter().find(|entry| begins(entry) || from_env::begins(entry))?;
            let message = format!("`{}` is not below a key, but each key needs a reference of its own", entry.key);
            let help = format!("write `{}: {{KEY: {{{}: …}}}}`", option.name, entry.key);
            Some(Problem::new(message).at(&entry.place).help(help))
        }
        Value::Map(entries) if option.name == "smoke_test" => {
            let run = entries.iter().find(|entry| same_key(&entry.key, "Run") && is_any(&entry.given))?;
            Some(is_command(&run.given))
        }
        Value::Null | Value::Text(_) | Value::Map(_) => None,
    }
}

/// Puts the known values into the options of a block. References without a known value stay.
///
/// `account` says whether the account is known. `only_plans` says whether nothing is written for this block.
pub(super) fn fill(
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

/// Whether the value of an option may be elsewhere.
pub(super) fn may_be_elsewhere(option: &Opt) -> Result<(), Problem> {
    let why = match (option.group, option.kind) {
        _ if NAMES.contains(&option.name) => "names what is deployed, and is needed before anything can be read",
        (Group::Target, _) => "is needed to log in, before anything can be read",
        (Group::Run, _) => "decides how the run works, and is needed before anything can be read",
        (_, Kind::Choice(_) | Kind::Flag | Kind::FlagOr(_)) => {
            "is one of a few words, and these are written in the configuration"
        }
        (_, Kind::List | Kind::Files) => "is about files of the checkout, and these are named in the configuration",
        _ if option.name == "zip" => "is a file of the checkout, and is named in the configuration",
        (_, Kind::Text | Kind::Number { .. } | Kind::Ids | Kind::Map | Kind::Structure(_) | Kind::Secret) => {
            return Ok(());
        }
    };
    let help = format!("write the value itself, or set the variable `DPL_LAMBDA_{}`", option.name.to_ascii_uppercase());
    Err(Problem::new(why).help(help))
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
