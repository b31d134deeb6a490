"""The workflows: pinned, with no right too many, in step with the Makefile, and they deploy what was proven."""

import re
import shutil
import subprocess

import pytest
import yaml

from tools.guards.fences import ROOT

FOLDER = ROOT / ".github/workflows"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir())}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# Every action that may run here, by the commit that was looked at.
ACTIONS = {
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1  # v7.0.1",
    "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97  # v7.0.0",
    "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f  # v7.0.0",
    "actions/upload-pages-artifact@fc324d3547104276b827a68afc52ff2a11cc49c9  # v5.0.0",
    "actions/deploy-pages@cd2ce8fcbc39b97be8ca5fce6e763baed58fa128  # v5.0.0",
}
TRIGGERS = {"pull_request", "push", "schedule", "workflow_dispatch"}
RUNNERS = {"ubuntu-24.04", "ubuntu-24.04-arm"}
READ = {"contents": "read", "actions": "read"}
RIGHTS = {"deploy": READ | {"pages": "write", "id-token": "write"}, "notebooks": READ | {"contents": "write"}}
PUBLISHING = {"deploy", "notebooks"}
# What a step may put into a command line or its environment; the title of a pull request, for one, it may not.
EXPRESSIONS = re.compile(r"matrix\.\w+|github\.(workflow|ref|token|event_name|server_url|repository(_owner)?)")


def read(text):
    """Return a workflow as YAML 1.2 reads it, where `on` is no truth value."""
    flow = yaml.safe_load(text)
    return flow | {"on": flow.get(True)}


def made(run):
    """Return the targets and the variables of each call of make in a script."""
    words = [word for call in re.findall(r"^make (.+)$", run, re.MULTILINE) for word in call.split()]
    return [w for w in words if "=" not in w], [w.split("=")[0] for w in words if "=" in w]


def faults(text):
    """Return what is wrong with a workflow."""
    flow = read(text)
    found = [f"runs on {name}" for name in set(flow["on"]) - TRIGGERS]
    if flow["permissions"] != {}:
        found.append("a permission that every job has")
    found += [f"unknown action {u}" for u in re.findall(r"uses: *(.*?) *$", text, re.MULTILINE) if u not in ACTIONS]
    if re.search(r"\bsecrets\b", text):
        found.append("a secret")
    for name, job in flow["jobs"].items():
        if not isinstance(job.get("timeout-minutes"), int):
            found.append(f"{name}: no timeout-minutes")
        if not isinstance(job.get("permissions"), dict):
            found.append(f"{name}: no permissions")
        elif not job["permissions"].items() <= RIGHTS.get(name, READ).items():
            found.append(f"{name}: permissions beyond what it needs")
        axes = job.get("strategy", {}).get("matrix", {})
        runners = (
            {job.get("runs-on")} if "matrix" not in str(job.get("runs-on")) else {i["runner"] for i in axes["include"]}
        )
        found += [f"{name}: runs on {runner}" for runner in runners - RUNNERS]
        for step in job.get("steps", []):
            found += [f"{name}: {fault}" for fault in step_faults(step)]
    return found


def step_faults(step):
    """Return what is wrong with one step."""
    run, found = step.get("run", ""), []
    if "${{" in run:
        found.append("an expression in a script: hand it over by env")
    values = " ".join(map(str, step.get("env", {}).values()))
    found += [f"expression {e}" for e in re.findall(r"\${{ *(.*?) *}}", values) if not EXPRESSIONS.fullmatch(e)]
    if (
        step.get("uses", "").startswith("actions/checkout@")
        and step.get("with", {}).get("persist-credentials") is not False
    ):
        found.append("checkout keeps its token")
    if step.get("continue-on-error"):
        found.append("goes on after an error")
    targets, variables = made(run)
    found += [f"make {t} is not in the Makefile" for t in targets if not re.search(rf"^{t}:", MAKEFILE, re.MULTILINE)]
    known = MAKEFILE + (ROOT / "tools/guards/draw.py").read_text(encoding="utf-8")
    return found + [f"nothing reads {v}" for v in variables if not re.search(rf"\$\({v}[),]|\"{v}\"", known)]


