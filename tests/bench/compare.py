"""Packages the same trees with Info-ZIP's `zip`, Python's `zipfile` and dpl-lambda, and compares the three.

    cargo build --release
    python3 tests/bench/compare.py                        # all trees; the first run downloads them
    python3 tests/bench/compare.py --trees small,stored   # these need no network
    python3 tests/bench/compare.py --assert               # ends with 1 when a limit is broken

The tools take turns, round by round, so that a busy moment of the machine meets all of them. What counts is the fastest
round; the spread beside it tells how far to trust it. Every archive of ours is then unpacked by others and compared
with its tree. That happens outside of the timing, and in a process of its own: a process counts the memory of the one
that started it into its own peak, so this one has to stay small.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "target" / "bench"
MIB = 1024 * 1024

# Every package of a tree is pinned, also those that others pull in: else the tree would change from week to week.
NPM = """
    aws-sdk@2.1692.0 core-js@3.39.0 date-fns@4.1.0 lodash@4.17.21 moment@2.30.1 monaco-editor@0.52.2 rxjs@7.8.1
    three@0.171.0 typescript@5.7.2
    async-function@1.0.0 async-generator-function@1.0.0 available-typed-arrays@1.0.7 base64-js@1.5.1 buffer@4.9.2
    call-bind@1.0.9 call-bind-apply-helpers@1.0.2 call-bound@1.0.4 define-data-property@1.1.4 dunder-proto@1.0.1
    es-define-property@1.0.1 es-errors@1.3.0 es-object-atoms@1.1.2 events@1.1.1 for-each@0.3.5 function-bind@1.1.2
    generator-function@2.0.1 get-intrinsic@1.3.1 get-proto@1.0.1 gopd@1.2.0 has-property-descriptors@1.0.2
    has-symbols@1.1.0 has-tostringtag@1.0.2 hasown@2.0.4 ieee754@1.1.13 inherits@2.0.4 is-arguments@1.2.0
    is-callable@1.2.7 is-generator-function@1.1.2 is-regex@1.2.1 is-typed-array@1.1.15 isarray@1.0.0 jmespath@0.16.0
    math-intrinsics@1.1.0 possible-typed-array-names@1.1.0 punycode@1.3.2 querystring@0.2.0 safe-regex-test@1.1.0
    sax@1.2.1 set-function-length@1.2.2 tslib@2.9.1 url@0.10.3 util@0.12.5 uuid@8.0.0 which-typed-array@1.1.24
    xml2js@0.6.2 xmlbuilder@11.0.1
"""
WHEELS = """
    boto3==1.35.90 cryptography==44.0.0 grpcio==1.68.1 lxml==5.3.0 networkx==3.4.2 numpy==2.1.3 pandas==2.2.3
    pillow==11.0.0 pydantic==2.10.4 requests==2.32.3 sqlalchemy==2.0.36
    annotated-types==0.7.0 botocore==1.35.99 certifi==2024.12.14 cffi==1.17.1 charset-normalizer==3.4.1
    greenlet==3.1.1 idna==3.10 jmespath==1.0.1 pycparser==2.22 pydantic-core==2.27.2 python-dateutil==2.9.0.post0
    pytz==2024.2 s3transfer==0.10.4 six==1.17.0 typing-extensions==4.12.2 tzdata==2024.2 urllib3==2.2.3
