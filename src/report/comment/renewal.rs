//! The renewal of a comment: finds the comment of the job, and creates, replaces or deletes it.

use super::marker::Marker;
use super::thread::{Answer, Comment, Request, Thread};
use crate::report::sanitise;
use crate::settings::Secret;

/// The most pages of comments that are read.
const MOST_PAGES: usize = 50;

/// The status of Azure DevOps when it shows the page for a log-in instead of an answer.
const SIGN_IN: u16 = 203;

/// The longest message of a service that is shown.
const LONGEST_MESSAGE: usize = 200;

/// A comment as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Renewal {
    pub(super) thread: Thread,
    pub(super) marker: Marker,
    /// The whole text; absent: there should be no comment.
    pub(super) text: Option<String>,
}

impl Renewal {
    /// The URL of the service's API.
    pub(in crate::report) fn api(&self) -> &str {
        &self.thread.api
    }

    /// The value of the header `Authorization` that each request needs.
    pub(in crate::report) fn authorization(&self) -> &Secret {
        &self.thread.authorization
    }

    /// Brings the comment about. `exchange` sends a request and returns the answer. An error is the text of a warning.
    pub(in crate::report) fn carry_out(
        &self,
        mut exchange: impl FnMut(&Request) -> Result<Answer, String>,
    ) -> Result<(), String> {
        let Self { thread, text, .. } = self;
        self.renew(text.as_deref(), &mut |request: &Request| {
            let answer = exchange(request)?;
            let is_question = *request == thread.who() && matches!(answer.status, 401 | 403 | 404);
            if matches!(answer.status, 200..=299 if answer.status != SIGN_IN) || is_question {
                Ok(answer)
            } else {
                Err(self.refused(request, &answer))
            }
        })
        .map_err(|why| format!("the comment on pull request {} was not renewed: {why}", thread.number))
    }

    fn renew(
        &self,
        text: Option<&str>,
        exchange: &mut impl FnMut(&Request) -> Result<Answer, String>,
    ) -> Result<(), String> {
        let mut own = self.own(exchange)?.into_iter();
        match (text, text.and_then(|_| own.next())) {
            (Some(text), Some(comment)) if comment.text.trim_end() == text.trim_end() => {}
            (Some(text), Some(comment)) => drop(exchange(&self.thread.update(&comment.id, text))?),
            (Some(text), None) => drop(exchange(&self.thread.create(text))?),
            (None, _) => {}
        }
        // Two runs at once may both have created one.
        own.try_for_each(|comment| exchange(&self.thread.delete(&comment.id)).map(drop))
    }

    /// The comments of this job that the token wrote, the oldest first.
    fn own(&self, exchange: &mut impl FnMut(&Request) -> Result<Answer, String>) -> Result<Vec<Comment>, String> {
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let answer = exchange(&self.thread.list(page))?;
            let name = self.thread.service.name;
            let comments = self.thread.comments(&answer).ok_or_else(|| format!("the answer is no list of {name}"))?;
            let is_of_job = |comment: &Comment| {
                Marker::read(&comment.text).is_some_and(|marker| self.marker.is_of_same_job(&marker))
            };
            found.extend(comments.into_iter().filter(is_of_job));
            if !self.thread.has_next(&answer) {
                break;
            }
        }
        if !found.is_empty() {
            // Anybody can write a comment with the marker.
            let names = self.thread.names(&exchange(&self.thread.who())?);
            found.retain(|comment| comment.authors.iter().any(|author| names.contains(author)));
        }
        Ok(found)
    }

    /// Why the service refused, and what to do.
    fn refused(&self, request: &Request, answer: &Answer) -> String {
        let said =
            ["/message", "/error/message"].iter().find_map(|at| answer.body.pointer(at)?.as_str()).unwrap_or_default();
        let said = sanitise::cut(&sanitise::one_line(said), LONGEST_MESSAGE);
        let said = if said.is_empty() { said } else { format!(" ({said})") };
        let url = request.url.split('?').next().unwrap_or_default();
        let what = format!("`{} {url}` returned {}{said}", request.method, answer.status);
        match answer.status {
            429 => format!("{what}: too many calls; the next run renews it"),
            403 if answer.is_limited => format!("{what}: too many calls; the next run renews it"),
            401 | SIGN_IN => format!("{what}: the token is wrong or has expired"),
            403 | 404 => format!("{what}; {}", self.thread.rights),
            300..=399 => {
                format!("{what}: a redirect, which a wrong token can cause; the token is not sent to another address")
            }
            _ => what,
        }
    }
}
