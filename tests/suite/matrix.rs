//! A full release, disturbed at any of its calls in every way: what the run reports is what AWS has, and a second run
//! heals it.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::harness::{
    Aws, Fault, Kind, Outcome, Proxy, Universe, emulator,
    release::{Extent, Variant, differing, ground, observe, put, try_cases, universe},
};

/// What there is before the disturbed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Start {
    /// Nothing: everything is created.
    Create,
    /// A function without a version: it gets a version, an alias, and what stands around it.
    Release,
    /// An older release: everything changes.
    Update,
    /// The same, and the new version is tested and gets the traffic in steps.
    Shift,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Refused,
    Denied,
    Failed,
    FailedForGood,
    Throttled,
    ThrottledForGood,
    ResetBefore,
    ResetAfter,
    Unreadable,
    Page,
    Slow,
    Silent,
    Expired,
    Terminated,
    Killed,
}

const WAYS: [Way; 15] = [
    Way::Refused,
    Way::Denied,
    Way::Failed,
    Way::FailedForGood,
    Way::Throttled,
    Way::ThrottledForGood,
    Way::ResetBefore,
    Way::ResetAfter,
    Way::Unreadable,
    Way::Page,
    Way::Slow,
    Way::Silent,
    Way::Expired,
    Way::Terminated,
    Way::Killed,
];

#[derive(Debug, Clone)]
struct Case {
    start: Start,
    /// The disturbed call: the nth of its operation.
    call: (String, usize),
    way: Way,
}

const OLD: Variant = Variant { code: 1, settings: 1, around: 1 };
const NEW: Variant = Variant { code: 2, settings: 2, around: 2 };

type Observed = BTreeMap<String, Value>;

