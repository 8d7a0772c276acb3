"""Reads a Dockerfile as BuildKit does, as far as places, stages and base images need it. Nothing in a file is an error."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ci_action.project.layout import Layout
from ci_action.settings import Settings
from ci_action.stages.docker.discovery import dockerfile_of
from ci_action.stages.docker.model import BuildStage, Dockerfile, Instruction
from ci_action.system.project_files import read_project_file

_DIRECTIVE: Final = re.compile(r"#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(.*)")
_ESCAPES: Final = ("\\", "`")
_BLANK: Final = " \t\v\f\r"
_SPACE: Final = re.compile(f"[{_BLANK}]+")
_QUOTED: Final = re.compile(r"""\\(.)|['"]""", re.DOTALL)
_QUOTES: Final = "'\""
_HEREDOC: Final = re.compile(r"\d*<<(-?)([^<]+)", re.DOTALL)
_WITH_HEREDOCS: Final = frozenset({"ADD", "COPY", "RUN"})
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-+])(?P<word>[^{}]*))?\})",
    re.ASCII,
)


def read(settings: Settings, layout: Layout) -> Dockerfile:
    """Read the Dockerfile of the image; raises `ProjectFileError`."""
    file = dockerfile_of(settings, layout)
    return parse(read_project_file(file, layout.workspace), layout.relative(file))


def parse(raw: bytes, path: str) -> Dockerfile:
    """Return the instructions of a Dockerfile by stages; `path` is relative to the workspace."""
    before: list[Instruction] = []
    stages: list[tuple[Instruction, list[Instruction]]] = []
    for one in instructions(raw):
        if one.name == "FROM":
            stages.append((one, []))
        else:
            (stages[-1][1] if stages else before).append(one)
    arguments = (pair for one in before if one.name == "ARG" for pair in _assignments(one.value))
    return Dockerfile(path=path, stages=tuple(_stage(*one) for one in stages), arguments=tuple(arguments))


def instructions(raw: bytes) -> Iterator[Instruction]:
    """Yield every instruction of a Dockerfile in its order."""
    lines = _lines(raw)
    escape = _directives(lines).get("escape", "")
    return _instructions(lines, escape if escape in _ESCAPES else _ESCAPES[0])


def frontend(raw: bytes) -> str:
    """Return the image that a Dockerfile names as its parser, `docker/dockerfile:1`; empty without one."""
    return _directives(_lines(raw)).get("syntax", "")


def with_arguments(dockerfile: Dockerfile, given: Mapping[str, str]) -> Dockerfile:
    """Return a Dockerfile whose bases have the values of build arguments, in place of the defaults.

    Arguments of the platform (`platform_arguments`) need no declaration in the file.
    """
    known = {name: value for name, value in given.items() if name in _PLATFORM}
    for name, default in dockerfile.arguments:
        known[name] = given[name] if name in given else expanded(default, known)
    stages = (replace(one, base=_unquoted(expanded(one.base, known))) for one in dockerfile.stages)
    return replace(dockerfile, stages=tuple(stages))


_PLATFORM: Final = ("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT")


def platform_arguments(platform: str) -> dict[str, str]:
    """Return the build arguments of a platform such as `linux/arm/v7`, which BuildKit sets."""
    parts = [*platform.split("/"), "", "", ""]
    return dict(zip(_PLATFORM, (platform, *parts[:3]), strict=True))


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Return text with `$X`, `${X}`, `${X:-default}` and `${X:+text}` replaced; an unknown variable is empty."""
    return _VARIABLE.sub(lambda match: _value(match, values), text)


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    name = match["plain"] or match["name"]
    operator, word = match["operator"] or "", match["word"] or ""
    is_set = bool(values.get(name)) if operator.startswith(":") else name in values
    if operator.endswith("+"):
        return word if is_set else ""
    if operator.endswith("-") and not is_set:
        return word
    return values.get(name, "")


def _lines(raw: bytes) -> list[str]:
    return [line.rstrip("\r") for line in raw.decode("utf-8-sig", "replace").removesuffix("\n").split("\n")]


def _directives(lines: Iterable[str]) -> dict[str, str]:
    """Return the directives, which are the first lines of a file: their names in lower case, the first of each."""
    found: dict[str, str] = {}
    for line in lines:
        match = _DIRECTIVE.fullmatch(line)
        if match is None:
            break
        found.setdefault(match[1].lower(), match[2].strip())
    return found


def _instructions(lines: Sequence[str], escape: str) -> Iterator[Instruction]:
    number = 0
    while number < len(lines):
        first = number
        text, number = _joined(lines, number, escape)
        name, *rest = _SPACE.split(text.strip(_BLANK), 1)
        if name:
            number = _after_heredocs(lines, number, _heredocs(text, escape))
            yield Instruction(name=name.upper(), value="".join(rest), line=first + 1, end_line=number)


def _joined(lines: Sequence[str], number: int, escape: str) -> tuple[str, int]:
    """Return the instruction that begins on a line, without comments, and the number of the line after it."""
    parts: list[str] = []
    while number < len(lines):
        line = lines[number]
        number += 1
        words = line.strip(_BLANK)
        if words and not words.startswith("#"):
            body = line.rstrip(" \t")
            if not body.endswith(escape) or body[:-1].endswith(escape):
                return "".join([*parts, line]), number
            parts.append(body[:-1])
        elif not parts:
            break
    return "".join(parts), number


def _heredocs(text: str, escape: str) -> list[tuple[str, bool]]:
    """Return the last lines of the heredocs of an instruction, and whether tabs before them are ignored."""
    if "<<" not in text:
        return []
    words = _words(text, escape)
    name = next((word for word in map(str.upper, words) if word != "ONBUILD"), "")
    matches = map(_HEREDOC.fullmatch, words) if name in _WITH_HEREDOCS else ()
    return [(_unquoted(match[2]), bool(match[1])) for match in matches if match]


def _after_heredocs(lines: Sequence[str], number: int, heredocs: Iterable[tuple[str, bool]]) -> int:
    for end, tabs in heredocs:
        while number < len(lines):
            line = lines[number]
            number += 1
            if (line.lstrip("\t") if tabs else line) == end:
                break
    return number


def _words(text: str, escape: str = _ESCAPES[0]) -> list[str]:
    """Return the words of an instruction as they are written, with their quotes; none if a quote is not closed."""
    words: list[str] = []
    start, quote, escaped = -1, "", False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == escape and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
        elif char.isspace():
            if start >= 0:
                words.append(text[start:index])
            start = -1
            continue
        start = index if start < 0 else start
    if quote:
        return []
    return [*words, text[start:]] if start >= 0 else words


def _unquoted(text: str) -> str:
    return _QUOTED.sub(r"\1", text)


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for word in _words(text):
        name, _, value = word.partition("=")
        yield name, _unquoted(value)


def _stage(start: Instruction, instructions: Iterable[Instruction]) -> BuildStage:
    words = [word for word in start.value.split() if not word.startswith("--")]
    base, *rest = words or [""]
    name = rest[1].lower() if len(rest) > 1 and rest[0].lower() == "as" else ""
    return BuildStage(base=base, name=name, instructions=tuple(instructions), start=start)
