//! The code of another function as the source of a deployment.

use super::{context::Context, credentials, read::Reader};
use crate::deployment::{CodeSource, SourceFunction};
use crate::settings::{QualifiedFunction, Role, Setting, Source, Structure, Written};

/// Options that say how a package is built, or name another source.
const OF_OTHER_SOURCES: [&str; 11] = [
    "zip",
    "image_uri",
    "package_type",
    "s3_key",
    "s3_object_version",
    "include",
    "exclude",
    "repack",
    "compression",
    "dot_match",
    "symlinks",
];

/// The function whose code is deployed; `None` if the code has another source, or after an error.
pub(super) fn code_from(reader: &mut Reader, context: &Context<'_>) -> Option<CodeSource> {
    let structure = reader.setting::<Structure>("code_from")?;
    for name in OF_OTHER_SOURCES.into_iter().filter(|name| reader.has(name)).collect::<Vec<_>>() {
        let message = "cannot be combined with `code_from`, which deploys the code of another function as it is";
        reader.wrong(name, message);
    }
    let QualifiedFunction { function, qualifier } = parsed(&structure, "Function")?;
    let (region, role) = (structure.text("Region"), parsed::<Role>(&structure, "RoleToAssume"));
    if let (Some(named), Some(of_arn)) = (&region, &function.region)
        && named != of_arn
    {
        reader.wrong("code_from", format!("`region` is {named}, but the ARN in `function` has {of_arn}"));
    }
    let external_id = structure.text("ExternalId");
    if external_id.is_some() && role.is_none() {
        reader.wrong("code_from", "`external_id` is given without `role_to_assume`");
    }
    let session_name = credentials::session_name(reader, context);
    let region = region.or_else(|| function.region.clone());
    let source = SourceFunction { function, qualifier, region, role, external_id, session_name };
    Some(CodeSource::Function(Box::new(source)))
}

/// A member that its shape has already checked.
fn parsed<T: Setting>(structure: &Structure, member: &str) -> Option<T> {
    T::parse(&Written::Text(structure.text(member)?)).ok()
}
