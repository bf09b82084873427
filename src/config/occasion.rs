//! The build for which conditions are checked: the current one, or the one after the merge of its pull request.

use super::{blocks::Block, dry_run::DryRun, layer::Layer, loaded::Preview, request::Request};
use crate::host::{Build, Host};
use crate::place::{Problem, Skip};
use crate::verb::Purpose;

/// The build for which conditions are checked.
pub(super) struct Occasion<'a> {
    build: Build,
    host: &'a Host,
    /// The build and the environment after the merge; absent if this is not the build of a pull request.
    merge: Option<(Build, Host)>,
}

impl<'a> Occasion<'a> {
    /// The occasion of a run. If the run changes nothing, and the CI does not say to which branch a pull request goes, it
    /// assumes the default branch. Then `build` has this branch too.
    pub(super) fn of(
        build: &mut Build,
        request: &Request,
        strongest: &Layer,
        host: &'a Host,
        warnings: &mut Vec<Problem>,
    ) -> Self {
        let changes_nothing = match request.purpose {
            Purpose::Deploy => DryRun::of(strongest) != DryRun::No,
            Purpose::Plan | Purpose::Check | Purpose::Render | Purpose::Package => true,
            Purpose::Live | Purpose::Region => false,
        };
        if build.pull_request.is_some() && build.branch.is_none() && changes_nothing {
            build.branch = host.default_branch();
            if let Some(branch) = &build.branch {
                let message =
                    format!("the CI does not say which branch the pull request goes to; `{branch}` is assumed");
                warnings.push(Problem::new(message));
            }
        }
        let merge = build.pull_request.as_ref().map(|_| {
            let base = build.branch.clone();
            let pushed = base.as_deref().map_or_else(|| host.clone(), |base| host.as_pushed(base));
            (build.after_merge(base), pushed)
        });
        Self { build: build.clone(), host, merge }
    }

    /// Why the block is skipped; `None` if it is not. `options` are those of the block and of all other sources.
    pub(super) fn reason_to_skip(
        &self,
        block: &Block,
        options: &Layer,
        purpose: Purpose,
        preview: &mut Option<Preview>,
    ) -> Result<Option<Skip>, Problem> {
        let conditions = &block.conditions;
        match purpose {
            Purpose::Deploy | Purpose::Plan => {
                let plans = purpose == Purpose::Plan || DryRun::of(options) != DryRun::No;
                let merge = self.merge.as_ref().filter(|_| plans && !conditions.include_pull_requests());
                let Some((build, host)) = merge else { return conditions.reason_to_skip(&self.build, self.host) };
                let number = build.pull_request.as_ref().and_then(|pull_request| pull_request.number.clone());
                *preview = Some(Preview { number, base: build.branch.clone() });
                conditions.reason_to_skip_after_merge(build, host)
            }
            Purpose::Check | Purpose::Render => Ok(conditions.reason_to_have_no_value(&self.build)),
            Purpose::Live if conditions.has_by_branch("function_name") && !options.contains_key("function_name") => {
                Ok(conditions.reason_to_have_no_value(&self.build))
            }
            Purpose::Package | Purpose::Live | Purpose::Region => Ok(None),
        }
    }
}
