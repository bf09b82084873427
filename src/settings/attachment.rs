//! What stands around a function: every kind of thing that has an operation of its own in the API.

use super::shapes;
use super::structure::Shape;

/// A kind of thing around a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attachment {
    /// Whose signatures the code must have.
    CodeSigning,
    /// When AWS moves the function to another build of its runtime.
    RuntimeManagement,
    /// What happens when the function calls itself in a circle.
    RecursiveLoop,
    /// How long the log is kept.
    LogRetention,
    /// Executions set aside for the function.
    ReservedConcurrency,
    /// Environments kept ready.
    ProvisionedConcurrency,
    /// What becomes of asynchronous invocations.
    AsyncConfig,
    /// The function's own address.
    FunctionUrl,
    /// Statements of the resource policy, by their ids.
    Permissions,
    /// Event source mappings, by their sources.
    EventSources,
}

/// What a thing around a function belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// The function, whatever is published.
    Function,
    /// The alias where one is managed, else the function.
    Alias,
}

/// How many of a kind there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// One at most.
    One,
    /// Any number, each by a key of its own.
    Many,
}

impl Attachment {
    /// All kinds, in the order in which they are brought about.
    pub const ALL: [Self; 10] = [
        Self::CodeSigning,
        Self::RuntimeManagement,
        Self::RecursiveLoop,
        Self::LogRetention,
        Self::ReservedConcurrency,
        Self::ProvisionedConcurrency,
        Self::AsyncConfig,
        Self::FunctionUrl,
        Self::Permissions,
        Self::EventSources,
    ];

    /// The option, what people call it, what it looks like, what it belongs to, and how many there are.
    const fn row(self) -> (&'static str, &'static str, &'static Shape, Belongs, Count) {
        use Belongs::{Alias, Function};
        use Count::{Many, One};
        match self {
            Self::CodeSigning => {
                ("code_signing_config_arn", "code signing", &shapes::CODE_SIGNING_CONFIG, Function, One)
            }
            Self::RuntimeManagement => {
                ("runtime_management", "runtime management", &shapes::RUNTIME_MANAGEMENT, Function, One)
            }
            Self::RecursiveLoop => ("recursive_loop", "recursive loop", &shapes::RECURSIVE_LOOP, Function, One),
            Self::LogRetention => ("log_retention_days", "log retention", &shapes::LOG_RETENTION, Function, One),
            Self::ReservedConcurrency => {
                ("reserved_concurrency", "reserved concurrency", &shapes::RESERVED_CONCURRENCY, Function, One)
            }
            Self::ProvisionedConcurrency => {
                ("provisioned_concurrency", "provisioned concurrency", &shapes::PROVISIONED_CONCURRENCY, Alias, One)
            }
            Self::AsyncConfig => ("async_config", "asynchronous invocation", &shapes::ASYNC_CONFIG, Alias, One),
            Self::FunctionUrl => ("function_url", "function URL", &shapes::FUNCTION_URL, Alias, One),
            Self::Permissions => ("permissions", "permission", &shapes::PERMISSIONS, Alias, Many),
            Self::EventSources => ("event_sources", "event source", &shapes::EVENT_SOURCES, Alias, Many),
        }
    }

    /// The name of its option.
    pub const fn option(self) -> &'static str {
        self.row().0
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// What it looks like.
    pub const fn shape(self) -> &'static Shape {
        self.row().2
    }

    /// What it belongs to.
    pub const fn belongs(self) -> Belongs {
        self.row().3
    }

    /// How many there are.
    pub const fn count(self) -> Count {
        self.row().4
    }
}
