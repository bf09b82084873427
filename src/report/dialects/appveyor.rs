//! `AppVeyor`: sends messages and variables to the REST service of its agent, which needs no key
//! (<https://www.appveyor.com/docs/build-worker-api/>).

use serde_json::{Value, json};

use crate::host::Host;
use crate::place::Problem;
use crate::report::checkout::{Checkout, Spot};
use crate::report::delivery::{Delivery, Service};
use crate::report::dialect::{self, Level, Output};
use crate::report::{sanitise, variables};

pub(super) struct Board {
    checkout: Checkout,
    service: Option<Service>,
}

impl Board {
    pub(super) fn new(host: &Host, checkout: Checkout) -> Self {
        let url = host.variable("APPVEYOR_API_URL").filter(|url| url.starts_with("http://"));
        let service = url.map(|url| Service { url: url.trim_end_matches('/').to_owned(), proxy: None });
        Self { checkout, service }
    }

    fn post(&self, path: &str, body: Value) -> Option<Delivery> {
        let service = self.service.clone()?;
        Some(Delivery::Send { service, method: "POST", path: path.to_owned(), body })
    }
}

impl dialect::Board for Board {
    fn note(&mut self, level: Level, problem: &Problem) -> Vec<Delivery> {
        let message = sanitise::one_line(&problem.to_string());
        let details = problem.help.as_deref().map(sanitise::inert).unwrap_or_default();
        let category = if level == Level::Notice { "information" } else { level.word() };
        let mut body = json!({"message": message, "category": category, "details": details});
        let Some(Spot { file, at }) = self.checkout.spot(problem) else {
            return self.post("/api/build/messages", body).into_iter().collect();
        };
        let (line, column) = at.unwrap_or((1, 1));
        body["projectName"] = json!("dpl-lambda");
        (body["fileName"], body["line"], body["column"]) = (json!(file), json!(line), json!(column));
        self.post("/api/build/compilationmessages", body).into_iter().collect()
    }

    fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        let body = |(name, value): &Output| json!({"name": variables::name(name), "value": value});
        let set = |output| self.post("/api/build/variables", body(output));
        variables::fitting(outputs).filter_map(set).collect()
    }
}