"""
STORED_FILES = 40
STORED_FILE_BYTES = 2_500_000

# Names that a package never has, as docs/package.md says; a folder of this name is left out with all that is in it.
NEVER = {".git", ".hg", ".svn", ".bzr", "CVS", "_darcs", ".jj", "__pycache__", ".DS_Store"}

# Nor what installers write for themselves, of which these are in the trees. A RECORD does not name them either.
NEVER |= {"INSTALLER", "REQUESTED", ".package-lock.json"}
RECORD = ".dist-info/RECORD"

# What `--assert` asks of us: our share of Info-ZIP's time and bytes, and the peak of our memory. Of the npm tree even
# `zip -9` makes only 0.99; where `.bin` has links to large programs, which Info-ZIP packs twice, the share is smaller.
MOST_TIME = 0.30
MOST_BYTES = {"npm": 1.01, "wheels": 1.00}
MOST_MEMORY = 300 * MIB

# How many lines are shown of what a command that failed had to say, and of what is wrong with an archive.
LAST_WORDS = 5
MOST_FAULTS = 20


class Failure(Exception):
    """Why the comparison cannot be made, for people."""


@dataclass
class Run:
    """What one run of one tool took."""

    seconds: float
    peak: int
    """Bytes of memory, at the most. Never less than the peak of this process."""


@dataclass
class Result:
    """All rounds of one tool on one tree."""

    tool: str
    runs: list[Run]
    size: int

    @property
    def seconds(self) -> float:
        """The fastest round: noise only ever adds."""
        return min(run.seconds for run in self.runs)

    @property
    def spread(self) -> float:
        """How much longer the slowest round took, as a share of the fastest."""
        return max(run.seconds for run in self.runs) / self.seconds - 1

    @property
    def peak(self) -> int:
        """The most memory of any round."""
        return max(run.peak for run in self.runs)


# The trees.


def build_npm(tree: Path) -> None:
    """A large tree of small text files. Without install scripts and optional packages it is the same everywhere."""
    (tree / "package.json").write_text('{"name": "bench", "version": "1.0.0", "private": true}\n')
    (tree / "index.js").write_text("exports.handler = async (event) => event;\n")
    options = "--save-exact --ignore-scripts --omit=optional --no-package-lock --no-audit --no-fund --loglevel=error"
    call(["npm", "install", *options.split(), *NPM.split()], tree)


def build_wheels(tree: Path) -> None:
    """Fewer and larger files, half of them machine code, for Lambda's platform and not for this machine's."""
    (tree / "index.py").write_text("def handler(event, context):\n    return event\n")
    platform = "--only-binary :all: --platform manylinux2014_x86_64 --python-version 3.12 --implementation cp"
    options = f"--quiet --disable-pip-version-check --no-deps --no-compile {platform}"
    call([sys.executable, "-m", "pip", "install", *options.split(), "--target", str(tree), *WHEELS.split()], tree)


def build_stored(tree: Path) -> None:
    """Files that no compressor makes smaller."""
    source = random.Random(1)
    for number in range(STORED_FILES):
        extension = ("png", "jpg", "woff2")[number % 3]
        (tree / f"{number:02}.{extension}").write_bytes(source.randbytes(STORED_FILE_BYTES))


def build_small(tree: Path) -> None:
    """One handler: what is measured is how long the tools take to start."""
    (tree / "index.py").write_text("def handler(event, context):\n    return event\n")


TREES: dict[str, tuple[Callable[[Path], None], str]] = {
    "npm": (build_npm, NPM),
    "wheels": (build_wheels, WHEELS),
    "stored": (build_stored, f"{STORED_FILES} {STORED_FILE_BYTES}"),
    "small": (build_small, ""),
}


def call(command: list[str], directory: Path) -> None:
    """Runs an installer, and tells which one failed."""
    if shutil.which(command[0]) is None:
        raise Failure(f"`{command[0]}` is needed to build this tree, and is not installed")
    environment = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    if subprocess.run(command, cwd=directory, env=environment, stdout=subprocess.DEVNULL).returncode:
        raise Failure(f"`{' '.join(command[:4])} …` failed; see above")


def tree_of(name: str) -> Path:
    """The tree of this name; built where it is missing, or made of other packages than it should be."""
    build, pins = TREES[name]
    tree, recipe = BENCH / "trees" / name, BENCH / "trees" / f"{name}.recipe"
    if tree.is_dir() and recipe.is_file() and recipe.read_text() == pins:
        return tree
    print(f"building the tree `{name}` …", flush=True)
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    # The recipe comes last: a download that was cut off is not taken for a tree.
    recipe.unlink(missing_ok=True)
    build(tree)
    recipe.write_text(pins)
    return tree


def files_of(tree: Path) -> Iterator[tuple[str, Path]]:
    """The files and links of a tree that belong into a package, with their names there."""
    for folder, folders, names in os.walk(tree):
        folders[:] = [name for name in folders if name not in NEVER]
        linked = [name for name in folders if Path(folder, name).is_symlink()]
        for name in names + linked:
            path = Path(folder, name)
            inside = path.relative_to(tree).as_posix()
            if name not in NEVER and not inside.startswith("."):
                yield inside, path


def warm(tree: Path) -> tuple[int, int]:
    """Reads every file once, so that no tool has to wait for the disk. Returns the number of files, and bytes."""
    count = size = 0
    for _, path in files_of(tree):
        with path.open("rb") as file:
            count += 1
            while piece := file.read(MIB):
                size += len(piece)
    return count, size


# Measuring.


def measure(command: list[str], directory: Path, environment: dict[str, str] | None = None) -> Run:
    """Runs a command once, as a fresh process."""
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        child = subprocess.Popen(command, cwd=directory, env=environment, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()[-LAST_WORDS:]
            raise Failure("\n  ".join([f"`{shown(command)}` ended with {child.returncode}", *said]))
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(seconds, usage.ru_maxrss * unit)


def shown(command: list[str]) -> str:
    """A command for people: without the text of scripts."""
    return " ".join("…" if "\n" in part else part for part in command)


def commands(tree: Path, binary: Path, work: Path) -> dict[str, tuple[list[str], Path, Path]]:
    """How each tool packages a tree: the command, where it is run, and what it writes."""
    found: dict[str, tuple[list[str], Path, Path]] = {}
    if zip_ := shutil.which("zip"):
        archive = work / "info-zip.zip"
        found["zip"] = ([zip_, "-q", "-r", "-X", str(archive), "."], tree, archive)
    archive = work / "zipfile.zip"
    found["zipfile"] = ([sys.executable, "-m", "zipfile", "-c", str(archive), str(tree)], work, archive)
    archive = work / "dpl-lambda.zip"
    ours = [str(binary), "package", "--ci", "none", "--zip", str(tree), "--output", str(archive)]
    found["dpl-lambda"] = (ours, work, archive)
    return found


def compare(tree: Path, binary: Path, work: Path, rounds: int) -> list[Result]:
    """All tools in turn, so many rounds."""
    tools = commands(tree, binary, work)
    results = {tool: Result(tool, [], 0) for tool in tools}
    for _ in range(rounds):
        for tool, (command, directory, archive) in tools.items():
            # `zip` would update an archive that is there.
            archive.unlink(missing_ok=True)
            results[tool].runs.append(measure(command, directory))
            results[tool].size = archive.stat().st_size
    return list(results.values())


# Verifying.


def verify(archive: Path, tree: Path) -> list[str]:
    """What is wrong with an archive of ours."""
    wrong = []
    if unzip := shutil.which("unzip"):
        tested = subprocess.run([unzip, "-tq", str(archive)], capture_output=True, text=True)
        if tested.returncode:
            wrong.append(f"unzip: {(tested.stdout + tested.stderr).strip()}")
    with zipfile.ZipFile(archive) as opened:
        if (broken := opened.testzip()) is not None:
            wrong.append(f"zipfile: `{broken}` is broken")
        there = [info.filename for info in opened.infolist()]
        found = {info.filename: found_entry(opened, info) for info in opened.infolist()}
    if len(there) != len(found):
        wrong.append("a name occurs twice")
    expected = {name: expected_entry(name, path) for name, path in files_of(tree)}
    wrong += [f"`{name}` is not in the archive" for name in sorted(expected.keys() - found.keys())]
    wrong += [f"`{name}` is not in the tree" for name in sorted(found.keys() - expected.keys())]
    for name in sorted(expected.keys() & found.keys()):
        if expected[name] != found[name]:
            wrong.append(f"`{name}` should be {expected[name]}, but is {found[name]}")
    return wrong


def found_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[str, str]:
    """Mode and content of an entry."""
    with archive.open(info) as file:
        return oct(info.external_attr >> 16), "" if info.filename.endswith(RECORD) else digest(file)


def digest(file: IO[bytes]) -> str:
    """The SHA-256 of what is left of a file."""
    hash_ = hashlib.sha256()
    while piece := file.read(MIB):
        hash_.update(piece)
    return hash_.hexdigest()


def expected_entry(name: str, path: Path) -> tuple[str, str]:
    """Mode and content that docs/package.md promises for a file."""
    if path.is_symlink():
        return oct(stat.S_IFLNK | 0o777), hashlib.sha256(os.readlink(path).encode()).hexdigest()
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        content = "" if name.endswith(RECORD) else digest(file)
    executable = (
        path.stat().st_mode & 0o111 != 0
        or head == b"\x7fELF"
        or head.startswith(b"#!")
        or name == "bootstrap"
        or name.startswith("extensions/")
    )
    return oct(stat.S_IFREG | (0o755 if executable else 0o644)), content


def verify_apart(archive: Path, tree: Path) -> list[str]:
    """`verify`, in a process of its own."""
    command = [sys.executable, __file__, "--verify", str(archive), str(tree)]
    verified = subprocess.run(command, capture_output=True, text=True)
    if verified.returncode == 0:
        return []
    return [line.removeprefix("error: ") for line in (verified.stdout + verified.stderr).splitlines()]


# Deploying.


# What a deploy needs to be there, with the endpoint and the name as arguments.
PREPARE = """
import sys, boto3
endpoint, name = sys.argv[1:]
boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name)
iam = boto3.client("iam", endpoint_url=endpoint)
iam.create_role(RoleName=name, AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
"""


def unchanged_deploy(binary: Path, endpoint: str, work: Path) -> str:
    """Creates a function from the wheels on an emulator, and times the deploy that finds nothing to do."""
    if importlib.util.find_spec("boto3") is None:
        return "unchanged deploy: skipped, because bucket and role are created with boto3, which is not installed"
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = {**os.environ, **keys}
    # The name is new each time: the emulator may be an old one.
    name = f"bench-{os.getpid()}-{int(time.time())}"
    # In a process of its own: boto3 is large, and would be counted into the peak of what is measured.
    measure([sys.executable, "-c", PREPARE, endpoint, name], work, environment)
    options = {
        "function_name": name,
        "region": "us-east-1",
        "runtime": "python3.12",
        "handler": "index.handler",
        "role": name,
        "zip": str(tree_of("wheels")),
        "s3_bucket": name,
        "endpoint_url": endpoint,
        "ci": "none",
    }
    command = [str(binary), *(part for key, value in options.items() for part in (f"--{key}", value))]
    first = measure(command, work, environment)
    plan = measure([command[0], "plan", *command[1:], "--exit-code"], work, environment)
    second = measure(command, work, environment)
    return (
        f"created in {first.seconds:.2f} s, planned without a change in {plan.seconds:.2f} s, "
        f"deployed unchanged in {second.seconds:.2f} s with {second.peak / MIB:.0f} MiB at most"
    )


# Telling.

HEADINGS = ("tool", "seconds", "spread", "time", "MiB peak", "bytes", "size")


def table(results: list[Result]) -> list[str]:
    """One line a tool; ratios are to Info-ZIP, where it is there."""
    reference = next((result for result in results if result.tool == "zip"), None)
    rows = [HEADINGS]
    for result in results:
        rows.append((
            result.tool,
            f"{result.seconds:.3f}",
            f"+{result.spread:.0%}",
            f"{result.seconds / reference.seconds:.2f}" if reference else "-",
            f"{result.peak / MIB:.0f}",
            f"{result.size:,}",
            f"{result.size / reference.size:.3f}" if reference else "-",
        ))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]


def tell(wrong: list[str]) -> bool:
    """Prints what is wrong, and returns whether that is nothing."""
    for line in wrong[:MOST_FAULTS]:
        print(f"error: {line}")
    if len(wrong) > MOST_FAULTS:
        print(f"error: … and {len(wrong) - MOST_FAULTS} more")
    return not wrong


def broken_limits(name: str, results: list[Result]) -> list[str]:
    """The limits that we do not keep. Those of time and bytes are for trees that take a while."""
    by_tool = {result.tool: result for result in results}
    ours, reference = by_tool["dpl-lambda"], by_tool.get("zip")
    broken = []
    if ours.peak >= MOST_MEMORY:
        broken.append(f"{ours.peak / MIB:.0f} MiB of memory, and {MOST_MEMORY / MIB:.0f} are the limit")
    if name not in MOST_BYTES:
        return broken
    if reference is None:
        return [*broken, f"without Info-ZIP there is nothing to compare with"]
    time_share, bytes_share = ours.seconds / reference.seconds, ours.size / reference.size
    if time_share > MOST_TIME:
        broken.append(f"{time_share:.2f} of Info-ZIP's time, and {MOST_TIME:.2f} is the limit")
    if bytes_share > MOST_BYTES[name]:
        broken.append(f"{bytes_share:.3f} of Info-ZIP's bytes, and {MOST_BYTES[name]:.2f} is the limit")
    return broken


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="compare dpl-lambda with Info-ZIP's `zip` and Python's `zipfile`")
    binary = ROOT / "target" / "release" / "dpl-lambda"
    parser.add_argument("--binary", type=Path, default=binary, help="what to measure; default: the release build")
    parser.add_argument("--trees", default=",".join(TREES), help=f"some of {', '.join(TREES)}; default: all")
    parser.add_argument("--rounds", type=int, default=3, help="how often each tool runs; default: 3")
    parser.add_argument("--keep", action="store_true", help="keep the archives, in target/bench/archives")
    parser.add_argument("--assert", dest="check", action="store_true", help="end with 1 when a limit is broken")
    parser.add_argument("--deploy", action="store_true", help="also time an unchanged deploy; needs --endpoint")
    parser.add_argument("--endpoint", metavar="URL", help="a running emulator of AWS, for --deploy")
    parser.add_argument("--verify", nargs=2, type=Path, metavar=("ARCHIVE", "TREE"), help="only verify an archive")
    given = parser.parse_args()
    given.trees = given.trees.split(",")
    if unknown := [name for name in given.trees if name not in TREES]:
        parser.error(f"`{unknown[0]}` is not a tree; there are {', '.join(TREES)}")
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    if given.deploy and not given.endpoint:
        parser.error("--deploy needs --endpoint, because no emulator is started here")
    return given


def run(given: argparse.Namespace) -> bool:
    """Compares tree by tree, and returns whether all is well: every archive and, with `--assert`, every limit."""
    binary = given.binary.resolve()
    if not binary.is_file():
        raise Failure(f"`{binary}` does not exist; `cargo build --release` builds it, or name another by --binary")
    if shutil.which("zip") is None:
        print("Info-ZIP is missing, so there are no ratios: apt-get install zip, dnf install zip, brew install zip")
    work = BENCH / "archives"
    work.mkdir(parents=True, exist_ok=True)
    floor = measure([sys.executable, "-S", "-c", ""], work).peak
    print(f"memory is seen from {floor / MIB:.0f} MiB up; {given.rounds} rounds, {os.cpu_count()} cores")
    well = True
    for name in given.trees:
        tree = tree_of(name)
        count, size = warm(tree)
        print(f"\n{name}: {count:,} files, {size / 1e6:,.1f} MB", flush=True)
        results = compare(tree, binary, work, given.rounds)
        print("\n".join(table(results)), flush=True)
        wrong = verify_apart(work / "dpl-lambda.zip", tree)
        wrong += broken_limits(name, results) if given.check else []
        well = tell(wrong) and well
        if given.keep:
            for tool in results:
                kept = "info-zip" if tool.tool == "zip" else tool.tool
                (work / f"{kept}.zip").rename(work / f"{name}-{kept}.zip")
    if given.deploy:
        print(f"\n{unchanged_deploy(binary, given.endpoint, work)}")
    if not given.keep:
        shutil.rmtree(work)
    return well


def main() -> int:
    """Ends with 1 when something is wrong."""
    given = arguments()
    try:
        well = tell(verify(*given.verify)) if given.verify else run(given)
    except Failure as failure:
        well = tell([str(failure)])
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
