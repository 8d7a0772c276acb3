"""A model of what the runner makes of a log and of its command files, after actions/runner.

ActionCommand.cs (TryParseV2, TryParse), FileCommandManager.cs (EnvFileKeyValuePairs), ActionCommandManager.cs.
"""

import re
from dataclasses import dataclass, field

REGISTERED = frozenset(
    [
        "error",
        "warning",
        "notice",
        "debug",
        "group",
        "endgroup",
        "add-mask",
        "add-matcher",
        "remove-matcher",
        "stop-commands",
        "echo",
        "set-output",
        "save-state",
        "set-env",
        "add-path",
    ]
)
# The characters of .NET's Char.IsWhiteSpace, which TrimStart() removes.
_WHITE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
_OLD = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))


@dataclass
class Seen:
    """A command as the runner reads it."""

    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


def log_lines(text: str) -> list[str]:
    """Split as .NET's StreamReader.ReadLine does."""
    return re.split(r"\r\n|\n|\r", text)


def could_be_command(line: str) -> bool:
    """Whether a line has the beginning of either syntax, whatever the name."""
    return line.lstrip(_WHITE).startswith("::") or "##[" in line


def commands(text: str) -> list[Seen]:
    """Return the registered commands of a log, `stop-commands` respected."""
    found: list[Seen] = []
    token = ""
    for line in log_lines(text):
        seen = _new(line) or _old(line)
        if seen is None:
            continue
        if token:
            token = "" if seen.name == token else token
        elif seen.name in REGISTERED:
            found.append(seen)
            token = seen.data.lower() if seen.name == "stop-commands" else ""
    return found


def _new(line: str) -> Seen | None:
    trimmed = line.lstrip(_WHITE)
    end = trimmed.find("::", 2)
    if not trimmed.startswith("::") or end < 0:
        return None
    return _seen(trimmed[2:end], trimmed[end + 2 :], ",", _PROPERTY, _DATA)


def _old(line: str) -> Seen | None:
    start, end = line.find("##["), line.find("]", line.find("##[") + 1)
    if start < 0 or end < 0:
        return None
    return _seen(line[start + 3 : end], line[end + 1 :], ";", _OLD, _OLD)


def _seen(
    head: str,
    data: str,
    separator: str,
    properties: tuple[tuple[str, str], ...],
    text: tuple[tuple[str, str], ...],
) -> Seen:
    name, _, rest = head.partition(" ")
    pairs = (part.split("=", 1) for part in rest.strip().split(separator) if part)
    kept = {pair[0]: _unescaped(pair[1], properties) for pair in pairs if len(pair) > 1 and pair[1]}
    return Seen(name.lower(), _unescaped(data, text), kept)


def _unescaped(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for escaped, plain in table:
        text = text.replace(escaped, plain)
    return text


def key_values(text: str) -> dict[str, str]:
    """Read a file of outputs; raises `ValueError` where the runner fails the step."""
    found: dict[str, str] = {}
    rest = text
    while rest:
        line, newline, rest = rest.partition("\n")
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, value = line[:equals], line[equals + 1 :]
        elif heredoc >= 0:
            name, delimiter = line[:heredoc], line[heredoc + 2 :]
            if not name or not delimiter or not newline:
                raise ValueError(f"no name or delimiter: {line!r}")
            value, rest = _heredoc(rest, delimiter)
        else:
            raise ValueError(f"invalid format {line!r}")
        if not name:
            raise ValueError("name must not be empty")
        found[name] = value
    return found


def _heredoc(rest: str, delimiter: str) -> tuple[str, str]:
    lines: list[str] = []
    while rest:
        line, newline, rest = rest.partition("\n")
        if line == delimiter:
            return "\n".join(lines), rest
        if not newline:
            break
        lines.append(line)
    raise ValueError("matching delimiter not found")
