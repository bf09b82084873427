//! The rights for layers.

use super::code::code;
use super::place::Place;
use super::statements::Statements;
use super::values::elsewhere;
use crate::deployment::LayerDeployment;

/// Allows the deployment of a layer.
pub(super) fn of_layer(statements: &mut Statements, layer: &LayerDeployment) {
    let place = Place::of_target(&layer.target);
    let arn = place.arn("lambda", &format!("layer:{}", layer.name));
    newest_of(statements, &arn);
    statements.write(&["lambda:PublishLayerVersion"], vec![arn]);
    code(statements, &place, &layer.code, &layer.borrowed);
    elsewhere(statements, &place, &layer.borrowed);
}

/// Allows to find the newest version of a layer and to read it.
pub(super) fn newest_of(statements: &mut Statements, layer: &str) {
    statements.read(&["lambda:ListLayerVersions"], vec![layer.to_owned()]);
    statements.read(&["lambda:GetLayerVersion"], vec![format!("{layer}:*")]);
}
