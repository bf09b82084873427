//! `all_or_nothing`: the functions of a run get traffic when all of them are ready, and go back after a failure.

use super::Run;
use super::deploy::{Applying, undone};
use super::lanes::block;
use super::layers::RunLayers;
use super::order::{Order, Turn};
use crate::apply::Back;
use crate::error::{Error, ExitCode};
use crate::event::{Event, Held, Traffic};
use crate::fault::Signal;
use crate::plan::{ALIAS, Part};

/// How many aliases go back at once. A CI gives a cancelled job only some seconds.
const BACK_AT_ONCE: usize = 32;

/// A function that is ready, moves, or has moved.
struct Member<'s> {
    applying: Applying<'s>,
    /// The way back of a function that was stopped because another one failed.
    back: Option<Back>,
    /// The subjects of its steps that were begun.
    begun: Vec<&'static str>,
}

impl<'s> Member<'s> {
    fn new(applying: Applying<'s>) -> Self {
        Self { applying, back: None, begun: Vec::new() }
    }
}

impl Run<'_> {
    /// Does what no caller notices. A function without changes is then up to date.
    pub(super) async fn prepare(&self, applying: &mut Applying<'_>, layers: &RunLayers) -> Result<(), Error> {
        self.advance(applying, Part::BeforeTraffic).await?;
        let version = applying.outcome.version.clone().or_else(|| applying.plan.published.clone());
        self.outputs.ready(applying.entry, version);
        if !applying.plan.changes() {
            self.verify(applying).await?;
            self.report_deployed(applying, layers);
        }
        Ok(())
    }

    /// Gives all functions their traffic, if all are ready, and runs the commands of their blocks. After a failure, all
    /// that moved go back.
    pub(super) async fn move_together(&self, ready: Vec<Applying<'_>>, layers: &RunLayers, order: &Order) {
        let order = order.again(ready.iter().map(|applying| applying.entry));
        let moves = ready.into_iter().map(|applying| {
            let turn = order.turn(applying.entry);
            (applying.entry, self.move_one(Member::new(applying), turn))
        });
        let mut members: Vec<_> = self.in_lanes(self.parallel, moves).await.into_iter().flatten().collect();
        let mut by_command = false;
        let mut at = 0;
        while at < members.len() && self.may_begin() {
            let applying = &mut members[at].applying;
            let entry = applying.entry;
            let command = async {
                let Err(cause) = self.run_commands(&entry.commands).await else { return Ok(()) };
                let is_command = matches!(cause, Error::Command(_));
                let error = undone(cause, applying).await;
                self.unless_failed::<()>(entry, Err(error));
                Err(is_command)
            };
            match self.about(block(entry), Box::pin(command)).await {
                Ok(()) => at += 1,
                Err(is_command) => {
                    by_command = is_command;
                    members.remove(at);
                }
            }
        }
        if self.may_begin() {
            let looks = members.into_iter().map(|member| (member.applying.entry, self.look_again(member)));
            members = self.in_lanes(self.parallel, looks).await.into_iter().flatten().collect();
        }
        if self.may_begin() {
            let ends = members.into_iter().map(|member| (member.applying.entry, self.end_one(member, layers)));
            self.in_lanes(self.parallel, ends).await;
            return;
        }
        let backs = members.into_iter().map(|member| (member.applying.entry, self.hold_one(member)));
        let went_back = self.in_lanes(BACK_AT_ONCE, backs).await.contains(&true);
        if by_command && went_back {
            self.raise(ExitCode::Unhealthy);
        }
    }

    /// Gives a function its traffic. `None` if it failed; then the others stop.
    async fn move_one<'s>(&self, mut member: Member<'s>, turn: Turn<'_>) -> Option<Member<'s>> {
        let may_come = turn.come().await;
        if !self.may_begin() {
            return Some(member);
        }
        if !may_come {
            self.lose(member.applying.entry);
            self.hold_one(member).await;
            self.stop_others();
            return None;
        }
        let applying = &mut member.applying;
        let moved = match self.advance(applying, Part::Traffic).await {
            Ok(()) if applying.plan.changes() => match self.verify(applying).await {
                Ok(()) => Ok(()),
                Err(cause) => Err(undone(cause, applying).await),
            },
            advanced => advanced,
        };
        match moved {
            Ok(()) => {
                turn.end();
                Some(member)
            }
            Err(error) if error.is_of_another() => {
                (member.back, member.begun) = error.into_rest();
                Some(member)
            }
            Err(error) => {
                self.unless_failed::<()>(member.applying.entry, Err(error));
                self.stop_others();
                None
            }
        }
    }

    /// Looks whether another program changed the alias of a function while the others got their traffic. `None` if so.
    async fn look_again<'s>(&self, mut member: Member<'s>) -> Option<Member<'s>> {
        let applying = &mut member.applying;
        if applying.plan.changes()
            && let Err(cause) = self.verify_alias(applying).await
        {
            let error = undone(cause, applying).await;
            return self.unless_failed(applying.entry, Err(error));
        }
        Some(member)
    }

    /// After a failure that is not allowed, stops the functions whose traffic moves.
    fn stop_others(&self) {
        if !self.may_begin() {
            self.stop.send_if_modified(|stop| {
                let is_first = stop.is_none();
                stop.get_or_insert(Signal::Failure);
                is_first
            });
        }
    }

    /// Deletes old versions, once no function goes back any more.
    async fn end_one(&self, mut member: Member<'_>, layers: &RunLayers) {
        let applying = &mut member.applying;
        if !applying.plan.changes() {
            return;
        }
        let ended = self.advance(applying, Part::All).await;
        if self.unless_failed(applying.entry, ended).is_some() {
            self.report_deployed(applying, layers);
        }
    }

    /// Takes the traffic of a function back after the failure of another one. Returns whether an alias went back.
    async fn hold_one(&self, member: Member<'_>) -> bool {
        let Member { mut applying, back, begun } = member;
        if !applying.plan.changes() {
            return false;
        }
        let back = match back {
            Some(back) => Some(back),
            None => Back::take(&mut applying.performer, &applying.plan).await,
        };
        let went_back = back.is_some();
        match back {
            Some(back) if back.result.is_err() => {
                let error = Error::NotBack { back: Box::new(back), about: (&applying.entry.item).into() };
                self.unless_failed::<()>(applying.entry, Err(error));
            }
            back => self.report(&Event::Held(held(&applying, back, begun))),
        }
        went_back
    }
}

