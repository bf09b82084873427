//! Drone and Harness CI: results in the file that `DRONE_OUTPUT` names, where there is one (Harness).

use super::dialect::{Dialect, Handed, Output};
use super::variables;
use crate::host::Host;

pub(super) struct Drone {
    output: Option<String>,
}

impl Drone {
    pub(super) fn new(host: &Host) -> Self {
        Self { output: host.variable("DRONE_OUTPUT").map(str::to_owned) }
    }
}

impl Dialect for Drone {
    fn outputs(&mut self, outputs: &[Output]) -> Handed {
        variables::append_dotenv(self.output.as_deref(), "DRONE_OUTPUT", outputs).map(|()| None)
    }
}
