//! Values of functions that blocks take, such as a URL: of live functions, and of functions that this run deploys.
//!
//! A value that is known only after a deployment has a stand-in until then. The block that takes it is planned with the
//! stand-in, so that all mistakes are found before the first write, and once more when the value is known.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::Run;
use super::build::Built;
use super::connect::Login;
use super::layers::RunLayers;
use super::order::Turn;
use super::plan::{self, Planned};
use super::secrets;
use crate::config::{self, AfterFailure, Entry, Loaded, Sought, Values};
use crate::deployment::{Deployment, Publish};
use crate::error::Error;
use crate::event::Deployed;
use crate::fault::{Fault, FaultKind};
use crate::place::Problem;
use crate::plan::{Action, Plan, Step};
use crate::reference::{Found, FunctionOutput, Reference};
use crate::remote::Live;
use crate::settings::{Attachment, FunctionName, Secret, Setting, Written};

/// The values that blocks take from functions which this run deploys.
#[derive(Default)]
pub(super) struct Outputs {
    /// All values from elsewhere.
    values: RefCell<Values>,
    /// The configuration with these values; absent until it is needed.
    complete: RefCell<Option<Rc<Loaded>>>,
    taken: RefCell<Vec<Taken>>,
    /// What is known of the functions, by the position of their entries.
    known: RefCell<BTreeMap<usize, Known>>,
}

/// A value that a block takes from a function of the run.
struct Taken {
    sought: Sought,
    /// Which value.
    output: FunctionOutput,
    /// The positions of the entries that decide about the value. The last one counts.
    of: Vec<usize>,
    /// The unqualified ARN of the function.
    arn: String,
    region: String,
    /// The value, as far as it is known.
    found: Found,
    /// The value with which the block was planned last.
    used: Found,
}

/// What is known of a function of the run.
struct Known {
    version: Value,
    url: Value,
}

enum Value {
    /// It is known after the deployment.
    Coming,
    /// It is known: there is none, or this one.
    Is(Option<String>),
}

impl Outputs {
    /// Takes over all values from elsewhere.
    pub(super) fn begin(&self, values: Values) {
        self.values.replace(values);
    }

    /// Whether a block takes a value that is known only after a deployment. The first one.
    pub(super) fn first(&self) -> Option<Sought> {
        self.taken.borrow().first().map(|taken| taken.sought.clone())
    }

    /// Takes in what the plan of a function says about its values.
    fn plan(&self, planned: &Planned<'_>) {
        let plan::Found::Function { remote, .. } = &planned.found else { return };
        let Planned { plan, built, .. } = planned;
        let version = match &plan.published {
            Some(version) => Value::Is(Some(version.clone())),
            None => Value::Coming,
        };
        let creates_url = |step: &Step| {
            matches!(step, Step::Attach(change)
                if change.attachment == Attachment::FunctionUrl && change.action == Action::Create)
        };
        let url = if plan.steps.iter().any(creates_url) {
            Value::Coming
        } else {
            Value::Is(remote.live().and_then(|live| kept_url(live, plan)))
        };
        self.known.borrow_mut().insert(built.entry.number, Known { version, url });
    }

    /// Takes in the values of a function after its deployment.
    pub(super) fn know(&self, entry: &Entry, deployed: &Deployed) {
        let (version, url) = (Value::Is(deployed.version.clone()), Value::Is(deployed.url.clone()));
        self.known.borrow_mut().insert(entry.number, Known { version, url });
    }

    /// Takes in the version of a function that is ready and waits for its traffic.
    pub(super) fn ready(&self, entry: &Entry, version: Option<String>) {
        if let Some(known) = self.known.borrow_mut().get_mut(&entry.number) {
            known.version = Value::Is(version);
        }
    }

    /// The first value of a block that is not known.
    fn unknown(&self, entry: &Entry, is_meant: impl Fn(FunctionOutput) -> bool) -> Option<Sought> {
        let taken = self.taken.borrow();
        let mut of_entry = taken.iter().filter(|taken| taken.sought.entry == entry.number);
        of_entry
            .find(|taken| matches!(taken.found, Found::Coming { .. }) && is_meant(taken.output))
            .map(|taken| taken.sought.clone())
    }

