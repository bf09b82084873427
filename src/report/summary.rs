//! The step summary: GitHub-flavoured Markdown that people want to look at.

use std::time::Duration;

use super::{
    event::{Deployed, Ending, Failure, LayerDeployed, MadeOf},
    live, plan, sanitise,
};
use crate::host::Build;
use crate::plan::{Action, AliasChange, CodeChange, Plan, Rollback, Step, Subject, Through};
use crate::settings::{Difference, Setting};

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
    let Deployed { function, region, version, plan, .. } = deployed;
    let console = console(region, function);
    if !deployed.changed() {
        let version = version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
        return format!("✔ {} in {} is unchanged{version}.\n\n", link(function, &console), text(region));
    }
    let title = format!("### ✔ {} deployed", text(function));
    let table = table(plan, deployed);
    let link = link("Open in the console", &console);
    let address = deployed.url.as_ref().map(|url| self::link(url, url));
    let last: Vec<_> = [link, text(&deployed.arn)].into_iter().chain(address).collect();
    [title, table, weight(deployed), time(deployed), format!("{}\n\n", last.join(" · "))].join("\n\n")
}

/// A layer: what changed, or that nothing did.
pub(super) fn of_layer(layer: &LayerDeployed) -> String {
    let LayerDeployed { layer: name, region, arn, version, plan, took, package_size, .. } = layer;
    if !layer.changed() {
        let (name, region, version) = (text(name), text(region), text(version));
        return format!("✔ Layer **{name}** in {region} is unchanged, version {version}.\n\n");
    }
    let title = format!("### ✔ Layer {} version {} published", text(name), text(version));
    let table = rows_as_table(plan.steps.iter().flat_map(rows));
    let weight = format!("**Package** {} · {:.1} s · {}", plan::size(*package_size), took.as_secs_f64(), text(arn));
    [title, table, weight].join("\n\n") + "\n\n"
}

/// How large the package is, and what makes it so; or which image it is.
fn weight(deployed: &Deployed) -> String {
    let (package_size, unpacked, largest_folders, code_sha256) = match &deployed.made_of {
        MadeOf::Archive { size, unpacked, largest_folders, code_sha256 } => {
            (size, unpacked, largest_folders, code_sha256)
        }
        MadeOf::Image { address } => return format!("**Image** {}", text(address)),
    };
    let folder = |(name, bytes): &(String, u64)| format!("{} {}", text(name), plan::size(*bytes));
    let folders: Vec<_> = largest_folders.iter().map(folder).collect();
    let largest = if folders.is_empty() { String::new() } else { format!(" Largest: {}.", folders.join(", ")) };
    let (packed, unpacked) = (plan::size(*package_size), plan::size(*unpacked));
    format!("**Package** {packed}, {unpacked} unpacked, CodeSha256 {}.{largest}", text(code_sha256))
}

/// How long each step took.
fn time(deployed: &Deployed) -> String {
    let step = |(subject, took): &(&str, Duration)| format!("{subject} {:.1} s", took.as_secs_f64());
    let steps: Vec<_> = deployed.steps.iter().map(step).collect();
    format!("**Time** {:.1} s: {}.", deployed.took.as_secs_f64(), steps.join(", "))
}

/// A plan that was only shown.
pub(super) fn of_planned(plan: &Plan) -> String {
    let (function, region) = (text(&plan.function), text(&plan.region));
    let function = if plan.subject == Subject::Layer { format!("layer {function}") } else { function };
    if !plan.changes() {
        return format!("✔ **{function}** in {region} is unchanged.\n\n");
    }
    format!("### Plan for {function} in {region}\n\n{}\n\n", rows_as_table(plan.steps.iter().flat_map(rows)))
}

/// What is said about the run as a whole.
pub(super) fn of_notice(message: &str) -> String {
    format!("{}\n\n", text(message))
}

/// A function or a version of it that is gone.
pub(super) fn of_removed(function: &str, region: &str, version: Option<&str>, ending: Ending) -> String {
    let what = version.map(|number| format!("version {} of ", text(number))).unwrap_or_default();
    let (function, region) = (text(function), text(region));
    match ending {
        Ending::Done => format!("### ✔ {what}{function} in {region} deleted\n\n"),
        Ending::NothingToDo => format!("✔ There is no {what}{function} in {region}.\n\n"),
    }
}

/// An alias that went back.
pub(super) fn of_rollback(function: &str, region: &str, rollback: &Rollback) -> String {
    let title = format!("### ✔ {} rolled back", text(function));
    let row = [format!("alias {}", rollback.alias.name), live::shares(&rollback.alias), rollback.to.clone()];
    let table = rows_as_table(std::iter::once(row));
    [title, table, link("Open in the console", &console(region, function)) + "\n\n"].join("\n\n")
}

/// What the page ends with: which commit, which run.
pub(super) fn footer(build: &Build) -> String {
    let commit = build.commit.as_ref().map(|commit| {
        let short: String = commit.chars().take(12).collect();
        format!("commit {}", text(&short))
    });
    let run = build.url.as_ref().map(|url| {
        let number = build.number.as_ref().map(|number| format!(" {number}")).unwrap_or_default();
        link(&format!("run{number}"), url)
    });
    let parts: Vec<_> = [commit, run].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("<sub>{}</sub>\n", parts.join(" · ")) }
}

