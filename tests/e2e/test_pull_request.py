"""The stage `pr` in the container: recorded events, a checkout of the runner's user, and GitHub that lets or does not."""

import json
from collections.abc import Callable
from typing import Final

import pytest
from projects import hostile
from support.container import projects
from support.container.image import gateway
from support.container.pull_requests import DRAFT, NUMBER, Change, change, tell, variables
from support.container.runner import Machine, Ran
from support.container.variables import TOKEN
from support.github_hub import READ, WRITE, Hub
from support.github_service import served
from support.hostile_text import TEXTS
from support.recorded_events import recorded
from support.renderers import rendered
from support.runner_model import could_be_command, log_lines

from ci_action.reporters.comment import parse
from ci_action.reporters.outputs import ABOUT

pytestmark = pytest.mark.docker
# What we print ourselves; whatever else is registered can only come from the pull request.
OURS: Final = {"error", "warning", "notice", "group", "endgroup", "add-mask", "stop-commands"}
MESSY: Final = "import os\nx = [ 1 ]\n"
FILES: Final = {"src/app.py": MESSY, "docs/a.md": "text\n", "uv.lock": "version = 1\n"}
PATCH: Final = "@@ -0,0 +1,2 @@\n+import os\n+x = [ 1 ]"
RIGHT: Final = "feat(app): say more"
BOT: Final = {"login": "dependabot[bot]", "type": "Bot"}
Stage = Callable[..., Ran]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Change:
    return change(tmp_path_factory.mktemp("small") / "origin", FILES)


@pytest.fixture
def stage(machine: Machine) -> Stage:
    """Return what runs the stage in a checkout; `depth` is that of actions/checkout."""

    def run(
        event: str, payload: object, made: Change, *, depth: int = 2, hub: Hub | None = None, **inputs: str
    ) -> Ran:
        number = inputs.pop("run", "1")
        sha = (
            made.checkout(machine.workspace, depth)
            if not (machine.workspace / ".git").exists()
            else projects.git_output(machine.workspace, "rev-parse", "HEAD")
        )
        tell(machine.workflow, payload)
        given = {"stage": "pr", "github-token": TOKEN if hub else ""}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        more = {"GITHUB_API_URL": hub.root} if hub else {}
        return machine.run(
            inputs=given, environ=variables(event, sha, RUNNER_DEBUG="1", GITHUB_RUN_ID=number, **more)
        )

    return run


def well_formed(ran: Ran) -> None:
    """What holds of every run: no command but ours, all outputs, a page that belongs to the runner's user."""
    assert set(ran.counted) <= OURS, ran.log
    assert set(ran.outputs) == set(ABOUT)
    assert ran.outputs["result"] == ran.report["conclusion"]
    assert (ran.workspace / ran.outputs["page-file"]).stat().st_size
    assert set(ran.owners.values()) == {projects.OWNER}
    assert not projects.git_output(ran.workspace, "--no-optional-locks", "status", "--porcelain")
    assert TOKEN.encode() not in ran.written.replace(f"::add-mask::{TOKEN}\n".encode(), b"", 1)


def outputs(ran: Ran, *names: str) -> list[str]:
    return [ran.outputs[name] for name in names]


def test_a_fork_without_any_right_is_judged(stage: Stage, small: Change):
    ran = stage("pull_request", small.from_fork(), small)
    well_formed(ran)
    assert (ran.code, ran.outputs["result"]) == (1, "failed"), ran.log
    assert outputs(ran, "pr-title-valid", "is-fork", "pr-number", "changed-files") == [
        "false",
        "true",
        "2",
        "3",
    ]
    assert json.loads(ran.outputs["changed-areas"]) == [".", "docs", "src"]
    [told] = [seen.data for seen in ran.annotations("error") if "title" in seen.properties["title"]]
    assert "proposed title" in told
    assert ran.tool("size")["metrics"]["size_files"] == 2, "uv.lock does not count"


def test_dependabot_may_only_read_and_nothing_more_is_needed(stage: Stage, small: Change):
    title = "build(deps): bump urllib3 from 1.26.4 to 2.5.0"
    payload = small.payload(title="as it was", user=BOT)
    with served(small.hub(READ, title=title, author=BOT["login"]), gateway()) as hub:
        ran = stage(
            "pull_request",
            payload,
            small,
            depth=1,
            hub=hub,
            comment="always",
            check_run="true",
            labels="true",
        )
        assert {(one.verb, one.status) for one in hub.requests} == {("GET", 200), ("POST", 403)}
    well_formed(ran)
    assert (ran.code, ran.outputs["result"]) == (0, "passed"), ran.log
    assert outputs(ran, "is-bot", "pr-type", "pr-scope", "changed-files") == ["true", "build", "deps", "3"]
    warned = " ".join(seen.data for seen in ran.annotations("warning"))
    for what in ("post the comment", "create the check run", "set the labels"):
        assert f"could not {what}: " in warned, ran.log
    assert "pull-requests: write" in warned


@pytest.mark.parametrize(("titles", "code", "outcome"), [("skip", 0, "skipped"), ("check", 1, "report")])
def test_a_draft_is_checked_as_asked(stage: Stage, small: Change, titles: str, code: int, outcome: str):
    ran = stage("pull_request", small.payload(DRAFT), small, draft_titles=titles)
    well_formed(ran)
    assert (ran.code, ran.tool("title")["outcome"]) == (code, outcome), ran.log
    assert outputs(ran, "pr-draft", "pr-author") == ["true", "Codertocat"]