    /// The value of a function, as far as it is known.
    fn value(&self, taken: &Taken) -> Found {
        let known = self.known.borrow();
        let value = |number: &usize| {
            let Known { version, url } = known.get(number)?;
            match if taken.output == FunctionOutput::Url { url } else { version } {
                Value::Coming => None,
                Value::Is(value) => Some(value.as_deref()),
            }
        };
        let values: Option<Vec<_>> = taken.of.iter().map(value).collect();
        let Some(last) = values.and_then(|values| values.last().copied()) else {
            return coming(taken.output, &taken.arn, &taken.region, taken.function());
        };
        match (last, taken.output) {
            (Some(version), FunctionOutput::QualifiedArn) => plain(format!("{}:{version}", taken.arn)),
            (Some(value), _) => plain(value),
            (None, FunctionOutput::Url) => nothing(taken, "has no function URL", "set `function_url` in its block"),
            (None, _) => nothing(taken, "has no published version", "set `publish: true` in its block"),
        }
    }

    /// Whether some values of a block became known since it was planned last. They count as used from now on.
    fn has_news(&self, entry: &Entry) -> bool {
        let mut taken = self.taken.borrow_mut();
        for taken in taken.iter_mut() {
            let found = self.value(taken);
            if found != taken.found {
                let values = self.values.take().with(&taken.sought, found.clone());
                self.values.replace(values);
                self.complete.take();
                taken.found = found;
            }
        }
        let mut has_news = false;
        for taken in taken.iter_mut().filter(|taken| taken.sought.entry == entry.number) {
            has_news |= taken.used != taken.found;
            taken.used.clone_from(&taken.found);
        }
        has_news
    }

    /// The configuration with the values that are known. It is loaded once for all blocks that wait for the same values.
    fn complete(&self, load: impl FnOnce(&Values) -> Loaded) -> Rc<Loaded> {
        let load = || Rc::new(load(&self.values.borrow()));
        Rc::clone(self.complete.borrow_mut().get_or_insert_with(load))
    }
}

impl Taken {
    fn function(&self) -> &str {
        match &self.sought.reference {
            Reference::Function { function, .. } => function,
            _ => "",
        }
    }
}

/// A stand-in that no live function has as its value. `arn` is that of the function.
fn coming(output: FunctionOutput, arn: &str, region: &str, function: &str) -> Found {
    let stand_in = match output {
        FunctionOutput::Arn => arn.to_owned(),
        FunctionOutput::Version => "0".to_owned(),
        FunctionOutput::QualifiedArn => format!("{arn}:0"),
        FunctionOutput::Url => format!("https://known-after-deployment.lambda-url.{region}.on.aws/"),
    };
    Found::Coming { stand_in: Secret::new(stand_in), function: function.to_owned() }
}

fn plain(value: impl AsRef<str>) -> Found {
    Found::Plain(Secret::new(value.as_ref()))
}

fn nothing(taken: &Taken, what: &str, help: &str) -> Found {
    Found::Nothing { message: format!("`{}` {what}", taken.function()), help: format!("{help}, or set a `default`") }
}

/// The URL that a function keeps; `None` if it has none, or loses it.
pub(super) fn kept_url(before: &Live, plan: &Plan) -> Option<String> {
    let urls = before.attachments.get(&Attachment::FunctionUrl);
    let url = urls.and_then(|urls| urls.get("")?.handle.clone());
    url.filter(|_| plan.removed(Attachment::FunctionUrl).is_none())
}

/// Values that live as long as the arena, which is shared.
pub(super) struct Arena<T>(OnceCell<(T, Box<Self>)>);

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self(OnceCell::new())
    }
}

impl<T> Arena<T> {
    fn keep(&self, value: T) -> &T {
        let mut end = self;
        while let Some((_, next)) = end.0.get() {
            end = next;
        }
        &end.0.get_or_init(|| (value, Box::default())).0
    }
}

/// The blocks that were read again, with their packages.
pub(super) struct Renewed<'e> {
    entries: &'e Arena<Entry>,
    built: Arena<Built<'e>>,
}

