"""Times a deploy of many functions against a server that answers after 50 ms: live ones, and new ones.

    cargo build --release
    python3 tests/bench/many.py
    python3 tests/bench/many.py --before OLDER_BINARY      # and beside another binary

A small server plays AWS: it has every function whose name begins with `many-`, and those that it was sent. It counts the
calls.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter, sleep

import compare

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


def configuration(name: str, code_sha256: str = "") -> dict[str, object]:
    """A function, as AWS describes it."""
    return {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": "arn:aws:iam::123456789012:role/bench",
        "CodeSha256": code_sha256,
        "RevisionId": "1",
        "PackageType": "Zip",
        "Timeout": 3,
        "MemorySize": 128,
        "Architectures": ["x86_64"],
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }


class Lambda(BaseHTTPRequestHandler):
    """AWS, as far as these deploys ask it."""

    delay = 0.05
    calls = 0
    made: dict[str, dict[str, object]] = {}
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body go out together

    def do_GET(self) -> None:
        name = self.path.split("/")[3].split("?")[0]
        found = configuration(name) if name.startswith("many-") else Lambda.made.get(name)
        if found:
            self.answer(200, {"Configuration": found, "Code": {"RepositoryType": "S3"}})
        else:
            self.answer(404, {"Type": "User", "Message": f"Function not found: {name}"}, "ResourceNotFoundException")

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        digest = hashlib.sha256(base64.b64decode(sent["Code"]["ZipFile"])).digest()
        made = configuration(sent["FunctionName"], base64.b64encode(digest).decode())
        Lambda.made[sent["FunctionName"]] = made
        self.answer(201, {**made, "State": "Pending"})

    def answer(self, status: int, found: dict[str, object], error: str = "") -> None:
        Lambda.calls += 1
        sleep(Lambda.delay)
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if error:
            self.send_header("x-amzn-errortype", error)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> int:
    parser = argparse.ArgumentParser(description="time a deploy of many functions")
    binary = compare.ROOT / "target" / "release" / "dpl-lambda"
    parser.add_argument("--binary", type=Path, default=binary, help="what to measure; default: the release build")
    parser.add_argument("--before", type=Path, help="another binary to compare with")
    parser.add_argument("--functions", type=int, default=200, help="how many that are live already")
    parser.add_argument("--new", type=int, default=50, help="how many that are not")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lambda)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    binaries = {"before": given.before} if given.before else {}
    binaries["now"] = given.binary
    print(f"{given.rounds} rounds, {os.cpu_count()} cores, the fastest counts")
    with tempfile.TemporaryDirectory() as work:
        Path(work, "index.py").write_text("def handler(event, context):\n    return event\n")
        live = "  - {{function_name: many-{}, only: settings, timeout: 3}}\n"
        new = "  - {{function_name: new-{}, zip: index.py, runtime: python3.12, handler: index.handler, role: arn:aws:iam::123456789012:role/bench}}\n"
        for title, block, number in [("live", live, given.functions), ("new", new, given.new)]:
            config = Path(work, f"{title}.yml")
            config.write_text("deploy:\n" + "".join(block.format(index) for index in range(number)))
            print(f"{number} {title} functions")
            measure(binaries, config, server.server_port, given.rounds)
    return 0


def measure(binaries: dict[str, Path], config: Path, port: int, rounds: int) -> None:
    """Deploys with each binary in turn, and prints the figures."""
    runs: dict[str, list[tuple[float, float, int, int]]] = {name: [] for name in binaries}
    for _ in range(rounds):
        for name, binary in binaries.items():
            Lambda.calls = 0
            Lambda.made.clear()
            command = [str(binary.resolve()), "--config", str(config), "--ci", "none", "--endpoint_url"]
            command.append(f"http://127.0.0.1:{port}")
            begin = perf_counter()
            child = subprocess.Popen(command, cwd=config.parent, env={**os.environ, **KEYS}, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            seconds = perf_counter() - begin
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode != 0:
                raise compare.Failure(f"{name} ended with {child.returncode}")
            runs[name].append((seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, Lambda.calls))
    for name, figures in runs.items():
        seconds, processors, peak, calls = (min(column) for column in zip(*figures))
        print(
            f"{name:7} {seconds:6.2f} s  {processors:6.2f} s of all processors  "
            f"{peak / compare.MIB:4.0f} MiB at most  {calls} calls"
        )


if __name__ == "__main__":
    sys.exit(main())
