//! Reads values of functions that other functions use.

use super::{Session, fault::Failed};
use crate::fault::Fault;
use crate::reference::{Found, FunctionOutput};
use crate::settings::Secret;

/// The qualifier of the function itself.
const LATEST: &str = "$LATEST";

impl Session<'_> {
    /// Reads a value of the function, or of a version or an alias. Without a qualifier, the version is the newest one.
    ///
    /// `region` is that of the session.
    pub(crate) async fn output(
        &self,
        output: FunctionOutput,
        qualifier: Option<&str>,
        region: &str,
    ) -> Result<Found, Fault> {
        self.read_output(output, qualifier, region).await.map_err(|failed| failed.fault)
    }

    async fn read_output(
        &self,
        output: FunctionOutput,
        qualifier: Option<&str>,
        region: &str,
    ) -> Result<Found, Failed> {
        let plain = |value: &str| Ok(Found::Plain(Secret::new(value)));
        if output == FunctionOutput::Url
            && let Some(url) = self.url(qualifier.filter(|name| *name != LATEST)).await?
        {
            return plain(&url);
        }
        let Some(function) = self.get_function(None).await? else {
            let message = format!("there is no function `{}` in {}", self.function, region);
            return Ok(nothing(message, "correct the name, deploy the function first, or set a `default`"));
        };
        let arn = function.configuration().and_then(|config| config.function_arn()).unwrap_or_default();
        let number = match (output, qualifier) {
            (FunctionOutput::Arn, _) => return plain(arn),
            (FunctionOutput::Url, _) => {
                let of = qualifier.map(|name| format!("`{name}` of ")).unwrap_or_default();
                let message = format!("{of}`{}` has no function URL", self.function);
                return Ok(nothing(message, "set `function_url` in its block, or set a `default`"));
            }
            (_, Some(qualifier)) => {
                let Some(found) = self.get_function(Some(qualifier)).await? else {
                    let message = format!("`{}` has no alias or version `{qualifier}`", self.function);
                    return Ok(nothing(message, "correct `qualifier`, deploy the function first, or set a `default`"));
                };
                found.configuration().and_then(|config| config.version()).map(str::to_owned)
            }
            (_, None) => self.newest_version().await?.map(|version| version.number),
        };
        let Some(number) = number else {
            let message = format!("`{}` has no published version", self.function);
            return Ok(nothing(message, "set `publish: true` in its block and deploy it, or set a `default`"));
        };
        match output {
            FunctionOutput::QualifiedArn => plain(&format!("{arn}:{}", qualifier.unwrap_or(&number))),
            _ => plain(&number),
        }
    }
}

fn nothing(message: String, help: &str) -> Found {
    Found::Nothing { message, help: help.to_owned() }
}
