"""Searches texts of an image for secrets, by the engine that searches the files of the project."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.secret_scan.baseline import Baseline, Entry, Key, load
from ci_action.engine.secret_scan.events import FAILED, SCANNED, UNREADABLE, Text
from ci_action.engine.secret_scan.findings import rule_of
from ci_action.engine.secret_scan.harmless import ENTROPY, names_credential
from ci_action.engine.secret_scan.scan import Scan, loads_code, program
from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Report
from ci_action.project.file_kinds import is_docs, is_test
from ci_action.project.layout import Layout
from ci_action.settings import Settings
from ci_action.stages.docker.image.names import is_dummy
from ci_action.system.cache import Results
from ci_action.system.errors import ToolError
from ci_action.system.redaction import Redactor

_KEYWORD: Final = "Secret Keyword"
_IN_ADDRESS: Final = "Basic Auth Credentials"
_RANDOM: Final = frozenset(map(rule_of, ENTROPY))
UNCERTAIN: Final = _RANDOM | {rule_of(_KEYWORD)}
"""The types of values that only look like a secret."""
OF_JOB: Final = "secret-of-the-job"
"""The type of secrets of our own environment, such as the token of the job."""
_ANY_VALUE: Final = UNCERTAIN | {rule_of(_IN_ADDRESS)}
# Files in which what only looks like a secret is an example: beside tests and documentation those made to be edited, those
# of a CI, and compressed JavaScript.
_EXAMPLE: Final = re.compile(
    r".*[.-](?:example|sample|template|tmpl|dist)s?(?:\.[^/]*)?|.*/\.github/.*|.*\.min\.js|.*\.map",
    re.IGNORECASE,
)
_RATED: Final = frozenset({"critical", "high", "unknown"})
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST: Final = 100
# Names of files with assignments without quotes, which the engine only understands in files of other names.
_ENVIRONMENT: Final = re.compile(
    r"(?:.*\.)?env(?:\..*)?|\.?(?:pypirc|netrc|npmrc|pgpass|s3cfg)", re.IGNORECASE
)
_ASSIGNING: Final = ".properties"


@dataclass(frozen=True)
class Hit:
    """A possible secret in a text."""

    rule: str
    """The type, as a rule."""
    line: int


@dataclass(frozen=True, kw_only=True)
class Searched:
    """The result of a search."""

    hits: Mapping[str, tuple[Hit, ...]]
    """Those of each file that was searched."""
    failed: frozenset[str] = frozenset()
    """Those that could not be searched."""
    problem: str = ""
    """Why not all files were searched."""


def file_name(number: int, path: str) -> str:
    """Return the name under which a file of an image is written: its kind stays, nothing of it leads anywhere."""
    name = _ODD.sub("_", path.rpartition("/")[2])[-_LONGEST:].lstrip("-") or "_"
    return f"{number:06d}/{name}{_ASSIGNING if _ENVIRONMENT.fullmatch(name) else ''}"


def accepted(ctx: Context) -> Baseline:
    """Return the baseline of the project without plugins of the project; an empty one if it is invalid."""
    try:
        found = load(ctx.layout, ctx.settings)
    except ToolError:  # reported by the stage `security`
        return Baseline(file=ctx.layout.root / "none", root=ctx.layout.root)
    return replace(found, document={}) if loads_code(found.configuration) else found


def baseline_of(given: Baseline, folder: Path, paths: Mapping[str, str]) -> Baseline:
    """Return a baseline for files of an image that are written to a folder; `paths` are their names in the image.

    What the project has accepted in one of its files is accepted in a copy of it: in a file with the same end of its path.
    """
    by_last: dict[str, list[tuple[str, str]]] = {}
    for name, path in paths.items():
        by_last.setdefault(path.rpartition("/")[2], []).append((name, path))
    entries: dict[Key, Entry] = {}
    for (file, kind, value), entry in given.entries.items():
        for name, path in by_last.get(file.rpartition("/")[2], ()):
            if path.endswith(f"/{file}"):
                entries[name, kind, value] = entry
    return replace(given, file=folder / given.file.name, root=folder, entries=entries)


def search(
    ctx: Context, folder: Path, paths: Mapping[str, str], baseline: Baseline, results: Results
) -> Searched:
    """Search files that were written to a folder; their values are redacted from now on.

    `paths` are their names in the image. Raises `ToolError` if the engine is not available.
    """
    settings = Settings(**{**vars(ctx.settings), "secrets_verify": False})
    inner = replace(ctx, settings=settings, layout=Layout(workspace=folder, root=folder), changes=None)
    own = baseline_of(baseline, folder, paths)
    scan = Scan(ctx=inner, program=program(ctx), baseline=own, results=results)
    scan.look(list(paths))
    outcome = scan.outcome()
    findings = outcome.findings if isinstance(outcome, Report | Broken) else ()
    hits: dict[str, list[Hit]] = {name: [] for name in paths if name in scan.seen}
    for finding in findings:
        if finding.path in hits and _counts(finding, scan.texts.get(finding.path), paths[finding.path]):
            hits[finding.path].append(Hit(finding.rule, finding.line or 1))
    states = {name: one.state for name, one in scan.seen.items()}
    return Searched(
        hits={name: tuple(found) for name, found in hits.items() if states[name] == SCANNED},
        failed=frozenset(name for name, state in states.items() if state in {FAILED, UNREADABLE}),
        problem=scan.problem,
    )


def _counts(finding: Finding, text: Text | None, path: str) -> bool:
    """Return whether a finding is a secret, and not a random-looking value, a placeholder, or an example."""
    if finding.muted or finding.severity not in _RATED:
        return False
    rules = {finding.rule, *(one.partition(":")[2] for one in finding.also)}
    if not rules <= _ANY_VALUE:
        return True
    if is_example(path):
        return False
    place = finding.location
    if text is None or place is None or not place.line or not place.column or not place.end_column:
        return not rules <= _RANDOM
    value = text.line(place.line)[place.column - 1 : place.end_column - 1]
    return not is_dummy(value) and (not rules <= _RANDOM or names_credential(text, value, place.line))


def is_example(path: str) -> bool:
    """Return whether a file of an image has examples of secrets: tests, documentation and the like."""
    return is_test(path) or is_docs(path) or _EXAMPLE.fullmatch(path) is not None


def write(folder: Path, name: str, content: bytes) -> None:
    """Write a file; its folder is new and ours."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with open(descriptor, "wb") as stream:
        stream.write(content)


