//! Drone and Harness CI: outputs in the file that `DRONE_OUTPUT` names. Only Harness sets it.

use crate::host::Host;
use crate::report::delivery::Delivery;
use crate::report::dialect::{self, Output};
use crate::report::variables;

/// The variable with the path of the file.
const FILE: &str = "DRONE_OUTPUT";

pub(super) struct Board {
    file: Option<String>,
}

impl Board {
    pub(super) fn new(host: &Host) -> Self {
        Self { file: host.variable(FILE).map(str::to_owned) }
    }
}

impl dialect::Board for Board {
    fn outputs(&self, outputs: &[Output]) -> Vec<Delivery> {
        variables::append_dotenv(self.file.as_deref(), FILE, outputs)
    }
}