impl<'e> Renewed<'e> {
    /// None so far.
    pub(super) fn new(entries: &'e Arena<Entry>) -> Self {
        Self { entries, built: Arena::default() }
    }
}

impl Run<'_> {
    /// The value of a reference to a function: that of a function of the run, or else the live one.
    pub(super) async fn output(&self, sought: &Sought, login: &Login, entries: &[Entry]) -> Result<Found, Fault> {
        let Reference::Function { function, qualifier, output } = &sought.reference else {
            return Err(Fault::new(FaultKind::Misconfigured, format!("`{}` is of no function", sought.reference)));
        };
        let (mut of, mut of_run) = (Vec::new(), None);
        for number in &sought.of {
            let Some(entry) = entries.get(*number) else { continue };
            let Some(deployment) = entry.item.function() else { continue };
            let alias = deployment.release.alias.as_ref().map(|alias| alias.0.as_str());
            let is_alias = match qualifier.as_deref() {
                None => true,
                Some("$LATEST") => alias.is_none(),
                named => named == alias,
            };
            let exists =
                !self.only_plans(entry) || entries.get(sought.entry).is_some_and(|taker| self.only_plans(taker));
            if !is_alias || !exists || !decides(deployment, *output) {
                continue;
            }
            if let Some(found) = self.arn_of_run(function, deployment, sought, login).await? {
                of.push(*number);
                of_run = Some((found, alias));
            }
        }
        match (of_run, output) {
            (Some((arn, _)), FunctionOutput::Arn) => Ok(plain(arn)),
            (Some((arn, Some(alias))), FunctionOutput::QualifiedArn) => Ok(plain(format!("{arn}:{alias}"))),
            (Some((arn, _)), output) => {
                let region = login.connection.region.clone();
                let found = coming(*output, &arn, &region, function);
                let (sought, used) = (sought.clone(), found.clone());
                let taken = Taken { sought, output: *output, of, arn, region, found: found.clone(), used };
                self.outputs.taken.borrow_mut().push(taken);
                Ok(found)
            }
            (None, output) => {
                let qualifier = qualifier.as_ref().or(sought.alias.as_ref());
                let qualifier = qualifier.filter(|_| *output != FunctionOutput::Arn);
                self.live_output(function, *output, qualifier.map(String::as_str), sought, login).await
            }
        }
    }

    /// The unqualified ARN of a function of the run; `None` if the reference names one of another account or Region.
    async fn arn_of_run(
        &self,
        written: &str,
        deployment: &Deployment,
        sought: &Sought,
        login: &Login,
    ) -> Result<Option<String>, Fault> {
        let there = self.connect(&deployment.target, sought.limit).await?;
        self.identify(&there, sought.limit).await?;
        let caller = there.connection.caller();
        let account = deployment.function.account.clone().or(caller.account).unwrap_or_default();
        let name = &deployment.function.name;
        let arn = caller.partition.arn("lambda", &caller.region, &account, &format!("function:{name}"));
        let named = FunctionName::parse(&Written::Text(written.to_owned())).ok();
        let is_it = match named.as_ref().and_then(|named| named.account.as_ref()) {
            Some(named_account) => {
                let region = named.as_ref().and_then(|named| named.region.as_ref()).unwrap_or(&login.connection.region);
                *named_account == account && *region == caller.region
            }
            None => deployment.target.is_same_account(&sought.target) && caller.region == login.connection.region,
        };
        Ok(is_it.then_some(arn))
    }

    /// The value of a live function, read once a run.
    async fn live_output(
        &self,
        function: &str,
        output: FunctionOutput,
        qualifier: Option<&str>,
        sought: &Sought,
        login: &Login,
    ) -> Result<Found, Fault> {
        let region = &login.connection.region;
        let named = FunctionName::parse(&Written::Text(function.to_owned())).ok();
        if let Some(elsewhere) = named.and_then(|named| named.region).filter(|named| named != region) {
            return Ok(Found::Nothing {
                message: format!("`{function}` is in {elsewhere}, and this function is in {region}"),
                help: "name a function in the same Region, or write the value itself".to_owned(),
            });
        }
        let key = (region.clone(), function.to_owned(), qualifier.map(str::to_owned), output);
        let session = self.session(login, function, None, sought.limit);
        login.lookups.outputs.get_or(key, session.output(output, qualifier, region)).await
    }

    /// Plans a function, after those whose values it takes; `None` if one of them failed, which stops the run.
    pub(super) async fn plan_in_turn<'s>(
        &'s self,
        built: &'s Built<'_>,
        layers: &RunLayers,
        turn: Turn<'_>,
        renewed: &'s Renewed<'_>,
    ) -> Result<Option<Planned<'s>>, Error> {
        if !turn.come_for_values().await {
            self.leave(built.entry);
            return Ok(None);
        }
        let planned = match self.renewed(built.entry, renewed).await? {
            Some(built) => self.plan(built, layers).await?,
            None => self.plan(built, layers).await?,
        };
        self.refuse_url_of_traffic(built.entry)?;
        self.outputs.plan(&planned);
        turn.end();
        Ok(Some(planned))
    }

    /// Refuses to wait for a URL in a run whose functions wait for each other: it is created when all of them are ready.
    fn refuse_url_of_traffic(&self, entry: &Entry) -> Result<(), Error> {
        let unknown = self.outputs.unknown(entry, |output| output == FunctionOutput::Url);
        let Some(sought) = unknown.filter(|_| self.after_failure == AfterFailure::GoBack) else { return Ok(()) };
        let message =
            "is known only when all functions are ready, and with `all_or_nothing` this one must be ready before";
        let help = "deploy the function with the URL in an earlier run";
        let problem = Problem::new(message).of(sought.option).at(&sought.place).help(help);
        Err(Error::refused(&entry.item, [problem], &entry.places))
    }

    /// The plan to apply: plans once more if values became known, or if an earlier block has changed the same function.
    pub(super) async fn current<'s>(
        &'s self,
        planned: Planned<'s>,
        is_first: bool,
        layers: &RunLayers,
        renewed: &'s Renewed<'_>,
    ) -> Result<Planned<'s>, Error> {
        let entry = planned.built.entry;
        let built = self.renewed(entry, renewed).await?;
        if let Some(unknown) = self.outputs.unknown(entry, |_| true) {
            let problem = Problem::new(format!("`{}` is still unknown", unknown.reference)).of(unknown.option);
            return Err(Error::refused(&entry.item, [problem.at(&unknown.place)], &entry.places));
        }
        match built {
            Some(built) => self.plan_again(built, layers).await,
            None if is_first => Ok(planned),
            None => self.plan_again(planned.built, layers).await,
        }
    }

    /// The block with the values that became known since it was planned last, and with its package; `None` if none did.
    async fn renewed<'s>(&self, entry: &Entry, renewed: &'s Renewed<'_>) -> Result<Option<&'s Built<'s>>, Error> {
        if !self.outputs.has_news(entry) {
            return Ok(None);
        }
        let complete = self.outputs.complete(|values| {
            let complete = config::load(&self.request, self.host, self.detected, Some(values));
            secrets::hide_configured(&complete, &self.console);
            complete
        });
        if !complete.problems.is_empty() {
            return Err(Error::refused(&entry.item, complete.problems.clone(), &entry.places));
        }
        let is_same = |new: &Entry| {
            new.item.name() == entry.item.name() && new.item.target().region == entry.item.target().region
        };
        let Some(new) = complete.entries.get(entry.number).filter(|new| is_same(new)).cloned() else {
            let problem = Problem::new("the configuration changed during the run").help("run again");
            return Err(Error::refused(&entry.item, [problem], &entry.places));
        };
        let new = renewed.entries.keep(new);
        let built = self.build(new).await?;
        Ok(Some(renewed.built.keep(built)))
    }
}

/// Whether a block decides about a value of its function.
fn decides(deployment: &Deployment, output: FunctionOutput) -> bool {
    match output {
        FunctionOutput::Arn => true,
        FunctionOutput::Version | FunctionOutput::QualifiedArn => deployment.release.publish != Publish::No,
        FunctionOutput::Url => deployment.attachments.contains_key(&Attachment::FunctionUrl),
    }
}
