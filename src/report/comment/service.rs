//! The services that host pull requests, as they differ: how each lists, writes and deletes comments.
//!
//! Sources: <https://docs.github.com/en/rest/issues/comments>, <https://docs.gitea.com/api/>,
//! <https://docs.gitlab.com/api/notes/#merge-requests>,
//! <https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/> and
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-request-threads>.

use serde_json::{Value, json};

use super::markup::Markup;

/// The comments of a page of the list, as many as the services allow.
const PAGE: usize = 100;

/// A service, as it differs from the others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub name: &'static str,
    /// How its API groups comments.
    pub shape: Shape,
    /// The call that answers whose token it is.
    pub identity: Identity,
    /// The names that the token of a job can have. They count if the service does not answer that call.
    pub job: &'static [&'static str],
    /// Where the answer has the list of comments or threads.
    pub list: &'static str,
    /// Where a comment has the names of its author.
    pub authors: &'static [&'static str],
    /// Where a comment has its text.
    pub text: &'static str,
    /// The method that replaces a comment.
    pub update: &'static str,
    /// The most bytes of a comment.
    pub longest: usize,
    pub markup: Markup,
}

/// How an API groups comments, and what its requests look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Pages of comments. A header leads to the next page.
    Comments,
    /// Pages of comments. The page itself leads to the next one.
    Pages,
    /// All threads at once, each with its comments.
    Threads,
}

/// How a service answers whose token it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// The tokens of jobs cannot read `/user`, but they can ask this.
    GraphQl,
    /// At this path, under this name.
    At(&'static str, &'static str),
}

pub(super) const GITHUB: Service = Service {
    name: "GitHub",
    shape: Shape::Comments,
    identity: Identity::GraphQl,
    job: &["github-actions[bot]"],
    list: "",
    authors: &["/user/login"],
    text: "/body",
    update: "PATCH",
    longest: 65_536,
    markup: Markup::Html,
};

pub(super) const GITEA: Service = Service {
    name: "Gitea",
    identity: Identity::At("/user", "/login"),
    job: &["gitea-actions", "forgejo-actions"],
    ..GITHUB
};

pub(super) const GITLAB: Service = Service {
    name: "GitLab",
    identity: Identity::At("/user", "/username"),
    job: &[],
    authors: &["/author/username"],
    update: "PUT",
    longest: 1_000_000,
    ..GITHUB
};

pub(super) const BITBUCKET: Service = Service {
    name: "Bitbucket",
    shape: Shape::Pages,
    identity: Identity::At("/user", "/uuid"),
    // An access token may not ask, and its user has a kind of its own. The service lets nobody edit another's comment.
    job: &["repository_access_token", "project_access_token", "workspace_access_token"],
    list: "/values",
    authors: &["/user/uuid", "/user/kind"],
    text: "/content/raw",
    update: "PUT",
    longest: 32_768,
    markup: Markup::Plain,
};

pub(super) const AZURE: Service = Service {
    name: "Azure DevOps",
    shape: Shape::Threads,
    identity: Identity::At("/_apis/connectionData?api-version=7.1-preview", "/authenticatedUser/id"),
    job: &[],
    list: "/value",
    authors: &["/author/id"],
    text: "/content",
    update: "PATCH",
    longest: 150_000,
    markup: Markup::Html,
};

impl Shape {
    /// The query of a page of the list.
    pub(super) fn page(self, page: usize) -> String {
        match self {
            Self::Comments => format!("?per_page={PAGE}&page={page}"),
            Self::Pages => format!("?pagelen={PAGE}&page={page}"),
            Self::Threads => self.query().to_owned(),
        }
    }

    /// The query of every other request.
    pub(super) fn query(self) -> &'static str {
        match self {
            Self::Comments | Self::Pages => "",
            Self::Threads => "?api-version=7.1",
        }
    }

    /// The body of a request that replaces the text of a comment.
    pub(super) fn comment(self, text: &str) -> Value {
        match self {
            Self::Comments => json!({ "body": text }),
            Self::Pages => json!({ "content": { "raw": text } }),
            Self::Threads => json!({ "parentCommentId": 0, "content": text, "commentType": "text" }),
        }
    }

    /// The body of a request that creates a comment with this text.
    pub(super) fn first(self, text: &str) -> Value {
        match self {
            Self::Comments | Self::Pages => self.comment(text),
            // A policy can forbid the merge while a thread is open.
            Self::Threads => json!({ "comments": [self.comment(text)], "status": "closed" }),
        }
    }
}