@pytest.mark.parametrize("event", ["push", "merge_group"])
def test_other_events_are_skipped(stage: Stage, small: Change, event: str):
    ran = stage(event, recorded()[event][0], small)
    well_formed(ran)
    assert (ran.code, ran.outputs["result"], ran.outputs["pr-number"]) == (0, "skipped", ""), ran.log
    assert "no pull request here" in ran.tool("title")["reason"]
    assert "no pull request here" in ran.summary


@pytest.mark.parametrize("payload", [{}, None])
def test_an_event_that_does_not_say_its_pull_request_is_broken(stage: Stage, small: Change, payload: object):
    ran = stage("pull_request", payload, small)
    well_formed(ran)
    assert (ran.code, ran.outputs["result"], ran.outputs["pr-title-valid"]) == (3, "broken", ""), ran.log
    assert any("the pull request of the event" in seen.data for seen in ran.annotations("error"))


def test_a_token_that_may_write_gets_one_comment_that_is_edited(stage: Stage, small: Change):
    hub = small.hub(WRITE, title="Say more.", patches={"src/app.py": PATCH})
    asked = {
        "stage": "quality, pr", "comment": "always", "check_run": "true", "suggestions": "true", "labels": "true"
    }  # fmt: skip
    with served(hub, gateway()):
        first = stage("pull_request", small.payload(), small, hub=hub, **asked)
        [comment] = hub.comments[NUMBER]
        before = dict(comment)
        hub.pulls[NUMBER]["title"] = RIGHT
        second = stage("pull_request", small.payload(), small, hub=hub, run="2", **asked)
    for ran in (first, second):
        well_formed(ran)
        assert "could not " not in ran.log, ran.log
        assert (ran.code, ran.outputs["result"]) == (1, "failed"), ran.log
    assert outputs(first, "pr-title-valid")[0] == "false"
    assert outputs(second, "pr-title-valid", "pr-type") == ["true", "feat"]
    [comment] = hub.comments[NUMBER]
    assert comment["id"] == before["id"]
    assert len(parse(before["body"])) == len(parse(comment["body"])) == 1
    assert "`title-form`" in before["body"]
    assert "`title-form`" not in comment["body"]
    runs = {(run["name"], run["conclusion"]) for run in hub.check_runs.values()}
    assert runs == {
        ("ci-action: quality", "failure"), ("ci-action: pr", "failure"), ("ci-action: pr", "success")
    }  # fmt: skip
    assert {run["head_sha"] for run in hub.check_runs.values()} == {small.head}
    # Of both runs together: what is suggested already is not suggested once more.
    assert sorted(one["line"] for one in hub.review_comments[NUMBER]) == [1, 2]
    assert sorted(hub.pulls[NUMBER]["labels"]) == ["size/XS", "type: feat"]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Change:
    """A pull request whose files have names that try to be more than that."""
    return change(tmp_path_factory.mktemp("foreign") / "origin", hostile.files())


@pytest.mark.parametrize("text", ["\n".join(TEXTS), "\n".join(hostile.TEXTS.values()), TEXTS[-1]])
def test_whatever_a_pull_request_says_stays_text(stage: Stage, foreign: Change, text: str):
    branch = " ".join(text.splitlines())
    payload = foreign.payload(
        title=text, body=text, labels=[{"name": one} for one in text.split("\n")], user={"login": text, "type": text}
    )  # fmt: skip
    payload["pull_request"]["head"] |= {"ref": text, "repo": {"full_name": text}}
    payload["pull_request"]["base"]["ref"] = text
    labels = text.split("\n")
    with served(foreign.hub(WRITE, title=text, body=text, labels=labels), gateway()) as hub:
        hub.pulls[NUMBER] |= {"head": branch, "author": branch}
        ran = stage("pull_request", payload, foreign, hub=hub, comment="always", check_run="true")
        [comment] = hub.comments[NUMBER]
        [run] = hub.check_runs.values()
    well_formed(ran)
    assert ran.code in {0, 1}, ran.log
    masked = [seen.data for seen in ran.commands if seen.name == "add-mask"]
    assert masked == [TOKEN]
    outside = _outside_of_groups(ran.log)
    assert not [line for line in outside if could_be_command(line) and not line.startswith("::")], outside
    control = {chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))} - {"\n", "\t"}
    assert not control & set(ran.log)
    assert json.loads(ran.outputs["pr-labels"])
    assert ran.outputs["changed-files"] == str(len(foreign.names))
    for page in (ran.summary, comment["body"], run["output"]["summary"]):
        shown = rendered(page)
        assert shown.all("img", "script", "del", "input", "iframe") == []
        assert "@octocat" not in shown.outside_code
        assert "@everyone" not in shown.outside_code
    assert not (ran.workspace / "owned").exists()


def _outside_of_groups(log: str) -> list[str]:
    """Return the lines that the runner reads commands from."""
    found, token = [], ""
    for line in log_lines(log):
        if token:
            assert line == token or not could_be_command(line), line
            token = "" if line == token else token
        elif line.startswith("::stop-commands::"):
            token = f"::{line.removeprefix('::stop-commands::')}::"
        else:
            found.append(line)
    return found
