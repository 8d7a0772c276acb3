"""What a change loosens in the checks themselves: settings, exceptions, suppressions, tests; the base commit against now."""

import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import Any, Final

from ci_action.engine.context import Context
from ci_action.engine.ignore import mute
from ci_action.engine.secret_scan.baseline import NAME as BASELINE
from ci_action.engine.test_run.coverage_minimum import WITH_BASE
from ci_action.engine.tool import Checked, Tool
from ci_action.model.finding import Finding, Level, Location
from ci_action.model.result import Broken, Counted, Outcome, Report, Skipped, ToolResult
from ci_action.project.file_kinds import SOURCES, is_workflow
from ci_action.project.git.base_files import Difference, contents, differences
from ci_action.project.git.repository import Repository, is_commit_name
from ci_action.project.programs import Program
from ci_action.settings.types import GateChanges
from ci_action.stages.gate_changes import baselines, own_settings, settings_of_tools
from ci_action.stages.gate_changes.configs import NAMES, Side, UnreadableError, own
from ci_action.stages.gate_changes.gone_tests import Naming, OfTests, gone
from ci_action.stages.gate_changes.loosened import (
    ADDED_SUPPRESSION,
    REMOVED_TEST,
    WEIGHTS,
    Loosened,
    counted,
    listed,
)
from ci_action.stages.gate_changes.options import baseline_of_bandit, deselected
from ci_action.stages.gate_changes.suppressions import Changed, added
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import find_project_file

NAME: Final = "gate-changes"
_DOCUMENTATION: Final = "https://github.com/org/ci-action/blob/v1/docs/stages/gate-changes.md"
# Nobody writes a larger file by hand.
_LARGEST: Final = 2_000_000
# Python before and after, together: ten times what the largest change that people review has.
_MOST: Final = 40_000_000
_MOST_FINDINGS: Final = 500
_MOST_PROBLEMS: Final = 10


def check(ctx: Context, _program: Program) -> Checked:
    """Compare the files that the change touched with the base commit."""
    changes = ctx.changes
    if changes is None or not changes.known:
        return Checked(outcome=_without_base(ctx, changes.problem if changes else "there is no base commit"))
    repository = ctx.repository.with_fetched()
    look = _Look(ctx=ctx, repository=repository, commit=changes.base)
    found = sorted(look.loosened(), key=lambda one: (one.path, one.line or 0))
    level = Level.ERROR if ctx.settings.gate_changes is GateChanges.FAIL else Level.WARNING
    findings = tuple(_finding(one, level) for one in found[:_MOST_FINDINGS])
    if more := len(found) - len(findings):
        findings += (_finding(Loosened(rule=found[-1].rule, message=f"{more:,} more like these"), level),)
    examined = {Counted.FILES: look.compared}
    outcome: Outcome = Report(findings=findings, examined=examined)
    if look.incomplete and level is Level.ERROR:
        outcome = Broken(look.incomplete, findings=findings, examined=examined)
    elif look.incomplete:
        look.problems.append(look.incomplete)
    # A change cannot ignore what is found in it: exceptions of the base commit count, and those of the workflow.
    muted = mute(ToolResult(tool=NAME, outcome=outcome), look.ignored, ctx.layout.relative("."))
    return Checked(outcome=muted.outcome, warnings=tuple(_notes(look.problems)))


def _without_base(ctx: Context, problem: str) -> Outcome:
    """Return what is known without a base: an event that has one must have it, where the user blocks by it."""
    reason = f"the base commit is unknown: {problem}"
    event = ctx.event
    has_base = event.name in WITH_BASE or (
        event.name == "push" and is_commit_name(event.payload.get("before"))
    )
    return Broken(reason) if has_base and ctx.settings.gate_changes is GateChanges.FAIL else Skipped(reason)


def _notes(problems: Iterable[str]) -> Iterator[str]:
    texts = list(dict.fromkeys(problems))
    yield from (f"{NAME} did not compare everything: {text}" for text in texts[:_MOST_PROBLEMS])
    if len(texts) > _MOST_PROBLEMS:
        yield f"{NAME} did not compare {len(texts) - _MOST_PROBLEMS:,} more"


