"""The settings `ignore` and `scope`: muted findings are kept, with the reason."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ci_action.model.changes import OLDER, Changes
from ci_action.model.finding import Finding
from ci_action.model.result import ToolResult
from ci_action.system.patterns import gitignore
from ci_action.system.text import did_you_mean

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_RULE = re.compile(r"(?P<tool>[^:@\s]+)(?::(?P<rule>[^:@\s]+))?(?:@(?P<pattern>.+))?")


@dataclass(frozen=True)
class IgnoreRule:
    """One entry of the `ignore` setting: `tool`, `tool:rule` or `tool:rule@path-pattern`."""

    text: str
    tool: str
    rule: str
    paths: "GitIgnoreSpec | None"

    def matches(self, finding: Finding, root: str = ".") -> bool:
        """Whether the rule matches a finding; `root` is the project's folder in the workspace."""
        if not fnmatchcase(finding.tool, self.tool) or not fnmatchcase(finding.rule, self.rule):
            return False
        if self.paths is None:
            return True
        if finding.location is None:
            return False
        path = finding.location.path
        return self.paths.match_file(path if root == "." else path.removeprefix(f"{root}/"))


def parse_ignore(text: str) -> IgnoreRule:
    """Parse one entry; raises `ValueError` if it is invalid."""
    match = _RULE.fullmatch(text)
    if match is None:
        raise ValueError(f"ignore = {text!r}: use 'tool', 'tool:rule' or 'tool:rule@path-pattern'")
    pattern = match["pattern"]
    paths = gitignore([pattern]) if pattern else None
    return IgnoreRule(text=text, tool=match["tool"], rule=match["rule"] or "*", paths=paths)


def ignore_mistakes(entries: Iterable[str], tools: Collection[str]) -> list[str]:
    """Return an error for each invalid entry of the `ignore` setting."""
    mistakes = []
    for entry in entries:
        try:
            rule = parse_ignore(entry)
        except ValueError as error:
            mistakes.append(str(error))
            continue
        if not any(fnmatchcase(tool, rule.tool) for tool in tools):
            mistakes.append(f"ignore = {entry!r}: unknown tool {rule.tool!r}{did_you_mean(rule.tool, tools)}")
    return mistakes


def mute(
    result: ToolResult, ignore: Sequence[str], root: str = ".", changes: Changes | None = None
) -> ToolResult:
    """Mute findings that an ignore rule matches, and those outside of the changes, if any are given.

    Patterns are relative to the project's folder.
    """
    rules = [parse_ignore(entry) for entry in ignore]
    if not rules and changes is None:
        return result
    found = (_muted(finding, rules, root) for finding in result.findings)
    return result.with_findings(tuple(_older(finding, changes) for finding in found))


def _older(finding: Finding, changes: Changes | None) -> Finding:
    if changes is None or finding.muted or changes.touches(finding):
        return finding
    return replace(finding, muted=OLDER)


def _muted(finding: Finding, rules: Iterable[IgnoreRule], root: str) -> Finding:
    if finding.muted:
        return finding
    for rule in rules:
        if rule.matches(finding, root):
            return replace(finding, muted=f"ignored by the setting {rule.text!r}")
    return finding
