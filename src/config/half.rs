//! `only`: deploys one half of a block. The options of the other half are left out before the block is resolved, so a
//! variable that only the other half needs may be unset.

use super::{
    code,
    context::Context,
    environment,
    options::{Group, Opt},
    read::Reader,
};
use crate::deployment::{Code, CodeSource, Half, Only, Rules};

/// The half that the block is narrowed to; `None` for both.
pub(super) fn of(reader: &mut Reader) -> Option<Half> {
    reader.choice("only").map(|word| if word == "code" { Half::Code } else { Half::Settings })
}

/// Whether a block with this word in `only` leaves an option alone.
pub(super) fn leaves(only: Option<&str>, option: &Opt) -> bool {
    let kept = match only {
        Some(word) if word.eq_ignore_ascii_case("code") => Half::Code,
        Some(word) if word.eq_ignore_ascii_case("settings") => Half::Settings,
        Some(_) | None => return false,
    };
    half_of(option).is_some_and(|half| half != kept)
}

/// The code, and the half that the reader is narrowed to.
pub(super) fn narrowed(reader: &mut Reader, context: &Context<'_>) -> (Code, Option<Only>) {
    let Some(half) = of(reader) else { return (code::code(reader, context), None) };
    let code = match half {
        Half::Code => code::code(reader, context),
        Half::Settings => live_code(reader),
    };
    if half == Half::Code {
        // The live function can have these values, so they stay hidden.
        let errors = reader.problems.len();
        environment::environment(reader, context);
        reader.problems.truncate(errors);
    }
    let left = reader.without(|option| half_of(option).is_some_and(|other| other != half));
    (code, Some(Only { half, left }))
}

/// The half that an option belongs to; `None` for both.
fn half_of(option: &Opt) -> Option<Half> {
    match (option.name, option.group) {
        ("function_name" | "ignore", _) => None,
        ("architecture" | "layer" | "extension", _) | (_, Group::Code) => Some(Half::Code),
        (_, Group::Function | Group::Around) => Some(Half::Settings),
        (_, Group::Release | Group::Target | Group::Run) => None,
    }
}

/// The code of the live function, which stays.
fn live_code(reader: &mut Reader) -> Code {
    Code {
        source: CodeSource::Live,
        how_to_build: None,
        rules: Rules::default(),
        architecture: None,
        upload: None,
        source_kms_key_arn: None,
        ignore: code::ignored(reader),
    }
}
