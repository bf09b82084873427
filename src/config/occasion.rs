//! For which build the blocks are looked at: the one that runs, or the one that the merge of its pull request would start.

use super::{DryRun, Preview, Purpose, Request, blocks::Block, dry_run, layer::Layer, read::Reader};
use crate::host::{Build, Host};
use crate::place::{Problem, Skip};

/// What conditions are held against.
pub(super) struct Occasion<'a> {
    build: Build,
    host: &'a Host,
    /// The build and the surroundings after the merge; absent where this is no build of a pull request.
    merge: Option<(Build, Host)>,
}

impl<'a> Occasion<'a> {
    /// What is built. Where it is only looked at, and the CI does not say where a pull request goes to, the default
    /// branch is taken for that: `build` then says so too.
    pub(super) fn of(
        build: &mut Build,
        request: &Request,
        strongest: &Layer,
        host: &'a Host,
        warnings: &mut Vec<Problem>,
    ) -> Self {
        let only_looks = match request.purpose {
            Purpose::Deploy => plans(strongest),
            Purpose::Plan | Purpose::Check | Purpose::Render | Purpose::Package => true,
            Purpose::Live | Purpose::Region => false,
        };
        if build.pull_request.is_some() && build.branch.is_none() && only_looks {
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

    /// Why a block is left out; nothing where it is not. `merged` are its options with all that lies over them.
    pub(super) fn reason_to_skip(
        &self,
        block: &Block,
        merged: &Layer,
        purpose: Purpose,
        preview: &mut Option<Preview>,
    ) -> Result<Option<Skip>, Problem> {
        let conditions = &block.conditions;
        match purpose {
            Purpose::Deploy | Purpose::Plan => {
                let plans = purpose == Purpose::Plan || plans(merged);
                let merge = self.merge.as_ref().filter(|_| plans && !conditions.take_pull_requests());
                let Some((build, host)) = merge else { return conditions.reason_to_skip(&self.build, self.host) };
                let number = build.pull_request.as_ref().and_then(|pull_request| pull_request.number.clone());
                *preview = Some(Preview { number, base: build.branch.clone() });
                conditions.reason_to_skip_after_merge(build, host)
            }
            Purpose::Check | Purpose::Render => Ok(conditions.reason_to_have_no_value(&self.build)),
            Purpose::Live if conditions.gives_by_branch("function_name") && !merged.contains_key("function_name") => {
                Ok(conditions.reason_to_have_no_value(&self.build))
            }
            Purpose::Package | Purpose::Live | Purpose::Region => Ok(None),
        }
    }
}

/// Whether options say that a plan is only shown.
fn plans(options: &Layer) -> bool {
    dry_run(&mut Reader::new(options.clone())) != DryRun::No
}
