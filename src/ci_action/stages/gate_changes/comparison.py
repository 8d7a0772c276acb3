"""Reads the files that a change touched at the base commit and now, and compares them."""

import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from typing import Any, Final

from ci_action.engine.context import Context
from ci_action.model.finding import Finding, Level, Location
from ci_action.model.result import Broken, Counted, Outcome, Report
from ci_action.project.file_kinds import SECRETS_BASELINE, SOURCES, is_dockerfile, is_workflow
from ci_action.project.git.base_files import Difference, contents, differences
from ci_action.project.git.repository import Repository
from ci_action.settings.types import GateChanges
from ci_action.stages.gate_changes import DOCUMENTATION, NAME, own_settings, settings_of_tools
from ci_action.stages.gate_changes.baselines import larger, of_bandit, of_secrets
from ci_action.stages.gate_changes.configs import NAMES, Side, own
from ci_action.stages.gate_changes.loosened import WEIGHTS, Changed, Loosened, tried
from ci_action.stages.gate_changes.options import baseline_of_bandit, deselected
from ci_action.stages.gate_changes.settings_of_tools import of_pytest
from ci_action.system.errors import ToolError
from ci_action.system.project_files import find_project_file

# No source file is larger.
_LARGEST: Final = 2_000_000
# Before and after, together: ten times the largest change that people review.
_MOST: Final = 40_000_000
_MOST_FINDINGS: Final = 500


