//! Two runs at once: at most one of them ends with 0, and what is live is the work of one.
//!
//! A run is held before one of its writes, another run goes from its beginning to its end, then the first goes on.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::harness::{
    Aws, Fault, Kind, Outcome, Proxy, Universe, emulator,
    release::{Extent, Variant, differing, ground, observe, put, try_cases, universe},
};

/// What the second run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Second {
    /// Deploys other code, other settings, and other things around the function.
    Other,
    /// Deploys the same code and settings, and other things around the function.
    OtherAround,
    /// Deploys the same.
    Same,
    Rollback,
    Delete,
}

/// What there is before the first run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Nothing,
    Function,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    extent: Extent,
    start: Start,
    second: Second,
    /// The write of the first run, counted from 1, before which the second run happens.
    write: usize,
}

const OLD: Variant = Variant { code: 1, settings: 1, around: 1 };
const FIRST: Variant = Variant { code: 2, settings: 2, around: 2 };

impl Second {
    fn variant(self) -> Variant {
        match self {
            Self::Other => Variant::all(3),
            Self::OtherAround => Variant { around: 3, ..FIRST },
            Self::Same | Self::Rollback | Self::Delete => FIRST,
        }
    }

    fn line(self) -> &'static str {
        match self {
            Self::Other | Self::OtherAround | Self::Same => "",
            Self::Rollback => "rollback",
            Self::Delete => "delete --yes",
        }
    }
}