/// What became of a function after the failure of another one.
fn held(applying: &Applying<'_>, back: Option<Back>, mut begun: Vec<&'static str>) -> Held {
    let Applying { plan, outcome, entry, .. } = applying;
    let mut done: Vec<_> = outcome.done.iter().map(|(subject, _)| *subject).collect();
    let mut not_done: Vec<_> = plan.steps[done.len() + begun.len()..].iter().map(|step| step.view().subject).collect();
    let moved = done.contains(&ALIAS) || begun.contains(&ALIAS);
    let alias = entry.item.function().and_then(|deployment| deployment.release.alias.as_ref());
    let before = plan.alias_before().map(|before| before.version.clone());
    let traffic = match back {
        Some(back) => {
            back.correct([&mut done, &mut begun], &mut not_done);
            Traffic::Back(back.version)
        }
        None if moved && before.is_none() => Traffic::New,
        None if not_done.contains(&ALIAS) => Traffic::Stayed(before),
        None => Traffic::Stayed(plan.published.clone()),
    };
    Held {
        function: plan.name.clone(),
        region: plan.region.clone(),
        version: outcome.version.clone().or_else(|| plan.published.clone()),
        alias: alias.map(|alias| alias.0.clone()).unwrap_or_default(),
        traffic,
        done,
        begun,
        not_done,
    }
}
