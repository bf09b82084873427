#!/usr/bin/env python3
"""Stands in for the issues of a project: called as `gh`, it is GitHub's command line; `serve` is GitLab's API.

The issues are in the file ISSUES: number, state, title, labels and text of each. What is not known ends with an error.
"""

import http.server
import json
import os
import pathlib
import sys
import threading
import urllib.parse


def read(file):
    return json.loads(file.read_text()) if file.exists() else []


def gh(words):
    file = pathlib.Path(os.environ["ISSUES"])
    assert os.environ["GH_TOKEN"] == "the-token" and os.environ["GH_REPO"] == "o/r"
    issues = read(file)
    match words:
        case ["issue", "list", "--state", "open", "--label", label, "--limit", "1", "--json", "number", "--jq", path]:
            assert path == ".[].number"
            for issue in [issue for issue in issues if issue["state"] == "open" and label in issue["labels"]][:1]:
                print(issue["number"])
        case ["label", "create", "drift", "--force", "--description", _]:
            file.with_suffix(".label").touch()
        case ["issue", "create", "--title", title, "--label", label, "--body-file", body]:
            assert file.with_suffix(".label").exists(), "GitHub refuses a label that does not exist"
            text = pathlib.Path(body).read_text()
            number = len(issues) + 1
            issues.append({"number": number, "state": "open", "title": title, "labels": [label], "text": text})
        case ["issue", "edit", number, "--body-file", body]:
            issues[int(number) - 1]["text"] = pathlib.Path(body).read_text()
        case ["issue", "close", number, "--comment", _]:
            issues[int(number) - 1]["state"] = "closed"
        case _:
            raise AssertionError(f"gh {words}")
    file.write_text(json.dumps(issues))


def serve(file, token):
    """GitLab with the project 42; returns the URL of its API."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, status, body):
            body = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle_any(self):
            if self.headers["PRIVATE-TOKEN"] != token:
                return self.answer(401, {"message": "401 Unauthorized"})
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            form = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            form = dict(urllib.parse.parse_qsl(form, strict_parsing=bool(form)))
            _, own, rest = url.path.partition("/api/v4/projects/42/issues")
            issues, number = read(file), rest.removeprefix("/")
            if not own or (number and not number.isdigit()):
                return self.answer(404, {"message": "404 Not Found"})
            match self.command, number:
                case "GET", "":
                    assert query == {"state": "opened", "labels": "drift", "per_page": "1"}, query
                    opened = [issue for issue in issues if issue["state"] == "open" and "drift" in issue["labels"]]
                    return self.answer(200, [{"id": 900, "iid": issue["number"]} for issue in opened[:1]])
                case "POST", "":
                    issue = {"number": len(issues) + 1, "state": "open", "labels": form["labels"].split(",")}
                    issues.append({**issue, "title": form["title"], "text": form["description"]})
                case "PUT", _ if form.get("state_event") == "close":
                    issues[int(number) - 1]["state"] = "closed"
                case "PUT", _:
                    issues[int(number) - 1]["text"] = form["description"]
            file.write_text(json.dumps(issues))
            return self.answer(201 if self.command == "POST" else 200, {"iid": 1})

        do_GET = do_POST = do_PUT = handle_any

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/api/v4"


if __name__ == "__main__":
    gh(sys.argv[1:])
