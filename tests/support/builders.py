"""Builders with keyword overrides: a test names what it is about, the rest is ordinary."""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from ci_action.engine.context import Context
from ci_action.engine.redact import redacted
from ci_action.engine.tool import Checked, Tool
from ci_action.engine.verdict import judge
from ci_action.github.event import Event
from ci_action.github.pull_request import Pull
from ci_action.github.workflow import Workflow
from ci_action.model.coverage import Coverage, FileCoverage
from ci_action.model.finding import Finding, Location, with_fingerprints
from ci_action.model.result import (
    Broken,
    Counted,
    Outcome,
    Report,
    RunResult,
    StageResult,
    ToolResult,
    Verdict,
)
from ci_action.model.tests import TestCase, TestOutcome, TestWarning, counts
from ci_action.project.layout import Layout
from ci_action.project.programs import BundledTools, Program
from ci_action.reporters.context import Publication, Screen
from ci_action.settings.resolve import Resolved, resolve
from ci_action.stages import load_all, tools
from ci_action.stages.gate_changes.loosened import WEIGHTS
from ci_action.system.cache import Store
from ci_action.system.folder import place_of
from ci_action.system.process import Command, Completed, Ended, Run, blocks
from ci_action.system.redaction import Redactor

BUNDLED = {"black": "26.10.1", "ruff": "0.17.6"}
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def at(path: str = "src/app.py", line: int | None = 3, **overrides: Any) -> Location:
    return Location(path=path, line=line, **overrides)


def finding(**overrides: Any) -> Finding:
    values = {"tool": "ruff", "rule": "F401", "message": "`os` imported but unused", "location": at()}
    if overrides.get("tool") == "gate-changes":
        values["loosens"] = WEIGHTS.get(overrides.get("rule", ""), 1)
    return Finding(**{**values, **overrides})


def report(*findings: Finding, files: int = 3, **overrides: Any) -> Report:
    return Report(findings=findings, examined={Counted.FILES: files, Counted.UNREADABLE: 0}, **overrides)


def tool_result(*findings: Finding, **overrides: Any) -> ToolResult:
    tool = findings[0].tool if findings else "ruff"
    known = tools().get(overrides.get("tool", tool))
    values = {
        "tool": tool,
        "url": known.url if known else "",
        "outcome": report(*findings),
        "seconds": 0.25,
        "version": BUNDLED.get(tool, "1.0"),
    }
    return ToolResult(**{**values, "version_source": "bundled", **overrides})


def case(nodeid: str = "tests/test_it.py::test_it", outcome: str = "passed", **overrides: Any) -> TestCase:
    values = {"seconds": 0.5, "path": nodeid.partition("::")[0], "line": 3, **overrides}
    return TestCase(nodeid=nodeid, outcome=TestOutcome(outcome), **values)


def with_tests(*cases: TestCase, test_warnings: Sequence[TestWarning] = (), **overrides: Any) -> ToolResult:
    """Return the result of the tool pytest for these tests: a finding for each that failed."""
    red = [one for one in cases if one.outcome.is_red]
    findings = with_fingerprints(
        finding(
            tool="pytest",
            rule="failed" if one.outcome is TestOutcome.FAILED else "error",
            message=f"{one.nodeid}: {one.message}",
            location=at(one.path, one.line) if one.path else None,
        )
        for one in red
    )
    metrics: dict[str, float] = dict(counts(cases))
    outcome = Report(
        findings=findings,
        examined={Counted.TESTS: len(cases)},
        metrics=metrics,
        tests=cases,
        test_warnings=tuple(test_warnings),
    )
    return tool_result(**{"tool": "pytest", "outcome": outcome, **overrides})


def file_coverage(path: str = "src/app.py", **overrides: Any) -> FileCoverage:
    values = {"executed": frozenset({1, 2, 3}), "missing": frozenset({5, 6}), **overrides}
    return FileCoverage(path=path, **values)


def covered(*files: FileCoverage, **metrics: float) -> ToolResult:
    """Return the result of the tool coverage for these files."""
    coverage = Coverage(files={one.path: one for one in files})
    outcome = Report(
        examined={Counted.FILES: len(files)}, metrics={**coverage.metrics, **metrics}, coverage=coverage
    )
    return tool_result(tool="coverage", outcome=outcome)


def stage_result(*tools: ToolResult, **overrides: Any) -> StageResult:
    values: dict[str, Any] = {"stage": "quality", "tools": tools, "seconds": 0.5, **overrides}
    return StageResult(**{"of_pull": values["stage"] == "pr", **values})


