"""What the engine knows about an image: its user, its variables, and the steps of its history. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from ci_action.model.docker import Layer
from ci_action.model.finding import Location
from ci_action.stages.docker.model import Dockerfile, Instruction
from ci_action.system.errors import ToolError
from ci_action.system.text import one_line

_NAMES: Final = frozenset({
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN",
    "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
})  # fmt: skip
_RUN: Final = "RUN"
_ASSIGNING: Final = frozenset({"ARG", "ENV"})
_ONBUILD: Final = "ONBUILD"
_MARK: Final = " # buildkit"
# The classic builder writes this before everything but RUN.
_NO_OPERATION: Final = "#(nop)"
_SHELL: Final = "/bin/sh -c "
# Before the command: the number of its build arguments and these.
_ARGUMENTS: Final = re.compile(r"\|\d+ ")
# What follows the last build argument: a shell, a list of words, or a path on Windows.
_COMMAND: Final = re.compile(r" (?=/|\[|[A-Za-z]:\\|cmd |powershell )")
_MOST_SHOWN: Final = 200
# An image that was imported has no commands.
_UNKNOWN: Final = "unknown command"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One entry of an image's history."""

    command: str
    """As the builder wrote it."""
    size: int
    own: bool = False
    """Whether the Dockerfile adds it; the others are of the base image."""
    instruction: Instruction | None = None
    """The instruction of the Dockerfile; None if it is not known."""

    @property
    def name(self) -> str:
        """The name of its instruction, in capitals; empty if the entry has no text."""
        text = self.text
        first = text.partition(" ")[0]
        return first if first in _NAMES else _RUN if text else ""

    @property
    def text(self) -> str:
        """Its command without what the builder added."""
        text = self.command.removesuffix(_MARK).strip()
        before, found, after = text.partition(_NO_OPERATION)
        return after.strip() if found and before.startswith("/") else text

    @property
    def assigned(self) -> str:
        """The build arguments before its command, as the builder wrote them; empty without any."""
        text = self.text.removeprefix(f"{_RUN} ")
        found = _ARGUMENTS.match(text)
        return text[found.end() :] if found else ""

    @property
    def sets_variables(self) -> bool:
        """Whether its text are the names and values of variables: `variables` yields those that the Dockerfile declares."""
        return self.instruction is not None and self.name in _ASSIGNING

    @property
    def body(self) -> str:
        """Its command without build arguments and the shell: `RUN pip install .`."""
        text = self.text.removeprefix(f"{_RUN} ")
        if assigned := self.assigned:
            _, found, command = assigned.partition(f" {_SHELL}")
            text = command if found else _COMMAND.split(assigned, maxsplit=1)[-1]
        text = text.removeprefix(_SHELL)
        return f"{_RUN} {text}" if self.name == _RUN else text

    @property
    def shown(self) -> str:
        """Its command for people, on one line: the instruction if it is known."""
        known = self.instruction
        shown = one_line(" ".join((f"{known.name} {known.value}" if known else self.body).split()))
        return shown if len(shown) <= _MOST_SHOWN else f"{shown[: _MOST_SHOWN - 1]}…"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the engine knows about an image."""

    size: int
    user: str
    env: Mapping[str, str]
    layers: tuple[str, ...]
    """The digests of its unpacked layers, the first one first."""
    steps: tuple[Step, ...]
    """The first one first."""
    matched: bool = True
    """Whether the history agrees with the Dockerfile, so that the lines of its steps are known."""

    @property
    def own(self) -> tuple[Step, ...]:
        """The steps that the Dockerfile adds."""
        return tuple(step for step in self.steps if step.own)

    @property
    def shown(self) -> tuple[Layer, ...]:
        """The steps that add something to the image."""
        return tuple(
            Layer(command=step.shown or _UNKNOWN, size=step.size, own=step.own)
            for step in self.steps
            if step.size
        )


class _Config(msgspec.Struct, rename="pascal"):
    user: str | None = ""
    env: tuple[str, ...] | None = None


class _RootFS(msgspec.Struct, rename="pascal"):
    layers: tuple[str, ...] | None = None


class _Inspected(msgspec.Struct, rename="pascal"):
    size: int
    config: _Config | None = None
    root_fs: _RootFS | None = msgspec.field(default=None, name="RootFS")


class _Entry(msgspec.Struct, rename="pascal"):
    created_by: str = ""
    size: int | str = 0


def facts_of(inspected: object, history: Iterable[object], dockerfile: Dockerfile, target: str) -> Facts:
    """Return the facts of `docker image inspect` and `docker history`; raises `ToolError` if they cannot be understood."""
    try:
        image = msgspec.convert(inspected, _Inspected)
        entries = [msgspec.convert(one, _Entry) for one in history]
        steps = [Step(command=one.created_by, size=max(0, int(one.size))) for one in reversed(entries)]
    except ValueError as error:
        raise ToolError(f"could not understand what Docker knows about the image: {error}") from error
    config = image.config or _Config()
    pairs = (entry.partition("=") for entry in config.env or ())
    layers = (image.root_fs or _RootFS()).layers or ()
    found, matched = matching(steps, dockerfile, target)
    return Facts(
        size=image.size,
        user=(config.user or "").strip(),
        env={name: value for name, _, value in pairs},
        layers=layers,
        steps=tuple(found),
        matched=matched,
    )


def matching(steps: Sequence[Step], dockerfile: Dockerfile, target: str) -> tuple[list[Step], bool]:
    """Return the steps with what the Dockerfile adds, which are the newest ones; and whether they are its instructions."""
    chain = dockerfile.chain(target)
    wanted = [one for stage in reversed(chain) for one in stage.instructions]
    first = max(0, len(steps) - len(wanted))
    base, own = steps[:first], steps[first:]
    names = [one.name for one in own]
    if names != [one.name for one in wanted]:
        return [*base, *(replace(step, own=True) for step in own)], False
    placed = [
        replace(step, own=True, instruction=instruction)
        for step, instruction in zip(own, wanted, strict=True)
    ]
    triggered = _triggered(base)
    start = chain[-1].start if chain else None
    before = len(base) - triggered
    return [
        *base[:before],
        *(replace(step, own=True, instruction=start) for step in base[before:]),
        *placed,
    ], True


def _triggered(base: Sequence[Step]) -> int:
    """Return the number of the newest steps that the base image's ONBUILD instructions have added to this build."""
    waiting = [step.text.split()[1].upper() for step in base if step.name == _ONBUILD and " " in step.text]
    for number in range(len(waiting), 0, -1):
        if [step.name for step in base[-number:]] == waiting[-number:]:
            return number
    return 0


