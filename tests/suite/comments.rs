//! The plan as a comment on the pull request, against servers that list, write, refuse and hang as the services do.

use std::{
    io::{BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Fault, Universe, canned::Canned, request::Request};

const TOKEN: &str = "ghs_the-token-of-the-job";

/// A personal access token of Azure DevOps.
const PERSONAL: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

/// How a service lists comments, and who a token is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    GitHub,
    Gitea,
    GitLab,
    Bitbucket,
    Azure,
}

impl Kind {
    const ALL: [Self; 5] = [Self::GitHub, Self::Gitea, Self::GitLab, Self::Bitbucket, Self::Azure];

    /// The name of the token's own user.
    fn user(self) -> &'static str {
        match self {
            Self::GitHub => "github-actions[bot]",
            Self::Gitea => "gitea-actions",
            Self::GitLab => "project_7_bot",
            Self::Bitbucket => "{5e7c}",
            Self::Azure => "0f1e-2d3c",
        }
    }

    /// The path of the comments.
    fn path(self) -> &'static str {
        match self {
            Self::GitHub => "/api/v3/repos/o/r/issues/7/comments",
            Self::Gitea => "/api/v1/repos/o/r/issues/7/comments",
            Self::GitLab => "/api/v4/projects/42/merge_requests/7/notes",
            Self::Bitbucket => "/2.0/repositories/o/r/pullrequests/7/comments",
            Self::Azure => "/org/_apis/git/repositories/b1-b2/pullRequests/7/threads",
        }
    }

    /// The path of one comment, up to its id.
    fn one(self) -> &'static str {
        match self {
            Self::GitHub => "/api/v3/repos/o/r/issues/comments/",
            Self::Gitea => "/api/v1/repos/o/r/issues/comments/",
            Self::GitLab => "/api/v4/projects/42/merge_requests/7/notes/",
            Self::Bitbucket => "/2.0/repositories/o/r/pullrequests/7/comments/",
            Self::Azure => "/org/_apis/git/repositories/b1-b2/pullRequests/7/threads/",
        }
    }

    /// The path of a comment.
    fn at(self, id: u64) -> String {
        format!("{}{id}{}", self.one(), if self == Self::Azure { "/comments/1" } else { "" })
    }

    /// The path that answers whose token it is.
    fn who(self) -> &'static str {
        match self {
            Self::GitHub => "/api/graphql",
            Self::Gitea => "/api/v1/user",
            Self::GitLab => "/api/v4/user",
            Self::Bitbucket => "/2.0/user",
            Self::Azure => "/org/_apis/connectionData",
        }
    }

    /// The longest comment, and what the service answers to a longer one.
    fn longest(self) -> (usize, String) {
        let refused = |status: &str, message: &str| answer(status, "", &json!({ "message": message }));
        match self {
            Self::GitHub | Self::Gitea => {
                let message = "Validation Failed: body is too long (maximum is 65536 characters)";
                (65_536, refused("422 Unprocessable Entity", message))
            }
            Self::GitLab => (1_000_000, refused("400 Bad Request", "is too long")),
            Self::Bitbucket => (32_768, refused("400 Bad Request", "<h1>Bad Request (400)</h1>")),
            Self::Azure => {
                (150_000, refused("400 Bad Request", "A discussion comment cannot be longer than 150000 characters."))
            }
        }
    }

    /// Whether the first line of a comment is one that the service does not show.
    fn hides(self, body: &str) -> bool {
        let mut lines = body.lines();
        let (first, second) = (lines.next().unwrap(), lines.next().unwrap());
        match self {
            Self::Bitbucket => {
                first.starts_with("[//]: # (dpl-lambda plan ") && first.ends_with(')') && second.is_empty()
            }
            _ => first.starts_with("<!-- dpl-lambda plan ") && first.ends_with(" -->"),
        }
    }
}

#[derive(Clone)]
struct Comment {
    id: u64,
    author: String,
    body: String,
    is_deleted: bool,
}