def _finding(one: Loosened, level: Level) -> Finding:
    return Finding(
        tool=NAME,
        rule=one.rule,
        message=one.message,
        level=level,
        location=Location(path=one.path, line=one.line) if one.path else None,
        url=_DOCUMENTATION,
        loosens=WEIGHTS[one.rule],
        new=True,
    )


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file that differs; a text is None if the file does not exist or is not read."""

    path: str
    previous: str
    before: str | None
    after: str | None


@dataclass(kw_only=True)
class _Look:
    """One comparison: reads what the pure parts compare."""

    ctx: Context
    repository: Repository
    commit: str
    problems: list[str] = field(default_factory=list)
    incomplete: str = ""
    """Why not all Python files were compared."""

    def loosened(self) -> Iterator[Loosened]:
        """Yield everything that is less strict."""
        yield from self._settings()
        yield from self._workflows()
        yield from self._baselines()
        yield from self._suppressions(self._python)
        yield from self._tests(self._python)

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """The files that differ, by paths relative to the workspace; what lies outside is left out."""
        found = differences(self.repository, self.commit)
        known = {one.name for one in found}
        if not self.ctx.event.name:  # on a laptop, new files need not be added yet
            fresh = (name for name in self.repository.untracked() if name not in known)
            found += tuple(Difference(name=name, previous="", blob="") for name in fresh)
        return tuple(filter(None, map(self._placed, found)))

    def _placed(self, one: Difference) -> Difference | None:
        name, previous = self._path(one.name), self._path(one.previous)
        if not name:
            return None
        return Difference(name=name, previous=previous, blob=one.blob if previous else "", exists=one.exists)

    def _path(self, name: str) -> str:
        path = self.ctx.layout.relative(self.repository.top / name) if name else ""
        return "" if path.startswith("/") else path

    @property
    def compared(self) -> int:
        """How many files were compared."""
        return len(self.differences)

    def _read(self, chosen: list[Difference], most: int | None = None) -> list[_File]:
        """Read files before and after; what is too large or cannot be read is a problem, and is left out.

        What exceeds `most` together is left out too, and makes the comparison incomplete.
        """
        blobs = contents(self.repository, [one.blob for one in chosen if one.blob], _LARGEST, most)
        files, left = [], 0
        total = sum(len(raw) for raw in blobs.values() if raw)
        for one in chosen:
            try:
                now = self._now(one.name) if one.exists else None
                was = self._was(one, blobs)
                texts = _text(was, one.previous), _text(now, one.name)
            except (ProjectFileError, UnreadableError) as error:
                self.problems.append(str(error))
                continue
            total += len(now or b"")
            if (one.blob and one.blob not in blobs) or (most is not None and total > most):
                left += 1
            else:
                files.append(_File(path=one.name, previous=one.previous, before=texts[0], after=texts[1]))
        if left:
            self.incomplete = f"{left:,} of {len(chosen):,} changed files exceed {_MOST:,} bytes together"
        return files

    @staticmethod
    def _was(one: Difference, blobs: Mapping[str, bytes | None]) -> bytes | None:
        raw = blobs.get(one.blob)
        if raw is None and one.blob in blobs:
            raise UnreadableError(f"{one.previous} has more than {_LARGEST:,} bytes at the base commit")
        return raw

    def _now(self, path: str) -> bytes | None:
        workspace = self.ctx.layout.workspace
        return find_project_file(workspace / path, workspace, largest=_LARGEST)

    @cached_property
    def _python(self) -> list[_File]:
        return self._read([one for one in self.differences if one.name.endswith(SOURCES)], _MOST)

    @cached_property
    def _sides(self) -> tuple[Side, Side]:
        """The configuration files before and after: the same object if none of them was touched."""
        layout = self.ctx.layout
        folders = tuple("" if path == "." else path for path in map(layout.relative, layout.folders))
        paths = [f"{folder}/{name}" if folder else name for folder in folders for name in sorted(NAMES)]
        wanted = set(paths)
        chosen = [one for one in self.differences if wanted & {one.name, one.previous}]
        changed = self._read(chosen)
        touched = {path for one in chosen for path in (one.name, one.previous)}
        read = {path: self._same(path) for path in paths if path not in touched}
        same = {path: text for path, text in read.items() if text is not None}
        if not chosen:
            return (side := Side(same, folders)), side
        before = {file.previous: file.before for file in changed if file.before is not None}
        after = {file.path: file.after for file in changed if file.after is not None}
        return Side({**same, **before}, folders), Side({**same, **after}, folders)

    def _same(self, path: str) -> str | None:
        try:
            return _text(self._now(path), path)
        except (ProjectFileError, UnreadableError) as error:
            self.problems.append(str(error))
            return None

    @cached_property
    def _keys(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Our own settings by `[tool.ci-action]`, before and after; what cannot be read is a problem."""
        found = []
        for side in self._sides:
            try:
                found.append(own_settings.of_table(own(side)))
            except UnreadableError as error:
                self.problems.append(str(error))
                found.append({})
        return found[0], found[1]

    @property
    def _fixed(self) -> frozenset[str]:
        """The settings that the workflow or the command line has set."""
        given = (name for name in own_settings.COMPARED if name not in self.ctx.of_project)
        return frozenset(name for name in given if own_settings.is_set(self.ctx.settings, name))

    @property
    def ignored(self) -> tuple[str, ...]:
        """The exceptions that hold for what is found here: those of the workflow, else of the base commit."""
        if "ignore" in self._fixed:
            return self.ctx.settings.ignore
        entries: tuple[str, ...] = self._keys[0].get("ignore", ())
        return entries

    def _settings(self) -> Iterator[Loosened]:
        before, after = self._sides
        if before is after:
            return
        yield from settings_of_tools.compare(before, after, self.problems)
        try:
            yield from own_settings.of_keys(own(before), own(after), self._fixed)
        except UnreadableError as error:
            self.problems.append(str(error))

    def _workflows(self) -> Iterator[Loosened]:
        chosen = [one for one in self.differences if one.blob and one.exists and is_workflow(one.name)]
        action = self.ctx.environ.get("GITHUB_ACTION_REPOSITORY", "")
        for file in self._read(chosen):
            try:
                steps = [own_settings.steps_of(text or "", action) for text in (file.before, file.after)]
            except (ValueError, RecursionError) as error:
                self.problems.append(f"{file.path} cannot be read: {' '.join(str(error).split())[:200]}")
                continue
            yield from own_settings.of_workflow(file.path, steps[0], steps[1], self._keys)

    def _baselines(self) -> Iterator[Loosened]:
        yield from self._baseline(self.ctx.settings.secrets_baseline or BASELINE, baselines.secrets)
        for name in baseline_of_bandit(self.ctx.settings.bandit_args):
            yield from self._baseline(name, baselines.bandit)

    def _baseline(
        self, name: str, compare: Callable[[str, str | None, str | None], Loosened | None]
    ) -> Iterator[Loosened]:
        path = self.ctx.layout.relative(name)
        for file in self._read([one for one in self.differences if one.name == path]):
            try:
                found = compare(path, file.before, file.after)
            except UnreadableError as error:
                self.problems.append(str(error))
                continue
            if found:
                yield found

    def _suppressions(self, python: list[_File]) -> Iterator[Loosened]:
        files = [Changed(path=one.path, before=one.before or "", after=one.after or "") for one in python]
        markers = deselected(settings_of_tools.selectors(self._sides[1]))
        for path, one in added(files, markers, self.problems):
            yield Loosened(
                rule=ADDED_SUPPRESSION, message=f"new `{one}`{_around(one.scope)}", path=path, line=one.line
            )

    def _tests(self, python: list[_File]) -> Iterator[Loosened]:
        before, after = map(_naming, self._sides)
        files = [
            OfTests(
                path=one.path,
                before=one.before if before.is_file(one.previous) else None,
                after=one.after if after.is_file(one.path) else None,
            )
            for one in python
        ]
        for one in gone(files, before, after, self.problems):
            verb = "is" if len(one.names) == 1 else "are"
            text = f"{counted(len(one.names), 'test')} {verb} gone: {listed(one.names)}"
            yield Loosened(rule=REMOVED_TEST, message=text, path=one.path, line=one.line)


