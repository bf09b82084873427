//! Fills in `%{…}` in every text of a block of our own file, and the values of variables. A name that has no value is an
//! error.
//!
//! Descriptions and commands are left as they are: they are filled in where they are read, as dpl does. A text with the
//! account is left too if nobody knows the account yet. The values of variables in `environment` are read there.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    context::Context,
    credentials, exposed,
    from_env::{self, FromEnv},
    half,
    interpolate::{self, ACCOUNT, ESCAPED, Names, OF_BUILD, Reference},
    layer::{Form, Given, Layer, MapEntry, Value},
    options::same_key,
    options::{self, Group, Kind, Opt, nearest_of},
    placeholders::what_works,
    references,
};
use crate::arn::Arn;
use crate::place::{Place, Problem};
use crate::settings::{Secret, holds_secret};

/// What filling in found, besides the values.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The errors.
    pub problems: Vec<Problem>,
    /// Values of variables that are secrets.
    pub secrets: Vec<Secret>,
    /// The options with a text that could not be filled in.
    pub failed: BTreeSet<&'static str>,
    /// Whether a text could not be filled in.
    fails: bool,
}

/// The longest text with its values.
const MOST_BYTES: usize = 64 << 10;

/// Whether the texts of a source are filled in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// They are: the source is a file of ours.
    Filled,
    /// They are taken as they are.
    Taken,
}

/// Fills in the options of a block. `merged` are its options with those of all other sources.
///
/// Adds the account to `names`, if an option tells it or it was looked up.
pub(super) fn block(
    layer: &mut Layer,
    merged: &Layer,
    names: &mut Names,
    texts: Texts,
    context: &Context<'_>,
) -> Found {
    let own = layer.clone();
    let mut filler = Filler::new(&own, merged, names.clone(), texts, context);
    if texts == Texts::Filled {
        filler.names.account = filler.account();
    }
    let only = filler.only();
    // Without the account, some values could not be filled in. These errors are reported with the options.
    filler.known.clear();
    filler.found = Found::default();
    let is_of_target = |option: &Opt| matches!(option.group, Group::Target);
    let is_left = |option: &Opt| half::leaves(only.as_deref(), option);
    // These decide whose account it is.
    filler.options(layer, is_of_target);
    if texts == Texts::Filled && filler.names.account.is_none() {
        let is_own = |name: &str| merged.get(name) == own.get(name);
        let targets = layer.iter().filter(|(name, _)| is_own(name)).map(|(name, given)| (*name, given.clone()));
        filler.names.account = context.account(&merged.clone().into_iter().chain(targets).collect());
        filler.known.clear();
    }
    filler.options(layer, |option| !is_of_target(option) && !is_left(option));
    // Errors in options that are left alone do not matter.
    let errors = filler.found.problems.len();
    filler.options(layer, |option| !is_of_target(option) && is_left(option));
    filler.found.problems.truncate(errors);
    *names = filler.names;
    filler.found
}

/// Fills in the values of variables in a source whose texts are taken as they are.
pub(super) fn variables(layer: &mut Layer, context: &Context<'_>) -> Found {
    let own = layer.clone();
    let mut filler = Filler::new(&own, &own, Names::default(), Texts::Taken, context);
    filler.options(layer, |_| true);
    filler.found
}

/// Fills in the texts of one block.
struct Filler<'a> {
    /// The options of the block, as they are written.
    own: &'a Layer,
    merged: &'a Layer,
    names: Names,
    texts: Texts,
    context: &'a Context<'a>,
    /// The options that are being filled in: each is for the one before it.
    stack: Vec<&'static str>,
    /// The options whose values others needed so far.
    known: BTreeMap<&'static str, Result<String, Missing>>,
    found: Found,
}

/// Why a name has no value.
#[derive(Clone)]
enum Missing {
    /// What is wrong, and what to do.
    Because(String, Option<String>),
    /// Another option has an error, which is reported there.
    Elsewhere,
    /// The account is in the value, and it is not known yet. This is the value with its name.
    Account(String),
}