#[derive(Default)]
struct State {
    comments: Vec<Comment>,
    requests: Vec<Request>,
    /// The whole answer to requests of this method, in the place of the right one; empty is silence.
    instead: Option<(&'static str, String)>,
    /// Whether the service does not tell whose token it is.
    is_discreet: bool,
}

/// A service with one pull request.
#[derive(Clone)]
struct Service {
    kind: Kind,
    url: String,
    state: Arc<Mutex<State>>,
}

impl Service {
    fn start(kind: Kind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = Self { kind, url, state: Arc::default() };
        let served = service.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let service = served.clone();
                thread::spawn(move || service.serve(stream));
            }
        });
        service
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn serve(&self, mut stream: TcpStream) {
        let Some(request) = Request::read(&mut BufReader::new(&stream)) else { return };
        let instead = self.state().instead.clone().filter(|(method, _)| *method == request.method() || *method == "*");
        self.state().requests.push(request.clone());
        let answer = match instead {
            Some((_, silence)) if silence.is_empty() => {
                thread::sleep(Duration::from_mins(1));
                return;
            }
            Some((_, answer)) => answer,
            None => self.answer(&request),
        };
        let _ = stream.write_all(answer.as_bytes());
    }

    fn answer(&self, request: &Request) -> String {
        let personal = format!("Basic {}", base64(&format!(":{PERSONAL}")));
        let is_known = match request.header("authorization") {
            Some(token) if token == personal => self.kind == Kind::Azure,
            token => token == Some(format!("Bearer {TOKEN}").as_str()),
        };
        if !is_known {
            return answer("401 Unauthorized", "", &json!({ "message": format!("Bad credentials: {}", request.head) }));
        }
        assert!(request.header("user-agent").is_some(), "GitHub refuses a request without it");
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let (method, path, kind) = (request.method(), request.path(), self.kind);
        if kind == Kind::Azure {
            let version = if path == kind.who() { "7.1-preview" } else { "7.1" };
            assert_eq!(request.query(), [("api-version".to_owned(), version.to_owned())]);
        }
        let id = path.strip_prefix(kind.one()).and_then(|id| id.split('/').next()?.parse::<u64>().ok());
        let update = if matches!(kind, Kind::GitLab | Kind::Bitbucket) { "PUT" } else { "PATCH" };
        match (method, id) {
            (_, None) if path == kind.who() => self.who(),
            ("GET", None) if path == kind.path() => self.list(request),
            ("POST", None) if path == kind.path() => {
                let mut state = self.state();
                let id = 1000 + state.requests.len() as u64;
                let text = match kind {
                    Kind::GitHub | Kind::Gitea | Kind::GitLab => body["body"].as_str(),
                    Kind::Bitbucket => body["content"]["raw"].as_str(),
                    Kind::Azure => {
                        assert_eq!(body["status"], "closed", "an open thread can forbid the merge");
                        assert_eq!(body["comments"][0]["commentType"], "text");
                        body["comments"][0]["content"].as_str()
                    }
                };
                let text = text.unwrap().to_owned();
                let (longest, refusal) = kind.longest();
                if text.len() > longest {
                    return refusal;
                }
                let comment = Comment { id, author: kind.user().to_owned(), body: text, is_deleted: false };
                state.comments.push(comment.clone());
                answer("201 Created", "", &self.shown(&comment))
            }
            (method, Some(id)) if (method == update || method == "DELETE") && path == kind.at(id) => {
                let mut state = self.state();
                let found = state.comments.iter().position(|comment| comment.id == id && !comment.is_deleted);
                let Some(at) = found else {
                    return answer("404 Not Found", "", &json!({ "message": "Not Found" }));
                };
                if state.comments[at].author != kind.user() {
                    return answer("403 Forbidden", "", &json!({ "message": "not yours" }));
                }
                if method == "DELETE" {
                    // Gone, or an empty place in the list.
                    match kind {
                        Kind::GitHub | Kind::Gitea | Kind::GitLab => drop(state.comments.remove(at)),
                        Kind::Bitbucket | Kind::Azure => state.comments[at].is_deleted = true,
                    }
                    return "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned();
                }
                let text = match kind {
                    Kind::GitHub | Kind::Gitea | Kind::GitLab => &body["body"],
                    Kind::Bitbucket => &body["content"]["raw"],
                    Kind::Azure => &body["content"],
                };
                text.as_str().unwrap().clone_into(&mut state.comments[at].body);
                answer("200 OK", "", &self.shown(&state.comments[at]))
            }
            _ => answer("404 Not Found", "", &json!({ "message": format!("{method} {path} is not there") })),
        }
    }

    /// Whose token it is.
    fn who(&self) -> String {
        let user = self.kind.user();
        if self.state().is_discreet {
            let (status, message) = if self.kind == Kind::Bitbucket {
                ("401 Unauthorized", "Token is invalid, expired, or not supported for this endpoint.")
            } else {
                ("403 Forbidden", "token does not have at least one of the scopes")
            };
            return answer(status, "", &json!({ "error": { "message": message }, "message": message }));
        }
        let who = match self.kind {
            Kind::GitHub => json!({ "data": { "viewer": { "login": user } } }),
            Kind::Gitea => json!({ "login": user }),
            Kind::GitLab => json!({ "username": user }),
            Kind::Bitbucket => json!({ "type": "app_user", "uuid": user }),
            Kind::Azure => json!({ "authenticatedUser": { "id": user }, "authorizedUser": { "id": user } }),
        };
        answer("200 OK", "", &who)
    }

    /// A page. Gitea and Azure DevOps return all comments, whichever page is asked for.
    fn list(&self, request: &Request) -> String {
        let state = self.state();
        let all = || state.comments.iter().map(|comment| self.shown(comment));
        if self.kind == Kind::Azure {
            let system = json!({ "id": 1, "comments": [{ "id": 1, "commentType": "system", "content": "voted 10" }] });
            let threads: Vec<_> = std::iter::once(system).chain(all()).collect();
            return answer("200 OK", "", &json!({ "count": threads.len(), "value": threads }));
        }
        let query = request.query();
        let number = |name: &str| query.iter().find(|(key, _)| key == name).unwrap().1.parse::<usize>().unwrap();
        let (page, size) = (number("page"), number(if self.kind == Kind::Bitbucket { "pagelen" } else { "per_page" }));
        assert!(size <= 100);
        if self.kind == Kind::Gitea {
            return answer("200 OK", "", &all().collect());
        }
        let more = state.comments.len() > page * size;
        let path = self.kind.path();
        let next = format!("{}{path}?page={}", self.url, page + 1);
        let shown: Vec<_> = all().skip((page - 1) * size).take(size).collect();
        if self.kind == Kind::Bitbucket {
            let mut body = json!({ "values": shown, "pagelen": size, "page": page });
            if more {
                body["next"] = json!(next);
            }
            return answer("200 OK", "", &body);
        }
        let next = format!("Link: <{next}>; rel=\"next\", <x>; rel=\"last\"\r\n");
        answer("200 OK", if more { &next } else { "Link: <x>; rel=\"first\"\r\n" }, &json!(shown))
    }

    fn shown(&self, Comment { id, author, body, is_deleted }: &Comment) -> Value {
        match self.kind {
            Kind::GitLab => json!({ "id": id, "body": body, "author": { "username": author }, "system": false }),
            Kind::GitHub | Kind::Gitea => json!({ "id": id, "body": body, "user": { "login": author, "type": "Bot" } }),
            Kind::Bitbucket => {
                let kind = if author == self.kind.user() { json!("repository_access_token") } else { Value::Null };
                let user = json!({ "type": "app_user", "uuid": author, "kind": kind, "display_name": "plans" });
                json!({ "id": id, "content": { "raw": body, "html": "" }, "user": user, "deleted": is_deleted })
            }
            Kind::Azure => {
                let comment = json!({
                    "id": 1, "content": body, "author": { "id": author, "displayName": "Build Service" },
                    "commentType": "text", "isDeleted": is_deleted,
                });
                json!({ "id": id, "status": "closed", "comments": [comment] })
            }
        }
    }

    /// Somebody writes a comment.
    fn write(&self, author: &str, body: &str) {
        let mut state = self.state();
        let id = 1 + state.comments.len() as u64;
        state.comments.push(Comment { id, author: author.to_owned(), body: body.to_owned(), is_deleted: false });
    }

    fn bodies(&self) -> Vec<String> {
        let state = self.state();
        state.comments.iter().filter(|comment| !comment.is_deleted).map(|comment| comment.body.clone()).collect()
    }

    /// The text of the only comment.
    #[track_caller]
    fn only(&self) -> String {
        let bodies = self.bodies();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        bodies[0].clone()
    }

    /// Methods and paths of the requests since this was last called.
    fn asked(&self) -> Vec<String> {
        let requests = std::mem::take(&mut self.state().requests);
        requests.iter().map(|request| format!("{} {}", request.method(), request.path())).collect()
    }

    fn refuse(&self, method: &'static str, answer: impl Into<String>) {
        self.state().instead = Some((method, answer.into()));
    }
}

