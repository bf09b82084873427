//! What a run does after the failure of one of its functions.

/// What happens to the other functions after a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AfterFailure {
    /// Those in progress end, and no other one begins.
    #[default]
    Stop,
    /// They are deployed.
    GoOn,
    /// Those in progress end, no other one begins, and no function of the run gets or keeps new traffic.
    GoBack,
}