impl Missing {
    fn because(message: impl Into<String>) -> Self {
        Self::Because(message.into(), None)
    }
}

impl<'a> Filler<'a> {
    fn new(own: &'a Layer, merged: &'a Layer, names: Names, texts: Texts, context: &'a Context<'a>) -> Self {
        let (stack, known, found) = (Vec::new(), BTreeMap::new(), Found::default());
        Self { own, merged, names, texts, context, stack, known, found }
    }

    /// Fills in those options of the block that count.
    fn options(&mut self, layer: &mut Layer, is_meant: impl Fn(&Opt) -> bool) {
        for (name, given) in layer.iter_mut() {
            let Some(option) = options::find(name).filter(|option| is_meant(option)) else { continue };
            // A flag or variable counts instead.
            if self.merged.get(option.name) != Some(given) {
                continue;
            }
            self.found.fails = false;
            self.stack.push(option.name);
            if self.texts == Texts::Filled {
                split_lines(option, given);
                self.given(option, given);
            }
            self.variables(option, given);
            self.stack.pop();
            self.found.failed.extend(Some(option.name).filter(|_| self.found.fails));
        }
    }

    fn wrong(&mut self, option: &Opt, message: String, help: Option<String>, place: &Place) {
        self.found.fails = true;
        let problem = Problem::new(message).of(option.name).at(place);
        self.found.problems.push(Problem { help, ..problem });
    }

    /// Fills in all texts of a value, except those that dpl fills in too.
    fn given(&mut self, option: &'static Opt, given: &mut Given) {
        if !matches!(option.name, "description" | "version_description" | "run") || references::is_unknown(given) {
            self.within(option, given);
        }
    }

    fn within(&mut self, option: &'static Opt, given: &mut Given) {
        if !has_any(given) {
            return;
        }
        let place = given.place.clone();
        match &mut given.value {
            Value::Null => {}
            Value::Text(text) => match self.text(option, text, &place) {
                Ok(filled) => *text = filled,
                Err(Missing::Account(open)) => {
                    *text = open;
                    given.form = Form::Open;
                }
                Err(Missing::Because(..) | Missing::Elsewhere) => self.found.fails = true,
            },
            Value::List(items) => items.iter_mut().for_each(|item| self.within(option, item)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| self.entry(option, entry)),
        }
    }

    fn entry(&mut self, option: &'static Opt, entry: &mut MapEntry) {
        if has_reference(&entry.key) {
            let message = format!("`{}` is a key, and `%{{…}}` is only filled in in values", entry.key);
            self.wrong(option, message, None, &entry.place);
        }
        let is_left = match option.name {
            "layer" => same_key(&entry.key, "Description"),
            "smoke_test" => same_key(&entry.key, "Run"),
            _ => false,
        };
        if !is_left || references::is_unknown(&entry.given) {
            self.within(option, &mut entry.given);
        }
    }

    /// Fills in the values of variables in a value.
    fn variables(&mut self, option: &'static Opt, given: &mut Given) {
        if option.name == "environment" || references::misplaced(option, given).is_some() {
            return;
        }
        references::each(option, given, &mut |_, given| {
            if from_env::is_one(given)
                && let Some(text) = self.variable(option, given)
            {
                given.value = Value::Text(interpolate::as_it_is(option.name, &text));
            }
        });
    }

    /// The value of a variable; `None` after an error.
    fn variable(&mut self, option: &'static Opt, given: &Given) -> Option<String> {
        if matches!(option.kind, Kind::Secret) {
            let message = "takes no `from_env`: a file must not choose which secret is read".to_owned();
            self.wrong(option, message, Some(what_works(option)), &given.place);
            return None;
        }
        let FromEnv { name, default } = match FromEnv::read(given) {
            Ok(reference) => reference,
            Err(Problem { message, help, place, .. }) => {
                self.wrong(option, message, help, place.as_ref().unwrap_or(&given.place));
                return None;
            }
        };
        match self.of_variable(option, name, default, &given.place) {
            Ok(Some(value)) => return Some(value),
            Ok(None) => {
                let help = format!("set it, or write what counts instead: `{{from_env: {name}, default: TEXT}}`");
                self.wrong(option, format!("the variable `{name}` is not set"), Some(help), &given.place);
            }
            Err(Missing::Because(message, help)) => self.wrong(option, message, help, &given.place),
            Err(Missing::Elsewhere | Missing::Account(_)) => {}
        }
        None
    }