def scripts(job):
    """Return what a job runs, scripts and actions, in order."""
    return [step.get("run") or step["uses"].partition("@")[0] for step in job["steps"]]


@pytest.mark.parametrize("name", TEXTS)
def test_no_workflow_has_a_fault(name):
    assert faults(TEXTS[name]) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1  # v7.0.1", "@v7", "unknown action actions/checkout@v7"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@" + "0" * 40, "unknown action actions/checkout@000"),
        ("  # v7.0.1", "  # v6.0.0", "unknown action .*# v6.0.0"),
        ("actions/setup-python@", "others/setup-python@", "unknown action others"),
        ("    timeout-minutes: 10\n", "", "unit: no timeout-minutes"),
        ("    permissions:\n      contents: read\n    strategy", "    strategy", "unit: no permissions"),
        ("permissions: {}", "permissions: {contents: write}", "a permission that every job has"),
        ("      contents: read\n", "      contents: write\n", "unit: permissions beyond"),
        ("      contents: read\n", "      issues: write\n", "unit: permissions beyond"),
        ("      contents: write ", "      pages: write ", "notebooks: permissions beyond"),
        ("GH_TOKEN: ${{ github.token }}", "GH_TOKEN: ${{ secrets.TOKEN }}", "a secret"),
        ("GH_TOKEN: ${{ github.token }}", "GH_TOKEN: ${{ toJSON(secrets) }}", "a secret"),
        ("PYTHON: ${{ matrix.python }}", "TITLE: ${{ github.event.pull_request.title }}", "expression github.event"),
        ("make test-site", "echo ${{ matrix.python }}", "an expression in a script"),
        ("make test-site", "make test-sites", "make test-sites is not in the Makefile"),
        ("SHARD=", "PART=", "nothing reads PART"),
        ("persist-credentials: false", "persist-credentials: true", "checkout keeps its token"),
        ("  pull_request:", "  pull_request_target:", "runs on pull_request_target"),
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-latest", "runs on ubuntu-latest"),
        ("- run: make test-site", "- run: make test-site\n        continue-on-error: true", "goes on after an error"),
    ],
)
def test_a_planted_fault_is_found(old, new, complaint):
    planted = TEXTS["ci.yml"].replace(old, new, 1)
    assert planted != TEXTS["ci.yml"]
    found = "\n".join(faults(planted))
    assert re.search(complaint, found), found


CI, WEEKLY = (read(TEXTS[name])["jobs"] for name in ("ci.yml", "weekly.yml"))


def test_pull_requests_run_every_step_of_make_test():
    (steps,) = re.findall(r"^test: (?:\$\(READY\) )?.*(?:\n\t.*)?", MAKEFILE, re.MULTILINE)
    called = {target for job in CI.values() for step in job["steps"] for target in made(step.get("run", ""))[0]}
    asked = re.search(r'"\$\(MAKE\)" (.+)', steps)[1].split()
    assert {"lint", "test-unit", "scale", "test-docs", "site", "test-site"} == set(asked) == called
    assert all("if" not in job for name, job in CI.items() if name not in PUBLISHING)


def test_the_shards_are_all_of_the_blocks():
    (script,) = [step for step in CI["blocks"]["steps"] if "make" in step.get("run", "")]
    shards = CI["blocks"]["strategy"]["matrix"]["shard"]
    assert shards == list(range(1, len(shards) + 1))
    assert script["env"]["SHARD"] == f"${{{{ matrix.shard }}}}/{len(shards)}"
    assert CI["site"]["needs"] == "blocks"


def test_the_oldest_and_the_newest_python_run_everything():
    for name in ("unit", "scale", "blocks", "site"):
        oldest, newest = CI[name]["strategy"]["matrix"]["python"]
        assert (oldest, newest > "3.11") == ("3.11", True)


def test_what_is_deployed_was_sealed_and_is_checked_right_before():
    site, deploy = scripts(CI["site"]), scripts(CI["deploy"])
    check, upload = site.index("python -m tools.guards.seal check site"), site.index("actions/upload-pages-artifact")
    assert site.index("make test-site") < check == upload - 1
    assert deploy[-2].strip().endswith("python3 -m tools.guards.seal check site")
    assert deploy[-1] == "actions/deploy-pages"
    assert set(CI["deploy"]["needs"]) == set(CI) - PUBLISHING
    assert CI["deploy"]["if"] == "github.event_name == 'push' && github.ref == 'refs/heads/main'"


