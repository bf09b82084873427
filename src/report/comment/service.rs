//! The services that host pull requests: how each lists, writes and deletes comments.
//!
//! Sources: <https://docs.github.com/en/rest/issues/comments>, <https://docs.gitea.com/api/> and
//! <https://docs.gitlab.com/api/notes/#merge-requests>.

use serde_json::{Value, json};

use crate::host::{Build, Ci, Host, PullRequest};
use crate::settings::{Address, Reach, Secret};

/// The comments of a page of the list, as many as the services allow.
const PAGE: usize = 100;

/// A service, as it differs from the others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub name: &'static str,
    /// The call that answers whose token it is.
    identity: Identity,
    /// The names that the token of a job can have. They count if the service does not answer that call.
    job: &'static [&'static str],
    /// Where a comment has the name of its author.
    author: &'static str,
    /// The method that replaces a comment.
    update: &'static str,
    /// The most bytes of a comment.
    pub longest: usize,
}

/// How a service answers whose token it is.
#[derive(Debug, PartialEq, Eq)]
enum Identity {
    /// The tokens of jobs cannot read `/user`, but they can ask this.
    GraphQl,
    /// At `/user`, under this name.
    User(&'static str),
}

const GITHUB: Service = Service {
    name: "GitHub",
    identity: Identity::GraphQl,
    job: &["github-actions[bot]"],
    author: "/user/login",
    update: "PATCH",
    longest: 65_536,
};

const GITEA: Service = Service {
    name: "Gitea",
    identity: Identity::User("/login"),
    job: &["gitea-actions", "forgejo-actions"],
    author: "/user/login",
    update: "PATCH",
    longest: 65_536,
};

const GITLAB: Service = Service {
    name: "GitLab",
    identity: Identity::User("/username"),
    job: &[],
    author: "/author/username",
    update: "PUT",
    longest: 1_000_000,
};

/// The pull request of the build on its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thread {
    pub service: &'static Service,
    /// The URL of the API, without a slash at its end.
    pub api: String,
    pub token: Secret,
    /// The number of the pull request.
    pub number: String,
    /// The URL of all its comments.
    comments: String,
    /// The URL of one comment, up to its id.
    comment: String,
    /// What to do if the token may not write.
    pub rights: String,
}

/// A request. Each has the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Request {
    pub method: &'static str,
    pub url: String,
    pub body: Option<Value>,
}

/// The answer to a request.
#[derive(Debug, Default)]
pub(in crate::report) struct Answer {
    pub status: u16,
    /// Whether the list has another page.
    pub has_next: bool,
    /// Whether the service refuses because of too many calls.
    pub is_limited: bool,
    /// The JSON of the answer; null if it is none.
    pub body: Value,
}

/// A comment of the pull request.
pub(super) struct Comment {
    pub id: String,
    pub author: String,
    pub text: String,
}

impl Thread {
    /// The pull request of the build; an error says what is missing. `token` is the one that the user gave.
    pub(super) fn of(
        ci: Ci,
        host: &Host,
        build: &Build,
        pull_request: &PullRequest,
        token: Option<&Secret>,
    ) -> Result<Self, String> {
        let get = |name: &str| host.variable(name);
        let ours = |names: &[&str]| {
            let of_ci = names.iter().find_map(|name| get(name)).map(Secret::new);
            token.cloned().or(of_ci)
        };
        let fork = "the pull request comes from a fork, whose builds get no token that may write; the summary of the run has the plan";
        let number = pull_request.number.clone().ok_or("the CI does not set the number of the pull request")?;
        match ci {
            Ci::GitHub | Ci::Gitea => {
                let is_github = ci == Ci::GitHub;
                let api = match (get("GITHUB_API_URL"), get("GITHUB_SERVER_URL")) {
                    (Some(api), _) => api.to_owned(),
                    (None, Some(server)) if !is_github => format!("{}/api/v1", server.trim_end_matches('/')),
                    (None, _) => return Err("the variable `GITHUB_API_URL` is not set".to_owned()),
                };
                let names: &[&str] =
                    if is_github { &["GITHUB_TOKEN"] } else { &["GITHUB_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN"] };
                let missing = "there is no token; set the input `comment-token` or the variable `GITHUB_TOKEN` to `${{ github.token }}`";
                let token = ours(names).ok_or(missing)?;
                let repository = build.repository.as_deref().filter(|name| is_path(name, 2));
                let repository = repository.ok_or("the variable `GITHUB_REPOSITORY` has no name of a repository")?;
                let rights = match () {
                    () if pull_request.is_from_fork => fork.to_owned(),
                    () if get("GITHUB_ACTOR") == Some("dependabot[bot]") => {
                        "builds that Dependabot starts get no token that may write; the summary of the run has the plan"
                            .to_owned()
                    }
                    () => "give the job `permissions: {pull-requests: write}`".to_owned(),
                };
                let issues = format!("/repos/{repository}/issues");
                let paths = [format!("{issues}/{number}/comments"), format!("{issues}/comments")];
                let service = if is_github { &GITHUB } else { &GITEA };
                Self::at(service, &api, token, number, paths, rights)
            }
            Ci::GitLab => {
                let api = get("CI_API_V4_URL").ok_or("the variable `CI_API_V4_URL` is not set")?;
                let project = get("CI_MERGE_REQUEST_PROJECT_ID").or_else(|| get("CI_PROJECT_ID"));
                let project = project.filter(|id| is_path(id, 1)).ok_or("the variable `CI_PROJECT_ID` is not set")?;
                let number = get("CI_MERGE_REQUEST_IID").map(str::to_owned);
                let number = number.ok_or("this is not the pipeline of a merge request of GitLab")?;
                let make = "`CI_JOB_TOKEN` may not write comments; create a project access token with the scope `api`, and set the variable `GITLAB_TOKEN` to it";
                let missing = if pull_request.is_from_fork { fork } else { make };
                let token = ours(&["GITLAB_TOKEN"]).ok_or(missing)?;
                let comments = format!("/projects/{project}/merge_requests/{number}/notes");
                let rights = "the token needs the scope `api` and at least the role Reporter in the project; `CI_JOB_TOKEN` may not write comments";
                let paths = [comments.clone(), comments];
                Self::at(&GITLAB, api, token, number, paths, rights.to_owned())
            }
            other => Err(format!(
                "`comment` knows GitHub, Gitea, Forgejo and GitLab, and the CI is `{}`; use `summary_file`",
                other.name()
            )),
        }
    }