    /// A text with its values. An error is reported already.
    fn text(&mut self, option: &'static Opt, text: &str, place: &Place) -> Result<String, Missing> {
        if let Some(message) = may_not_be_filled(option, text) {
            let help = format!("`{ESCAPED}` is a literal `%{{`");
            self.wrong(option, message, Some(help), place);
            return Err(Missing::Elsewhere);
        }
        // In `KEY=VALUE`, only the value is filled in.
        if let (Kind::Map, Some((key, value))) = (option.kind, text.split_once('=')) {
            if has_reference(key) {
                let message = format!("`{}` is a key, and `%{{…}}` is only filled in in values", key.trim());
                self.wrong(option, message, None, place);
            }
            return match self.filled(option, value, place) {
                Ok(value) => Ok(format!("{key}={value}")),
                Err(Missing::Account(open)) => Err(Missing::Account(format!("{key}={open}"))),
                Err(missing) => Err(missing),
            };
        }
        self.filled(option, text, place)
    }

    fn filled(&mut self, option: &'static Opt, text: &str, place: &Place) -> Result<String, Missing> {
        if let Some(name) = malformed(text) {
            let help = format!("`{ESCAPED}` is a literal `%{{`");
            self.wrong(option, format!("`%{{{name}}}` is not a name that is filled in"), Some(help), place);
            return Err(Missing::Elsewhere);
        }
        let (mut length, mut fails, mut is_open) = (text.len(), false, false);
        let (filled, _) = interpolate::replace(text, |reference| {
            let value = match self.value(option, reference, place) {
                Err(Missing::Account(_)) if references::may_be_elsewhere(option).is_err() => Err(no_account()),
                value => value,
            };
            let value = match value {
                Ok(value) => value,
                Err(Missing::Account(open)) => {
                    is_open = true;
                    open
                }
                Err(missing) => {
                    fails = true;
                    if let Missing::Because(message, help) = missing {
                        self.wrong(option, message, help, place);
                    }
                    return None;
                }
            };
            length += value.len();
            let message = if length > MOST_BYTES {
                format!("is longer than {MOST_BYTES} bytes with its values")
            } else if let Some(what) = unfit(option, &value) {
                format!("`{reference}` has {what}, which does not belong into this option")
            } else {
                return Some(value);
            };
            fails = true;
            self.wrong(option, message, None, place);
            None
        });
        match () {
            () if fails => Err(Missing::Elsewhere),
            () if is_open => Err(Missing::Account(filled)),
            () => Ok(filled),
        }
    }

    fn value(&mut self, option: &'static Opt, reference: Reference<'_>, place: &Place) -> Result<String, Missing> {
        let host = self.context.host;
        match reference {
            Reference::Variable(name, default) => self.of_variable(option, name, default, place)?.ok_or_else(|| {
                let help = format!("set it, or write what counts instead: `%{{${name}:-TEXT}}`");
                Missing::Because(format!("the variable `{name}` is not set"), Some(help))
            }),
            Reference::Known(ACCOUNT) => {
                self.names.account.clone().ok_or_else(|| Missing::Account(reference.to_string()))
            }
            Reference::Known(name) if Names::ALL.contains(&name) => {
                self.names.get(name).map(str::to_owned).ok_or_else(|| missing(name))
            }
            Reference::Known("region") => self.region(),
            Reference::Known(name) if OF_BUILD.contains(&name) => {
                let value = interpolate::of_build(name, self.context.build, host).filter(|value| !value.is_empty());
                value.ok_or_else(|| Missing::because(format!("`{reference}` has no value in this build")))
            }
            Reference::Known(name) => self.option(name),
        }
    }

