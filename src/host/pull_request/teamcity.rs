//! The pull request in the parameters of `TeamCity`.

use std::collections::BTreeMap;

use super::{PullRequest, number, text};
use crate::host::Host;

/// The pull request from `TeamCity`'s parameters: its pull request feature sets them, or else the branch has the name
/// of a pull request.
pub(super) fn of_parameters(host: &Host) -> Option<PullRequest> {
    const SIGN: &str = "TEAMCITY_BUILD_PROPERTIES_FILE";
    let read = |path: &str| text(&host.directory.join(path)).map(|text| properties(&text));
    let mut parameters = read(host.variable(SIGN)?)?;
    // The build's file names a second file, with the parameters of the build configuration.
    let further = parameters.get("teamcity.configuration.properties.file").and_then(|path| read(path));
    parameters.extend(further.unwrap_or_default());
    let get = |name: &str| parameters.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let by_feature = get("teamcity.pullRequest.number")
        .map(|found| PullRequest::new(SIGN, number(found), get("teamcity.pullRequest.target.branch")));
    let names = ["teamcity.build.branch", "vcsroot.branch"];
    by_feature.or_else(|| names.iter().find_map(|name| PullRequest::by_reference(SIGN, get(name)?)))
}

/// Parses a Java properties file: lines of `name=value`, with backslashes as escapes.
fn properties(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with(['#', '!'])) {
        let Some((name, value)) = line.split_once('=') else { continue };
        let plain = |text: &str| {
            let mut chars = text.chars();
            let mut plain = String::with_capacity(text.len());
            while let Some(c) = chars.next() {
                plain.extend(if c == '\\' { chars.next() } else { Some(c) });
            }
            plain
        };
        found.insert(plain(name.trim()), plain(value.trim_start()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_properties_are_unescaped() {
        let found = properties("#a=b\na\\:b=c\\:\\\\d\\=e\n x = \\ y\nno line\n");
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("a:b", "c:\\d=e"), ("x", " y")].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }
}
