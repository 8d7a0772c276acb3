"""Turns what is known about an image into findings. Pure."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ci_action.model.finding import Finding, Level, Location
from ci_action.stages.docker.image.facts import (
    Facts,
    Step,
    build_arguments,
    declared,
    place_of,
    variables,
)
from ci_action.stages.docker.image.look import Contents, Hit
from ci_action.stages.docker.image.names import is_secret
from ci_action.stages.docker.image.secrets import OF_JOB, UNCERTAIN, grouped
from ci_action.stages.docker.image.secrets import Hit as TextHit
from ci_action.stages.docker.model import BuildStage, Dockerfile, Instruction
from ci_action.system.redaction import HIDDEN
from ci_action.system.text import counted, data_size, one_line

TOOL: Final = "image"
TOO_LARGE: Final = "too-large"
ROOT: Final = "runs-as-root"
LATEST: Final = "latest-base"
IN_ENV: Final = "secret-in-env"
IN_HISTORY: Final = "secret-in-history"
IN_LAYER: Final = "secret-in-layer"
_ROOT_USERS: Final = frozenset({"", "root"})
_WHAT: Final = {"ARG": "build argument", "ENV": "variable"}
_LATEST: Final = "latest"
_GIT: Final = ".git"
_SCRATCH: Final = "scratch"
_MOST_LAYERS: Final = 3
_SHOWN: Final = 80


@dataclass(frozen=True, kw_only=True)
class Judge:
    """The findings about one image."""

    dockerfile: Dockerfile
    """With the values of build arguments in its base images."""
    target: str
    whole: Location
    """The place of what concerns the whole image."""
    facts: Facts
    arguments: Mapping[str, str] = field(default_factory=dict)
    """The build arguments of the run."""

    @property
    def chain(self) -> tuple[BuildStage, ...]:
        """The stages that the image is made of, the last one first."""
        return self.dockerfile.chain(self.target)

    @property
    def base(self) -> Location:
        """The place of what the base image brings: its FROM."""
        return _of(self.dockerfile, self.chain[-1].start) if self.chain else self.whole

    def place(self, step: Step | None) -> Location:
        """Return the place of a step: its instruction, or FROM for a step of the base image."""
        return place_of(step, self.dockerfile, self.base if step and not step.own else self.whole)

    def size(self, limit: int | None) -> Iterator[Finding]:
        """Yield a finding for an image that is larger than its limit."""
        if limit is None or self.facts.size <= limit:
            return
        largest = sorted((step for step in self.facts.own if step.size), key=lambda step: -step.size)
        shown = [f"{data_size(step.size)} by `{_cut(step.shown)}`" for step in largest[:_MOST_LAYERS]]
        own = sum(step.size for step in largest)
        what = f"{data_size(own)} of it is added by this Dockerfile" + (
            f": {', '.join(shown)}" if shown else ""
        )
        has, most = data_size(self.facts.size), data_size(limit)
        if has == most:  # both are cut
            has, most = (counted(number, "byte") for number in (self.facts.size, limit))
        yield self._finding(
            TOO_LARGE,
            f"the image has {has}, more than `max-image-size` of {most}; {what}. Build in another"
            " stage and copy the result, or start from a smaller base image",
            self.place(largest[0]) if largest and self.facts.size - own <= limit else self.base,
            Level.ERROR,
        )

    def user(self) -> Iterator[Finding]:
        """Yield a finding for an image that runs as root."""
        if not is_root(self.facts.user):
            return
        last = [one for stage in reversed(self.chain) for one in stage.instructions if one.name == "USER"]
        place = _of(self.dockerfile, last[-1]) if last else self.whole
        yield self._finding(
            ROOT,
            "the image runs as root; create a user, for example by `RUN useradd --system app`, and write `USER app` before"
            " CMD or ENTRYPOINT",
            place,
        )

    def latest(self) -> Iterator[Finding]:
        """Yield a finding for a base image without a tag, or with the tag `latest`."""
        if not self.chain:
            return
        stage = self.chain[-1]
        if is_latest(stage.base):
            yield self._finding(
                LATEST,
                f"the base image {one_line(stage.base)!r} can be another one in every build; write a version as its tag, such as"
                " `python:3.13-slim`, or pin its digest",
                _of(self.dockerfile, stage.start),
            )

    def variables(self) -> "tuple[Assigned, ...]":
        """Return the variables that this Dockerfile sets, with all values that the image and its history show."""
        env = declared(self.dockerfile, self.target, "ENV")
        arg = declared(self.dockerfile, self.target, "ARG")
        known = self.facts.env
        return (
            *(self._assigned(IN_ENV, name, known[name], one) for name, one in env.items() if name in known),
            *(
                self._assigned(IN_HISTORY, name, value, arg[name], "the build argument")
                for name, value in build_arguments(self.facts.own, arg).items()
            ),
            *(
                self._assigned(
                    IN_HISTORY, name, value, step.instruction, f"a value of the {_WHAT[step.name]}"
                )
                for name, value, step in variables(self.facts.own, (*env, *arg))
                if step.name == "ARG" or value != known.get(name)
            ),
        )

    def _assigned(
        self, rule: str, name: str, value: str, one: Instruction | None, what: str = ""
    ) -> "Assigned":
        written = (one.value if one else "", *self.arguments.values())
        return Assigned(
            rule=rule,
            name=name,
            value=value,
            place=_of(self.dockerfile, one) if one else self.whole,
            what=what,
            masked=HIDDEN in value and not any(HIDDEN in text for text in written),
        )

    def in_variables(
        self, assigned: "Iterable[Assigned]", found: Mapping[int, Sequence[str]]
    ) -> "Iterator[tuple[Assigned, Finding]]":
        """Yield a finding for every variable with a secret; `found` are the types that the search has found, by number."""
        seen: set[tuple[str, str]] = set()
        for number, one in enumerate(assigned):
            kinds = [kind for kind in found.get(number, ()) if kind not in UNCERTAIN]
            if one.masked:
                kinds.append(OF_JOB)
            if (one.rule, one.value) in seen or not (kinds or is_secret(one.name, one.value)):
                continue
            seen.add((one.rule, one.value))
            kind = f" ({', '.join(kinds)})" if kinds else ""
            if one.rule == IN_ENV:
                message = (
                    f"`{one.name}` is a possible secret{kind} in the environment of the image: whoever gets the image can read"
                    " it; set it when the container starts (`docker run --env-file`), or use `RUN --mount=type=secret` if only"
                    " the build needs it"
                )
            else:
                message = (
                    f"{one.what} `{one.name}` is a possible secret{kind}, and the history of the image shows it"
                    " (`docker history`); use `RUN --mount=type=secret` instead"
                )
            yield one, self._finding(one.rule, message, one.place)

    def in_commands(self, hits: Iterable[tuple[int, TextHit]]) -> Iterator[Finding]:
        """Yield a finding for every step whose command has a secret."""
        kinds: dict[int, dict[str, None]] = {}
        for number, hit in hits:
            kinds.setdefault(number, {})[hit.rule] = None
        for number, step in enumerate(self.facts.own):
            written = step.instruction.value if step.instruction else ""
            # Build arguments before the command are variables.
            if HIDDEN in step.body and HIDDEN not in written and not step.sets_variables:
                kinds.setdefault(number, {})[OF_JOB] = None
        for number, rules in kinds.items():
            step = self.facts.own[number]
            yield self._finding(
                IN_HISTORY,
                f"the history of the image shows a possible secret ({', '.join(rules)}) in {step.name} (`docker history`); use"
                " `RUN --mount=type=secret` instead",
                self.place(step),
            )

    def in_layers(self, contents: Contents) -> Iterator[Finding]:
        """Yield a finding for every file with secrets in a layer that this Dockerfile adds."""
        for number, searched in sorted(contents.searched.items()):
            step = contents.steps[number]
            for path, hits in _by_path(searched.hits).items():
                found = grouped([TextHit(one.rule, one.line) for one in hits])
                made = f"`{_cut(step.shown)}`" if step else "an unknown step"
                gone = (
                    "; a later layer removes the file, but whoever gets the image can read it"
                    if contents.is_removed(number, path)
                    else ""
                )
                yield self._finding(
                    IN_LAYER,
                    f"possible secret in {one_line(path)} ({found}), in layer {number + 1} of {len(contents.steps)}, made by"
                    f" {made}{gone}; {_remedy(step, path)}",
                    self.place(step),
                )

    def _finding(self, rule: str, message: str, place: Location, level: Level = Level.WARNING) -> Finding:
        return Finding(tool=TOOL, rule=rule, message=message, level=level, location=place)


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """A variable of the image or of its build."""

    rule: str
    name: str
    value: str = field(repr=False)
    place: Location
    what: str = ""
    """What it is, for people, if only the history shows it."""
    masked: bool = False
    """Whether its value holds a secret of our own environment: programs' output reaches us without them."""


