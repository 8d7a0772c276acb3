"""The stage `pr` and events with rights of their own, through the front door: exit codes, report, outputs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.builders import pull_payload
from support.github_hub import TOKEN, Fault, Hub
from support.github_service import served
from support.hostile_text import TEXTS
from support.renderers import rendered
from support.repositories import commit, git
from support.runner_model import commands, key_values
from support.runs import Ran

HEADS_TEST = "def test_it():\n    open('owned', 'w').close()\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in made.values():
        file.touch()
    return made


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Make a clone of a pull request as actions/checkout leaves it: the merge of its commit with the base."""
    folder = tmp_path / "clone"
    git(tmp_path, "init", "--quiet", "-b", "main", str(folder))
    commit(folder, {"a.py": "x = 1\n"})
    git(folder, "checkout", "--quiet", "-b", "topic")
    commit(folder, {"docs/a.md": "text\n"})
    git(folder, "checkout", "--quiet", "--detach", "main")
    git(folder, "merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    return folder


@pytest.fixture
def under(
    ci_action: Callable[..., Ran], files: dict[str, Path], tmp_path: Path, clone: Path
) -> Callable[..., Ran]:
    """Run the program in an event; `payload` is written as its file, bytes as they are, None leaves it out."""

    def run(name: str, payload: object, *words: str, folder: Path = clone, **env: str) -> Ran:
        event = tmp_path / "event.json"
        event.unlink(missing_ok=True)
        if payload is not None:
            event.write_bytes(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
        for file in files.values():
            file.write_bytes(b"")
        variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_SHA": git(folder, "rev-parse", "HEAD"),
            **{variable: str(file) for variable, file in files.items()},
            **env,
        }
        words = words or ("pr",)
        return ci_action(folder, *words if words[0] == "plan" else ("run", *words), env=variables)

    return run


def of_clone(clone: Path, **overrides: Any) -> dict[str, Any]:
    sha = git(clone, "rev-parse", "topic")
    head = {"ref": "topic", "sha": sha, "repo": {"full_name": "o/r"}}
    base = {"ref": "main", "sha": git(clone, "rev-parse", "main"), "repo": {"full_name": "o/r"}}
    return pull_payload(**{"head": head, "base": base, "changed_files": 1, **overrides})


def outputs(files: dict[str, Path]) -> dict[str, str]:
    return key_values(files["GITHUB_OUTPUT"].read_bytes().decode())


def test_a_right_title_without_any_token(under, clone, files):
    ran = under("pull_request", of_clone(clone, title="docs(manual)!: say more"))
    assert ran.code == 0
    assert ran.report["conclusion"] == "passed"
    assert ran.tool("title")["examined"] == {"titles": 1}
    told = outputs(files)
    assert told["result"] == "passed"
    assert told["pr-title-valid"] == told["pr-breaking"] == "true"
    assert (told["pr-type"], told["pr-scope"]) == ("docs", "manual")
    assert ran.report["outputs"]["pr-type"] == "docs"


def test_a_wrong_title_gets_one_from_the_changed_files(under, clone, files):
    ran = under("pull_request", of_clone(clone, title="Say more."))
    assert ran.code == 1
    assert ran.findings("title")[0]["fix_message"] == "docs: Say more"
    assert outputs(files)["pr-title-valid"] == "false"
    assert "proposed title: docs: Say more" in ran.out


@pytest.mark.parametrize(
    "payload", [{}, None, b"garbage", b"[" * 100_000, {"pull_request": []}, {"number": 7}]
)
def test_an_event_without_its_pull_request_is_broken(under, files, payload):
    ran = under("pull_request", payload)
    assert ran.code == 3
    assert ran.report["conclusion"] == "broken"
    assert ran.tool("title")["outcome"] == "broken"
    assert outputs(files)["result"] == "broken"
    assert outputs(files)["pr-title-valid"] == ""


@pytest.mark.parametrize("name", ["push", "schedule", "workflow_dispatch", "merge_group"])
def test_other_events_are_skipped(under, files, name):
    ran = under(name, {"merge_group": {"head_ref": f"refs/heads/gh-readonly-queue/main/pr-7-{'a' * 40}"}})
    assert ran.code == 0
    assert ran.report["conclusion"] == "skipped"
    assert "no pull request here" in ran.tool("title")["reason"]
    assert outputs(files)["result"] == "skipped"


def test_a_laptop_is_skipped(ci_action, clone):
    ran = ci_action(clone, "run", "pr")
    assert ran.code == 0
    assert ran.report["conclusion"] == "skipped"


def test_what_github_says_now_stands_over_the_payload(under, clone):
    payload = of_clone(clone, title="wrong")
    with served(Hub()) as hub:
        hub.add_pull(7, title="feat: right by now", changed_files=1)
        api = {"GITHUB_API_URL": hub.root, "INPUT_GITHUB-TOKEN": TOKEN}
        assert under("pull_request", payload, **api).code == 0
        queue = {"merge_group": {"head_ref": f"refs/heads/gh-readonly-queue/main/pr-7-{'a' * 40}"}}
        assert under("merge_group", queue, **api).tool("title")["outcome"] == "report"
        comment = {"issue": {"number": 7, "pull_request": {"url": "x"}}}
        assert under("issue_comment", comment, **api).tool("title")["outcome"] == "report"
        hub.faults.append(Fault("GET .*/pulls/7$", 403))
        ran = under("pull_request", payload, **api)
    assert ran.code == 1
    assert any("could not read the current pull request" in warning for warning in ran.report["warnings"])


@pytest.mark.parametrize("text", ["\n".join(TEXTS[:20]), *TEXTS[5:12], TEXTS[-1]])
def test_hostile_pull_requests_stay_text(under, clone, files, text):
    head = {"ref": text, "sha": git(clone, "rev-parse", "topic"), "repo": {"full_name": text}}
    payload = of_clone(
        clone, title=text, body=text, head=head, labels=[{"name": text}], user={"login": text, "type": text}
    )
    ran = under("pull_request", payload)
    assert ran.code in {0, 1}
    seen = commands(ran.out)
    assert {one.name for one in seen} <= {"group", "endgroup", "stop-commands", "error", "warning", "notice"}
    told = outputs(files)
    assert told["result"] == ran.report["conclusion"]
    assert told["pr-title-valid"] in {"true", "false"}
    page = rendered(files["GITHUB_STEP_SUMMARY"].read_text())
    assert page.all("img", "script", "del", "input") == []
    assert "@everyone" not in page.outside_code
    assert not (clone / "owned").exists()


def test_an_expression_that_never_ends_is_broken(under, clone):
    title = f"feat: {'a' * 60}"
    ran = under(
        "pull_request", of_clone(clone, title=title), "pr", "--title-subject-pattern=(a|aa)+b", "--timeout=1"
    )
    assert ran.code == 3
    assert "timed out after 1 s" in ran.tool("title")["reason"]
    assert ran.tool("metadata")["outcome"] == "report"


def test_an_expression_of_a_project_makes_the_outputs(under, clone, files):
    words = ("pr", r"--title-pattern=(?P<type>[A-Z]+)-(?P<scope>\d+): (?P<subject>.+)")
    assert under("pull_request", of_clone(clone, title="AB-12: x"), *words).code == 0
    assert (outputs(files)["pr-type"], outputs(files)["pr-scope"]) == ("AB", "12")
    assert under("pull_request", of_clone(clone, title="AB: x"), *words).code == 1


def test_settings_that_cannot_be_are_told_at_once(under, clone):
    words = (
        "pr",
        "--title-error={titel}",
        "--title-scopes=a",
        "--title-disallow-scopes=a",
        "--title-types=[",
    )
    ran = under("pull_request", of_clone(clone), *words)
    assert ran.code == 2
    for told in ("title-error", "title-disallow-scopes", "title-types"):
        assert told in ran.out


def strange(clone: Path) -> dict[str, str]:
    """Bring along tests that own whoever starts them; return the variables of a run of the base branch."""
    git(clone, "checkout", "--quiet", "topic")
    commit(clone, {"test_it.py": HEADS_TEST, "conftest.py": "open('owned', 'w').close()\n"})
    return {"GITHUB_SHA": git(clone, "rev-parse", "main")}


def test_code_of_a_pull_request_is_not_started_with_rights(under, clone, files):
    env = strange(clone)
    ran = under("pull_request_target", of_clone(clone), "test", **env)
    assert ran.code == 3
    assert "allow-privileged" in ran.tool("environment")["reason"]
    assert ran.tool("pytest")["outcome"] == "skipped"
    assert not (clone / "owned").exists()
    assert outputs(files)["result"] == "broken"


def test_the_code_itself_cannot_allow_it(under, clone):
    env = strange(clone)
    commit(clone, {"pyproject.toml": "[tool.ci-action]\nallow-privileged = true\n"})
    ran = under("pull_request_target", of_clone(clone), "test", **env)
    assert ran.code == 2
    assert "'allow-privileged' cannot be set in [tool.ci-action]" in ran.out
    assert not (clone / "owned").exists()


def test_what_is_allowed_runs_and_is_told(under, clone):
    env = strange(clone)
    ran = under(
        "pull_request_target", of_clone(clone), "test", "--install=none", "--allow-privileged=true", **env
    )
    assert ran.code == 0
    assert (clone / "owned").exists()
    assert any("allow-privileged" in warning for warning in ran.report["warnings"])


@pytest.mark.parametrize("name", ["pull_request_target", "workflow_run", "issue_comment"])
def test_the_plan_says_what_would_be_refused(under, clone, name):
    env = strange(clone)
    assert (
        "environment would be broken: refusing to run untrusted code"
        in under(name, {}, "plan", "test", **env).out
    )
    git(clone, "checkout", "--quiet", "main~0")
    assert "would be broken" not in under(name, {}, "plan", "test", **env).out
    head = commit(clone, {"late.py": "x = 1\n"})
    git(clone, "checkout", "--quiet", "main")
    # An older commit of the branch is its own; files that no commit has may be anybody's.
    assert "would be broken" not in under(name, {}, "plan", "test", GITHUB_SHA=head).out
    (clone / "conftest.py").write_text("")
    assert "'conftest.py' differs from the commit" in under(name, {}, "plan", "test", **env).out


def test_quality_reads_only_and_runs(under, clone):
    env = strange(clone)
    assert under("pull_request_target", of_clone(clone), "quality", **env).report["conclusion"] != "broken"
