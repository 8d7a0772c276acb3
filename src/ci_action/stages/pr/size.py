"""The size of a pull request: more files or lines than the limit are a finding that names the largest folders."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.github.pull_request import Pull
from ci_action.model.finding import Finding, Level
from ci_action.model.result import Broken, Counted, Report
from ci_action.project.file_kinds import is_lock
from ci_action.stages.pr.changed_files import ChangedFile, PullFiles
from ci_action.stages.pr.changed_files_source import files_of
from ci_action.stages.pr.tool import tool_of_pull
from ci_action.system.patterns import gitignore
from ci_action.system.text import counted, listed

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_DOCUMENTATION: Final = (
    "https://docs.github.com/pull-requests/collaborating-with-pull-requests/getting-started/helping-others-review-your-changes"
)
# The thresholds of Prow's size plugin, which the apps for GitHub use too: the minimum of counted lines.
CLASSES: Final = {"XS": 0, "S": 10, "M": 30, "L": 100, "XL": 500, "XXL": 1000}
_VENDORED: Final = frozenset({
    "vendor", "vendors", "_vendor", "vendored", "third_party", "third-party", "node_modules", "bower_components",
})  # fmt: skip
# Folders are divided until none holds more than this part of the files, or there are enough of them.
_TOO_LARGE_A_PART: Final = 0.5
_MOST_PARTS: Final = 12
_MOST_FOLDERS: Final = 10
_MOST_NAMED: Final = 5


class Reason(StrEnum):
    """Why a file does not count."""

    MOVED = "moved without a change"
    LOCK = "lock files"
    GENERATED = "generated in .gitattributes"
    VENDORED = "vendored"
    IGNORED = "in size-ignore"


@dataclass(frozen=True, kw_only=True)
class Size:
    """The size of a pull request, without the files that do not count."""

    files: int
    lines: int
    known: tuple[ChangedFile, ...]
    """The known files that count."""
    left_out: Mapping[Reason, tuple[ChangedFile, ...]]

    @property
    def name(self) -> str:
        """The class: XS, S, M, L, XL or XXL."""
        return [name for name, minimum in CLASSES.items() if self.lines >= minimum][-1]

    @property
    def left(self) -> int:
        """The number of files that do not count."""
        return sum(map(len, self.left_out.values()))


def measure(pull: PullFiles, ignore: Sequence[str] = ()) -> Size:
    """Return the size of a pull request; `ignore` are patterns of `.gitignore`.

    Files that GitHub does not list count, with their lines.
    """
    spec = gitignore(ignore)
    kept: list[ChangedFile] = []
    left_out: dict[Reason, list[ChangedFile]] = {}
    for file in pull.files:
        reason = _why_left_out(file, pull, spec)
        (left_out.setdefault(reason, []) if reason else kept).append(file)
    return Size(
        files=pull.total - len(pull.files) + len(kept),
        lines=pull.lines - sum(file.lines for files in left_out.values() for file in files),
        known=tuple(kept),
        left_out={reason: tuple(left_out[reason]) for reason in Reason if reason in left_out},
    )


def _why_left_out(file: ChangedFile, pull: PullFiles, ignore: "GitIgnoreSpec") -> Reason | None:
    marks = pull.marks.get(file.name)
    generated, vendored = (marks.generated, marks.vendored) if marks else (None, None)
    if file.moved:
        return Reason.MOVED
    if generated is None and is_lock(file.name):
        return Reason.LOCK
    if generated:
        return Reason.GENERATED
    if vendored if vendored is not None else not _VENDORED.isdisjoint(file.name.split("/")[:-1]):
        return Reason.VENDORED
    return Reason.IGNORED if ignore.match_file(file.name) else None


def folders(files: Sequence[ChangedFile]) -> dict[str, list[ChangedFile]]:
    """Return the folders of files; `.` is the top of the repository.

    A folder that holds most of the files is divided: `src` alone has no meaning.
    """
    groups = _grouped(files, "")
    while groups and len(groups) < _MOST_PARTS:
        name, inside = max(groups.items(), key=lambda group: len(group[1]))
        if len(inside) <= len(files) * _TOO_LARGE_A_PART:
            break
        parts = _grouped(inside, f"{name}/")
        if name == "." or list(parts) == [name]:
            break
        del groups[name]
        groups |= parts
    return groups


def _grouped(files: Sequence[ChangedFile], prefix: str) -> dict[str, list[ChangedFile]]:
    groups: dict[str, list[ChangedFile]] = {}
    for file in files:
        head, separator, _ = file.name.removeprefix(prefix).partition("/")
        name = prefix + head if separator else prefix.removesuffix("/") or "."
        groups.setdefault(name, []).append(file)
    return groups


def _judge(ctx: Context, pull: Pull) -> Checked:
    """Count the changes of the pull request."""
    files = files_of(ctx, pull)
    size = measure(files, ctx.settings.size_ignore)
    groups = folders(size.known)
    findings = tuple(_findings(ctx, size, groups))
    if findings and ctx.settings.size_blocking and files.numbers_only:
        # Without the files that do not count it could be small enough.
        return Checked(outcome=Broken(files.note))
    report = Report(
        findings=findings,
        examined={Counted.FILES: size.files, Counted.LEFT_OUT: size.left},
        metrics={"size_files": size.files, "size_lines": size.lines},
        details=tuple(_details(files, size, groups)),
    )
    return Checked(outcome=report, warnings=(files.note,) if files.note else ())


def _findings(ctx: Context, size: Size, groups: Mapping[str, Sequence[ChangedFile]]) -> Iterator[Finding]:
    settings = ctx.settings
    left = f"; {counted(size.left, 'more file')} {'does' if size.left == 1 else 'do'} not count"
    for what, number, limit, amount in (
        ("files", size.files, settings.max_files, len),
        ("lines", size.lines, settings.max_lines, _lines),
    ):
        if not limit or number <= limit:
            continue
        largest = sorted(((amount(files), name) for name, files in groups.items()), key=_largest_first)
        where = ", ".join(f"{name} ({one:,})" for one, name in largest[:_MOST_NAMED] if one)
        text = f"{number:,} changed {what} are more than {limit:,}"
        yield Finding(
            tool="size",
            rule=f"too-many-{what}",
            message=text + (f", most of them in {where}" if where else "") + (left if size.left else ""),
            level=Level.ERROR if settings.size_blocking else Level.WARNING,
            url=_DOCUMENTATION,
        )


def _largest_first(folder: tuple[int, str]) -> tuple[int, str]:
    return -folder[0], folder[1]


def _lines(files: Iterable[ChangedFile]) -> int:
    return sum(file.lines for file in files)


def _details(files: PullFiles, size: Size, groups: Mapping[str, Sequence[ChangedFile]]) -> Iterator[str]:
    found = sorted((-len(inside), -_lines(inside), name) for name, inside in groups.items())
    for number, lines, name in found[:_MOST_FOLDERS]:
        yield f"{name}: {counted(-number, 'file')}, {counted(-lines, 'line')}"
    if len(found) > _MOST_FOLDERS:
        yield f"and {len(found) - _MOST_FOLDERS:,} more folders"
    for reason, left_out in size.left_out.items():
        yield f"left out: {reason} ({len(left_out):,}): {listed([file.name for file in left_out], 3)}"
    if files.unmarked:
        yield f"linguist-generated is unknown: {files.unmarked}"


def plan(ctx: Context) -> str:
    """Return the limits."""
    limits = [(ctx.settings.max_files, "files"), (ctx.settings.max_lines, "lines")]
    asked = [f"{most:,} {what}" for most, what in limits if most]
    return f"at most {' and '.join(asked)}" if asked else "no limit"


TOOL: Final = tool_of_pull(
    "size",
    "Number of changed files and lines, without lock files, generated and vendored files.",
    _DOCUMENTATION,
    _judge,
    plan,
)