/// The page of a function in AWS' console, which each partition has under a domain of its own.
pub(super) fn console(region: &str, function: &str) -> String {
    let domain = match region {
        region if region.starts_with("cn-") => "console.amazonaws.cn",
        region if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    format!("https://{region}.{domain}/lambda/home?region={region}#/functions/{function}")
}

/// A link; only its text where the address is not one that can stand in a link.
fn link(label: &str, url: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '<' | '>' | '\\' | '"' | '`');
    if url.starts_with("https://") && url.chars().all(plain) {
        format!("[{}]({url})", text(label))
    } else {
        text(label)
    }
}

/// What changed, with both ends.
fn table(plan: &Plan, deployed: &Deployed) -> String {
    let stayed = |what: &str| {
        what.strip_prefix("version ").is_some_and(|number| deployed.kept.iter().any(|kept| kept == number))
    };
    let published = |[what, before, after]: [String; 3]| match (&deployed.version, what.as_str()) {
        (Some(version), "version") => [what, deployed.version_before.clone().unwrap_or_default(), version.clone()],
        (Some(version), alias) if alias.starts_with("alias ") => [what, before, format!("version {version}")],
        (_, old) if stayed(old) => [what, before, "could not be deleted".to_owned()],
        _ => [what, before, after],
    };
    rows_as_table(plan.steps.iter().flat_map(rows).map(published))
}

fn rows_as_table(rows: impl Iterator<Item = [String; 3]>) -> String {
    let cell = |end: &String| if end.is_empty() { "–".to_owned() } else { text(end) };
    let row =
        |[what, before, after]: [String; 3]| format!("| {} | {} | {} |", text(&what), cell(&before), cell(&after));
    let head = ["| | before | after |".to_owned(), "| --- | --- | --- |".to_owned()];
    head.into_iter().chain(rows.map(row)).collect::<Vec<_>>().join("\n")
}

/// What a step changes: its name and both ends; empty where there is none.
fn rows(step: &Step) -> Vec<[String; 3]> {
    let row = |what: &str, before: &str, after: &str| [what, before, after].map(str::to_owned);
    match step {
        Step::CreateRole(role) => {
            let made = (role.action == Action::Create).then(|| row(&format!("role {}", role.name), "", "created"));
            let policies = role.policies.iter().map(|policy| row(&format!("policy of {}", role.name), "", policy));
            made.into_iter().chain(policies).collect()
        }
        Step::UploadPackage(object) => vec![row("package", "", &object.url())],
        Step::CreateFunction { differences, tags, code, .. } => {
            let settings = differences.iter().map(change);
            let tags = tags.iter().map(|(key, value)| row(&format!("tag {key}"), "", value));
            std::iter::once(row("function", "", "created"))
                .chain(settings)
                .chain(tags)
                .chain([row("code", "", &contents(code))])
                .collect()
        }
        Step::UpdateConfiguration { differences, .. } => differences.iter().map(change).collect(),
        Step::UpdateTags(tags) => {
            let before = |key: &String| tags.before.get(key).cloned().unwrap_or_default();
            let set = tags.set.iter().map(|(key, value)| row(&format!("tag {key}"), &before(key), value));
            let remove = tags.remove.iter().map(|key| row(&format!("tag {key}"), &before(key), "removed"));
            set.chain(remove).collect()
        }
        Step::UpdateCode(code) => {
            let before = code.from.as_deref().map(plan::short).unwrap_or_default();
            let mut rows = vec![row("code", &before, &contents(code))];
            if let (Some(from), Some(to)) = (code.from_architecture, code.architecture)
                && from != to
            {
                rows.push(row("architecture", &from.shown(), &to.shown()));
            }
            rows
        }
        Step::PublishLayer(layer) => {
            let before = layer.code.from.as_deref().map(plan::short).unwrap_or_default();
            let content = (layer.code.from != layer.code.to).then(|| row("content", &before, &contents(&layer.code)));
            content.into_iter().chain(layer.differences.iter().map(change)).collect()
        }
        Step::PublishVersion { .. } => vec![row("version", "", "published")],
        Step::PointAlias(AliasChange { name, from, to }) => {
            let before = from.as_ref().map(|alias| format!("version {}", alias.version)).unwrap_or_default();
            vec![row(&format!("alias {}", name.0), &before, &to.shown())]
        }
        Step::Attach(attach) if attach.action == Action::Remove => {
            let what = format!("{} {}", attach.attachment.name(), attach.key);
            vec![row(what.trim_end(), &attach.document.shown(), "removed")]
        }
        Step::Attach(attach) => attach.differences.iter().map(change).collect(),
        Step::DeleteVersions(numbers) => {
            numbers.iter().map(|number| row(&format!("version {number}"), "there", "deleted")).collect()
        }
    }
}

fn contents(code: &CodeChange) -> String {
    let what = match &code.through {
        Through::Image(image) => image.uri.name(),
        Through::Call | Through::Upload(_) | Through::Found { .. } => plan::count(code.files, "file"),
    };
    format!("{} ({what})", plan::identity(code))
}

/// Both ends of a setting's change. What belongs to a key is hidden.
fn change(difference: &Difference) -> [String; 3] {
    let Difference { setting, key, from, to } = difference;
    let hidden = |end: &Option<String>| end.as_ref().map(|_| "hidden".to_owned());
    let name = key.as_ref().map_or_else(|| (*setting).to_owned(), |key| format!("{setting} {key}"));
    let (from, to) = if difference.is_hidden() { (hidden(from), hidden(to)) } else { (from.clone(), to.clone()) };
    let after = to.filter(|to| !to.is_empty()).unwrap_or_else(|| "removed".to_owned());
    [name, from.unwrap_or_default(), after]
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