    /// The value of an option, itself filled in.
    fn option(&mut self, name: &str) -> Result<String, Missing> {
        let Some(option) = options::find(name).filter(|option| interpolate::is_option(name) && option.name == name)
        else {
            let known = Names::ALL.into_iter().chain(OF_BUILD).chain(options::OPTIONS.iter().map(|option| option.name));
            let near = nearest_of(name, known).map(|near| format!("; did you mean `%{{{near}}}`?")).unwrap_or_default();
            let help = format!("`%{{$NAME}}` is a variable, and `{ESCAPED}` is a literal `%{{`");
            let message = format!("`%{{{name}}}` is not a name that is filled in{near}");
            return Err(Missing::Because(message, Some(help)));
        };
        if let Some(from) = self.stack.iter().position(|known| *known == option.name) {
            return Err(self.circle(from));
        }
        let no_value = |why: &str| Missing::because(format!("`%{{{name}}}` has no value: `{name}` {why}"));
        let given = self.merged.get(option.name).ok_or_else(|| no_value("is not set"))?;
        let text = given.as_text().map(str::trim);
        if text.is_none() && !from_env::is_one(given) {
            return Err(no_value("is not one text"));
        }
        // Values of other sources are taken as they are.
        if let Some(text) = text.filter(|_| self.own.get(option.name) != Some(given)) {
            return Ok(text.to_owned());
        }
        if !self.known.contains_key(option.name) {
            self.stack.push(option.name);
            let filled = if let Some(text) = text {
                self.text(option, text, &given.place)
            } else {
                let mut given = given.clone();
                self.within(option, &mut given);
                self.variable(option, &given).ok_or(Missing::Elsewhere)
            };
            self.stack.pop();
            self.known.insert(option.name, filled);
        }
        self.known[option.name].clone()
    }

    /// The error about options that need each other. `from` is where the circle begins in the stack. A circle can be found
    /// from each of its options; it is reported once.
    fn circle(&self, from: usize) -> Missing {
        let circle = &self.stack[from..];
        if circle.iter().min() != circle.first() {
            return Missing::Elsewhere;
        }
        let names: Vec<_> = circle.iter().chain(circle.first()).map(|name| format!("`{name}`")).collect();
        Missing::because(format!("is filled in with itself: {}", names.join(" needs ")))
    }

    fn region(&mut self) -> Result<String, Missing> {
        let of_sdk = || self.context.host.variable("AWS_DEFAULT_REGION").map(str::to_owned);
        match of_sdk().filter(|_| !self.merged.contains_key("region")) {
            Some(region) => Ok(region),
            None => self.option("region"),
        }
    }

    /// The word in `only`.
    fn only(&mut self) -> Option<String> {
        let given = self.merged.get("only")?;
        match given.as_text() {
            Some(text) if self.texts == Texts::Taken => Some(text.trim().to_owned()),
            _ => self.option("only").ok(),
        }
    }

    /// The account in the options: `expect_account`, or the account of a role or function with an ARN.
    fn account(&mut self) -> Option<String> {
        if self.merged.contains_key("expect_account") {
            return self.option("expect_account").ok();
        }
        ["role_to_assume", "function_name", "role"].into_iter().find_map(|name| {
            self.merged.get(name)?;
            let text = self.option(name).ok()?;
            Some(Arn::of(&text)?.account.to_owned()).filter(|account| !account.is_empty())
        })
    }

    /// The value of a variable, or its default; `None` if there is neither.
    fn of_variable(
        &mut self,
        option: &Opt,
        name: &str,
        default: Option<&str>,
        place: &Place,
    ) -> Result<Option<String>, Missing> {
        let host = self.context.host;
        let value = interpolate::of_variable(name, default, host);
        // A default is written in the file.
        if let Some(value) =
            value.as_deref().filter(|value| host.variables.contains_key(name) && default != Some(*value))
        {
            self.check_secret(option, name, value, place)?;
        }
        Ok(value)
    }