def run_result(*given: StageResult | ToolResult | Finding, **overrides: Any) -> RunResult:
    """Return a judged run of these stages, or of one stage with these tools, or of one tool with these findings."""
    findings = with_fingerprints([one for one in given if isinstance(one, Finding)])
    tools = [one for one in given if isinstance(one, ToolResult)]
    stages = [one for one in given if isinstance(one, StageResult)]
    if findings:
        tools.append(tool_result(*findings))
    for name, own in _by_stage(tools or ([] if stages else [tool_result()])).items():
        stages.append(stage_result(*own, stage=name))
    judged, verdict = judge(stages)
    values: dict[str, Any] = {
        "stages": judged,
        "verdict": verdict,
        "started": STARTED,
        "seconds": 1.5,
        "version": "0.1.0",
        "commit": "c0ffee",
        "reproduce": "ci-action run quality",
    }
    return RunResult(**{**values, **overrides})


def _by_stage(tools: Sequence[ToolResult]) -> dict[str, list[ToolResult]]:
    """Sort tools into their stages; those of none are of the stage `quality`."""
    known = {tool.name: stage.name for stage in load_all() for tool in stage.tools}
    found: dict[str, list[ToolResult]] = {}
    for one in tools:
        found.setdefault(known.get(one.tool, "quality"), []).append(one)
    return found


def broken_tool(reason: str = "ruff was ended by SIGKILL", **overrides: Any) -> ToolResult:
    outcome = Broken(reason, overrides.pop("detail", ""), findings=overrides.pop("findings", ()))
    return tool_result(outcome=outcome, **overrides)


def verdict_of(**overrides: Any) -> Verdict:
    return Verdict(**overrides)


def resolved(**values: Any) -> Resolved:
    """Return settings as flags would make them: `resolved(paths="src")`."""
    return resolve(("flag", {name.replace("_", "-"): value for name, value in values.items()}))


def layout(workspace: Path, **overrides: Any) -> Layout:
    return Layout(**{"workspace": workspace, "root": workspace, **overrides})


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder: name to content."""
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def bundled_tools(folder: Path, **versions: str) -> BundledTools:
    """Make the environment of the bundled tools, empty programs in it."""
    for name, version in (versions or BUNDLED).items():
        write(folder, {f"bin/{name}": "", f"lib/{name}-{version}.dist-info/METADATA": ""})
    return BundledTools(scripts=folder / "bin", libraries=folder / "lib", uv=folder / "bin" / "uv")


def program(tool: str = "black", **overrides: Any) -> Program:
    return Program(**{"argv": (f"/tools/{tool}",), "version": BUNDLED.get(tool, "1.0"), **overrides})


def completed(stdout: str | bytes = b"", stderr: str = "", returncode: int = 0) -> Completed:
    raw = stdout.encode() if isinstance(stdout, str) else stdout
    return Completed(returncode=returncode, stdout=raw, stderr=stderr, seconds=0.1)


Answer: TypeAlias = Completed | Exception | Callable[[Command], Completed]


class FakeRun:
    """Answers commands by the name of the program, several answers in turn, and records the commands."""

    def __init__(self, **answers: Answer | Sequence[Answer]) -> None:
        self.asked: list[Command] = []
        self._answers = {
            name: list(given) if isinstance(given, Sequence) else [given] for name, given in answers.items()
        }

    def __call__(self, command: Command, /) -> Completed:
        self.asked.append(command)
        name = Path(command.argv[0]).name
        if name not in self._answers:
            raise AssertionError(f"no answer for {command}")
        waiting = self._answers[name]
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        done = answer if isinstance(answer, Completed) else answer(command)
        if command.receive is None:
            return done
        for block in blocks(io.BytesIO(done.stdout), command.cut_at):
            command.receive(block)
        return replace(done, stdout=b"")

    @property
    def words(self) -> list[tuple[str, ...]]:
        """What was asked, each as its words."""
        return [command.argv for command in self.asked]


class FakeGit:
    """A repository: answers by git's subcommand, by default with tracked files and the commit."""

    def __init__(self, *tracked: str | bytes, head: str = "", **answers: Answer) -> None:
        self._tracked = [name.encode() if isinstance(name, str) else name for name in tracked]
        self.asked: list[Command] = []
        self._head = head
        self._answers: dict[str, Answer] = {
            "config": completed(returncode=1),
            "ls_files": self._listed,
            **answers,
        }

    def __call__(self, command: Command, /) -> Completed:
        self.asked.append(command)
        word = next(word for word in command.argv[1:] if not word.startswith("-"))
        answer = self._answers.get(word.replace("-", "_"), self._of_repository)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Completed) else answer(command)

    def _listed(self, command: Command) -> Completed:
        names = [] if "--others" in command.argv else self._tracked
        return completed(b"".join(name + b"\0" for name in names))

    def _of_repository(self, command: Command) -> Completed:
        if "--show-toplevel" in command.argv:
            return completed(f"{command.cwd}\n")
        if "cat-file" in command.argv:
            return completed(f"{self._head} commit 0\n\n" if self._head else b"HEAD missing\n")
        raise AssertionError(f"no answer for {command}")