/// A name that no other case has.
fn fresh_name() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("disturbed-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The state before the disturbed run, and the universe of that run behind a proxy.
fn begin(start: Start) -> (String, Universe, Proxy, Aws) {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let (name, aws, proxy) = (fresh_name(), Aws::of(endpoint), Proxy::before(endpoint));
    ground(&aws, &name, Extent::Full);
    let run = universe(&proxy.endpoint, &name, Extent::Full, OLD);
    match start {
        Start::Create => {}
        Start::Release => {
            let plain = format!(
                "function_name: {name}\nrole: arn:aws:iam::000000000000:role/dpl-lambda-{name}\nruntime: python3.12\nhandler: index.handler\nzip: dist\n"
            );
            run.write("dpl.yml", plain);
            run.run("").code(0);
        }
        Start::Update | Start::Shift => drop(run.run("").code(0)),
    }
    proxy.forget_calls();
    put(&run, &name, Extent::Full, NEW);
    if start == Start::Shift {
        let block = run.read("dpl.yml");
        let shift = "  smoke_test: {matches: '2'}\n  traffic_shifting: {steps: [50], interval: 1}\n";
        run.write("dpl.yml", format!("{block}{shift}"));
    }
    (name, run, proxy, aws)
}

/// Makes the call of a case go wrong.
fn disturb(case: &Case, proxy: &Proxy, process: &Arc<Mutex<Option<u32>>>) {
    let (operation, nth) = (case.call.0.as_str(), case.call.1);
    let once = |fault| {
        proxy.on(operation, nth, fault);
    };
    let for_good = |fault| {
        proxy.on_from(operation, nth, fault);
    };
    let signal = |name: &'static str| {
        let process = Arc::clone(process);
        Fault::First(Arc::new(move || {
            loop {
                if let Some(id) = *process.lock().unwrap() {
                    Command::new("kill").args([name, &id.to_string()]).status().unwrap();
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }))
    };
    let throttled = Fault::Answer(429, "TooManyRequestsException", "Rate exceeded");
    let failed = Fault::Answer(500, "ServiceException", "An error occurred");
    match case.way {
        Way::Refused => once(Fault::Answer(400, "InvalidParameterValueException", "not today")),
        Way::Denied => once(Fault::Answer(403, "AccessDeniedException", "not today")),
        Way::Failed => once(failed),
        Way::FailedForGood => for_good(failed),
        Way::Throttled => once(throttled),
        Way::ThrottledForGood => for_good(throttled),
        Way::ResetBefore => once(Fault::ResetBefore),
        Way::ResetAfter => once(Fault::ResetAfter),
        Way::Unreadable => once(Fault::Instead(200, "{\"cut off".to_owned())),
        Way::Page => once(Fault::PageAfter),
        Way::Slow => once(Fault::Slow(Duration::from_secs(2))),
        Way::Silent => once(Fault::Silent),
        Way::Expired => for_good(Fault::Answer(403, "ExpiredTokenException", "The security token is expired")),
        Way::Terminated => once(signal("-TERM")),
        Way::Killed => once(signal("-KILL")),
    }
}

/// The outcome of a disturbed run.
fn disturbed(case: &Case, run: &Universe, proxy: &Proxy) -> Outcome {
    let process: Arc<Mutex<Option<u32>>> = Arc::default();
    disturb(case, proxy, &process);
    // A call without an answer may take all the time that there is.
    let limit = if case.way == Way::Silent { " --wait_timeout 15" } else { "" };
    let child = run.start(&format!("--format json{limit}"));
    *process.lock().unwrap() = Some(child.id());
    let outcome = Outcome::of(&child.wait_with_output().unwrap());
    proxy.clear();
    outcome
}

/// The parts of an observation that a step changes, by its subject.
fn parts<'a>(subject: &str, observed: &'a Observed) -> Vec<(&'a String, &'a Value)> {
    let own = |key: &String| key == subject || subject == "permission" && key.starts_with("permission ");
    observed.iter().filter(|(key, _)| own(key)).collect()
}

/// Compares what a failed run reports with what AWS has.
fn is_true(outcome: &Outcome, before: &Observed, after: &Observed, wanted: &Observed) -> Result<(), String> {
    let document: Value = serde_json::from_str(&outcome.stdout).map_err(|error| format!("no document: {error}"))?;
    let listed = |list: &str| -> Vec<String> {
        let errors = document["errors"].as_array().into_iter().flatten();
        let all = errors.flat_map(|error| error[list].as_array().into_iter().flatten());
        all.map(|subject| subject.as_str().unwrap_or_default().to_owned()).collect()
    };
    let (done, begun, not_done) = (listed("done"), listed("begun"), listed("not_done"));
    let count = |list: &[String], subject: &str| list.iter().filter(|other| *other == subject).count();
    let subjects: BTreeSet<_> = done.iter().chain(&begun).chain(&not_done).collect();
    for subject in subjects {
        let (done, begun) = (count(&done, subject), count(&begun, subject));
        let parts = parts(subject, after);
        let touched = parts.iter().filter(|(key, value)| before.get(*key) != Some(*value)).count();
        let reached = parts
            .iter()
            .filter(|(key, value)| before.get(*key) != Some(*value) && wanted.get(*key) == Some(*value))
            .count();
        // What differs in no part that is observed cannot be checked.
        let visible = parts.iter().filter(|(key, _)| before.get(*key) != wanted.get(*key)).count();
        if reached < done.min(visible) {
            return Err(format!("{subject}: {done} are done, AWS has {reached}"));
        }
        if touched > done + begun {
            return Err(format!("{subject}: {done} are done and {begun} are begun, AWS has {touched}"));
        }
    }
    // What no list names is as it was.
    let named = |key: &str| {
        let subject = if key.starts_with("permission ") { "permission" } else { key };
        let by = |list: &[String]| list.iter().any(|other| other == subject);
        let created = |list: &[String]| list.iter().any(|other| other == "function");
        let with_function = ["configuration", "code", "tags"].contains(&key);
        by(&done) || by(&begun) || with_function && (created(&done) || created(&begun))
    };
    // The failure of a function does not list the layer, which was published before.
    let touched = differing(after, before).into_iter().find(|key| key != "layer" && !named(key));
    touched.map_or(Ok(()), |key| Err(format!("{key} changed, and no list has it")))
}

fn check(case: &Case, wanted: &BTreeMap<Start, Observed>) -> Result<(), String> {
    let (name, run, proxy, aws) = begin(case.start);
    let wanted = &wanted[&case.start];
    let before = observe(&aws, &name);
    let outcome = disturbed(case, &run, &proxy);
    let after = observe(&aws, &name);
    let text = outcome.all();
    let fail = |what: &str| Err(format!("{case:?}: {what}\n{text}\n--- before {before:?}\n--- after {after:?}"));
    if text.contains("panicked") {
        return fail("it panics");
    }
    if case.way != Way::Killed {
        if outcome.code == 0 {
            let unlike = differing(&after, wanted);
            if !unlike.is_empty() {
                return fail(&format!("it ends with 0, and {unlike:?} are not as wanted"));
            }
        } else if let Err(what) = is_true(&outcome, &before, &after, wanted) {
            return fail(&what);
        }
    }
    let healed = run.run("");
    if healed.code != 0 {
        return fail(&format!("it does not heal: {}", healed.all()));
    }
    let unlike = differing(&observe(&aws, &name), wanted);
    if !unlike.is_empty() {
        return fail(&format!("after healing, {unlike:?} are not as wanted: {:?}", observe(&aws, &name)));
    }
    proxy.forget_calls();
    let third = run.run("");
    if third.code != 0 || !third.all().contains("unchanged") || !proxy.writes().is_empty() {
        return fail(&format!("a third run writes {:?}: {}", proxy.writes(), third.all()));
    }
    Ok(())
}

/// All calls of an operation by their number, as an undisturbed run does them.
fn calls(proxy: &Proxy) -> Vec<(String, usize)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut numbered = |operation: String| {
        let nth = seen.entry(operation.clone()).or_default();
        *nth += 1;
        (operation, *nth)
    };
    proxy.calls().into_iter().map(&mut numbered).collect()
}

#[test]
fn a_release_that_is_disturbed_at_any_call_is_reported_truthfully_and_healed() {
    let (mut wanted, mut cases) = (BTreeMap::new(), Vec::new());
    for start in [Start::Create, Start::Release, Start::Update, Start::Shift] {
        let (name, run, proxy, aws) = begin(start);
        run.run("").code(0);
        let calls = calls(&proxy);
        wanted.insert(start, observe(&aws, &name));
        assert!(calls.len() > 30, "{start:?}: {calls:?}");
        for call in calls {
            cases.extend(WAYS.map(|way| Case { start, call: call.clone(), way }));
        }
    }
    assert_ne!(json!(wanted[&Start::Create]["version"]), json!([]));
    try_cases("disturbed releases", &cases, 40, |case| check(case, &wanted));
}
