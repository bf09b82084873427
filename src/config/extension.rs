//! Whether a block publishes a layer, and whether that is an extension.

use super::layer::yes_or_no;
use super::read::Reader;

/// How an extension runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extension {
    /// In its own process.
    External,
    /// In the process of the function.
    Internal,
}

/// Whether the block publishes a layer.
pub(super) fn is_wanted(reader: &mut Reader) -> bool {
    let is_off = reader.only_text("layer").and_then(|text| yes_or_no(&text)) == Some(false);
    (reader.place("layer").is_some() && !is_off) || extension(reader).is_some()
}

/// Whether the block publishes a layer and has no function.
pub(super) fn stands_alone(reader: &mut Reader) -> bool {
    extension(reader).is_some() || (is_wanted(reader) && reader.place("function_name").is_none())
}

/// The extension that the block publishes; `None` if it publishes none.
pub(super) fn extension(reader: &mut Reader) -> Option<Extension> {
    let text = reader.raw("extension")?;
    let is_internal = match yes_or_no(&text) {
        Some(false) => return None,
        Some(true) => false,
        None => reader.choice("extension")? == "internal",
    };
    Some(if is_internal { Extension::Internal } else { Extension::External })
}
