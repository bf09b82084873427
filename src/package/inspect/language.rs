//! The language of a runtime, by its name.

/// The language of a runtime. The form of a handler depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// Node.js, with its major version.
    Node(u32),
    /// Python, with major and minor version.
    Python(u32, u32),
    /// Ruby.
    Ruby,
    /// Java.
    Java,
    /// .NET.
    Dotnet,
    /// Go with the managed runtime `go1.x`.
    Go,
    /// A program named `bootstrap`.
    Provided,
}

impl Language {
    /// The language of a runtime, also of one that is not in the table; `None` if the name fits no language.
    pub(super) fn of(runtime: &str) -> Option<Self> {
        let (family, version) = split(runtime);
        let major = version.first().copied();
        match family {
            "nodejs" => Some(Self::Node(major.unwrap_or_default())),
            "python" => Some(Self::Python(major?, version.get(1).copied()?)),
            "ruby" => Some(Self::Ruby),
            "java" => Some(Self::Java),
            "dotnet" | "dotnetcore" => Some(Self::Dotnet),
            "go" => Some(Self::Go),
            "provided" | "provided.al" => Some(Self::Provided),
            _ => None,
        }
    }
}

/// The family of a runtime and the numbers after it: `python3.12` is `python` and 3, 12.
pub(super) fn split(runtime: &str) -> (&str, Vec<u32>) {
    let digits = runtime.find(|c: char| c.is_ascii_digit()).unwrap_or(runtime.len());
    let (family, version) = runtime.split_at(digits);
    (family, version.split('.').map_while(|part| part.parse().ok()).collect())
}
