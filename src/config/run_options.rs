//! The options of the run as a whole: its log, and the files for its results.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    after_failure::AfterFailure,
    context::Context,
    env,
    layer::{self, Layer},
    network::Certificates,
    read::Reader,
    trust::Trust,
};
use crate::files::Destination;
use crate::host::{Build, Ci, Host};
use crate::place::Problem;
use crate::settings::Secret;
use crate::verb::Purpose;

/// The option by which the aliases of all functions move, or none.
pub(super) const ALL_OR_NOTHING: &str = "all_or_nothing";

/// The options of the run as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunOptions {
    /// The CI for which the log is written: that of the option, else the detected one.
    pub ci: Ci,
    /// Whether standard output gets one JSON document.
    pub json: bool,
    /// What standard error gets: `text`, or `json` for a line for each event; empty before it was read.
    pub log: &'static str,
    /// Whether the log has the reason of each decision.
    pub verbose: bool,
    /// The file for a JUnit report; absent for none.
    pub junit: Option<Destination>,
    /// `auto`, `always` or `never`; empty before it was read.
    pub color: &'static str,
    /// Whether the log has only results, warnings and errors.
    pub quiet: bool,
    /// What happens if every block was skipped.
    pub if_skipped: IfSkipped,
    /// How many functions are read and deployed at once; absent: the machine decides.
    pub parallel: Option<usize>,
    /// What happens to the other functions after a failure.
    pub after_failure: AfterFailure,
    /// The file for the outputs, in addition to that of the CI.
    pub output_file: Option<Destination>,
    /// The file for the summary, in addition to that of the CI.
    pub summary_file: Option<Destination>,
    /// The file for links, as a report of GitLab.
    pub gitlab_annotations_file: Option<Destination>,
    /// The file for warnings and errors, as a report of GitLab.
    pub gitlab_codequality_file: Option<Destination>,
    /// The comment on the pull request; absent for none.
    pub comment: Option<Comment>,
}

/// How the plan becomes a comment on the pull request.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    /// The token that the user gave; absent: that of the CI.
    pub token: Option<Secret>,
    /// The configuration file, or else the folder, from the root of the checkout.
    pub file: String,
}

/// What happens if every block was skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum IfSkipped {
    /// The log says so.
    #[default]
    Ok,
    /// The run warns.
    Warning,
    /// The run fails.
    Error,
}

impl RunOptions {
    /// The options of a run whose command line is wrong, as far as its flags and our own variables can be read. Errors in
    /// them are dropped.
    pub(crate) fn of_wrong_line(flags: &Layer, host: &Host, ci: Ci) -> Self {
        let own_variables = env::addressed(host, &mut Vec::new(), &mut Vec::new());
        let layers: Vec<_> = std::iter::once(flags.clone()).chain(own_variables).collect();
        let strongest = layer::merge(&layers);
        let context = Context {
            host,
            ci,
            build: &Build::default(),
            purpose: Purpose::Deploy,
            folder: PathBuf::new(),
            never: BTreeSet::new(),
            values: None,
            trust: Trust::of(&strongest, host, ci),
            fallback_region: None,
            certificates: Certificates::default(),
            after_failure: AfterFailure::default(),
        };
        Self::read(strongest, &context, &mut Vec::new())
    }

    /// Reads the options of the run.
    pub(super) fn read(options: Layer, context: &Context<'_>, problems: &mut Vec<Problem>) -> Self {
        let mut reader = context.reader(options);
        // `Trust` has read it already. Here only a wrong value is reported.
        reader.flag("trust_config");
        let mut run = Self {
            ci: ci(&mut reader, context.ci),
            json: reader.choice("format") == Some("json"),
            log: reader.choice("log").unwrap_or("text"),
            verbose: reader.flag("verbose") || context.host.flag("RUNNER_DEBUG"),
            junit: destination(&mut reader, "junit", context),
            color: reader.choice("color").unwrap_or("auto"),
            quiet: reader.flag("quiet"),
            if_skipped: match reader.choice("if_skipped") {
                Some("warning") => IfSkipped::Warning,
                Some("error") => IfSkipped::Error,
                _ => IfSkipped::Ok,
            },
            parallel: parallel(&mut reader),
            after_failure: after_failure(&mut reader, context.purpose),
            output_file: destination(&mut reader, "output_file", context),
            summary_file: destination(&mut reader, "summary_file", context),
            gitlab_annotations_file: destination(&mut reader, "gitlab_annotations_file", context),
            gitlab_codequality_file: destination(&mut reader, "gitlab_codequality_file", context),
            comment: comment(&mut reader, context),
        };
        run.refuse_shared_files(&mut reader, context);
        problems.append(&mut reader.problems);
        run
    }

