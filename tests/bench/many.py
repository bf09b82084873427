"""Times a deploy of many functions that are live already, against a server that answers after 50 ms.

    cargo build --release
    python3 tests/bench/many.py
    python3 tests/bench/many.py --before OLDER_BINARY      # and beside another binary

A small server plays AWS: it has every function that it is asked for, and counts the calls.
"""

from __future__ import annotations

import argparse
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


class Lambda(BaseHTTPRequestHandler):
    """AWS, as far as a deploy without changes asks it."""

    delay = 0.05
    calls = 0
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body go out together

    def do_GET(self) -> None:
        Lambda.calls += 1
        sleep(Lambda.delay)
        name = self.path.split("/")[3].split("?")[0]
        configuration = {
            "FunctionName": name,
            "FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": "arn:aws:iam::123456789012:role/bench",
            "CodeSha256": "",
            "RevisionId": "1",
            "PackageType": "Zip",
            "Timeout": 3,
            "MemorySize": 128,
            "Architectures": ["x86_64"],
            "State": "Active",
            "LastUpdateStatus": "Successful",
        }
        body = json.dumps({"Configuration": configuration, "Code": {"RepositoryType": "S3"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> int:
    parser = argparse.ArgumentParser(description="time a deploy of many functions")
    binary = compare.ROOT / "target" / "release" / "dpl-lambda"
    parser.add_argument("--binary", type=Path, default=binary, help="what to measure; default: the release build")
    parser.add_argument("--before", type=Path, help="another binary to compare with")
    parser.add_argument("--functions", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lambda)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    binaries = {"before": given.before} if given.before else {}
    binaries["now"] = given.binary
    block = "  - {{function_name: many-{}, only: settings, timeout: 3}}\n"
    with tempfile.TemporaryDirectory() as work:
        config = Path(work, "dpl.yml")
        config.write_text("deploy:\n" + "".join(block.format(number) for number in range(given.functions)))
        runs: dict[str, list[tuple[float, float, int, int]]] = {name: [] for name in binaries}
        for _ in range(given.rounds):
            for name, binary in binaries.items():
                Lambda.calls = 0
                command = [str(binary.resolve()), "--config", str(config), "--ci", "none", "--endpoint_url"]
                command.append(f"http://127.0.0.1:{server.server_port}")
                begin = perf_counter()
                child = subprocess.Popen(command, env={**os.environ, **KEYS}, stdout=subprocess.DEVNULL)
                _, status, usage = os.wait4(child.pid, 0)
                seconds = perf_counter() - begin
                child.returncode = os.waitstatus_to_exitcode(status)
                if child.returncode != 0:
                    raise compare.Failure(f"{name} ended with {child.returncode}")
                runs[name].append((seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, Lambda.calls))
    print(f"{given.functions} functions: {given.rounds} rounds, {os.cpu_count()} cores, the fastest counts")
    for name, figures in runs.items():
        seconds, processors, peak, calls = (min(column) for column in zip(*figures))
        print(
            f"{name:7} {seconds:6.2f} s  {processors:6.2f} s of all processors  "
            f"{peak / compare.MIB:4.0f} MiB at most  {calls} calls"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
