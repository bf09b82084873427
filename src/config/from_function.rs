//! `from_function`: a value of a function, such as its URL.

use super::options::nearest_of;
use crate::place::{Place, Problem};
use crate::reference::{FunctionOutput, Reference};
use crate::settings::{QualifiedFunction, Setting, Written};

/// The qualifier of the function itself.
const LATEST: &str = "$LATEST";

/// A text with its place.
type Text<'p> = (String, &'p Place);

/// The reference that these members are.
pub(super) fn reference(
    (function, place): (&str, &Place),
    qualifier: Option<Text<'_>>,
    output: Option<Text<'_>>,
) -> Result<Reference, Problem> {
    let QualifiedFunction { function, qualifier: own } = QualifiedFunction::parse(&Written::Text(function.to_owned()))
        .map_err(|message| Problem::new(message).at(place))?;
    let output = self::output(output)?;
    let place = qualifier.as_ref().map_or(place, |(_, place)| *place);
    let wrong = |message: String| Err(Problem::new(message).at(place));
    let qualifier = match (own, qualifier) {
        (Some(own), Some(_)) => return wrong(format!("`qualifier` is given twice, once as `:{own}`")),
        (own, other) => own.or(other.map(|(qualifier, _)| qualifier)),
    };
    if let Some(qualifier) = &qualifier {
        let parsed = QualifiedFunction::parse(&Written::Text(format!("f:{qualifier}")));
        if parsed.is_err() || (qualifier == LATEST && output != FunctionOutput::Url) {
            return wrong(format!("`{qualifier}` is neither an alias nor a version"));
        }
        let is_number = qualifier.chars().all(|c| c.is_ascii_digit());
        match output {
            FunctionOutput::Arn => {
                let help = "leave `qualifier` out, or take `output: qualified-arn`";
                return wrong("`function-arn` has no qualifier".to_owned()).map_err(|problem| problem.help(help));
            }
            FunctionOutput::Url if is_number => return wrong(format!("version {qualifier} has no URL of its own")),
            FunctionOutput::Url | FunctionOutput::Version | FunctionOutput::QualifiedArn => {}
        }
    }
    Ok(Reference::Function { function: function.written, qualifier, output })
}

fn output(output: Option<Text<'_>>) -> Result<FunctionOutput, Problem> {
    let names = || FunctionOutput::ALL.iter().map(|(name, _)| *name);
    let all = || format!("it is one of {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "));
    let Some((written, place)) = output else {
        return Err(Problem::new("`from_function` needs `output`, the name of the value").help(all()));
    };
    let name = written.to_ascii_lowercase().replace('_', "-");
    if let Some((_, output)) = FunctionOutput::ALL.iter().find(|(known, _)| *known == name) {
        return Ok(*output);
    }
    let near = nearest_of(&name, names());
    let help = near.map_or_else(all, |near| format!("did you mean `{near}`?"));
    Err(Problem::new(format!("`{written}` is not a value of a function")).at(place).help(help))
}
