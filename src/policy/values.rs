//! The rights for values that are elsewhere.

use super::place::Place;
use super::statements::Statements;
use crate::reference::{Borrowed, FunctionOutput, Reference, State};

/// Allows to read the values that are elsewhere.
pub(super) fn elsewhere(statements: &mut Statements, place: &Place, borrowed: &[Borrowed]) {
    let arn = |name: &str, service: &str, resource: String| {
        if name.starts_with("arn:") { name.to_owned() } else { place.arn(service, &resource) }
    };
    for Borrowed { reference, .. } in borrowed {
        let (action, resource) = match reference {
            Reference::Parameter { name, .. } => {
                ("ssm:GetParameters", arn(name, "ssm", format!("parameter/{}", name.trim_start_matches('/'))))
            }
            // AWS adds six characters to the name.
            Reference::Secret { id, .. } => {
                ("secretsmanager:GetSecretValue", arn(id, "secretsmanager", format!("secret:{id}-??????")))
            }
            Reference::Output { stack, .. } => {
                ("cloudformation:DescribeStacks", arn(stack, "cloudformation", format!("stack/{stack}/*")))
            }
            Reference::State { state: State::Object { bucket, key }, .. } => {
                ("s3:GetObject", place.partition.arn("s3", "", "", &format!("{bucket}/{key}")))
            }
            Reference::Function { function, qualifier, output } => {
                let function = arn(function, "lambda", format!("function:{function}"));
                output_of(statements, function, qualifier.as_deref(), *output);
                continue;
            }
            // Every identity may ask for its account.
            Reference::State { state: State::File { .. }, .. } | Reference::Account { .. } => continue,
        };
        statements.read(&[action], vec![resource]);
    }
}

/// A pattern for the value of an option that was not read.
pub(super) fn pattern(borrowed: &[Borrowed], option: &str) -> String {
    let mut references =
        borrowed.iter().filter(|borrowed| borrowed.option == option).map(|borrowed| &borrowed.reference);
    match references.next() {
        Some(reference @ Reference::Account { .. }) => reference.to_string().replace("%{account}", "*"),
        _ => "*".to_owned(),
    }
}

/// Allows to read a value of a function. The alias may be that of its block.
fn output_of(statements: &mut Statements, function: String, qualifier: Option<&str>, output: FunctionOutput) {
    let versions = format!("{function}:{}", qualifier.unwrap_or("*"));
    match (output, qualifier) {
        (FunctionOutput::Arn, _) => {}
        (FunctionOutput::Url, _) => {
            statements.read(&["lambda:GetFunctionUrlConfig"], vec![function.clone(), versions]);
        }
        (FunctionOutput::Version | FunctionOutput::QualifiedArn, qualifier) => {
            if qualifier.is_none() {
                statements.read(&["lambda:ListVersionsByFunction"], vec![function.clone()]);
            }
            statements.read(&["lambda:GetFunction"], vec![versions]);
        }
    }
    statements.read(&["lambda:GetFunction"], vec![function]);
}