def of_job(redact: Redactor, content: bytes) -> Iterator[Hit]:
    """Yield the lines of a text with secrets of our own environment, such as the token that a checkout leaves behind."""
    text = content.decode("utf-8", "replace")
    if redact.known(text) != text:
        lines = enumerate(text.split("\n"), 1)
        yield from [Hit(OF_JOB, number) for number, line in lines if redact.known(line) != line] or [
            Hit(OF_JOB, 1)
        ]


def is_binary(content: bytes) -> bool:
    """Return whether a file is not a text."""
    return b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff"))


def grouped(hits: Sequence[Hit]) -> str:
    """Return hits for a message: `github-token on line 3, secret-keyword on lines 4 and 9`."""
    lines: dict[str, list[int]] = {}
    for hit in hits:
        lines.setdefault(hit.rule, []).append(hit.line)
    return ", ".join(f"{rule} on {_lines(sorted(set(numbers)))}" for rule, numbers in sorted(lines.items()))


def _lines(numbers: Iterable[int]) -> str:
    first, *rest = numbers
    if not rest:
        return f"line {first}"
    return f"line {first} and {len(rest):,} more"


def lines_of(texts: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines of texts, each with the number of its text."""
    for number, text in enumerate(texts):
        for line in text.splitlines() or [""]:
            yield number, line
