//! Event source mappings.

use super::Known;
use crate::aws::Session;
use crate::aws::fault::Failed;
use crate::plan::AttachmentChange;

pub(super) async fn read(_session: &Session<'_>, _alias: Option<&str>) -> Result<Known, Failed> {
    Ok(Known::new())
}

pub(super) async fn write(_session: &Session<'_>, _change: &AttachmentChange) -> Result<(), Failed> {
    Ok(())
}

pub(super) async fn settled(_session: &Session<'_>, _change: &AttachmentChange) -> Result<(), Failed> {
    Ok(())
}