    /// Each result needs a file of its own, which is not one that the run reads.
    fn refuse_shared_files(&mut self, reader: &mut Reader, context: &Context<'_>) {
        let absolute = |file: &Path| absolute(&context.host.directory.join(file));
        let read = reader.list("env_file").unwrap_or_default();
        let mut taken: Vec<_> =
            read.iter().map(Path::new).chain(context.never.iter().map(PathBuf::as_path)).map(absolute).collect();
        for (name, file) in [
            ("junit", &mut self.junit),
            ("output_file", &mut self.output_file),
            ("summary_file", &mut self.summary_file),
            ("gitlab_annotations_file", &mut self.gitlab_annotations_file),
            ("gitlab_codequality_file", &mut self.gitlab_codequality_file),
        ] {
            let Some(path) = file.as_ref().map(|file| absolute(&file.path)) else { continue };
            let is_device = path.metadata().is_ok_and(|metadata| !metadata.is_file());
            if !is_device && taken.contains(&path) {
                reader.wrong(name, "is a file that is read, or the file of another result");
                // The report of this error must not overwrite the file either.
                *file = None;
            }
            taken.push(path);
        }
    }
}

fn ci(reader: &mut Reader, detected: Ci) -> Ci {
    let fold = reader.flag("fold");
    if let Some(name) = reader.text("ci") {
        if let Some((_, ci)) = Ci::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            return *ci;
        }
        let names: Vec<_> = Ci::NAMES.iter().map(|(name, _)| *name).collect();
        reader.wrong("ci", format!("must be one of {}, got `{name}`", names.join(", ")));
    }
    if fold && detected == Ci::None { Ci::Travis } else { detected }
}

/// What happens to the other functions after a failure.
fn after_failure(reader: &mut Reader, purpose: Purpose) -> AfterFailure {
    let (goes_on, goes_back) = (reader.flag("keep_going"), reader.flag(ALL_OR_NOTHING));
    match (goes_on, goes_back) {
        (true, true) => {
            if purpose.deploys() {
                let message = "cannot be used with `keep_going`, which deploys the other functions after a failure";
                reader.wrong(ALL_OR_NOTHING, message).help = Some("remove one of them".to_owned());
            }
            AfterFailure::GoBack
        }
        (true, false) => AfterFailure::GoOn,
        (false, true) => AfterFailure::GoBack,
        (false, false) => AfterFailure::Stop,
    }
}

/// What a block says about the other functions of its run.
pub(super) fn after_failure_of(options: &Layer, context: &Context<'_>) -> AfterFailure {
    after_failure(&mut context.reader(options.clone()), context.purpose)
}

/// The number of functions at once.
fn parallel(reader: &mut Reader) -> Option<usize> {
    reader.number("parallel", "functions")?.try_into().ok()
}

/// The file that an option names for a result.
fn destination(reader: &mut Reader, name: &'static str, context: &Context<'_>) -> Option<Destination> {
    let path = reader.path(name).filter(|path| !path.as_os_str().is_empty())?;
    Some(context.trust.destination(path, reader.place(name).as_ref()))
}

/// The comment that is wanted. Only a flag or variable can give a token.
fn comment(reader: &mut Reader, context: &Context<'_>) -> Option<Comment> {
    let token = reader.text("comment_token").map(Secret::new);
    reader.flag("comment").then(|| {
        let file = context.never.first().unwrap_or(&context.host.directory);
        let file = absolute(file);
        let file = file.strip_prefix(&context.trust.checkout).unwrap_or(&file);
        Comment { token, file: file.to_string_lossy().into_owned() }
    })
}

/// The real path of a file; for a missing file, the path without its `.` parts.
fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.components().collect())
}
