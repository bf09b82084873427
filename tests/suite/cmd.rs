//! Flags, help, errors and exit codes: one file a case in `tests/cmd`.

#[test]
fn command_lines_are_answered_as_written_down() {
    trycmd::TestCases::new()
        .env("CI", "false")
        .case("tests/cmd/*.trycmd")
        .insert_var("[VERSION]", env!("CARGO_PKG_VERSION"))
        .unwrap();
}
