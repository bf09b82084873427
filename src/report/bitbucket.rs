//! Bitbucket Pipelines: results for later steps, and a report with its annotations on the commit.
//!
//! A step that lists names under `output-variables` hands on those that stand in the file that
//! `BITBUCKET_PIPELINES_VARIABLES_PATH` names
//! (<https://support.atlassian.com/bitbucket-cloud/docs/step-options/#Output-variables>). Code Insights are sent through
//! the proxy of the build, which signs them
//! (<https://support.atlassian.com/bitbucket-cloud/docs/code-insights/#Authentication>).

use serde_json::{Value, json};

use super::checkout::{Checkout, Spot};
use super::dialect::{self, Dialect, Handed, Level, Output};
use super::http::Service;
use super::{sanitise, variables};
use crate::host::Host;
use crate::place::Problem;

/// The variable that names the file.
const FILE: &str = "BITBUCKET_PIPELINES_VARIABLES_PATH";

/// One call takes as many annotations.
const MOST_ANNOTATIONS: usize = 100;

/// The longest summary of an annotation, and the longest details of a report.
const MOST_SUMMARY: usize = 450;
const MOST_DETAILS: usize = 2000;

pub(super) struct Bitbucket {
    variables: Option<String>,
    checkout: Checkout,
    /// The report's address, where the build says enough to know it.
    report: Option<String>,
    proxy: Service,
    annotations: Vec<Value>,
}

impl Bitbucket {
    pub(super) fn new(host: &Host, checkout: Checkout) -> Self {
        let report = host.variable("BITBUCKET_REPO_FULL_NAME").zip(host.variable("BITBUCKET_COMMIT"));
        let in_pipe = host.variable("BITBUCKET_PIPE_STORAGE_DIR").is_some();
        let proxy = if in_pipe { "host.docker.internal:29418" } else { "localhost:29418" };
        let path = |(repository, commit)| format!("repositories/{repository}/commit/{commit}/reports/dpl-lambda");
        Self {
            variables: host.variable(FILE).map(str::to_owned),
            checkout,
            report: report.map(|names| format!("http://api.bitbucket.org/2.0/{}", path(names))),
            proxy: Service::new(proxy),
            annotations: Vec::new(),
        }
    }
}

impl Dialect for Bitbucket {
    fn note(&mut self, level: Level, problem: &Problem) {
        let Some(Spot { file, at }) = self.checkout.spot(problem) else { return };
        let option = problem.option.as_ref().map(|option| format!("{option}: ")).unwrap_or_default();
        let told = sanitise::one_line(&format!("{option}{}", dialect::told(problem)));
        if self.annotations.len() < MOST_ANNOTATIONS {
            self.annotations.push(json!({
                "external_id": format!("dpl-lambda-{}", self.annotations.len()),
                "annotation_type": "BUG",
                "path": file,
                "line": at.map_or(1, |(line, _)| line),
                "summary": sanitise::cut(&told, MOST_SUMMARY),
                "severity": if level == Level::Error { "HIGH" } else { "LOW" },
            }));
        }
    }

    fn outputs(&mut self, outputs: &[Output]) -> Handed {
        variables::append_dotenv(self.variables.as_deref(), FILE, outputs).map(|()| None)
    }

    fn end(&mut self, ending: Result<&str, &str>) -> Handed {
        let Some(report) = &self.report else { return Ok(None) };
        let (Ok(details) | Err(details)) = ending;
        if details.is_empty() && self.annotations.is_empty() {
            return Ok(None);
        }
        let body = json!({
            "title": "dpl-lambda",
            "details": sanitise::cut(&sanitise::one_line(details), MOST_DETAILS),
            "report_type": "BUG",
            "reporter": "dpl-lambda",
            "result": if ending.is_ok() { "PASSED" } else { "FAILED" },
        });
        self.proxy.send("PUT", report, &body);
        if !self.annotations.is_empty() {
            self.proxy.send(
                "POST",
                &format!("{report}/annotations"),
                &Value::Array(std::mem::take(&mut self.annotations)),
            );
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::host::Ci;
    use crate::place::Place;

    #[test]
    fn a_report_and_its_annotations_go_through_the_proxy() {
        let mut host = Host::of_process();
        let variables = [("BITBUCKET_REPO_FULL_NAME", "o/r"), ("BITBUCKET_COMMIT", "abc")];
        host.variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut bitbucket = Bitbucket::new(&host, Checkout::of(Ci::Bitbucket, &host));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        bitbucket.proxy = Service::new(&listener.local_addr().unwrap().to_string());
        let proxy = thread::spawn(move || {
            [(), ()].map(|()| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = String::new();
                while request
                    .split_once("\r\n\r\n")
                    .is_none_or(|(_, body)| serde_json::from_str::<Value>(body).is_err())
                {
                    let mut bytes = [0; 4096];
                    let read = stream.read(&mut bytes).unwrap();
                    request += &String::from_utf8_lossy(&bytes[..read]);
                }
                std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                request
            })
        });
        let problem = Problem::new("must be less").of("timeout").at(&Place::file(&"dpl.yml".into(), 3, 4));
        bitbucket.note(Level::Error, &problem);
        bitbucket.note(Level::Error, &Problem::new("of no file"));
        bitbucket.end(Err("the configuration is not right")).unwrap();
        let [report, annotations] = proxy.join().unwrap();
        let address = "http://api.bitbucket.org/2.0/repositories/o/r/commit/abc/reports/dpl-lambda";
        assert!(report.starts_with(&format!("PUT {address} HTTP/1.1\r\nHost: api.bitbucket.org\r\n")), "{report}");
        assert!(
            report.contains(r#""details":"the configuration is not right""#) && report.contains(r#""result":"FAILED""#)
        );
        assert!(annotations.starts_with(&format!("POST {address}/annotations ")), "{annotations}");
        assert!(
            annotations.contains(r#""path":"dpl.yml","line":3,"summary":"timeout: must be less","severity":"HIGH"}]"#)
        );
    }
}