def _around(scope: str) -> str:
    return f" in {scope}" if scope else ""


def _naming(side: Side) -> Naming:
    def entries(name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = settings_of_tools.value_of(side, "pytest", name)
        try:
            return settings_of_tools.entries(value, settings_of_tools.words) or default
        except UnreadableError:
            return default

    default = Naming()
    return Naming(
        files=entries("python_files", default.files),
        functions=entries("python_functions", default.functions),
        classes=entries("python_classes", default.classes),
    )


def _text(raw: bytes | None, path: str) -> str | None:
    """Return a text in the encoding that it declares, with every line break a newline; raises `UnreadableError`."""
    if raw is None:
        return None
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(raw).readline)
        return raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except (SyntaxError, LookupError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{path} is not in the encoding that it declares") from error


def plan(ctx: Context) -> str:
    """Say what would be compared."""
    changes = ctx.changes
    if changes is None or not changes.known:
        return "skipped: the base commit is unknown"
    return f"compares the settings of the checks, suppressions and tests with {changes.base[:12]}"


TOOL: Final = Tool(
    name=NAME,
    summary="Checks that the change makes less strict: minimums, exceptions, suppressions, removed tests.",
    url=_DOCUMENTATION,
    check=check,
    program=lambda _: Program(argv=(), version="", source=""),
    wanted=lambda ctx: ctx.settings.gate_changes is not GateChanges.OFF,
    plan=plan,
    apart=True,
)
