//! Flags, help, errors and exit codes: one file a case in `tests/cmd`.

#[test]
fn command_lines_print_what_the_cases_show() {
    trycmd::TestCases::new()
        .env("CI", "false")
        .case("tests/cmd/*.trycmd")
        .insert_var("[VERSION]", env!("CARGO_PKG_VERSION"))
        .unwrap();
}
