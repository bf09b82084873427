//! Reads the log of a function.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use aws_sdk_lambda::types::LoggingConfig;

use super::Session;
use super::fault::{Call, Failed};
use super::refusals::Meaning;
use crate::fault::{Fault, FaultKind};
use crate::remote::LogEvent;

/// Whether a log group exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogGroup {
    /// It exists, and was read.
    Read,
    /// It does not exist.
    Absent,
}

impl Session<'_> {
    /// The log group of the function; `None` if the function does not exist.
    pub(crate) async fn log_group(&self, name: &str) -> Result<Option<String>, Fault> {
        let found = self.get_function(None).await.map_err(|failed| failed.fault)?;
        Ok(found.map(|answer| {
            let logging = answer.configuration().and_then(|config| config.logging_config());
            let group = logging.and_then(LoggingConfig::log_group).filter(|group| !group.is_empty());
            group.map_or_else(|| format!("/aws/lambda/{name}"), str::to_owned)
        }))
    }

    /// The versions that an alias sends traffic to.
    pub(crate) async fn versions_of(&self, alias: &str) -> Result<BTreeSet<String>, Fault> {
        let found = self.get_alias(alias).await.map_err(|failed| failed.fault)?;
        let absent = || {
            let fault = Fault::new(FaultKind::Failed, format!("there is no alias `{alias}`"));
            fault.help("`dpl-lambda status` shows the versions and aliases")
        };
        let alias = found.ok_or_else(absent)?;
        Ok(alias.weights.into_keys().chain([alias.version]).collect())
    }

    /// Reads the events of a log group from a moment on, and passes them to `see` page by page, in the order of time.
    ///
    /// The limit for all waits counts for each page.
    pub(crate) async fn log_events(
        &self,
        group: &str,
        from: i64,
        pattern: Option<&str>,
        mut see: impl FnMut(Vec<LogEvent>) -> ControlFlow<()>,
    ) -> Result<LogGroup, Fault> {
        let call = Call { action: "logs:FilterLogEvents", resource: group };
        let request = self.logs.filter_log_events().log_group_name(group).start_time(from);
        let mut pages = request.set_filter_pattern(pattern.map(str::to_owned)).into_paginator().send();
        self.extend_deadline();
        let read = self.each(
            &call,
            async || pages.next().await,
            |page| {
                self.extend_deadline();
                let mut events: Vec<_> = page.events().iter().map(event).collect();
                events.sort_by_key(|event| event.time);
                see(events)
            },
        );
        match read.await {
            Ok(()) => Ok(LogGroup::Read),
            Err(Failed { meaning: Meaning::NotFound, .. }) => Ok(LogGroup::Absent),
            Err(failed) => Err(failed.fault),
        }
    }
}

fn event(found: &FilteredLogEvent) -> LogEvent {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let (stream, message) = (text(found.log_stream_name()), text(found.message()));
    let id = found.event_id().map_or_else(|| format!("{stream} {message}"), str::to_owned);
    LogEvent { time: found.timestamp().unwrap_or_default(), stream, id, message }
}
