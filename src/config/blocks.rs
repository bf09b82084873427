//! The YAML file and the blocks in it: which file, which entries are ours, and the keys that are not options.
//!
//! The shapes are those that Travis normalises before it calls dpl.

use std::{path::PathBuf, sync::Arc};

use super::{
    conditions::{ByBranch, Conditions},
    env::unknown,
    layer::{self, Entry, Given, Layer, Value},
    options::{self, Kind, Opt},
    resolve::HIDE_IN_ENVIRONMENT,
    shell, yaml,
};
use crate::files;
use crate::host::Host;
use crate::place::{Place, Problem};
use crate::settings::{Shape, holds_secret};

/// Where a block is looked for, in this order.
const FILES: [&str; 3] = ["dpl.yml", ".dpl.yml", ".travis.yml"];

/// How many blocks a file may have.
const MOST_BLOCKS: usize = 1000;

/// Keys that may stand at the top of a file of our own.
const BESIDE_DEPLOY: [&str; 3] = ["deploy", "before_deploy", "after_deploy"];

/// One deployment as the file has it.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// Where it stands.
    pub place: Place,
    /// Its options, for the branch being built.
    pub layer: Layer,
    /// When it is deployed.
    pub conditions: Conditions,
    /// Whether its failure fails the run.
    pub allow_failure: bool,
    /// Every text under `layers`, of all branches.
    pub layers: Vec<String>,
}

impl Block {
    /// The text of an option, where it is one.
    pub(super) fn text(&self, option: &str) -> Option<&str> {
        self.layer.get(option).and_then(Given::as_text)
    }

    /// The layer that the block is for, by its name as far as it has one, where it has no function.
    pub(super) fn layer_alone(&self) -> Option<&str> {
        let is_extension = self.text("extension").is_some_and(|text| truth(text) != Some(false));
        let has_function = self.layer.contains_key("function_name") || self.conditions.gives_by_branch("function_name");
        let layer = self.layer.get("layer");
        if !is_extension && (layer.is_none() || has_function) {
            return None;
        }
        let name = layer.and_then(|layer| layer.get("name").unwrap_or(layer).as_text());
        Some(name.or_else(|| self.text("function_name")).unwrap_or_default())
    }

    /// The names that the layers of its function may have; an ARN is one of them, and so is the name in it.
    pub(super) fn names_of_layers(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().flat_map(|text| {
            let in_arn = text.split_once(":layer:").map(|(_, rest)| rest.split(':').next().unwrap_or(rest));
            [Some(text.as_str()), in_arn].into_iter().flatten()
        })
    }
}

/// What was read of a file.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Our blocks, in the order of the file.
    pub blocks: Vec<Block>,
    /// The file; absent when there is none.
    pub file: Option<PathBuf>,
    /// What must be corrected.
    pub problems: Vec<Problem>,
    /// What deserves a word.
    pub warnings: Vec<Problem>,
}

/// Whether a key at the top only holds what an anchor names.
fn is_shelf(key: &str) -> bool {
    key.starts_with('.') || key.starts_with("x-")
}

fn unknown_at_top(key: &str) -> Problem {
    let near = options::nearest_of(key, BESIDE_DEPLOY.into_iter()).or_else(|| options::nearest_key(key));
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let help = format!(
        "only {} stand there; begin the name of what is used by an anchor with `.` or `x-`",
        BESIDE_DEPLOY.map(|key| format!("`{key}`")).join(", ")
    );
    Problem::new(format!("`{key}` is not known beside `deploy:`{near}")).help(help)
}

/// Whose rules a file follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `.travis.yml`: Travis' rules, and keys that are not ours.
    Travis,
    /// A file of our own: every key must be known.
    Own,
}

/// Reads the file that `config` names, or the first that is there.
pub(super) fn read(config: Option<&Given>, host: &Host, branch: Option<&str>) -> Blocks {
    let mut found = Blocks::default();
    let path = match config {
        Some(given) => Some((PathBuf::from(given.as_text().unwrap_or_default()), Some(given.place.clone()))),
        None => {
            FILES.iter().map(PathBuf::from).find(|file| host.directory.join(file).is_file()).map(|file| (file, None))
        }
    };
    let Some((path, asked_for)) = path else { return found };
    match files::text(&host.directory.join(&path)) {
        Ok(text) => {
            let dialect = if path.ends_with(".travis.yml") { Dialect::Travis } else { Dialect::Own };
            let shown: Arc<str> = Arc::from(path.to_string_lossy());
            match yaml::parse(&text, &shown) {
                Ok(document) => Reader { found: &mut found, dialect, host, branch }.document(&document),
                Err(problem) => found.problems.push(problem),
            }
        }
        Err(error) => {
            let problem = Problem::new(format!("`{}` {error}", path.display())).of("config");
            found.problems.push(Problem { place: asked_for, ..problem });
        }
    }
    found.file = Some(path);
    found
}

