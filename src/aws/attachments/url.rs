//! Reads and writes the function URL.

use super::{ByKey, LATEST, single};
use crate::aws::Session;
use crate::aws::convert::members::{put, to_json};
use crate::aws::fault::{Call, Failed};
use crate::aws::settle::Pace;
use crate::plan::{Action, AttachmentChange};
use crate::remote::LiveAttachment;
use crate::settings::Structure;

/// The members of a function URL.
macro_rules! rows {
    ($do:ident!($($head:tt)*)) => { $do!($($head)*;
        "AuthType": auth_type, set_auth_type;
        "Cors": cors, set_cors;
        "InvokeMode": invoke_mode, set_invoke_mode or "BUFFERED";
    ) };
}
#[cfg(test)]
pub(super) use rows;

/// The URL of the function, or of the alias if one is managed. Then the URL on `$LATEST` is read too, for the plan to
/// mention.
pub(super) async fn read(session: &Session<'_>, alias: Option<&str>) -> Result<ByKey, Failed> {
    let mut known: ByKey =
        address(session, alias).await?.map(|url| single(url.document, url.handle, alias)).unwrap_or_default();
    if alias.is_some()
        && let Some(url) = address(session, None).await?
    {
        known.insert(LATEST.to_owned(), url);
    }
    Ok(known)
}

/// Waits until the URL is shown, and returns it.
pub(super) async fn settled(session: &Session<'_>, alias: Option<&str>) -> Result<String, Failed> {
    let mut pace = Pace::new();
    loop {
        if let Some(url) = address(session, alias).await?.and_then(|url| url.handle) {
            return Ok(url);
        }
        session.hear("there is no such URL yet");
        session.pause(&mut pace, "the function URL").await?;
    }
}

/// The function URL; `None` if there is none.
pub(super) async fn address(session: &Session<'_>, alias: Option<&str>) -> Result<Option<LiveAttachment>, Failed> {
    let call = Call { action: "lambda:GetFunctionUrlConfig", resource: &session.function };
    let request = session.lambda.get_function_url_config().function_name(&session.function);
    let answer = session.read_optional(&call, request.set_qualifier(alias.map(str::to_owned)).send()).await?;
    let Some(answer) = answer else { return Ok(None) };
    let document = Structure(rows!(to_json!(answer)));
    let handle = Some(answer.function_url().to_owned());
    Ok(Some(LiveAttachment { document, handle, alias: alias.map(str::to_owned) }))
}

pub(super) async fn write(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let alias = change.alias.as_ref().map(|alias| alias.0.clone());
    let document = &change.document.0;
    match change.action {
        Action::Create => {
            let call = Call { action: "lambda:CreateFunctionUrlConfig", resource: &session.function };
            let request = session.lambda.create_function_url_config().function_name(&session.function);
            session.write(&call, rows!(put!(request, document)).set_qualifier(alias).send()).await.map(drop)
        }
        Action::Update => {
            let call = Call { action: "lambda:UpdateFunctionUrlConfig", resource: &session.function };
            let request = session.lambda.update_function_url_config().function_name(&session.function);
            session.write(&call, rows!(put!(request, document)).set_qualifier(alias).send()).await.map(drop)
        }
        Action::Remove => {
            let call = Call { action: "lambda:DeleteFunctionUrlConfig", resource: &session.function };
            let request = session.lambda.delete_function_url_config().function_name(&session.function);
            session.write(&call, request.set_qualifier(alias).send()).await.map(drop)
        }
    }
}
