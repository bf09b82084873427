//! The tests, one binary: what the tool does as a user runs it, against real emulators.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::use_debug,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "a test may fall, and need not be fast"
)]
#![allow(unreachable_pub, reason = "one binary: nothing is reachable from outside")]

// The harness: emulators, proxies, and a scrubbed environment.
mod harness;

// Which module of the source may import which.
mod layering;

// Command lines with their whole output.
mod cmd;

// What editors and shells get.
mod editors;

// Files, variables and flags.
mod config;

// Paths in the configuration file.
mod paths;

// Defaults, stages, `for_each`, Regions, and `%{…}` in every text.
mod stages;

// Mistakes in the configuration, and what their messages say.
mod mistakes;

// Which values `check` refuses.
mod limits;

// Values of variables, wherever a text may stand.
mod variables;

// The account in texts, which is known after the log-in.
mod account;

// Values from Systems Manager, Secrets Manager, stacks and Terraform.
mod elsewhere;

// Pull requests, and blocks that are skipped.
mod pull_requests;

// The plan as a comment on the pull request.
mod comments;

// Which files go into a package, and with which bytes.
mod package;

// The code of another function.
mod promote;

// Undone deployments, and versions that are held.
mod rollback;

// Packages of compiled programs.
mod compiled;

// The checks of a package.
mod inspect;

// Creating and updating functions.
mod deploy;

// Versions and aliases.
mod release;

// One half of a block, and versions in each deployment.
mod halves;

// Tests that a version must pass.
mod smoke;

// Traffic that is shifted, and releases that come back.
mod shift;

// Functions that get their traffic together, or not at all.
mod together;

// The files of the live package.
mod live_package;

// Layers.
mod layers;

// Resources around a function: URL, permissions, event sources, concurrency.
mod around;

// Many blocks in one run, one after another and at once.
mod at_once;
mod many;

// Blocks that come after others.
mod order;

// A full storage for code.
mod storage;

// Several blocks: the overview, events as JSON, the outputs of each, and who deploys.
mod feed;
mod overview;
mod several;

// Ready archives that are packed again, and how small packages are.
mod repack;

// Packages that go through S3.
mod upload;

// Each setting of a function.
mod settings;

// Execution roles that are created.
mod role;

// Functions of container images.
mod image;

// The rights that a deployment needs, and plans.
mod policy;

// Text from users and services in the output.
mod foreign;

// Errors, lost answers, signals.
mod faults;

// How AWS answers, as it was recorded.
mod recorded;

// Servers that do not answer.
mod silence;

// Two runs at once.
mod races;

// A full release that is disturbed at any of its calls.
mod matrix;

// Invoking functions.
mod invoke;

// Whether a deployment can work.
mod doctor;

// The log of a function.
mod logs;

// `status`, `list`, `rollback` and `delete`.
mod live;

// Leaving Travis: the converted file.
mod leaving_travis;

// Credentials, roles and OIDC tokens.
mod oidc;

// What a file of the checkout may decide.
mod trust;

// The output for each CI.
mod dialects;

// Step summaries and JUnit reports.
mod report;

// Machines that run out of something.
mod scarce;

// Variables and files of each CI.
mod cis;

// Secrets, which no output may show.
mod secrets;

// Variables of a function: which values a plan shows.
mod shown;

// The page "Security" of the manual is true.
mod security;

// The action for GitHub: inputs and outputs.
mod action;

// The manual: tables, links and sessions.
mod manual;