def place_of(step: Step | None, dockerfile: Dockerfile, otherwise: Location) -> Location:
    """Return the lines of a step's instruction; `otherwise` if they are not known."""
    if step is None or step.instruction is None:
        return otherwise
    found = step.instruction
    return Location(path=dockerfile.path, line=found.line, end_line=found.end_line)


def build_arguments(steps: Iterable[Step], names: Iterable[str]) -> dict[str, str]:
    """Return the values of build arguments that the history shows, by the names that the Dockerfile declares."""
    known = tuple(names)
    found: dict[str, str] = {}
    for step in steps:
        for name, value in _values(step.assigned, known):
            # After the last one comes the command.
            found.setdefault(name, _COMMAND.split(value, maxsplit=1)[0])
    return found


def variables(steps: Iterable[Step], names: Iterable[str]) -> Iterator[tuple[str, str, Step]]:
    """Yield the variables that steps set, with their values in the history and the step."""
    known = tuple(names)
    for step in steps:
        if step.name in _ASSIGNING:
            for name, value in _values(step.text.partition(" ")[2], known):
                yield name, value, step


def _values(text: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the values of `A=1 B=two words`: a value ends where the next name begins."""
    if not names or not text:
        return
    places = [*re.finditer(rf"(?:^|(?<= ))({'|'.join(map(re.escape, names))})=", text)]
    ends = [*(place.start() - 1 for place in places[1:]), len(text)]
    for place, end in zip(places, ends, strict=False):
        yield place[1], text[place.end() : end]


def declared(dockerfile: Dockerfile, target: str, name: str) -> dict[str, Instruction]:
    """Return what ARG or ENV instructions of the image's stages name, each with its last instruction."""
    found: dict[str, Instruction] = {}
    for stage in reversed(dockerfile.chain(target)):
        for one in stage.instructions:
            if one.name == name:
                found |= dict.fromkeys(_assigned_names(one.value), one)
    return found


_ASSIGNED: Final = re.compile(r"(?:^|\s)([A-Za-z_][\w.-]*)(?==)")
_WORD: Final = re.compile(r"\s*([A-Za-z_][\w.-]*)")


def _assigned_names(value: str) -> list[str]:
    names = _ASSIGNED.findall(value)
    first: Any = _WORD.match(value)
    # `ARG NAME`, and `ENV NAME value`.
    return names or ([first[1]] if first else [])
