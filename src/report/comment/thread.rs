//! The pull request of a build on its service: the requests for its comments, and what the answers have.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::service::{AZURE, BITBUCKET, GITEA, GITHUB, GITLAB, Identity, Service, Shape};
use crate::host::{Build, Ci, Host, PullRequest};
use crate::settings::{Address, Reach, Secret};

/// The API of Bitbucket Cloud. No variable has it.
const BITBUCKET_API: &str = "https://api.bitbucket.org/2.0";

/// The pull request of the build on its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thread {
    pub service: &'static Service,
    /// The URL of the API, without a slash at its end.
    pub api: String,
    /// The value of the header `Authorization`.
    pub authorization: Secret,
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
    /// Its place below the URL of the comments.
    pub id: String,
    /// The names of its author.
    pub authors: Vec<String>,
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
        let own_number = |name: &str| {
            let number = get(name).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
            number.map(str::to_owned).ok_or_else(|| format!("the variable `{name}` has no number of a pull request"))
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
                Self::at(service, &api, &token, number, paths, rights)
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
                Self::at(&GITLAB, api, &token, number, paths, rights.to_owned())
            }
            Ci::Bitbucket => {
                // What imitates Bitbucket on this machine has its API there too.
                let origin = get("BITBUCKET_GIT_HTTP_ORIGIN").filter(|origin| is_here(origin));
                let root = origin.and_then(|origin| Some(origin.rsplitn(3, '/').nth(2)?.to_owned() + "/2.0"));
                let api = root.as_deref().unwrap_or(BITBUCKET_API);
                let repository = build.repository.as_deref().filter(|name| is_path(name, 2));
                let repository =
                    repository.ok_or("the variable `BITBUCKET_REPO_FULL_NAME` has no name of a repository")?;
                let number = own_number("BITBUCKET_PR_ID")?;
                let missing = "there is no token; create a repository access token with the scope `pullrequest:write`, and set the secured variable `BITBUCKET_TOKEN` to it";
                let token = ours(&["BITBUCKET_TOKEN"]).ok_or(missing)?;
                let comments = format!("/repositories/{repository}/pullrequests/{number}/comments");
                let rights = "the token needs the scope `pullrequest:write` of this repository; a comment of an earlier token must be deleted by hand";
                Self::at(&BITBUCKET, api, &token, number, [comments.clone(), comments], rights.to_owned())
            }
            Ci::Azure => {
                let host = get("BUILD_REPOSITORY_PROVIDER").filter(|provider| *provider != "TfsGit");
                if let Some(host) = host {
                    return Err(format!(
                        "`comment` on Azure Pipelines needs a repository of Azure DevOps, and this one is of `{host}`; use `summary_file`"
                    ));
                }
                let api = get("SYSTEM_COLLECTIONURI").ok_or("the variable `SYSTEM_COLLECTIONURI` is not set")?;
                let repository = get("BUILD_REPOSITORY_ID").filter(|id| is_path(id, 1));
                let repository = repository.ok_or("the variable `BUILD_REPOSITORY_ID` has no id of a repository")?;
                let number = own_number("SYSTEM_PULLREQUEST_PULLREQUESTID")?;
                let missing = "the job does not pass on its token; add `SYSTEM_ACCESSTOKEN: $(System.AccessToken)` to `env` of the step";
                let token = ours(&["SYSTEM_ACCESSTOKEN"]).ok_or(missing)?;
                let give =
                    "give the build service of the project the right \"Contribute to pull requests\" on the repository";
                let rights = if pull_request.is_from_fork { fork } else { give };
                let threads = format!("/_apis/git/repositories/{repository}/pullRequests/{number}/threads");
                Self::at(&AZURE, api, &token, number, [threads.clone(), threads], rights.to_owned())
            }
            other => Err(format!(
                "`comment` knows GitHub, Gitea, Forgejo, GitLab, Bitbucket and Azure DevOps, and the CI is `{}`; use `summary_file`",
                other.name()
            )),
        }
    }

    fn at(
        service: &'static Service,
        api: &str,
        token: &Secret,
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
        let token = token.expose();
        let authorization = match service.shape {
            // Azure DevOps reads a personal access token only as a password. It has another length than that of a job.
            Shape::Threads if matches!(token.len(), 52 | 84) => {
                format!("Basic {}", STANDARD.encode(format!(":{token}")))
            }
            Shape::Comments | Shape::Pages | Shape::Threads => format!("Bearer {token}"),
        };
        Ok(Self { service, api, authorization: Secret::new(authorization), number, comments, comment, rights })
    }

    /// The request for a page of the comments. The first page is 1.
    pub(super) fn list(&self, page: usize) -> Request {
        let query = self.service.shape.page(page);
        Request { method: "GET", url: format!("{}{query}", self.comments), body: None }
    }

    /// Whether the list has another page after that of the answer.
    pub(super) fn has_next(&self, answer: &Answer) -> bool {
        match self.service.shape {
            Shape::Comments => answer.has_next,
            Shape::Pages => answer.body.get("next").is_some_and(Value::is_string),
            Shape::Threads => false,
        }
    }

    /// The request that creates a comment.
    pub(super) fn create(&self, text: &str) -> Request {
        let shape = self.service.shape;
        Request { method: "POST", url: format!("{}{}", self.comments, shape.query()), body: Some(shape.first(text)) }
    }

    /// The request that replaces the text of a comment.
    pub(super) fn update(&self, id: &str, text: &str) -> Request {
        let body = self.service.shape.comment(text);
        Request { method: self.service.update, url: self.one(id), body: Some(body) }
    }

    /// The request that deletes a comment.
    pub(super) fn delete(&self, id: &str) -> Request {
        Request { method: "DELETE", url: self.one(id), body: None }
    }

    /// The URL of a comment.
    fn one(&self, id: &str) -> String {
        format!("{}/{id}{}", self.comment, self.service.shape.query())
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
            Identity::At(path, _) => Request { method: "GET", url: format!("{}{path}", self.api), body: None },
        }
    }

    /// The names of the token in the answer to that. A refusal leaves those of the tokens of jobs.
    pub(super) fn names(&self, answer: &Answer) -> Vec<String> {
        let pointer = match self.service.identity {
            Identity::GraphQl => "/data/viewer/login",
            Identity::At(_, pointer) => pointer,
        };
        match answer.body.pointer(pointer).and_then(Value::as_str) {
            Some(name) if answer.status == 200 => vec![name.to_owned()],
            _ => self.service.job.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// The comments of a page; `None` if the answer is not a list.
    pub(super) fn comments(&self, answer: &Answer) -> Option<Vec<Comment>> {
        let Service { shape, list, .. } = self.service;
        let list = answer.body.pointer(list)?.as_array()?;
        let comments = |thread: &Value| {
            let comments = thread.get("comments").and_then(Value::as_array).into_iter().flatten();
            let place =
                thread.get("id").and_then(Value::as_u64).map(|id| format!("{id}/comments/")).unwrap_or_default();
            comments.filter_map(|comment| self.comment(&place, comment)).collect::<Vec<_>>()
        };
        Some(match shape {
            Shape::Comments | Shape::Pages => list.iter().filter_map(|of| self.comment("", of)).collect(),
            Shape::Threads => list.iter().flat_map(comments).collect(),
        })
    }

    /// A comment; `None` if it has been deleted. `place` is that of its thread.
    fn comment(&self, place: &str, comment: &Value) -> Option<Comment> {
        let text = |pointer: &&str| comment.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let is_deleted = ["deleted", "isDeleted"].iter().any(|name| comment.get(name) == Some(&Value::Bool(true)));
        let id = comment.get("id").and_then(Value::as_u64).filter(|_| !is_deleted)?;
        let authors = self.service.authors.iter().filter_map(text).collect();
        Some(Comment { id: format!("{place}{id}"), authors, text: text(&self.service.text)? })
    }
}

/// Whether an address is on this machine.
fn is_here(address: &str) -> bool {
    Address::parse(address).is_some_and(|address| address.is_here())
}

/// Whether a text is this many names with slashes between them, and nothing else in a URL.
fn is_path(text: &str, parts: usize) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_name = |name: &str| !name.is_empty() && name.chars().all(plain) && !matches!(name, "." | "..");
    text.split('/').count() == parts && text.split('/').all(is_name)
}
