//! The step summary: GitHub-flavoured Markdown that people want to look at.

use super::{
    event::{Deployed, Failure},
    plan, sanitise,
};
use crate::plan::{Plan, Step};

/// Text in a table's cell or a paragraph, with nothing that Markdown or HTML would read.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitise::one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' | '!' | '@' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// A deployed function: what changed, or that nothing did.
pub(super) fn of_deployed(deployed: &Deployed) -> String {
    let Deployed { function, region, arn, version, code_sha256, package_size, plan, took } = deployed;
    if !deployed.changed() {
        let version = version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
        return format!("✔ **{}** in {} is unchanged{version}.\n\n", text(function), text(region));
    }
    let version = version.as_ref().map(|version| format!("version {version}, ")).unwrap_or_default();
    let (size, seconds) = (plan::size(*package_size), took.as_secs_f64());
    let facts = format!("{version}package {size} with CodeSha256 {}, {seconds:.1} s, {}", text(code_sha256), text(arn));
    format!("### {} deployed\n\n{}\n\n{facts}\n\n", text(function), table(plan))
}

/// A plan that was only shown.
pub(super) fn of_planned(plan: &Plan) -> String {
    let (function, region) = (text(&plan.function), text(&plan.region));
    if !plan.changes() {
        return format!("✔ **{function}** in {region} is unchanged.\n\n");
    }
    format!("### Plan for {function} in {region}\n\n{}\n\n", table(plan))
}

fn table(plan: &Plan) -> String {
    let row = |(name, change): (String, String)| format!("| {} | {} |", text(&name), text(&change));
    let head = ["| what | change |".to_owned(), "| --- | --- |".to_owned()];
    head.into_iter().chain(plan.steps.iter().flat_map(rows).map(row)).collect::<Vec<_>>().join("\n")
}

fn rows(step: &Step) -> Vec<(String, String)> {
    match step {
        Step::UploadPackage(object) => vec![("package".to_owned(), object.url())],
        Step::CreateFunction { differences, tags, .. } => {
            let created = ("function".to_owned(), "created".to_owned());
            let tags = tags.iter().map(|(key, value)| (format!("tag {key}"), value.clone()));
            std::iter::once(created).chain(differences.iter().map(plan::change)).chain(tags).collect()
        }
        Step::UpdateConfiguration { differences, .. } => differences.iter().map(plan::change).collect(),
        Step::UpdateTags(tags) => {
            let set = tags.set.iter().map(|(key, value)| (format!("tag {key}"), value.clone()));
            set.chain(tags.remove.iter().map(|key| (format!("tag {key}"), "removed".to_owned()))).collect()
        }
        Step::UpdateCode(code) => vec![("code".to_owned(), format!("{} files", code.files))],
        Step::PublishVersion { .. } => vec![("version".to_owned(), "published".to_owned())],
    }
}

/// A failure: where, what, and what next.
pub(super) fn of_failure(failure: &Failure) -> String {
    let mut lines = vec![format!("### ✘ {}\n", text(&failure.headline))];
    for problem in &failure.problems {
        lines.push(format!("- {}", text(&problem.to_string())));
        lines.extend(problem.help.iter().map(|help| format!("  - {}", text(help))));
    }
    if !failure.not_done.is_empty() {
        let done = if failure.done.is_empty() { "nothing".to_owned() } else { failure.done.join(", ") };
        let begun =
            if failure.begun.is_empty() { String::new() } else { format!(" Begun: {}.", failure.begun.join(", ")) };
        lines.push(format!("\nDone: {done}.{begun} Not done: {}.", failure.not_done.join(", ")));
    }
    lines.extend(failure.help.iter().map(|help| format!("\n{}", text(help))));
    lines.push("\n".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_is_neither_markup_nor_html() {
        let hostile = "<img src=x> | [a](javascript:b) `c` **d** @team";
        assert_eq!(text(hostile), r"&lt;img src=x&gt; \| \[a\](javascript:b) \`c\` \*\*d\*\* \@team");
        assert_eq!(text("a\nb"), "a b");
    }
}
