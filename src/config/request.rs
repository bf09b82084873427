//! What the command line asks of the configuration.

use super::layer::Layer;
use crate::verb::Purpose;

/// What the command line asks of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The options on the command line.
    pub flags: Layer,
    /// What the verb needs of the configuration.
    pub purpose: Purpose,
    /// The syntax of the command line.
    pub syntax: Syntax,
}

/// The syntax of a command line. One of dpl's is complete: without `--config`, no file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// The syntax of this tool.
    Own,
    /// dpl's: the line has the word `lambda` or `--provider`.
    DplArguments,
    /// dpl's: the program was called as `dpl`. Then dpl's default Region holds too.
    DplProgram,
}