def is_root(user: str) -> bool:
    """Return whether the user of an image, which may have a group, is root."""
    name = user.partition(":")[0].strip()
    return name in _ROOT_USERS or (name.isdecimal() and int(name) == 0)


def is_latest(base: str) -> bool:
    """Return whether the name of an image has no tag, or `latest`; not for a digest, and not if it is not known."""
    if not base or base == _SCRATCH or "@" in base or "$" in base:
        return False
    tag = base.rpartition("/")[2].partition(":")[2]
    return tag in {"", _LATEST}


def _by_path(hits: Sequence[Hit]) -> dict[str, list[Hit]]:
    found: dict[str, list[Hit]] = {}
    for hit in hits:
        found.setdefault(hit.path, []).append(hit)
    return found


def _remedy(step: Step | None, path: str) -> str:
    if step and step.name in {"COPY", "ADD"}:
        if "--from=" in step.text or (step.instruction and "--from=" in step.instruction.value):
            return "copy only what the image needs of the other stage"
        name = _GIT if f"/{_GIT}/" in path else posixpath.basename(path)
        return f"add {name!r} to .dockerignore, or copy only what the image needs"
    return "use `RUN --mount=type=secret`, which leaves nothing in the image, or do this in another stage"


def _of(dockerfile: Dockerfile, instruction: Instruction) -> Location:
    return Location(path=dockerfile.path, line=instruction.line, end_line=instruction.end_line)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
