"""The runs of tools in the sessions of nox, with what the sessions install."""

from collections.abc import Iterator, Sequence
from typing import Final

from ci_action.project.evidence.calls import call_of
from ci_action.project.layout import Layout
from ci_action.project.nox import FILE, RUNS, Session, sessions
from ci_action.project.tool_runs.model import Installs, ToolRun, variables_of
from ci_action.system.project_files import find_project_text

_UV_FLAGS: Final = ("--group", "--extra", "--only-group", "--no-group")


def runs(layout: Layout, tools: Sequence[str]) -> Iterator[ToolRun]:
    """Yield every run of the tools in a session; raises `ValueError` and `RecursionError`."""
    text = find_project_text(layout.root / FILE, layout.workspace)
    if any(tool in text for tool in tools):
        for session in sessions(text):
            yield from _of_session(session, layout, tools)


def _of_session(session: Session, layout: Layout, tools: Sequence[str]) -> Iterator[ToolRun]:
    installs = Installs(root=layout.root)
    found = []
    for one in (call for call in session.calls if not call.helper):
        if one.method == "install":
            installs.add(one.words)
            continue
        _installing(one.words, installs)
        call = call_of(one.words, lambda word: (layout.root / word).exists())
        if call is not None and call.tool in tools and one.method in RUNS:
            found.append((call, one.variables))
    source = f"{FILE}: {session.name}"
    needs = installs.dependencies(source, layout)
    own = needs.requirements or needs.groups or needs.project or needs.sync or needs.unread
    for call, variables in found:
        yield ToolRun(
            tool=call.tool.value,
            words=call.words,
            source=source,
            variables=variables_of(variables),
            needs=needs if own else None,
            pythons=tuple(text for text in session.pythons if text[:2] == "3."),
        )


def _installing(words: Sequence[str], installs: Installs) -> None:
    """Read `uv sync` and `uv pip install`."""
    if words[:2] == ("uv", "sync"):
        installs.sync = installs.sync or []
        installs.project = "--no-install-project" not in words
        rest = list(words[2:])
        while rest:
            name, equals, value = rest.pop(0).partition("=")
            if name in _UV_FLAGS:
                value = value if equals else (rest.pop(0) if rest else "")
                installs.sync.append(f"{name}={value}")
            elif name in {"--all-extras", "--all-groups", "--no-default-groups", "--no-dev"}:
                installs.sync.append(name)
    elif words[:3] == ("uv", "pip", "install"):
        installs.add(words[3:])
