//! The function's own address.

use aws_sdk_lambda::types::Cors;
use serde_json::{Value, json};

use super::{Known, LATEST, one};
use crate::aws::Session;
use crate::aws::fault::{Call, Failed};
use crate::plan::{Action, AttachmentChange};
use crate::remote::Attached;
use crate::settings::Structure;

/// The address of the alias; beside it that of the function itself, which is never moved.
pub(super) async fn read(session: &Session<'_>, alias: Option<&str>) -> Result<Known, Failed> {
    let mut known: Known =
        address(session, alias).await?.map(|url| one(url.document, url.handle, alias)).unwrap_or_default();
    if alias.is_some()
        && let Some(url) = address(session, None).await?
    {
        known.insert(LATEST.to_owned(), url);
    }
    Ok(known)
}

async fn address(session: &Session<'_>, alias: Option<&str>) -> Result<Option<Attached>, Failed> {
    let call = Call { action: "lambda:GetFunctionUrlConfig", resource: &session.function };
    let request = session.lambda.get_function_url_config().function_name(&session.function);
    let answer = session.looked_up(&call, request.set_qualifier(alias.map(str::to_owned)).send()).await?;
    let Some(answer) = answer else { return Ok(None) };
    let texts = |texts: &[String]| if texts.is_empty() { Value::Null } else { json!(texts) };
    let cors = answer.cors().map(|cors| {
        Structure::of([
            ("AllowCredentials", json!(cors.allow_credentials())),
            ("AllowHeaders", texts(cors.allow_headers())),
            ("AllowMethods", texts(cors.allow_methods())),
            ("AllowOrigins", texts(cors.allow_origins())),
            ("ExposeHeaders", texts(cors.expose_headers())),
            ("MaxAge", json!(cors.max_age())),
        ])
        .0
    });
    let document = Structure::of([
        ("AuthType", json!(answer.auth_type().as_str())),
        ("Cors", json!(cors)),
        ("InvokeMode", json!(answer.invoke_mode().map_or("BUFFERED", |mode| mode.as_str()))),
    ]);
    let handle = Some(answer.function_url().to_owned());
    Ok(Some(Attached { document, handle, alias: alias.map(str::to_owned) }))
}

fn cors(document: &Structure) -> Option<Cors> {
    let cors = document.inner("Cors")?;
    let built = Cors::builder()
        .set_allow_credentials(cors.flag("AllowCredentials"))
        .set_allow_headers(cors.texts("AllowHeaders"))
        .set_allow_methods(cors.texts("AllowMethods"))
        .set_allow_origins(cors.texts("AllowOrigins"))
        .set_expose_headers(cors.texts("ExposeHeaders"))
        .set_max_age(cors.number("MaxAge"));
    Some(built.build())
}

pub(super) async fn write(session: &Session<'_>, change: &AttachmentChange) -> Result<(), Failed> {
    let alias = change.alias.as_ref().map(|alias| alias.0.clone());
    let document = &change.document;
    let auth = document.text("AuthType").map(|word| word.as_str().into());
    let mode = document.text("InvokeMode").map(|word| word.as_str().into());
    match change.action {
        Action::Create => {
            let call = Call { action: "lambda:CreateFunctionUrlConfig", resource: &session.function };
            let request = session.lambda.create_function_url_config().function_name(&session.function);
            let request =
                request.set_qualifier(alias).set_auth_type(auth).set_cors(cors(document)).set_invoke_mode(mode);
            session.wrote(&call, request.send()).await.map(drop)
        }
        Action::Update => {
            let call = Call { action: "lambda:UpdateFunctionUrlConfig", resource: &session.function };
            let request = session.lambda.update_function_url_config().function_name(&session.function);
            let request =
                request.set_qualifier(alias).set_auth_type(auth).set_cors(cors(document)).set_invoke_mode(mode);
            session.wrote(&call, request.send()).await.map(drop)
        }
        Action::Remove => {
            let call = Call { action: "lambda:DeleteFunctionUrlConfig", resource: &session.function };
            let request = session.lambda.delete_function_url_config().function_name(&session.function);
            session.wrote(&call, request.set_qualifier(alias).send()).await.map(drop)
        }
    }
}
