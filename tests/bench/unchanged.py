"""Times the plan of a large function whose files are live already, and of one with a changed file.

    cargo build --release
    python3 tests/bench/unchanged.py                            # the first run downloads the tree
    python3 tests/bench/unchanged.py --before OLDER_BINARY      # and beside another binary

A small server plays AWS: it has the function and its package, and counts the bytes of the package that are read. With
several binaries, they take turns, round by round. What counts is the fastest round.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter

import compare

NAME, BUCKET = "bench", "bench-packages"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
CHANGED = "changed.txt"


class Lambda(BaseHTTPRequestHandler):
    """AWS, as far as a plan asks it."""

    package = Path()
    sha256 = ""
    sent = 0
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/package"):
            return self.part()
        if "/functions/" not in self.path:
            return self.answer(404, b"{}")
        configuration = {
            "FunctionName": NAME,
            "FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{NAME}",
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": "arn:aws:iam::123456789012:role/bench",
            "CodeSize": Lambda.package.stat().st_size,
            "CodeSha256": Lambda.sha256,
            "RevisionId": "1",
            "PackageType": "Zip",
            "Architectures": ["x86_64"],
            "State": "Active",
            "LastUpdateStatus": "Successful",
        }
        location = f"http://{self.headers['Host']}/package"
        self.answer(200, json.dumps({"Configuration": configuration, "Code": {"Location": location}}).encode())

    def do_HEAD(self) -> None:
        self.answer(200 if self.path.strip("/") == BUCKET else 404, b"")

    def part(self) -> None:
        """The end of the package that a range asks for."""
        size = Lambda.package.stat().st_size
        found = re.fullmatch(r"bytes=-(\d+)", self.headers.get("Range", ""))
        begin = max(0, size - int(found[1])) if found else 0
        with Lambda.package.open("rb") as file:
            file.seek(begin)
            end = file.read()
        Lambda.sent += len(end)
        self.answer(206, end, {"Content-Range": f"bytes {begin}-{size - 1}/{size}"})

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def measure(command: list[str], expected: int) -> tuple[float, float, int, int]:
    """Runs a command: the seconds, those of all processors, the peak of memory, and the bytes of the package it read."""
    Lambda.sent = 0
    with tempfile.TemporaryFile() as output:
        begin = perf_counter()
        child = subprocess.Popen(command, env={**os.environ, **KEYS}, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != expected:
            output.seek(0)
            raise compare.Failure(output.read().decode(errors="replace"))
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, Lambda.sent


def main() -> int:
    parser = argparse.ArgumentParser(description="time the plan of a large function")
    binary = compare.ROOT / "target" / "release" / "dpl-lambda"
    parser.add_argument("--binary", type=Path, default=binary, help="what to measure; default: the release build")
    parser.add_argument("--before", type=Path, help="another binary to compare with")
    parser.add_argument("--tree", default="wheels", choices=sorted(compare.TREES), help="default: wheels")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    tree = compare.tree_of(given.tree)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lambda)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    binaries = {"before": given.before} if given.before else {}
    binaries["now"] = given.binary
    changed = tree / CHANGED
    with tempfile.TemporaryDirectory() as work:
        packages = {}
        for name, binary in binaries.items():
            archive = Path(work, f"{name}.zip")
            command = [str(binary.resolve()), "package", "--ci", "none", "--zip", str(tree), "--output", str(archive)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            with archive.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            packages[name] = archive, base64.b64encode(digest).decode()
        print(f"{given.tree}: {given.rounds} rounds, {os.cpu_count()} cores")
        for case, expected in (("unchanged", 0), ("changed", 2)):
            if case == "changed":
                changed.write_text("a new file\n")
            runs: dict[str, list[tuple[float, float, int, int]]] = {name: [] for name in binaries}
            try:
                for _ in range(given.rounds):
                    for name, binary in binaries.items():
                        Lambda.package, Lambda.sha256 = packages[name]
                        options = f"--ci none --function_name {NAME} --s3_bucket {BUCKET} --exit-code --endpoint_url"
                        command = [str(binary.resolve()), "plan", *options.split()]
                        command += [f"http://127.0.0.1:{server.server_port}", "--zip", str(tree)]
                        runs[name].append(measure(command, expected))
            finally:
                changed.unlink(missing_ok=True)
            for name, figures in runs.items():
                seconds, processors, peak, sent = (min(column) for column in zip(*figures))
                print(
                    f"{case:10} {name:7} {seconds:6.2f} s  {processors:6.2f} s of all processors  "
                    f"{peak / compare.MIB:4.0f} MiB at most  {sent:>9,} bytes of the package read"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