@dataclass(kw_only=True)
class Comparison:
    """One comparison: reads the files for the pure parts."""

    ctx: Context
    repository: Repository
    commit: str
    problems: list[str] = field(default_factory=list)
    _incomplete: str = ""
    """Why not all files were compared."""

    def outcome(self) -> Outcome:
        """Compare, and return the findings; `Broken` if the gate blocks and not all files were compared."""
        found = sorted(self._loosened(), key=lambda one: (one.path, one.line or 0))
        fails = self.ctx.settings.gate_changes is GateChanges.FAIL
        if more := len(found[_MOST_FINDINGS:]):
            found[_MOST_FINDINGS:] = [Loosened(rule=found[-1].rule, message=f"{more:,} more like these")]
        findings = tuple(_finding(one, Level.ERROR if fails else Level.WARNING) for one in found)
        examined = {Counted.FILES: len(self.differences)}
        if self._incomplete and fails:
            return Broken(self._incomplete, findings=findings, examined=examined)
        self.problems += [self._incomplete] if self._incomplete else []
        return Report(findings=findings, examined=examined)

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """The files that differ, by paths relative to the workspace, without those outside of it."""
        found = differences(self.repository, self.commit)
        known = {one.name for one in found}
        if not self.ctx.event.name:  # on a laptop, new files need not be added yet
            fresh = (name for name in self.repository.untracked() if name not in known)
            found += tuple(Difference(name=name, previous="", blob="") for name in fresh)
        placed = (replace(one, name=self._path(one.name), previous=self._path(one.previous)) for one in found)
        return tuple(replace(one, blob=one.blob if one.previous else "") for one in placed if one.name)

    def _path(self, name: str) -> str:
        path = self.ctx.layout.relative(self.repository.top / name) if name else ""
        return "" if path.startswith("/") else path

    def _read(self, chosen: list[Difference]) -> list[Changed]:
        """Read files before and after; those that cannot be read, or are too large, are problems.

        Files beyond the limit of all together make the comparison incomplete.
        """
        blobs = contents(self.repository, [one.blob for one in chosen if one.blob], _LARGEST, _MOST)
        total = sum(len(raw) for raw in blobs.values() if raw)
        files, left = [], 0
        for one in chosen:
            for was, now in tried(self.problems, self._texts, one, blobs):
                total += len(now or "")
                if total > _MOST or (one.blob and one.blob not in blobs):
                    left += 1
                else:
                    files.append(Changed(path=one.name, previous=one.previous, before=was, after=now))
        if left:
            self._incomplete = f"{left:,} of {len(chosen):,} changed files exceed {_MOST:,} bytes together"
        return files

    def _texts(
        self, one: Difference, blobs: Mapping[str, bytes | None]
    ) -> Iterator[tuple[str | None, str | None]]:
        was = blobs.get(one.blob)
        if was is None and one.blob in blobs:
            raise ToolError(f"{one.previous} has more than {_LARGEST:,} bytes at the base commit")
        yield _text(was, one.previous), self._now(one.name) if one.exists else None

    def _now(self, path: str) -> str | None:
        workspace = self.ctx.layout.workspace
        return _text(find_project_file(workspace / path, workspace, largest=_LARGEST), path)

    @cached_property
    def _sides(self) -> tuple[Side, Side]:
        """The configuration files before and after."""
        layout = self.ctx.layout
        folders = tuple("" if path == "." else path for path in map(layout.relative, layout.folders))
        paths = [f"{folder}/{name}" if folder else name for folder in folders for name in sorted(NAMES)]
        chosen = [one for one in self.differences if not {one.name, one.previous}.isdisjoint(paths)]
        changed = self._read(chosen)
        touched = {path for one in chosen for path in (one.name, one.previous)}
        same = {
            path: text
            for path in paths
            if path not in touched
            for text in tried(self.problems, lambda path: [self._now(path)], path)
        }

        def side(files: Mapping[str, str | None]) -> Side:
            texts = {**same, **files}
            return Side({path: text for path, text in texts.items() if text is not None}, folders)

        before = side({file.previous: file.before for file in changed})
        return before, side({file.path: file.after for file in changed})

    @cached_property
    def _keys(self) -> tuple[dict[str, Any], ...]:
        """Our own settings by `[tool.ci-action]`, before and after; none of what cannot be read."""
        found = (tried(self.problems, lambda side: [own(side)], side) for side in self._sides)
        return tuple(own_settings.of_table(one[0] if one else None) for one in found)

    @property
    def _fixed(self) -> frozenset[str]:
        """The settings that the workflow or the command line has set."""
        given = (name for name in own_settings.COMPARED if name not in self.ctx.of_project)
        return frozenset(name for name in given if own_settings.is_set(self.ctx.settings, name))

    @property
    def ignored(self) -> tuple[str, ...]:
        """The exceptions that apply to the findings here: those of the workflow, else of the base commit."""
        if "ignore" in self._fixed:
            return self.ctx.settings.ignore
        entries: tuple[str, ...] = self._keys[0].get("ignore", ())
        return entries

    def _loosened(self) -> Iterator[Loosened]:
        """Yield everything that is less strict."""
        before, after = self._sides
        if before != after:
            yield from settings_of_tools.compare(before, after, self.problems)
            for old, new in tried(self.problems, lambda: [(own(before), own(after))]):
                yield from own_settings.of_keys(old, new, self._fixed)
        action = self.ctx.environ.get("GITHUB_ACTION_REPOSITORY", "")
        workflows = (one for one in self.differences if one.blob and one.exists and is_workflow(one.name))
        for file in self._read([*workflows]):
            yield from tried(self.problems, own_settings.of_workflow, file, self._keys, action)
        baselines = {self.ctx.settings.secrets_baseline or SECRETS_BASELINE: of_secrets}
        baselines[baseline_of_bandit(self.ctx.settings.bandit_args)] = of_bandit
        for name, read in baselines.items():
            path = self.ctx.layout.relative(name) if name else ""
            for file in self._read([one for one in self.differences if one.name == path]):
                yield from tried(self.problems, larger, file, read)
        dockerfile = (
            self.ctx.layout.relative(self.ctx.settings.dockerfile) if self.ctx.settings.dockerfile else ""
        )
        if images := [one for one in self.differences if is_dockerfile(one.name) or one.name == dockerfile]:
            yield from self._of_dockerfiles(self._read(images))
        if python := [one for one in self.differences if one.name.endswith(SOURCES)]:
            # Their parts are only imported for such a change.
            yield from self._of_python(self._read(python))

    @staticmethod
    def _of_dockerfiles(files: list[Changed]) -> Iterator[Loosened]:
        from ci_action.stages.gate_changes import suppressions  # as below

        return suppressions.compare_dockerfiles(files)

    def _of_python(self, files: list[Changed]) -> Iterator[Loosened]:
        from ci_action.stages.gate_changes import removed_tests, suppressions  # see above

        yield from suppressions.compare(
            files, deselected(of_pytest(self._sides[1], "addopts")), self.problems
        )
        names = ("python_files", "python_functions", "python_classes")
        before, after = (
            removed_tests.Naming(*(of_pytest(side, name) for name in names)) for side in self._sides
        )
        yield from removed_tests.compare(files, before, after, self.problems)


def _text(raw: bytes | None, path: str) -> str | None:
    """Return a text in the encoding that it declares, with every line break a newline; raises `ToolError`."""
    if raw is None:
        return None
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(raw).readline)
        return raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except (SyntaxError, LookupError, UnicodeDecodeError) as error:
        raise ToolError(f"{path} is not in the encoding that it declares") from error


def _finding(one: Loosened, level: Level) -> Finding:
    return Finding(
        tool=NAME,
        rule=one.rule,
        message=one.message,
        level=level,
        location=Location(path=one.path, line=one.line) if one.path else None,
        url=DOCUMENTATION,
        loosens=WEIGHTS[one.rule],
        new=True,
    )
