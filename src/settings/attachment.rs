//! Attachments: things of a function that have their own operations in the API.

use super::shapes;
use super::structure::Shape;

/// A kind of attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Attachment {
    /// The code signing config.
    CodeSigning,
    /// When AWS updates the runtime of the function.
    RuntimeManagement,
    /// What Lambda does when the function calls itself in a loop.
    RecursiveLoop,
    /// The retention of the log, in days.
    LogRetention,
    /// Concurrent executions reserved for the function.
    ReservedConcurrency,
    /// Execution environments that are kept ready.
    ProvisionedConcurrency,
    /// Retries and destinations of asynchronous invocations.
    AsyncConfig,
    /// The URL of the function.
    FunctionUrl,
    /// Statements of the resource policy, by their ids.
    Permissions,
    /// Event source mappings, by their sources.
    EventSources,
}

/// The owner of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// Always the function.
    Function,
    /// The alias if the deployment manages one, or else the function.
    Alias,
}

/// The number of attachments of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// At most one.
    One,
    /// Any number, each with its own key.
    Many,
}

impl Attachment {
    /// All kinds, in the order of their steps.
    pub(crate) const ALL: [Self; 10] = [
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

    /// The option, the name in messages, the shape, the owner, and the number.
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
    pub(crate) const fn option(self) -> &'static str {
        self.row().0
    }

    /// Its name in messages.
    pub(crate) const fn name(self) -> &'static str {
        self.row().1
    }

    /// The shape of its document.
    pub(crate) const fn shape(self) -> &'static Shape {
        self.row().2
    }

    /// Its owner.
    pub(crate) const fn belongs(self) -> Belongs {
        self.row().3
    }

    /// The number of attachments of this kind.
    pub(crate) const fn count(self) -> Count {
        self.row().4
    }
}