/// A name that no other case has.
fn fresh_name() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("raced-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A function in the state before the runs, with the universe of the first run behind a proxy.
fn begin(extent: Extent, start: Start) -> (String, Universe, Proxy, Aws) {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let (name, aws, proxy) = (fresh_name(), Aws::of(endpoint), Proxy::before(endpoint));
    ground(&aws, &name, extent);
    let run = universe(&proxy.endpoint, &name, extent, OLD);
    if start == Start::Function {
        run.run("").code(0);
        if extent != Extent::Plain {
            // The alias has a version to go back to, which nothing needs once the alias moves on.
            aws.configure(&name, &json!({ "MemorySize": 256 }));
            let versions = format!("/2015-03-31/functions/{name}/versions");
            aws.put("POST", &versions, &json!({}));
            aws.change_alias(&name, "live", &json!({ "FunctionVersion": "2", "Description": "[before: 1]" }));
            aws.configure(&name, &json!({ "MemorySize": 128 }));
        }
    }
    proxy.forget_calls();
    put(&run, &name, extent, FIRST);
    (name, run, proxy, aws)
}

/// The state after a variant alone was deployed.
fn alone(extent: Extent, start: Start, variant: Variant) -> BTreeMap<String, Value> {
    let (name, run, _, aws) = begin(extent, start);
    put(&run, &name, extent, variant);
    run.run("").code(0);
    observe(&aws, &name)
}

/// How many writes the first run does when it is alone.
fn writes(extent: Extent, start: Start) -> usize {
    let (_, run, proxy, _) = begin(extent, start);
    run.run("").code(0);
    proxy.writes().len()
}

/// The outcomes of both runs, the first held before its nth write.
fn interleaved(case: Case, name: &str, run: &Universe, proxy: &Proxy) -> (Outcome, Outcome) {
    let other = universe(&emulator(Kind::Ministack).endpoint, name, case.extent, case.second.variant());
    let second: Arc<Mutex<Option<Outcome>>> = Arc::default();
    let (line, ended) = (case.second.line(), Arc::clone(&second));
    let action = Fault::First(Arc::new(move || {
        let mut ended = ended.lock().unwrap();
        if ended.is_none() {
            *ended = Some(other.run(line));
        }
    }));
    proxy.on_write(case.write, action);
    let first = run.run("");
    let second = second.lock().unwrap().take();
    (first, second.unwrap_or_else(|| panic!("{case:?}: the second run never began")))
}

/// Without what a version keeps of a lost run.
fn live(mut observed: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    observed.remove("version");
    observed
}

type States = BTreeMap<String, BTreeMap<String, Value>>;

fn key(extent: Extent, start: Start, variant: Variant) -> String {
    format!("{extent:?} {start:?} {variant:?}")
}

fn check(case: &Case, states: &States) -> Result<(), String> {
    let (name, run, proxy, aws) = begin(case.extent, case.start);
    let (first, second) = interleaved(*case, &name, &run, &proxy);
    let found = live(observe(&aws, &name));
    let told = || format!("--- first\n{}\n--- second\n{}\n--- {found:?}", first.all(), second.all());
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{case:?}: {what}\n{}", told())) };
    let of = |variant| live(states[&key(case.extent, case.start, variant)].clone());
    ensure(second.code == 0, "the second run fails")?;
    ensure([0, 5].contains(&first.code), &format!("the first run ends with {}", first.code))?;
    match case.second {
        Second::Delete => {
            ensure(first.code == 5, "a deployment of a deleted function ends with 0")?;
            return ensure(first.all().contains("deleted"), "it is not said that the function is deleted");
        }
        Second::Rollback => {
            ensure(first.code == 5, "both end with 0")?;
            let old = of(OLD);
            return ensure(found["alias"][0][0] == old["alias"][0][0], "the alias is not where the rollback put it");
        }
        Second::Other => ensure(first.code == 5, "both end with 0")?,
        // With the same code, the first run may come after the second as a whole.
        Second::OtherAround | Second::Same => {}
    }
    if first.code == 0 {
        let mixed = differing(&of(FIRST), &found);
        return ensure(mixed.is_empty(), &format!("a run that ends with 0 left {mixed:?}"));
    }
    let mixed = differing(&of(case.second.variant()), &found);
    ensure(mixed.len() <= 1, &format!("{mixed:?} are not of the second run"))?;
    for subject in &mixed {
        let subject = subject.split(' ').next().unwrap_or_default();
        ensure(first.all().contains(subject), &format!("{subject} is mixed, and is not named"))?;
    }
    ensure(first.all().contains("help: "), "it is not said what to do")?;
    // The run that should be live makes it so.
    let direct = universe(&emulator(Kind::Ministack).endpoint, &name, case.extent, case.second.variant());
    let again = direct.run("");
    ensure(again.code == 0, &format!("the second run cannot be repeated:\n{}", again.all()))?;
    let mixed = differing(&of(case.second.variant()), &live(observe(&aws, &name)));
    ensure(mixed.is_empty(), &format!("{mixed:?} stay mixed"))
}

/// The block of a function with nothing around it.
fn plain(name: &str) -> String {
    format!(
        "function_name: {name}\nrole: arn:aws:iam::000000000000:role/deployed\nruntime: python3.12\nhandler: index.handler\nzip: dist\n"
    )
}

#[test]
fn of_two_runs_at_most_one_ends_with_0_and_what_is_live_is_its_work() {
    let (mut states, mut cases) = (States::new(), Vec::new());
    for (extent, start) in [
        (Extent::Alias, Start::Function),
        (Extent::Plain, Start::Function),
        (Extent::Alias, Start::Nothing),
        (Extent::Plain, Start::Nothing),
    ] {
        let mut seconds = vec![Second::Other, Second::OtherAround, Second::Same];
        if start == Start::Function {
            seconds.push(Second::Delete);
            if extent == Extent::Alias {
                seconds.push(Second::Rollback);
            }
        }
        for variant in [OLD, FIRST, Second::Other.variant(), Second::OtherAround.variant()] {
            states.insert(key(extent, start, variant), alone(extent, start, variant));
        }
        let writes = writes(extent, start);
        for second in seconds {
            cases.extend((1..=writes).map(|write| Case { extent, start, second, write }));
        }
    }
    try_cases("two runs at once", &cases, 16, |case| check(case, &states));
}

#[test]
fn a_rollback_or_deletion_that_another_run_overtakes_does_not_undo_it() {
    let (name, run, proxy, aws) = begin(Extent::Alias, Start::Function);
    let endpoint = &emulator(Kind::Ministack).endpoint;
    let other = universe(endpoint, &name, Extent::Alias, Variant::all(3));
    proxy.on("UpdateAlias", 1, Fault::First(Arc::new(move || drop(other.run("").code(0)))));
    run.run("rollback").code(5).says("another program changed the alias `live`");
    assert_eq!(aws.alias(&name, "live")["FunctionVersion"], "3");

    proxy.clear();
    proxy.forget_calls();
    let configured = Aws::of(endpoint);
    let named = name.clone();
    proxy.on(
        "ListEventSourceMappings",
        1,
        Fault::Then(Arc::new(move || {
            std::thread::sleep(std::time::Duration::from_millis(1100));
            configured.configure(&named, &json!({ "Timeout": 77 }));
        })),
    );
    run.run("delete --yes").code(5).says("changed the function after it was shown");
    assert!(aws.exists(&name));
}

#[test]
fn an_unchanged_deployment_calls_no_more_than_it_reads() {
    for (extent, calls) in [(Extent::Plain, 6), (Extent::Alias, 12)] {
        let (_, run, proxy, _) = begin(extent, Start::Nothing);
        run.run("").code(0);
        proxy.forget_calls();
        run.run("").code(0).says("unchanged");
        assert_eq!(proxy.calls().len(), calls, "{:?}", proxy.calls());
    }
}

#[test]
fn a_plain_deployment_needs_no_look_at_its_end() {
    let (name, run, proxy, _) = begin(Extent::Plain, Start::Nothing);
    run.write("dpl.yml", plain(&name));
    run.run("").code(0);
    assert_eq!(proxy.calls()[..2], ["GetFunction", "CreateFunction"]);
    assert!(proxy.calls()[2..].iter().all(|call| call == "GetFunction"), "{:?}", proxy.calls());
}

#[test]
fn two_runs_publish_a_layer_once() {
    let endpoint = &emulator(Kind::Ministack).endpoint;
    for (name, denied) in [("layered-twice", false), ("layered-twice-denied", true)] {
        let (aws, proxy) = (Aws::of(endpoint), Proxy::before(endpoint));
        let of = |endpoint: &str| {
            Universe::at(endpoint)
                .file("layer/python/greeting.py", "TEXT = 1\n")
                .file("dpl.yml", format!("deploy:\n- layer: {{name: {name}, zip: layer}}\n"))
        };
        let (run, other) = (of(&proxy.endpoint), of(endpoint));
        proxy.on("PublishLayerVersion", 1, Fault::First(Arc::new(move || drop(other.run("").code(0)))));
        if denied {
            proxy.on("DeleteLayerVersion", 0, Fault::Answer(403, "AccessDeniedException", "no"));
        }
        run.run("").code(0).says(if denied { "Published version 2." } else { "Published version 1." });
        assert_eq!(aws.layer_versions(name).len(), if denied { 2 } else { 1 });
        run.run("").code(0).says("is unchanged");
    }
}

#[test]
fn a_published_version_with_other_code_is_a_conflict() {
    let (name, run, proxy, aws) = begin(Extent::Alias, Start::Function);
    let other = Universe::at(&emulator(Kind::Ministack).endpoint);
    other.write("dist/index.py", "def handler(e, c): return 'other'\n");
    other.write("dpl.yml", plain(&name));
    proxy.on("PublishVersion", 1, Fault::First(Arc::new(move || drop(other.run("").code(0)))));
    run.run("").code(5).says("has another code").says("begun: version");
    assert_eq!(aws.alias(&name, "live")["FunctionVersion"], "2");
}

#[test]
fn an_answer_from_before_a_write_is_read_again() {
    let (name, run, proxy, aws) = begin(Extent::Alias, Start::Function);
    let alias = aws.alias(&name, "live");
    // The first read after the alias was moved still shows the old version.
    proxy.on("GetAlias", 2, Fault::Instead(200, alias.to_string()));
    run.run("").code(0);
    run.run("").code(0).says("unchanged");
}
