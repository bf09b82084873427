//! `AppVeyor`: messages and variables through its agent's REST service, which needs no key
//! (<https://www.appveyor.com/docs/build-worker-api/>).

use serde_json::json;

use super::checkout::{Checkout, Spot};
use super::dialect::{Dialect, Handed, Level, Output};
use super::http::Service;
use super::{sanitise, variables};
use crate::host::Host;
use crate::place::Problem;

pub(super) struct AppVeyor {
    checkout: Checkout,
    service: Option<Service>,
}

impl AppVeyor {
    pub(super) fn new(host: &Host, checkout: Checkout) -> Self {
        let url = host.variable("APPVEYOR_API_URL").and_then(|url| url.strip_prefix("http://"));
        Self { checkout, service: url.map(|address| Service::new(address.trim_end_matches('/'))) }
    }
}

impl Dialect for AppVeyor {
    fn note(&mut self, level: Level, problem: &Problem) {
        let Some(service) = &mut self.service else { return };
        let message = sanitise::one_line(&problem.to_string());
        let details = problem.help.as_deref().map(sanitise::inert).unwrap_or_default();
        let category = if level == Level::Notice { "information" } else { level.word() };
        let mut body = json!({"message": message, "category": category, "details": details});
        let Some(Spot { file, at }) = self.checkout.spot(problem) else {
            return service.send("POST", "/api/build/messages", &body);
        };
        let (line, column) = at.unwrap_or((1, 1));
        body["projectName"] = json!("dpl-lambda");
        (body["fileName"], body["line"], body["column"]) = (json!(file), json!(line), json!(column));
        service.send("POST", "/api/build/compilationmessages", &body);
    }

    fn outputs(&mut self, outputs: &[Output]) -> Handed {
        if let Some(service) = &mut self.service {
            for (name, value) in variables::fitting(outputs) {
                let body = json!({"name": variables::name(name), "value": value});
                service.send("POST", "/api/build/variables", &body);
            }
        }
        Ok(None)
    }
}
