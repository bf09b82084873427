//! Colours, the quiet log, the JUnit report and the JSON document.

use std::process::Command;

use crate::harness::{Fault, Kind, Proxy, Universe, emulator};

fn deployable(function: &str) -> (Universe, Proxy) {
    let proxy = Proxy::before(&emulator(Kind::Ministack).endpoint);
    let role = format!("arn:aws:iam::{}:role/deployed", Kind::Ministack.account());
    let block =
        format!("function_name: {function}\nrole: {role}\nruntime: python3.13\nhandler: index.handler\nzip: dist\n");
    (Universe::at(&proxy.endpoint).file("dist/index.py", "def handler(e, c): return 1\n").file("dpl.yml", block), proxy)
}

/// The cases of a JUnit report, as Python's XML parser reads them: suite, name, result, file.
fn cases(universe: &Universe, file: &str) -> Vec<String> {
    const READ: &str = "
import sys, xml.etree.ElementTree as tree
for suite in tree.parse(sys.argv[1]).getroot():
    for case in suite:
        kinds = [child.tag for child in case] or ['passed']
        where = ' in ' + case.get('file') if case.get('file') else ''
        print(suite.get('name') + ': ' + case.get('name') + ' ' + kinds[0] + where)
";
    let output = Command::new("python3").args(["-c", READ]).arg(universe.path(file)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_junit_report_has_a_case_for_each_step() {
    let (universe, proxy) = deployable("in-junit");
    universe.run("--junit a.xml --publish").code(0);
    assert_eq!(
        cases(&universe, "a.xml"),
        ["in-junit in us-east-1: create the function passed", "in-junit in us-east-1: publish a version passed"]
    );
    universe.run("--junit b.xml --publish").code(0);
    assert_eq!(cases(&universe, "b.xml"), ["in-junit in us-east-1: unchanged passed"]);

    universe.write("dist/index.py", "def handler(e, c): return 2\n");
    proxy.on("UpdateFunctionCode", 0, Fault::Answer(403, "AccessDeniedException", "no <b>way</b> ]]>"));
    universe.run("--junit c.xml --publish --memory_size 256").code(4);
    assert_eq!(
        cases(&universe, "c.xml"),
        [
            "in-junit in us-east-1: update the configuration passed",
            "in-junit in us-east-1: update the code failure",
            "in-junit in us-east-1: publish a version skipped"
        ]
    );
    universe.run("plan --junit d.xml --memory_size 512").code(0);
    let planned =
        ["in-junit in us-east-1: update the configuration skipped", "in-junit in us-east-1: update the code skipped"];
    assert_eq!(cases(&universe, "d.xml"), planned);
}

#[test]
fn a_junit_report_names_the_file_of_each_mistake() {
    let universe = Universe::empty()
        .file("dist/index.py", "")
        .file("dpl.yml", "function_name: f\nzip: dist\nmemory_size: 1\ntimeout: x\n");
    universe.run("check --junit a.xml").code(3);
    assert_eq!(
        cases(&universe, "a.xml"),
        ["dpl-lambda: memory_size failure in dpl.yml", "dpl-lambda: timeout failure in dpl.yml"]
    );
    universe.write("dpl.yml", "function_name: f\nzip: dist\n");
    universe.run("check --junit b.xml").code(0);
    assert_eq!(cases(&universe, "b.xml"), ["f: check passed"]);
    universe
        .run("check --junit dist/index.py/b.xml")
        .code(0)
        .says("the JUnit report `dist/index.py/b.xml` could not be written");
}

#[test]
fn colours_appear_only_where_they_are_visible_and_wanted() {
    let (universe, _) = deployable("coloured");
    let universe = universe.without("NO_COLOR");
    let red = "\u{1b}[1;31merror: the configuration is not right\u{1b}[0m";
    universe.run("--timeout 0").code(3).never_says("\u{1b}");
    universe.run("--timeout 0 --color always").code(3).says(red);
    let universe = universe.with("FORCE_COLOR", "1");
    universe.run("--timeout 0").code(3).says(red);
    universe.run("--timeout 0 --color never").code(3).never_says("\u{1b}");
    universe.run("plan").code(0).says("\u{1b}[32m  + function");
    let document = universe.run("plan --format json").code(0);
    assert!(!document.stdout.contains('\u{1b}') && document.stderr.contains('\u{1b}'));
    let universe = universe.without("FORCE_COLOR").with("GITLAB_CI", "true");
    universe.run("plan").code(0).says("\u{1b}[32m  + function");
    universe.with("NO_COLOR", "1").run("plan").code(0).never_says("\u{1b}[3");
}

#[test]
fn a_quiet_run_shows_only_results_warnings_and_errors() {
    let (universe, _) = deployable("quiet");
    let outcome = universe.run("--quiet").code(0);
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
    assert!(outcome.stdout.starts_with("Deployed arn:aws:lambda:us-east-1:"));
    let unchanged = universe.run("--quiet").code(0);
    assert_eq!(unchanged.all(), "");
    universe.run("--quiet --timeout 0").code(3).says("timeout: must be between");
    let document = universe.run("--quiet plan --memory_size 256 --format json").code(0).json();
    assert_eq!(document["functions"][0]["outcome"], "planned");
}

#[test]
fn files_for_results_overwrite_neither_inputs_nor_each_other() {
    let (universe, _) = deployable("own-files");
    let block = universe.read("dpl.yml");
    universe.run("plan --output_file ./dpl.yml").code(3).says("output_file: is a file that is read");
    universe.run("plan --junit a.xml --summary_file ./a.xml").code(3).says("summary_file: is a file that is read, or");
    assert_eq!(universe.read("dpl.yml"), block);
    universe.run("plan --junit /dev/null --output_file /dev/null").code(0);
    universe.run("plan --junit new/folder/a.xml").code(0);
    assert_eq!(cases(&universe, "new/folder/a.xml").len(), 1);
}

#[test]
fn a_json_document_contains_no_ci_command() {
    let (universe, _) = deployable("document");
    let hostile = "##vso[task.setvariable variable=PATH]/x ##[add-mask]e";
    let outcome = universe.run(&format!("plan --format json --description '{hostile}'")).code(0);
    assert!(!outcome.stdout.contains("##"), "{}", outcome.stdout);
    assert!(outcome.json().to_string().contains(hostile), "it says the same");
}