fn base64(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
}

fn answer(status: &str, headers: &str, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// A pull request that sets the memory of a function.
fn changing(function: &str, memory: u32) -> String {
    format!("function_name: {function}\nonly: settings\ncomment: true\nmemory_size: {memory}\n")
}

/// The job of a pull request on this service.
fn job(service: &Service, aws: &Canned) -> Universe {
    let universe = Universe::at(&aws.proxy.endpoint).file("dpl.yml", changing("f", 256)).with("CI", "true");
    let at = |path: &str| format!("{}{path}", service.url);
    let of_github = |universe: Universe, api: &str| {
        let universe = universe.with("GITHUB_ACTIONS", "true").with("GITHUB_EVENT_NAME", "pull_request");
        let universe = universe.with("GITHUB_REF", "refs/pull/7/merge").with("GITHUB_BASE_REF", "main");
        let event = json!({ "pull_request": {
            "number": 7, "base": { "ref": "main", "repo": { "full_name": "o/r" } }, "head": { "repo": { "full_name": "o/r" } },
        } });
        let path = universe.path("../event.json");
        std::fs::write(&path, event.to_string()).unwrap();
        let universe = universe.with("GITHUB_EVENT_PATH", path.to_str().unwrap()).with("GITHUB_REPOSITORY", "o/r");
        universe.with("GITHUB_API_URL", &at(api)).with("GITHUB_TOKEN", TOKEN)
    };
    match service.kind {
        Kind::GitHub => of_github(universe, "/api/v3"),
        Kind::Gitea => of_github(universe, "/api/v1").with("GITEA_ACTIONS", "true"),
        Kind::GitLab => universe
            .with("GITLAB_CI", "true")
            .with("CI_API_V4_URL", &at("/api/v4"))
            .with("CI_PROJECT_ID", "42")
            .with("CI_MERGE_REQUEST_PROJECT_ID", "42")
            .with("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "42")
            .with("CI_MERGE_REQUEST_IID", "7")
            .with("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")
            .with("CI_JOB_TOKEN", "glcbt-of-the-job")
            .with("GITLAB_TOKEN", TOKEN),
        Kind::Bitbucket => universe
            .with("BITBUCKET_COMMIT", "0123456789abcdef")
            .with("BITBUCKET_REPO_FULL_NAME", "o/r")
            .with("BITBUCKET_GIT_HTTP_ORIGIN", &at("/o/r"))
            .with("BITBUCKET_PR_ID", "7")
            .with("BITBUCKET_PR_DESTINATION_BRANCH", "main")
            .with("BITBUCKET_TOKEN", TOKEN),
        Kind::Azure => universe
            .with("TF_BUILD", "True")
            .with("BUILD_REASON", "PullRequest")
            .with("BUILD_REPOSITORY_PROVIDER", "TfsGit")
            .with("BUILD_REPOSITORY_ID", "b1-b2")
            .with("SYSTEM_COLLECTIONURI", &at("/org/"))
            .with("SYSTEM_TEAMPROJECT", "my project")
            .with("SYSTEM_PULLREQUEST_PULLREQUESTID", "7")
            .with("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main")
            .with("SYSTEM_ACCESSTOKEN", TOKEN),
    }
}

fn aws() -> Canned {
    Canned::function("f", &json!({}))
}

#[test]
fn a_plan_becomes_one_comment_that_is_renewed_and_deleted() {
    for kind in Kind::ALL {
        let (service, aws) = (Service::start(kind), aws());
        let universe = job(&service, &aws);
        universe.run("plan").code(0).never_says("warning").never_says(TOKEN);
        let body = service.only();
        assert!(kind.hides(&body) && body.contains("### Plan for f in us-east-1"), "{body}");
        assert!(body.contains("| memory\\_size | 128 MB | 256 MB |") && body.contains("pull request 7"), "{body}");
        assert_eq!(service.asked(), [format!("GET {}", kind.path()), format!("POST {}", kind.path())]);

        // The next commit.
        universe.write("dpl.yml", changing("f", 512));
        universe.run("plan --exit-code").code(2).never_says("warning");
        assert!(service.only().contains("512 MB"), "{}", service.only());
        let id = service.state().comments[0].id;
        assert!(service.asked().last().unwrap().ends_with(&format!(" {}", kind.at(id))), "{kind:?}");
        universe.run("plan").code(0);
        assert!(service.asked().iter().all(|asked| !asked.contains(kind.one())), "an equal text is not written again");

        // A deployment that is only shown.
        universe.write("dpl.yml", changing("f", 1024) + "dry_run: true\non: {branch: main, pull_request: true}\n");
        universe.run("").code(0).never_says("warning");
        assert!(service.only().contains("1024 MB"), "{}", service.only());

        universe.write("dpl.yml", changing("f", 128));
        service.asked();
        universe.run("plan").code(0).never_says("warning");
        assert!(service.bodies().is_empty());
        assert_eq!(service.asked().last().unwrap(), &format!("DELETE {}", kind.at(id)));
        universe.run("plan").code(0);
        assert_eq!(service.asked(), [format!("GET {}", kind.path())]);
    }
}

#[test]
fn only_plans_of_pull_requests_are_comments() {
    let (service, aws) = (Service::start(Kind::GitHub), aws());
    let universe = job(&service, &aws);
    universe.run("check").code(0);
    universe.run("render").code(0);
    universe.run("plan --comment=false").code(0);
    universe.run("").code(0).says("nothing was deployed");
    let push =
        universe.with("GITHUB_EVENT_NAME", "push").with("GITHUB_REF", "refs/heads/main").without("GITHUB_BASE_REF");
    push.run("plan").code(0).never_says("warning");
    assert_eq!(service.asked(), Vec::<String>::new());
}

#[test]
fn a_comment_is_of_one_job_and_of_one_author() {
    let service = Service::start(Kind::GitHub);
    let (first, second) = (aws(), Canned::function("g", &json!({})));
    job(&service, &first).run("plan").code(0);
    let of_first = service.only();
    // Somebody else copies the comment, with its marker, and stands before it in the list.
    service.state().comments[0].author = "mallory".to_owned();
    job(&service, &first).run("plan --memory_size 512").code(0).never_says("warning");
    let bodies = service.bodies();
    assert!(bodies.len() == 2 && bodies[0] == of_first && bodies[1].contains("512 MB"), "{bodies:?}");

    // The job of another function, and that of another account.
    let other = job(&service, &second).file("dpl.yml", changing("g", 256));
    other.run("plan").code(0);
    let account = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>210987654321</Account><Arn>arn:aws:sts::210987654321:assumed-role/ci/x</Arn><UserId>A:x</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>";
    second.proxy.on("GetCallerIdentity", 0, Fault::Instead(200, account.to_owned()));
    other.run("plan").code(0).says("210987654321");
    assert_eq!(service.bodies().len(), 4);
    other.run("plan --memory_size 1024").code(0);
    let bodies = service.bodies();
    assert!(bodies.len() == 4 && bodies[3].contains("1024 MB") && bodies[1].contains("512 MB"), "{bodies:?}");

    // The same function of another file.
    other.file("other.yml", changing("g", 256)).run("plan --config other.yml").code(0);
    assert_eq!(service.bodies().len(), 5);
}

#[test]
fn comments_of_two_runs_at_once_become_one() {
    let (service, aws) = (Service::start(Kind::GitLab), aws());
    let universe = job(&service, &aws);
    universe.run("plan").code(0);
    let body = service.only();
    service.write(Kind::GitLab.user(), &body);
    universe.run("plan --memory_size 512").code(0).never_says("warning");
    assert!(service.only().contains("512 MB"));
}

#[test]
fn a_comment_is_found_among_hundreds_also_if_the_service_has_no_pages() {
    for kind in Kind::ALL {
        let (service, aws) = (Service::start(kind), aws());
        let universe = job(&service, &aws);
        for number in 0..250 {
            service.write("somebody", &format!("comment {number}"));
        }
        universe.run("plan").code(0).never_says("warning");
        let pages = if matches!(kind, Kind::Gitea | Kind::Azure) { 1 } else { 3 };
        assert_eq!(service.asked().len(), pages + 1, "{kind:?}");
        universe.run("plan --memory_size 512").code(0).never_says("warning");
        let bodies = service.bodies();
        assert!(bodies.len() == 251 && bodies[250].contains("512 MB"), "{kind:?}");
    }
}

#[test]
fn the_token_of_a_job_knows_its_comments_if_it_may_not_ask_who_it_is() {
    for kind in [Kind::Gitea, Kind::Bitbucket] {
        let (service, aws) = (Service::start(kind), aws());
        service.state().is_discreet = true;
        let universe = job(&service, &aws);
        universe.run("plan").code(0);
        let copied = service.only();
        service.state().comments[0].author = "mallory".to_owned();
        universe.run("plan").code(0);
        universe.run("plan --memory_size 512").code(0).never_says("warning");
        let bodies = service.bodies();
        assert!(bodies.len() == 2 && bodies[0] == copied && bodies[1].contains("512 MB"), "{bodies:?}");
    }
}

#[test]
fn what_the_service_refuses_is_a_warning_with_the_reason() {
    let (service, aws) = (Service::start(Kind::GitHub), aws());
    let universe = job(&service, &aws);
    let denied = json!({ "message": "Resource not accessible by integration" });
    let limited = json!({ "message": "You have exceeded a secondary rate limit" });
    for (method, answered, said) in [
        (
            "POST",
            answer("403 Forbidden", "", &denied),
            "(Resource not accessible by integration); give the job `permissions: {pull-requests: write}`",
        ),
        (
            "GET",
            answer("404 Not Found", "", &json!({ "message": "Not Found" })),
            "`permissions: {pull-requests: write}`",
        ),
        ("GET", answer("401 Unauthorized", "", &json!({ "message": TOKEN })), "the token is wrong or has expired"),
        ("POST", answer("403 Forbidden", "Retry-After: 60\r\n", &limited), "too many calls"),
        ("GET", answer("403 Forbidden", "X-RateLimit-Remaining: 0\r\n", &limited), "too many calls"),
        ("GET", answer("429 Too Many Requests", "", &Value::Null), "returned 429: too many calls"),
        ("GET", answer("503 Service Unavailable", "", &Value::Null), "returned 503"),
        (
            "POST",
            answer("422 Unprocessable Entity", "", &json!({ "message": "::error::x\n##[group]" })),
            "returned 422",
        ),
        ("GET", answer("200 OK", "", &json!({ "total": 0 })), "the answer is no list of GitHub"),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n<html>\n".to_owned(),
            "no list of GitHub",
        ),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 700\r\nConnection: close\r\n\r\n[".to_owned(), "failed: "),
        ("*", "nonsense\r\n\r\n".to_owned(), "failed: "),
    ] {
        service.refuse(method, answered);
        let outcome =
            universe.run("plan --exit-code").code(2).says("the comment on pull request 7 was not renewed: ").says(said);
        let warnings = outcome.all().matches("::warning").count();
        assert_eq!(warnings, 1, "{}", outcome.all());
        assert!(!outcome.all().contains(TOKEN) && !outcome.all().contains("\n::error"), "{}", outcome.all());
    }
    let document = universe.run("plan --format json").code(0).json();
    assert!(document["warnings"].to_string().contains("pull request 7"), "{document}");
    assert!(service.bodies().is_empty());
}

#[test]
fn a_fork_learns_why_it_gets_no_comment() {
    let aws = aws();
    let service = Service::start(Kind::GitHub);
    let denied = answer("403 Forbidden", "", &json!({ "message": "Resource not accessible by integration" }));
    service.refuse("POST", &*denied);
    let universe = job(&service, &aws);
    universe.run("plan").code(0).never_says("fork");
    let event = json!({ "pull_request": {
        "number": 7, "base": { "repo": { "full_name": "o/r" } }, "head": { "repo": { "full_name": "mallory/r" } },
    } });
    std::fs::write(universe.path("../event.json"), event.to_string()).unwrap();
    universe.run("plan").code(0).says("comes from a fork").never_says("permissions:");
    std::fs::write(universe.path("../event.json"), "{}").unwrap();
    universe.with("GITHUB_ACTOR", "dependabot[bot]").run("plan").code(0).says("Dependabot");

    let service = Service::start(Kind::GitLab);
    let universe = job(&service, &aws).without("GITLAB_TOKEN");
    universe.run("plan").code(0).says("`CI_JOB_TOKEN` may not write comments").says("`GITLAB_TOKEN`");
    universe.with("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "43").run("plan").code(0).says("comes from a fork");
    assert_eq!(service.asked(), Vec::<String>::new());

    let service = Service::start(Kind::Azure);
    service.refuse("POST", answer("403 Forbidden", "", &json!({ "message": "TF401027: you need permission" })));
    let universe = job(&service, &aws);
    universe.run("plan").code(0).says("TF401027").says("Contribute to pull requests");
    universe.with("SYSTEM_PULLREQUEST_ISFORK", "True").run("plan").code(0).says("comes from a fork");
}

#[test]
fn each_service_says_what_its_job_lacks() {
    let aws = aws();
    for (kind, without, said) in [
        (Kind::Bitbucket, "BITBUCKET_TOKEN", "`pullrequest:write`"),
        (Kind::Bitbucket, "BITBUCKET_REPO_FULL_NAME", "`BITBUCKET_REPO_FULL_NAME`"),
        (Kind::Azure, "SYSTEM_ACCESSTOKEN", "`SYSTEM_ACCESSTOKEN: $(System.AccessToken)`"),
        (Kind::Azure, "BUILD_REPOSITORY_ID", "`BUILD_REPOSITORY_ID`"),
        (Kind::Azure, "SYSTEM_COLLECTIONURI", "`SYSTEM_COLLECTIONURI`"),
    ] {
        let service = Service::start(kind);
        job(&service, &aws).without(without).run("plan").code(0).says("warning").says(said);
        assert_eq!(service.asked(), Vec::<String>::new());
    }
    let service = Service::start(Kind::Azure);
    let hosted = job(&service, &aws).with("BUILD_REPOSITORY_PROVIDER", "GitHub");
    hosted.run("plan").code(0).says("of `GitHub`").says("`summary_file`");
    for (variable, value) in [("BUILD_REPOSITORY_ID", "../../x"), ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7/../8")] {
        let hostile = job(&service, &aws).with(variable, value);
        hostile.run("plan").code(0).says("warning").says(&format!("`{variable}`"));
    }
    assert_eq!(service.asked(), Vec::<String>::new());

    let service = Service::start(Kind::Bitbucket);
    let denied =
        json!({ "type": "error", "error": { "message": "Your credentials lack one or more required scopes." } });
    service.refuse("POST", answer("403 Forbidden", "", &denied));
    let universe = job(&service, &aws);
    universe.run("plan").code(0).says("lack one or more required scopes").says("`pullrequest:write`");
    let service = Service::start(Kind::Azure);
    service.refuse("GET", answer("203 Non-Authoritative Information", "", &Value::Null));
    job(&service, &aws).run("plan").code(0).says("the token is wrong or has expired");
}

#[test]
fn bitbucket_itself_is_asked_unless_the_build_is_on_this_machine() {
    let aws = aws();
    let service = Service::start(Kind::Bitbucket);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for origin in ["http://bitbucket.org/o/r", "http://127.0.0.1@example.com/o/r", "https://evil.example.com/o/r"] {
        let universe = job(&service, &aws).with("BITBUCKET_GIT_HTTP_ORIGIN", origin);
        let universe = universe.with("HTTPS_PROXY", &format!("http://{closed}")).with("NO_PROXY", "127.0.0.1");
        universe.run("plan").code(0).says("`GET https://api.bitbucket.org/2.0/repositories/o/r/");
    }
}

#[test]
fn a_service_that_is_silent_or_away_holds_up_nobody_for_long() {
    let (service, aws) = (Service::start(Kind::GitHub), aws());
    let universe = job(&service, &aws);
    service.refuse("GET", "");
    let begun = Instant::now();
    universe.run("plan").code(0).says("no response within ").says("was not renewed");
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    universe.with("GITHUB_API_URL", &format!("http://{closed}")).run("plan").code(0).says("was not renewed");
}

#[test]
fn the_token_goes_to_the_service_alone() {
    let (service, elsewhere, aws) = (Service::start(Kind::GitHub), Service::start(Kind::GitHub), aws());
    let universe = job(&service, &aws);
    let away = format!("Location: {}{}\r\n", elsewhere.url, Kind::GitHub.path());
    for status in ["301 Moved Permanently", "307 Temporary Redirect"] {
        service.refuse("*", answer(status, &away, &Value::Null));
        universe.run("plan").code(0).says("the token is not sent to another address");
    }
    let link = format!("Link: <{}{}?page=2>; rel=\"next\"\r\n", elsewhere.url, Kind::GitHub.path());
    service.refuse("GET", answer("200 OK", &link, &json!([])));
    universe.run("plan").code(0);
    assert_eq!(elsewhere.asked(), Vec::<String>::new());
    service.asked();

    let to = |url: &str| job(&service, &aws).with("GITHUB_API_URL", url).run("plan").code(0);
    to("http://api.example.com").says("without encryption").says("api.example.com");
    to("http://127.0.0.1@example.com").says("is not a URL");
    to("not a url").says("is not a URL");
    job(&service, &aws).with("GITHUB_REPOSITORY", "o/../r").run("plan").code(0).says("GITHUB_REPOSITORY");
    assert_eq!(service.asked(), Vec::<String>::new());
}

#[test]
fn a_token_comes_from_the_user_or_the_ci_and_never_from_a_file() {
    let (service, aws) = (Service::start(Kind::GitHub), aws());
    let universe = job(&service, &aws).with("GITHUB_TOKEN", "another-token-of-somebody");
    universe.run("plan").code(0).says("the token is wrong or has expired").never_says("another-token-of-somebody");
    let universe = universe.with("INPUT_COMMENT-TOKEN", TOKEN);
    let outcome = universe.run("plan --verbose").code(0).never_says("warning");
    let shown: Vec<_> = outcome.all().lines().filter(|line| line.contains(TOKEN)).map(str::to_owned).collect();
    assert!(shown.iter().all(|line| line.starts_with("::add-mask::")), "{shown:?}");
    assert!(!service.only().contains(TOKEN));

    let azure = Service::start(Kind::Azure);
    let outcome = job(&azure, &aws).with("DPL_LAMBDA_COMMENT_TOKEN", PERSONAL).run("plan --verbose").code(0);
    assert_eq!(azure.bodies().len(), 1, "{}", outcome.all());
    assert!(!outcome.all().contains(&base64(&format!(":{PERSONAL}"))));

    let none = job(&service, &aws).without("GITHUB_TOKEN");
    none.run("plan").code(0).says("`comment-token`").says("`GITHUB_TOKEN`");
    none.with("GITHUB_TOKEN", "a\nb\u{7f}").run("plan").code(0).says("has characters that no token has");
    let in_file = job(&service, &aws).file("dpl.yml", changing("f", 256) + "comment_token: from-a-file\n");
    in_file.run("plan").code(3).says("comment_token").says("line=5");
}

#[test]
fn a_ci_without_comments_says_what_to_use() {
    let aws = aws();
    let universe = Universe::at(&aws.proxy.endpoint).file("dpl.yml", changing("f", 256)).with("CI", "true");
    let travis = universe.with("TRAVIS", "true").with("TRAVIS_PULL_REQUEST", "7").with("TRAVIS_BRANCH", "main");
    travis.run("plan").code(0).says("warning").says("`summary_file`");
}

#[test]
fn a_comment_shows_no_secret_and_calls_nobody() {
    let (service, aws) = (Service::start(Kind::GitHub), aws());
    let universe = job(&service, &aws)
        .with("DB_PASSWORD", "correct-horse-battery")
        .file(
            "dpl.yml",
            changing("f", 256) + "description: 'ask @team about #12, <img src=x> | [a](javascript:b) --> ::error::x'\nenvironment:\n  DB_PASSWORD: {from_env: DB_PASSWORD}\n  STAGE: two\n",
        );
    universe.run("plan").code(0);
    let body = service.only();
    assert!(body.contains("STAGE") && body.contains("@<!-- -->team") && body.contains("#<!-- -->12"), "{body}");
    for hidden in ["correct-horse-battery", "@team", "#12", "<img", "[a]("] {
        assert!(!body.contains(hidden), "{hidden} is in {body}");
    }
    assert_eq!(body.lines().next().unwrap().matches("-->").count(), 1, "{body}");
}

#[test]
fn a_secret_stays_hidden_in_the_markup_of_every_service() {
    let secret = "p&ss<w@rd>#1_x*~[y]|z";
    for kind in Kind::ALL {
        let (service, aws) = (Service::start(kind), aws());
        let block = format!("description: 'uses {secret} in @team'\nenvironment:\n  STAGE: 'at {secret}'\n");
        let universe = job(&service, &aws).with("DB_PASSWORD", secret).file("dpl.yml", changing("f", 256) + &block);
        universe.run("plan").code(0).never_says(secret);
        let body = service.only();
        let letters: String = body.chars().filter(|c| c.is_ascii_alphanumeric() || "&<@>#".contains(*c)).collect();
        for piece in ["p&ss", "pampss", "ss<w", "ssltw", "w@rd", "1xy"] {
            assert!(!letters.contains(piece), "{kind:?}: {piece} is in {body}");
        }
        assert!(body.contains("STAGE") && body.contains("team") && !body.contains("@team"), "{body}");
    }
}

#[test]
fn a_service_without_html_gets_none() {
    let (service, aws) = (Service::start(Kind::Bitbucket), aws());
    let environment: String = (0..30).map(|number| format!("  V_{number}: x\n")).collect();
    let universe = job(&service, &aws).file(
        "dpl.yml",
        changing("f", 256)
            + "description: 'ask @team about #12 & ~x, <b> | [a](javascript:b)'\nenvironment:\n"
            + &environment,
    );
    universe.run("plan").code(0).never_says("warning");
    let body = service.only();
    for html in ["<sub>", "<!--", "<details>", "&lt;", "&amp;", "@team", "\\@", "[a]("] {
        assert!(!body.contains(html), "{html} is in {body}");
    }
    assert!(body.contains("@\u{2060}team about \\#12 & ~x, <b> \\| \\[a\\](javascript:b)"), "{body}");
    assert!(body.contains("| environment V\\_29 |"), "{body}");
}

#[test]
fn a_long_plan_is_collapsed_and_cut_to_what_the_service_takes() {
    let (service, aws) = (Service::start(Kind::GitHub), aws());
    let functions = |functions: usize, variables: usize| {
        let environment: String = (0..variables).map(|number| format!("      V_{number:03}: x{number}\n")).collect();
        let block = |number: usize| {
            format!(
                "  - function_name: f{number}\n    only: settings\n    comment: true\n    environment:\n{environment}"
            )
        };
        format!("deploy:\n{}", (0..functions).map(block).collect::<String>())
    };
    let universe = job(&service, &aws).file("dpl.yml", functions(1, 30));
    universe.run("plan").code(0);
    let body = service.only();
    assert!(
        body.contains("<summary>30 rows</summary>") && body.contains("029") && !body.contains("more row"),
        "{body}"
    );
    universe.write("dpl.yml", functions(2, 3));
    universe.run("plan").code(0);
    assert!(!service.only().contains("<details>"));
    universe.write("dpl.yml", functions(4, 3));
    universe.run("plan").code(0);
    assert_eq!(service.only().matches("<details>").count(), 4);

    universe.write("dpl.yml", functions(40, 200));
    universe.run("plan").code(0).never_says("warning");
    let body = service.only();
    assert!(body.len() <= 65_536 && body.len() > 60_000, "{}", body.len());
    assert!(
        body.contains(" more rows in the log of the run | | |") && body.contains(" more plans in the log"),
        "{body}"
    );
    assert_eq!(body.matches("<details>").count(), body.matches("</details>").count());
    assert!(body.contains("40 to update"), "the tally is kept: {body}");

    for kind in [Kind::Bitbucket, Kind::Azure] {
        let service = Service::start(kind);
        job(&service, &aws).file("dpl.yml", functions(60, 150)).run("plan").code(0).never_says("warning");
        let (longest, _) = kind.longest();
        let body = service.only();
        assert!(body.len() <= longest && body.len() > longest * 9 / 10, "{kind:?}: {}", body.len());
        assert!(body.contains(" more rows in the log of the run | | |"), "{kind:?}");
    }
}

#[test]
fn a_run_that_fails_leaves_the_comment_as_it_is() {
    let (service, aws) = (Service::start(Kind::GitHub), aws());
    let universe = job(&service, &aws);
    universe.run("plan").code(0);
    let before = service.only();
    aws.proxy.on("GetFunction", 0, Fault::Answer(403, "AccessDeniedException", "no"));
    universe.run("plan --memory_size 512").code(4);
    assert_eq!(service.only(), before);
}
