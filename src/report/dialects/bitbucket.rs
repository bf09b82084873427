//! Bitbucket Pipelines: results for later steps, and a report with its annotations on the commit.
//!
//! `BITBUCKET_PIPELINES_VARIABLES_PATH` names a file. Later steps get the variables in it that the step lists under
//! `output-variables` (<https://support.atlassian.com/bitbucket-cloud/docs/step-options/#Output-variables>). Code
//! Insights go through the proxy of the build, which adds the credentials
//! (<https://support.atlassian.com/bitbucket-cloud/docs/code-insights/#Authentication>).

use serde_json::{Value, json};

use crate::host::Host;
use crate::place::Problem;
use crate::report::checkout::{Checkout, Spot};
use crate::report::delivery::{Delivery, Service};
use crate::report::dialect::{self, Ending, Level, Output};
use crate::report::{sanitise, variables};

/// The variable with the path of the file.
const FILE: &str = "BITBUCKET_PIPELINES_VARIABLES_PATH";

/// The API for reports, which the proxy forwards to.
const API: &str = "http://api.bitbucket.org/2.0";

/// The most annotations of one call.
const MOST_ANNOTATIONS: usize = 100;

/// The longest summary of an annotation, and the longest details of a report.
const MOST_SUMMARY: usize = 450;
const MOST_DETAILS: usize = 2000;

pub(super) struct Board {
    variables: Option<String>,
    checkout: Checkout,
    /// The path of the report; absent if the build does not set what the path needs.
    report: Option<String>,
    service: Service,
    annotations: Vec<Value>,
}

impl Board {
    pub(super) fn new(host: &Host, checkout: Checkout) -> Self {
        let report = host.variable("BITBUCKET_REPO_FULL_NAME").zip(host.variable("BITBUCKET_COMMIT"));
        let in_pipe = host.variable("BITBUCKET_PIPE_STORAGE_DIR").is_some();
        let proxy = if in_pipe { "http://host.docker.internal:29418" } else { "http://localhost:29418" };
        let path = |(repository, commit)| format!("/repositories/{repository}/commit/{commit}/reports/dpl-lambda");
        Self {
            variables: host.variable(FILE).map(str::to_owned),
            checkout,
            report: report.map(path),
            service: Service { url: API.to_owned(), proxy: Some(proxy.to_owned()) },
            annotations: Vec::new(),
        }
    }

    fn send(&self, method: &'static str, path: String, body: Value) -> Delivery {
        Delivery::Send { service: self.service.clone(), method, path, body }
    }
}

impl dialect::Board for Board {
    fn note(&mut self, level: Level, problem: &Problem) -> Vec<Delivery> {
        let Some(Spot { file, at }) = self.checkout.spot(problem) else { return Vec::new() };
        let option = problem.option.as_ref().map(|option| format!("{option}: ")).unwrap_or_default();
        let text = sanitise::one_line(&format!("{option}{}", dialect::annotation_text(problem)));
        if self.annotations.len() < MOST_ANNOTATIONS {
            self.annotations.push(json!({
                "external_id": format!("dpl-lambda-{}", self.annotations.len()),
                "annotation_type": "BUG",
                "path": file,
                "line": at.map_or(1, |(line, _)| line),
                "summary": sanitise::cut(&text, MOST_SUMMARY),
                "severity": if level == Level::Error { "HIGH" } else { "LOW" },
            }));
        }
        Vec::new()
    }

    fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        variables::append_dotenv(self.variables.as_deref(), FILE, outputs)
    }

    fn end(&self, ending: Ending<'_>) -> Vec<Delivery> {
        let Some(report) = &self.report else { return Vec::new() };
        let (Ok(details) | Err(details)) = ending;
        if details.is_empty() && self.annotations.is_empty() {
            return Vec::new();
        }
        let body = json!({
            "title": "dpl-lambda",
            "details": sanitise::cut(&sanitise::one_line(details), MOST_DETAILS),
            "report_type": "BUG",
            "reporter": "dpl-lambda",
            "result": if ending.is_ok() { "PASSED" } else { "FAILED" },
        });
        let mut deliveries = vec![self.send("PUT", report.clone(), body)];
        if !self.annotations.is_empty() {
            let annotations = Value::Array(self.annotations.clone());
            deliveries.push(self.send("POST", format!("{report}/annotations"), annotations));
        }
        deliveries
    }
}
