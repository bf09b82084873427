//! Descriptions of the function and its versions. `%{…}` in them is filled in.

use super::{context::Context, exposed, interpolate, read::Reader};
use crate::host::Build;
use crate::place::Problem;
use crate::settings::{Description, Setting, Written, holds_secret};

/// The description of the function.
pub(super) fn of_function(reader: &mut Reader, context: &Context<'_>) -> Option<Description> {
    let written = reader.text("description")?;
    let filled = filled(reader, "description", &written, context)?;
    match Description::parse(&Written::Text(filled)) {
        Ok(description) => Some(description),
        Err(message) => {
            reader.wrong("description", message);
            None
        }
    }
}

/// The description of a version of the function.
pub(super) fn of_version(reader: &mut Reader, context: &Context<'_>) -> Option<String> {
    match reader.text("version_description") {
        Some(written) => filled(reader, "version_description", &written, context),
        None => of_build(context.build),
    }
}

/// The default description of a version: its commit and build. So a list of versions shows what each of them is.
pub(super) fn of_build(build: &Build) -> Option<String> {
    let commit = build.commit.as_ref().map(|commit| format!("commit {}", commit.chars().take(12).collect::<String>()));
    let number = build.number.as_ref().map(|number| format!("build {number}"));
    let parts: Vec<_> = [commit, number].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A description with its `%{…}` filled in. If only their values make it too long, it is cut: nobody could foresee that.
pub(super) fn filled(
    reader: &mut Reader,
    option: &'static str,
    written: &str,
    context: &Context<'_>,
) -> Option<String> {
    const MOST: usize = 256;
    let secret = interpolate::variables(written)
        .into_iter()
        .find(|variable| context.host.variable(variable).is_some_and(|value| holds_secret(variable, value)));
    if let Some(variable) = secret {
        let problem = exposed::error(option, &format!("the secret in `{variable}`"));
        reader.problems.push(Problem { place: reader.place(option), ..problem });
        return None;
    }
    let filled = interpolate::fill(written, |name| reader.named(name), context.build, context.host);
    let length = filled.chars().count();
    if length <= MOST {
        return Some(filled);
    }
    if filled == written {
        reader.wrong(option, format!("is {length} characters long, AWS accepts at most {MOST}"));
        return None;
    }
    let warning =
        Problem::new(format!("is longer than {MOST} characters with its variables filled in, so it is cut")).of(option);
    reader.warnings.push(Problem { place: reader.place(option), ..warning });
    Some(filled.chars().take(MOST - 1).chain(['…']).collect())
}
