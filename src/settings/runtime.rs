//! Names of runtimes that AWS cannot have, and what they stand for.

/// The identifier that a wrong one stands for, with an error that names it. `None` for an identifier that AWS has, or could
/// have one day.
pub(super) fn misspelt(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (family, rest) = lower.split_at(lower.find(|c: char| c.is_ascii_digit()).unwrap_or(lower.len()));
    let numbers: Vec<&str> = rest.split(['.', '-', '_']).filter(|part| !part.is_empty()).collect();
    // Java has identifiers with a system at their end, such as `java17.al2023`.
    if numbers.iter().skip(1).any(|part| part.starts_with("al")) {
        return None;
    }
    let major = numbers.first().and_then(|number| number.parse::<u32>().ok());
    let name = family.trim_end_matches(['-', '_', '.', ':', '@', ' ', 'v']);
    let meant = match (name, major, &numbers[..]) {
        ("node" | "nodejs" | "node.js", Some(major @ 10..), _) => format!("nodejs{major}.x"),
        ("python" | "py", Some(3), [_, minor, ..]) if is_number(minor) => format!("python3.{minor}"),
        ("python" | "py", Some(major @ 36..=399), [_]) => {
            let digits = major.to_string();
            format!("python3.{}", digits.strip_prefix('3')?)
        }
        ("java" | "jdk" | "openjdk" | "corretto", Some(1), [_, "8", ..]) => "java8.al2".to_owned(),
        ("java" | "jdk" | "openjdk" | "corretto", Some(major @ 11..), _) => format!("java{major}"),
        ("dotnet" | "dotnetcore" | "net" | ".net", Some(major @ 5..), _) => format!("dotnet{major}"),
        ("ruby", Some(major @ 3..), [_, minor, ..]) if is_number(minor) => format!("ruby{major}.{minor}"),
        ("go" | "golang", _, _) if lower != "go1.x" => "provided.al2023".to_owned(),
        ("rust", _, _) => "provided.al2023".to_owned(),
        ("al" | "amazonlinux" | "provided" | "provided.al" | "provided-al" | "provided.amazonlinux", Some(2023), _) => {
            "provided.al2023".to_owned()
        }
        ("al" | "amazonlinux" | "provided-al" | "provided.amazonlinux", Some(2), _) => "provided.al2".to_owned(),
        ("node" | "node.js", None, _) => return Some(without_version(text, "nodejs24.x")),
        ("python" | "py", None | Some(3), _) if numbers.len() < 2 => return Some(without_version(text, "python3.13")),
        ("java" | "jdk" | "openjdk" | "corretto", None, _) => return Some(without_version(text, "java21")),
        ("dotnet" | "dotnetcore" | "net" | ".net", None, _) => return Some(without_version(text, "dotnet8")),
        ("ruby", None, _) => return Some(without_version(text, "ruby3.4")),
        _ => return None,
    };
    (meant != text).then(|| format!("`{text}` is not a runtime identifier; did you mean `{meant}`?"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

fn without_version(text: &str, example: &str) -> String {
    format!("`{text}` is not a runtime identifier: it has no version; one looks like `{example}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_spellings_are_understood() {
        for (wrong, meant) in [
            ("node20", "nodejs20.x"),
            ("nodejs20", "nodejs20.x"),
            ("node20.x", "nodejs20.x"),
            ("nodejs20.11.1", "nodejs20.x"),
            ("node-22", "nodejs22.x"),
            ("Node.js 22", "nodejs22.x"),
            ("NodeJS22.X", "nodejs22.x"),
            ("python3.12.1", "python3.12"),
            ("python312", "python3.12"),
            ("python-3.9", "python3.9"),
            ("Python3.13", "python3.13"),
            ("py3.12", "python3.12"),
            ("java21.0.1", "java21"),
            ("java-17", "java17"),
            ("corretto21", "java21"),
            ("java1.8", "java8.al2"),
            ("dotnet8.0", "dotnet8"),
            ("dotnetcore8.0", "dotnet8"),
            ("net8.0", "dotnet8"),
            ("ruby3.3.1", "ruby3.3"),
            ("go", "provided.al2023"),
            ("go1.22", "provided.al2023"),
            ("golang", "provided.al2023"),
            ("rust", "provided.al2023"),
            ("al2023", "provided.al2023"),
            ("amazonlinux2023", "provided.al2023"),
            ("provided.al2023.x", "provided.al2023"),
            ("provided-al2023", "provided.al2023"),
            ("provided2023", "provided.al2023"),
            ("al2", "provided.al2"),
        ] {
            assert!(misspelt(wrong).is_some_and(|told| told.contains(&format!("`{meant}`?"))), "{wrong}");
        }
        for bare in ["node", "python", "python3", "java", "ruby", "dotnet"] {
            assert!(misspelt(bare).is_some_and(|told| told.contains("has no version")), "{bare}");
        }
    }

    #[test]
    fn identifiers_that_exist_or_may_come_are_left_alone() {
        for good in [
            "nodejs",
            "nodejs4.3",
            "nodejs4.3-edge",
            "nodejs6.10",
            "nodejs8.10",
            "nodejs10.x",
            "nodejs24.x",
            "nodejs32.x",
            "python2.7",
            "python3.6",
            "python3.13",
            "python3.99",
            "java8",
            "java8.al2",
            "java17.al2023",
            "java11",
            "java25",
            "dotnetcore1.0",
            "dotnetcore2.1",
            "dotnetcore3.1",
            "dotnet6",
            "dotnet10",
            "ruby2.5",
            "ruby3.4",
            "go1.x",
            "provided",
            "provided.al2",
            "provided.al2023",
            "provided.al2027",
            "php8.4",
            "byol",
        ] {
            assert_eq!(misspelt(good), None, "{good}");
        }
    }
}