def test_the_notebooks_that_are_published_are_those_of_what_was_deployed():
    job = CI["notebooks"]
    assert (job["needs"], job["if"]) == ("deploy", CI["deploy"]["if"])
    lines = scripts(job)[-1].splitlines()
    assert lines[:5] == scripts(CI["deploy"])[-2].splitlines()
    assert lines[5:] == ["gh auth setup-git", '.ci/notebooks site/notebooks "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"']


def git(*arguments):
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.split()


@pytest.fixture
def repository(tmp_path):
    git("init", "--quiet", "--bare", str(tmp_path / "bare"))
    return str(tmp_path / "bare")


def publish(folder, repository):
    return subprocess.run([ROOT / ".ci/notebooks", folder, repository], capture_output=True, text=True)


def test_the_branch_of_the_notebooks_is_one_commit_that_holds_them_and_nothing_else(tmp_path, repository):
    folder = tmp_path / "site/notebooks"
    for names in (["a.ipynb", "part/b.ipynb"], ["part/b.ipynb", "part/c.ipynb"]):
        shutil.rmtree(folder, ignore_errors=True)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("{}")
        (folder / ".gitignore").write_text("*")
        assert publish(folder, repository).stderr == ""
        tree = git("-C", repository, "ls-tree", "-r", "--name-only", "notebooks")
        assert tree == [".gitignore", *names]
        assert git("-C", repository, "rev-list", "--all", "--count") == ["1"]
        assert sorted(path.name for path in folder.iterdir()) == [
            ".gitignore",
            *sorted({n.split("/")[0] for n in names}),
        ]


def test_an_empty_branch_is_not_published(tmp_path, repository):
    (tmp_path / "notebooks").mkdir()
    done = publish(tmp_path / "notebooks", repository)
    assert (done.returncode, "no notebook in" in done.stderr) == (1, True)
    assert git("-C", repository, "branch", "--all") == []


def test_each_week_everything_runs_from_scratch_on_the_newest_python_and_on_arm():
    machines = [(row["runner"], row["python"]) for row in WEEKLY["everything"]["strategy"]["matrix"]["include"]]
    assert {("ubuntu-24.04", "3.x"), ("ubuntu-24.04-arm", "3.11")} <= set(machines)
    assert scripts(WEEKLY["everything"])[-3:] == ["make test", "make outputs", "git diff --exit-code"]
    assert scripts(WEEKLY["zensical"])[-1] == "make zensical"
    assert scripts(WEEKLY["spark"])[-1] == "make spark"
    assert "actions/cache" not in str(WEEKLY)


def test_pip_installs_the_lock_by_its_hashes():
    for jobs in (CI, WEEKLY):
        script = scripts(jobs["lock"])[-1]
        assert "pip install --require-hashes -r requirements.txt -r requirements-scale.txt\n" in script


def test_a_run_under_another_draw_has_a_job_of_its_own():
    assert scripts(CI["draw"])[-1] == 'make test-docs DRAW="$GITHUB_RUN_ID"'


def test_owners_are_named_for_what_proves_and_publishes():
    text = (ROOT / ".github/CODEOWNERS").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    paths = [path for path, *owners in lines if owners]
    wanted = {"/tools/", "/theme/", "/Makefile", "/pyproject.toml", "/.github/", "/tests/", "/requirements*"}
    assert wanted <= set(paths)
    assert [path for path in paths if not [*ROOT.glob(path.strip("/"))]] == []


def test_dependabot_moves_the_actions_and_the_lock():
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert [update["package-ecosystem"] for update in updates] == ["github-actions", "uv"]
    # It takes the options from the first lines of the lock, so they must be those of the Makefile.
    locks = [(ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-scale.txt")]
    commands = [lock.splitlines()[1].removeprefix("#").split() for lock in locks]
    recipe = re.search(r"^lock:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)[1].replace("\\\n", " ")
    lines = recipe.replace("$(BIN)/", "").replace("--quiet", "").strip().split("\n")
    assert commands == [line.split() for line in lines]