    fn at(
        service: &'static Service,
        api: &str,
        token: Secret,
        number: String,
        [comments, comment]: [String; 2],
        rights: String,
    ) -> Result<Self, String> {
        let api = api.trim_end_matches('/').to_owned();
        let address = Address::parse(&api).filter(|_| !api.contains(['?', '#', '@']));
        let address = address.ok_or_else(|| format!("`{api}`, the address of the CI's API, is not a URL"))?;
        if !address.is_encrypted() && address.reach() == Reach::Far {
            return Err(format!("the token would go to `{}` without encryption; use `https://`", address.host()));
        }
        let (comments, comment) = (format!("{api}{comments}"), format!("{api}{comment}"));
        Ok(Self { service, api, token, number, comments, comment, rights })
    }

    /// The request for a page of the comments. The first page is 1.
    pub(super) fn list(&self, page: usize) -> Request {
        Request { method: "GET", url: format!("{}?per_page={PAGE}&page={page}", self.comments), body: None }
    }

    /// The request that creates a comment.
    pub(super) fn create(&self, text: &str) -> Request {
        Request { method: "POST", url: self.comments.clone(), body: Some(json!({ "body": text })) }
    }

    /// The request that replaces the text of a comment.
    pub(super) fn update(&self, id: &str, text: &str) -> Request {
        let url = format!("{}/{id}", self.comment);
        Request { method: self.service.update, url, body: Some(json!({ "body": text })) }
    }

    /// The request that deletes a comment.
    pub(super) fn delete(&self, id: &str) -> Request {
        Request { method: "DELETE", url: format!("{}/{id}", self.comment), body: None }
    }

    /// The request that asks whose token it is.
    pub(super) fn who(&self) -> Request {
        match self.service.identity {
            Identity::GraphQl => {
                // The API of an own server is at `/api/v3` and `/api/graphql`.
                let root = self.api.strip_suffix("/v3").unwrap_or(&self.api);
                let query = json!({ "query": "query { viewer { login } }" });
                Request { method: "POST", url: format!("{root}/graphql"), body: Some(query) }
            }
            Identity::User(_) => Request { method: "GET", url: format!("{}/user", self.api), body: None },
        }
    }

    /// The names of the token in the answer to that. A refusal leaves those of the tokens of jobs.
    pub(super) fn names(&self, answer: &Answer) -> Vec<String> {
        let pointer = match self.service.identity {
            Identity::GraphQl => "/data/viewer/login",
            Identity::User(pointer) => pointer,
        };
        match answer.body.pointer(pointer).and_then(Value::as_str) {
            Some(name) if answer.status == 200 => vec![name.to_owned()],
            _ => self.service.job.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// The comments of a page; `None` if the answer is not a list.
    pub(super) fn comments(&self, answer: &Answer) -> Option<Vec<Comment>> {
        let comment = |comment: &Value| {
            let text = |pointer: &str| comment.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            let id = comment.get("id").and_then(Value::as_u64)?.to_string();
            Some(Comment { id, author: text(self.service.author)?, text: text("/body")? })
        };
        Some(answer.body.as_array()?.iter().filter_map(comment).collect())
    }
}

/// Whether a text is this many names with slashes between them, and nothing else in a URL.
fn is_path(text: &str, parts: usize) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_name = |name: &str| !name.is_empty() && name.chars().all(plain) && !matches!(name, "." | "..");
    text.split('/').count() == parts && text.split('/').all(is_name)
}
