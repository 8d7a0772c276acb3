"""The results of the tools without ci-action, to compare with."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from ci_action.model.result import ToolResult

BIN = Path(sys.prefix) / "bin"
PLACE = ("line", "column", "end_line", "end_column")
_LISTED = re.compile(r"^(?:would reformat (?P<a>.+)|(?P<b>.+) already well formatted, good job\.)$")
_FAILED = re.compile(r"^error: (?:cannot format (?P<a>.+?): |cannot parse[^:]*: (?P<b>.+?):\d+:\d+)")


def environment(home: Path) -> dict[str, str]:
    """Return an environment without configuration at home and without our own variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("INPUT_", "GITHUB_"))}
    return {
        **kept,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "BLACK_CACHE_DIR": str(home),
        "NO_COLOR": "1",
    }


def ruff_findings(project: Path, *options: str, paths: tuple[str, ...] = (".",)) -> Counter[tuple[Any, ...]]:
    """Return what `ruff check` finds: path, rule, message, start, end; as often as it says so."""
    argv: list[str | Path] = [
        BIN / "ruff",
        "check",
        "--no-cache",
        "--no-fix",
        "--output-format=json",
        *options,
        "--",
        *paths,
    ]
    done = subprocess.run(
        argv, cwd=project, capture_output=True, check=False, env=environment(project.parent)
    )
    assert done.returncode in {0, 1}, done.stderr
    found = Counter[tuple[Any, ...]]()
    for entry in json.loads(done.stdout):
        start, end = entry["location"], entry["end_location"]
        place = (start["row"], start["column"], end["row"], end["column"])
        found[
            os.path.relpath(entry["filename"], project),
            entry["code"] or "invalid-syntax",
            entry["message"],
            place,
        ] += 1
    return found


def black_listing(
    project: Path, *options: str, paths: tuple[str, ...] = (".",)
) -> tuple[set[str], set[str], set[str]]:
    """Return the files that `black --check` checks, those that it would change, those that it cannot format."""
    argv: list[str | Path] = [BIN / "black", "--check", "--verbose", *options, *paths]
    done = subprocess.run(
        argv, cwd=project, capture_output=True, check=False, text=True, env=environment(project.parent)
    )
    assert done.returncode in {0, 1, 123}, done.stderr
    seen, changed, failed = set(), set(), set()
    for line in done.stderr.splitlines():
        if match := _LISTED.match(line):
            name = os.path.relpath(os.path.join(project, match["a"] or match["b"]), project)
            seen.add(name)
            if match["a"]:
                changed.add(name)
        elif match := _FAILED.match(line):
            failed.add(os.path.relpath(os.path.join(project, match["a"] or match["b"]), project))
    return seen | failed, changed, failed


def formatted(project: Path, copy: Path, *options: str, paths: tuple[str, ...] = (".",)) -> Path:
    """Let the bare Black rewrite a copy of the project; return the copy."""
    shutil.copytree(project, copy, symlinks=True)
    subprocess.run(
        [BIN / "black", "--quiet", *options, *paths],
        cwd=copy,
        check=False,
        capture_output=True,
        env=environment(copy.parent),
    )
    return copy


def applied(source: bytes, findings: list[dict[str, Any]]) -> bytes:
    """Apply the changes of our findings to a file, the last one first."""
    newline = b"\r\n" if source.partition(b"\n")[0].endswith(b"\r") else b"\n"
    lines = source.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    lines = [line.removesuffix(b"\r") for line in lines]
    for finding in sorted(findings, key=lambda one: -one["line"]):
        before = finding["before"].encode().split(b"\n")[:-1]
        after = finding["after"].encode().split(b"\n")[:-1]
        start = finding["line"] - 1
        if not before and start == len(lines) - 1 and finding["line"] == finding["end_line"] and not after:
            continue
        assert lines[start : start + len(before)] == before, (finding, lines[start : start + len(before)])
        lines[start : start + len(before)] = after
    return newline.join(lines) + newline if lines else b""


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder with its content."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def git_add(folder: Path) -> None:
    """Have git track every file of a repository."""
    subprocess.run(["git", "-C", str(folder), "add", "--all"], check=True)


def bandit_report(project: Path) -> str:
    """Return the JSON of `bandit -r`."""
    argv = [str(BIN / "bandit"), "-q", "-f", "json", "-r", "."]
    done = subprocess.run(
        argv, cwd=project, capture_output=True, check=False, text=True, env=environment(project.parent)
    )
    assert done.returncode in {0, 1}, done.stderr
    return str(done.stdout)


def bandit_findings(project: Path) -> Counter[tuple[Any, ...]]:
    """Return what `bandit -r` finds: path, line, test, severity, confidence; as often as it says so."""
    results = json.loads(bandit_report(project))["results"]
    names = ("line_number", "test_id", "issue_severity", "issue_confidence")
    return Counter((os.path.normpath(one["filename"]), *(one[name] for name in names)) for one in results)


def of_bandit(found: ToolResult) -> Counter[tuple[Any, ...]]:
    """Return the same of our findings, both ratings as their messages show them."""
    rated = re.compile(r"\(bandit: (\w+) severity, (\w+) confidence\)$")
    matches = [(one, rated.search(one.message)) for one in found.findings if one.rule.startswith("B")]
    return Counter(
        (one.location.path, one.location.line, one.rule, match[1].upper(), match[2].upper())
        for one, match in matches
        if one.location and match
    )