struct Reader<'a> {
    found: &'a mut Blocks,
    dialect: Dialect,
    host: &'a Host,
    branch: Option<&'a str>,
}

impl Reader<'_> {
    fn problem(&mut self, problem: Problem, place: &Place) {
        self.found.problems.push(problem.at(place));
    }

    fn warning(&mut self, problem: Problem, place: &Place) {
        self.found.warnings.push(problem.at(place));
    }

    fn document(&mut self, document: &Given) {
        let Value::Map(entries) = &document.value else {
            if document.value != Value::Null {
                self.problem(Problem::new("must be a map with `deploy:` or the options themselves"), &document.place);
            }
            return;
        };
        let Some(deploy) = document.get("deploy") else {
            if self.dialect == Dialect::Own {
                self.block(document);
            }
            return;
        };
        for entry in entries {
            let ours = options::find(&entry.key).is_some();
            if matches!(entry.key.as_str(), "before_deploy" | "after_deploy") {
                self.not_run(entry);
            } else if ours && self.dialect == Dialect::Own {
                let problem = Problem::new(format!("`{}` stands beside `deploy:`, where it has no effect", entry.key));
                self.problem(problem.help("move it into the block under `deploy:`"), &entry.place);
            } else if self.dialect == Dialect::Own
                && !BESIDE_DEPLOY.contains(&entry.key.as_str())
                && !is_shelf(&entry.key)
            {
                self.problem(unknown_at_top(&entry.key), &entry.place);
            }
        }
        match &deploy.value {
            Value::List(items) if items.len() > MOST_BLOCKS => {
                let message = format!("has {} blocks, and at most {MOST_BLOCKS} are taken", items.len());
                self.problem(Problem::new(message).of("deploy"), &deploy.place);
            }
            Value::List(items) => items.iter().for_each(|item| self.block(item)),
            Value::Null => {}
            Value::Map(_) | Value::Text(_) => self.block(deploy),
        }
    }

    fn not_run(&mut self, entry: &Entry) {
        let problem =
            Problem::new(format!("`{}` is not run by dpl-lambda; run its commands in the CI's own steps", entry.key));
        self.warning(problem, &entry.place);
    }

    fn block(&mut self, given: &Given) {
        let entries = match &given.value {
            Value::Map(entries) => entries,
            Value::Text(provider) if is_lambda(provider) => &Vec::new(),
            Value::Text(provider)
                if provider.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && provider != "true" =>
            {
                return;
            }
            _ => return self.problem(Problem::new("must be a map of options"), &given.place),
        };
        if let Some(provider) = given.get("provider").filter(|provider| !provider.is_absent()) {
            let name = provider.as_text().unwrap_or_default();
            if !is_lambda(name) {
                if strsim::jaro_winkler(&name.to_ascii_lowercase(), "lambda") < 0.9 {
                    return;
                }
                self.warning(Problem::new(format!("`{name}` is taken for `lambda`")).of("provider"), &provider.place);
            }
        }
        let mut layer = Layer::new();
        let mut block = Block {
            place: given.place.clone(),
            layer: Layer::new(),
            conditions: Conditions::always(self.dialect),
            allow_failure: false,
            layers: Vec::new(),
        };
        let mut conditions = None;
        let mut per_branch = Vec::new();
        let mut withheld = false;
        for entry in entries {
            match entry.key.as_str() {
                "provider" | "dpl_version" | "edge" => {}
                "on" | "true" | "if" if conditions.is_some() => {
                    self.problem(Problem::new("stands twice, once as `true:` or `if:`").of("on"), &entry.place);
                }
                "on" | "true" | "if" => conditions = Some(&entry.given),
                "allow_failure" => match entry.given.as_text().and_then(truth) {
                    Some(yes) => block.allow_failure = yes,
                    None => self.problem(Problem::new("must be true or false").of("allow_failure"), &entry.given.place),
                },
                "before_deploy" | "after_deploy" => self.not_run(entry),
                "skip_cleanup" => self.skip_cleanup(&mut layer, entry),
                key => match options::find(key) {
                    Some((option, member)) => {
                        if layer.contains_key(option.name) {
                            let message = format!("`{}` is given twice: here as `{key}`, and once more", option.name);
                            self.problem(Problem::new(message), &entry.place);
                        }
                        if option.name == "layers" {
                            all_texts(&entry.given, &mut block.layers);
                        }
                        let Some(given) = self.value(option, &entry.given, &mut per_branch) else {
                            withheld |= matches!(option.kind, Kind::Secret);
                            continue;
                        };
                        layer::insert(&mut layer, option, member, given);
                    }
                    None if self.dialect == Dialect::Travis => self.warning(unknown(key), &entry.place),
                    None => self.problem(unknown(key), &entry.place),
                },
            }
        }
        let secure_variables =
            given.get("environment").or_else(|| given.get("environment_variables")).is_some_and(has_secure);
        if secure_variables && layer.get("environment_mode").and_then(Given::as_text) == Some("replace") {
            let problem = Problem::new("would remove the variables whose encrypted values cannot be read here");
            self.problem(problem.of("environment_mode"), &layer["environment_mode"].place.clone());
        }
        // A key of which one half cannot be read is no key: both halves are looked for elsewhere.
        if withheld {
            layer.retain(|name, _| !matches!(*name, "access_key_id" | "secret_access_key" | "session_token"));
        }
        block.layer = layer;
        match Conditions::read(conditions, self.dialect, per_branch) {
            Ok(conditions) => block.conditions = conditions,
            Err(problems) => self.found.problems.extend(problems),
        }
        self.found.blocks.push(block);
    }

    fn skip_cleanup(&mut self, layer: &mut Layer, entry: &Entry) {
        let Some((option, _)) = options::find("cleanup") else { return };
        match entry.given.as_text().and_then(truth) {
            Some(skip) => {
                layer::insert(layer, option, None, Given::text((!skip).to_string(), entry.given.place.clone()));
            }
            None => self.problem(Problem::new("must be true or false").of("skip_cleanup"), &entry.given.place),
        }
    }

    /// The value that counts: what an encrypted value, a map by branch and a shell variable stand for.
    fn value(&mut self, option: &'static Opt, given: &Given, per_branch: &mut Vec<ByBranch>) -> Option<Given> {
        match &given.value {
            Value::Map(_) if given.get("secure").is_some() => {
                let problem = Problem::new("is encrypted for Travis and counts as not given here").of(option.name);
                self.warning(problem.help("pass the value in a variable of the CI"), &given.place);
                None
            }
            Value::Map(_) if !matches!(option.kind, Kind::Map) && given.get("from_env").is_some() => {
                let problem = Problem::new("cannot be taken `from_env`; only variables of `environment` can");
                self.problem(
                    problem
                        .of(option.name)
                        .help(format!("set the variable `DPL_LAMBDA_{}`", option.name.to_ascii_uppercase())),
                    &given.place,
                );
                None
            }
            Value::Map(entries) if is_by_branch(option, given) => {
                let branches = entries.iter().map(|entry| entry.key.clone()).collect();
                per_branch.push(ByBranch { option: option.name, branches, place: given.place.clone() });
                let chosen = entries.iter().find(|entry| Some(entry.key.as_str()) == self.branch)?;
                self.value(option, &chosen.given, per_branch)
            }
            Value::Map(entries) => {
                let value =
                    |entry: &Entry| Some(Entry { given: self.value_in_map(option, &entry.given)?, ..entry.clone() });
                Some(Given {
                    value: Value::Map(entries.iter().filter_map(value).collect()),
                    place: given.place.clone(),
                    form: given.form,
                })
            }
            Value::List(written) => {
                let branches = |item: &&Given| {
                    matches!(item.value, Value::Map(_)) && item.get("secure").is_none() && is_by_branch(option, item)
                };
                if let Some(item) = written.iter().find(branches) {
                    self.problem(Problem::new("must be a list of texts, not of maps").of(option.name), &item.place);
                    return None;
                }
                let items: Vec<_> = written.iter().filter_map(|item| self.value(option, item, per_branch)).collect();
                // Only a list that was written empty empties a setting.
                if items.is_empty() && !written.is_empty() {
                    return None;
                }
                Some(Given { value: Value::List(items), place: given.place.clone(), form: given.form })
            }
            Value::Text(text) => {
                let expanded = self.expanded(option, text, &given.place)?;
                Some(Given { form: given.form, ..expanded })
            }
            Value::Null => Some(given.clone()),
        }
    }

    fn value_in_map(&mut self, option: &'static Opt, given: &Given) -> Option<Given> {
        if given.get("from_env").is_some() {
            return Some(given.clone());
        }
        self.value(option, given, &mut Vec::new())
    }

    /// Whether a text that AWS stores for everybody to see reads a variable that holds a secret.
    fn shows_secret(&self, option: &Opt, written: &str, expanded: &str) -> bool {
        let harmless = || {
            let variables = self.host.variables.iter().filter(|(name, value)| !holds_secret(name, value));
            shell::expand(written, &variables.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        SEEN_IN_AWS.contains(&option.name) && harmless().as_deref() != Ok(expanded)
    }

    /// In `.travis.yml` a shell reads values before the tool does; elsewhere they mean what they say.
    fn expanded(&mut self, option: &'static Opt, text: &str, place: &Place) -> Option<Given> {
        let value = text.split_once('=').filter(|_| matches!(option.kind, Kind::Map)).map_or(text, |(_, value)| value);
        if self.dialect == Dialect::Own && shell::is_only_a_variable(value) {
            // The value is not repeated: it may be a password that begins so.
            let problem = Problem::new("has a value like `$NAME`, which is not replaced here and means itself");
            let help = match option.kind {
                Kind::Map => "write `{from_env: NAME}` for the value of a variable".to_owned(),
                _ => format!("set the variable `DPL_LAMBDA_{}`", option.name.to_ascii_uppercase()),
            };
            self.warning(problem.of(option.name).help(help), place);
        }
        let shell_reads_it = option.name == "run";
        let literal = self.dialect == Dialect::Own && matches!(option.kind, Kind::Map);
        let read = match self.dialect {
            _ if shell_reads_it => Ok(text.to_owned()),
            Dialect::Travis => shell::expand(text, &self.host.variables),
            Dialect::Own if literal => Ok(text.to_owned()),
            Dialect::Own => shell::refuse_commands(text).map(|()| text.to_owned()),
        };
        match read {
            Ok(read) if self.dialect == Dialect::Travis && self.shows_secret(option, text, &read) => {
                let problem =
                    Problem::new("would show the secret in a variable to everybody who may look at it in AWS");
                self.problem(problem.of(option.name).help(HIDE_IN_ENVIRONMENT), place);
                None
            }
            Ok(text) => Some(Given::text(text, place.clone())),
            Err(message) => {
                self.problem(Problem::new(message).of(option.name), place);
                None
            }
        }
    }
}

/// Every text in a value.
fn all_texts(given: &Given, texts: &mut Vec<String>) {
    match &given.value {
        Value::Null => {}
        Value::Text(text) => texts.extend(text.split(',').map(|text| text.trim().to_owned())),
        Value::List(items) => items.iter().for_each(|item| all_texts(item, texts)),
        Value::Map(entries) => entries.iter().for_each(|entry| all_texts(&entry.given, texts)),
    }
}

/// Options whose texts AWS stores for everybody to see.
const SEEN_IN_AWS: [&str; 4] = ["description", "version_description", "function_tags", "layer"];

/// Whether a value, or an item of it, is encrypted for Travis.
fn has_secure(given: &Given) -> bool {
    given.get("secure").is_some()
        || match &given.value {
            Value::List(items) => items.iter().any(has_secure),
            Value::Map(entries) => entries.iter().any(|entry| has_secure(&entry.given)),
            Value::Null | Value::Text(_) => false,
        }
}

/// Whether an alias of this option takes a member of such a map.
fn takes_member(option: &Opt, given: &Given) -> bool {
    option.aliases.iter().filter_map(|alias| alias.member).any(|member| given.get(member).is_some())
}

/// Whether a map has a value for each branch. An option that takes maps itself has none of those.
fn is_by_branch(option: &Opt, given: &Given) -> bool {
    let takes_maps = match option.kind {
        Kind::Map | Kind::Files => true,
        Kind::Structure(shape) => matches!(shape, Shape::Members { .. } | Shape::List { .. } | Shape::Json { .. }),
        _ => false,
    };
    !takes_maps && !takes_member(option, given)
}

fn is_lambda(provider: &str) -> bool {
    provider.trim().eq_ignore_ascii_case("lambda")
}

/// The words for yes and no, in any case.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}