    /// Refuses a secret where others can see it, and the credentials of the job everywhere.
    fn check_secret(&mut self, option: &Opt, name: &str, value: &str, place: &Place) -> Result<(), Missing> {
        if credentials::holds_credentials(name) && !self.context.trust.is_free(place) {
            let help = "give the function credentials of its own, or a role; if every change of the file is reviewed, `--trust_config` allows it";
            let message = format!("would hold the credentials of this job, in `{name}`");
            return Err(Missing::Because(message, Some(help.to_owned())));
        }
        if holds_secret(name, value) {
            if option.name != "environment" {
                let Problem { message, help, .. } = exposed::error(option.name, &format!("the secret in `{name}`"));
                return Err(Missing::Because(message, help));
            }
            self.found.secrets.push(Secret::new(value));
        }
        Ok(())
    }
}

/// Why a name of [`Names`] has no value.
fn missing(name: &str) -> Missing {
    let (message, help) = match name {
        "stage" => ("`%{stage}` has no value: the file has no `stages`", None),
        "each" => ("`%{each}` has a value only in a block with `for_each`", None),
        _ => ("`%{each_path}` has a value only where `for_each` is a glob of folders", Some("`%{each}` is the name")),
    };
    Missing::Because(message.to_owned(), help.map(str::to_owned))
}

/// The account is needed before it can be looked up.
fn no_account() -> Missing {
    let help = "set `expect_account`, or give `role_to_assume` or `role` as an ARN";
    Missing::Because(
        "`%{account}` is not known before the log-in, which is too late here".to_owned(),
        Some(help.to_owned()),
    )
}

/// Why no text of an option may be filled in; `None` if this text may.
fn may_not_be_filled(option: &Opt, text: &str) -> Option<String> {
    let is_packed = matches!(option.kind, Kind::Structure(_)) && text.trim_start().starts_with(['{', '[']);
    if !has_reference(text) {
        return None;
    }
    if matches!(option.kind, Kind::Secret) {
        return Some("takes no `%{…}`: a file must not choose which secret is read".to_owned());
    }
    is_packed.then(|| "is JSON in a text, in which `%{…}` is not filled in; write it as a map".to_owned())
}

/// What a value has that would become more than one value; `None` if it has nothing of the kind.
fn unfit(option: &Opt, value: &str) -> Option<&'static str> {
    match () {
        () if option.name != "environment" && value.contains(['\n', '\r', '\0']) => Some("a line break"),
        () if matches!(option.kind, Kind::Ids) && value.contains(',') => Some("a comma"),
        () => None,
    }
}

/// Makes items of the lines of `KEY=VALUE`, so that no value can add a line.
fn split_lines(option: &Opt, given: &mut Given) {
    if let (Kind::Map, Value::Text(text)) = (option.kind, &given.value)
        && text.contains('=')
        && has_reference(text)
    {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        given.value = Value::List(lines.map(|line| Given::text(line, given.place.clone())).collect());
    }
}

/// Whether a value has a `%{` in one of its texts or keys.
fn has_any(given: &Given) -> bool {
    match &given.value {
        Value::Null => false,
        Value::Text(text) => text.contains("%{"),
        Value::List(items) => items.iter().any(has_any),
        Value::Map(entries) => entries.iter().any(|entry| entry.key.contains("%{") || has_any(&entry.given)),
    }
}

fn has_reference(text: &str) -> bool {
    let mut found = false;
    interpolate::replace(text, |_| {
        found = true;
        None
    });
    found
}

/// What stands in the first `%{…}` that is not a reference.
fn malformed(text: &str) -> Option<&str> {
    /// Longer texts in braces are no names.
    const MOST: usize = 60;
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        rest = &rest[at..];
        if rest.starts_with(ESCAPED) {
            rest = &rest[ESCAPED.len()..];
        } else if let Some((_, length)) = interpolate::reference(rest) {
            rest = &rest[length..];
        } else {
            let inner = rest.strip_prefix("%{").unwrap_or_default();
            let end = inner.find(['{', '}', '\n']).filter(|end| (1..=MOST).contains(end));
            if let Some(end) = end.filter(|end| inner[*end..].starts_with('}')) {
                return Some(&inner[..end]);
            }
            rest = &rest[1..];
        }
    }
    None
}