def no_server(command: Command) -> AbstractContextManager[Ended]:
    raise AssertionError(f"no server was expected: {command}")


def context(workspace: Path, run: Run | None = None, **overrides: Any) -> Context:
    """Return a context; settings as in `resolved` by `settings=dict(...)`, its tempdir folder beside the workspace."""
    tempdir = workspace.parent / f"{workspace.name}-tempdir"
    tempdir.mkdir(exist_ok=True)
    settings = resolved(**overrides.pop("settings", {})).settings
    values: dict[str, Any] = {
        "settings": settings,
        "layout": layout(workspace, paths=settings.paths),
        "bundled": bundled_tools(workspace.parent / f"{workspace.name}-tools"),
        "run": run or FakeRun(),
        "serve": no_server,
        "tempdir": tempdir,
    }
    if cache := overrides.get("cache"):
        values["kept"] = store(cache)
    return Context(**{**values, **overrides})


def store(cache: Path, **overrides: Any) -> Store:
    """Return the cached results in a folder, as a new run finds them."""
    place = place_of(cache, cache.parent, strict=False)
    return Store(place, **{"user": os.geteuid(), **overrides})


def without(result: RunResult, *secrets: str) -> RunResult:
    """Return the result of a run whose environment holds these secrets."""
    return redacted(result, Redactor(secrets))


def publication(workspace: Path, **overrides: Any) -> Publication:
    """Return what reporters may touch; what they print is in `publication.screen.stream`."""
    values: dict[str, Any] = {
        "resolved": resolved(),
        "layout": layout(workspace),
        "folder": workspace / "ci-action-report",
        "screen": Screen(stream=io.StringIO()),
    }
    return Publication(**{**values, **overrides})


def printed(shown: Publication) -> str:
    stream = shown.screen.stream
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def actions_environ(folder: Path, **overrides: str) -> dict[str, str]:
    """Return the runner's variables with command files below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        **overrides,
    }


def workflow(folder: Path, **overrides: str) -> Workflow:
    return Workflow(actions_environ(folder, **overrides))


def event(**overrides: Any) -> Event:
    values = {"repository": "o/r", "sha": "c0ffee", "server_url": "https://github.com"}
    return Event(**{**values, **overrides})


def pull_payload(**overrides: Any) -> dict[str, Any]:
    """Return the pull request of an event; `head=None` and the like override fields."""
    values = {
        "number": 7,
        "title": "feat: add a page",
        "body": "Says more.",
        "user": {"login": "octocat", "type": "User"},
        "head": {"ref": "topic", "sha": "a" * 40, "repo": {"full_name": "o/r"}},
        "base": {"ref": "main", "sha": "0" * 39 + "1", "repo": {"full_name": "o/r"}},
        "labels": [],
        "draft": False,
        "additions": 10,
        "deletions": 2,
        "changed_files": 3,
    }
    return {"pull_request": {**values, **overrides}}


def pull(**overrides: Any) -> Pull:
    values = {"number": 7, "title": "feat: add a page", "author": "octocat", "base": "main", "head": "topic"}
    return Pull(**{**values, **overrides})


def tool(name: str = "ruff", outcome: Outcome | Exception | None = None, **overrides: Any) -> Tool:
    """Return a tool that ends with an outcome, or raises an error."""

    def check(_ctx: Context, _program: Program) -> Checked:
        if isinstance(outcome, Exception):
            raise outcome
        return Checked(outcome=outcome or report(), log=f"{name} was here")

    values = {"name": name, "summary": f"{name}.", "url": "https://example.org", "check": check}
    return Tool(**{**values, **overrides})
