"""What a build means: findings on the lines of the Dockerfile, or why it is not the fault of the project that it failed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ci_action.model.finding import Finding, Level, Location
from ci_action.stages.docker.build.progress import Progress, Vertex, Warned
from ci_action.stages.docker.build.steps import METADATA, OWN, place_of
from ci_action.stages.docker.model import Dockerfile
from ci_action.system.process import last_lines
from ci_action.system.text import one_line

TOOL: Final = "build"
FAILED: Final = "build-failed"
_LINT: Final = "lint"
_RULES: Final = "https://docs.docker.com/reference/build-checks/"
_OF_DOCKER: Final = re.compile(r"https://docs\.docker\.com/[\w./-]*")
_SHORT: Final = re.compile(r"(?:(?P<rule>[A-Z][A-Za-z0-9]{2,60}): )?(?P<text>.*?)(?: \(line \d+\))?", re.DOTALL)
_ERROR: Final = "ERROR: "
_SOLVE: Final = "failed to solve: "
# What the layers of BuildKit put before the cause.
_LAYERS: Final = re.compile(
    r"(?:failed to solve: |rpc error: code = \w+ desc = |failed to solve with frontend dockerfile\.v0: "
    r"|failed to create LLB definition: |ResourceExhausted: |Canceled: |failed to receive status: "
    r"|failed to calculate checksum of ref \S+: )+"
)
# What they put before the cause in the error of a step, whose name has it too.
_STEP: Final = re.compile(
    r"(?:executor failed running \[.*\]|process \".*\" did not complete successfully): (?!exit code)", re.DOTALL
)
_EXIT: Final = re.compile(r"exit code: (\d{1,10})$")
_PLACE: Final = re.compile(r"\S.*:(\d{1,7})")
_MARKED: Final = re.compile(r"\s*(\d{1,7}) \| >>>")
_RULE: Final = re.compile(r"-{20}")
_PARSE: Final = re.compile(r"dockerfile parse error (?:on )?line (\d{1,7})")
_LONGEST_NAME: Final = 200
_CACHE_READ: Final = "importing cache manifest"
_NOT_FOUND: Final = ": not found"
_CACHE_WRITTEN: Final = "exporting cache"
_CANCELED: Final = re.compile(r"context canceled\s*$")
_FULL: Final = re.compile(r"no space left|disk quota exceeded", re.IGNORECASE)
# What keeps a build from being done, whatever the Dockerfile is: what it is, and what to do.
_TROUBLES: Final = (
    (_FULL, "no space is left on the disk", "free disk space, for example by `docker system prune`"),
    (
        re.compile(
            r"Cannot connect to|error reading from server|code = Unavailable|unexpected EOF"
            r"|transport is closing|context deadline exceeded|failed to dial gRPC",
            re.IGNORECASE,
        ),
        "the builder does not answer",
        "check that Docker runs, and read the log of its daemon",
    ),
    (_CANCELED, "the build was canceled", "run it again"),
    (
        re.compile(
            r"failed to (?:authorize|fetch (?:anonymous|oauth) token)(?!.*insufficient_scope).*40[13]"
            r"|no basic auth credentials|authentication required",
            re.IGNORECASE | re.DOTALL,
        ),
        "a registry refused access",
        "log in to it; in the action, where logins of the job are not visible, pull the image in an earlier step",
    ),
    (
        re.compile(
            r"no such host|dial tcp|connection refused|i/o timeout|TLS handshake|x509: |network is unreachable"
            r"|proxyconnect|name resolution|gave HTTP response to HTTPS|failed to do request|connection reset"
            r"|toomanyrequests|429 Too Many Requests|50[0234] (?:Internal|Bad|Service|Gateway)",
            re.IGNORECASE,
        ),
        "an address does not answer",
        "check the network of Docker, its proxy, and the name of the registry",
    ),
    (
        re.compile(
            r"create endpoint|create shim|runtime create failed|runc run failed", re.IGNORECASE
        ),
        "the engine could not start a step",
        "read the log of its daemon",
    ),
    (
        re.compile(r"cache export (?:feature )?is (?:not|currently not) supported", re.IGNORECASE),
        "the builder cannot write this cache",
        "select one of the driver `docker-container` by BUILDX_BUILDER, or remove `cache-to`",
    ),
    (
        re.compile(r"unknown cache (?:exporter|importer)", re.IGNORECASE),
        "unknown type of cache",
        "use `type=gha`, `type=registry` or `type=local` in `cache-from` and `cache-to`",
    ),
    (re.compile(r"no builder .* found"), "the builder does not exist", "correct or remove BUILDX_BUILDER"),
    (re.compile(r"invalid reference format|invalid tag"), "invalid name of an image", "correct `image-tag`"),
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a build failed: by a finding, or because it could not be done."""

    finding: Finding | None = None
    broken: str = ""
    """The reason, with what to do; empty for a finding."""


def failure_of(progress: Progress, dockerfile: Dockerfile, ended: str) -> Failure:
    """Return why a build failed; `ended` describes the end of the client, for a build that names no error."""
    error = error_of(progress)
    vertex = _failed(progress, error)
    text = _cause(vertex.error if vertex else error.removeprefix(_ERROR))
    if not text:
        step = running(progress)
        at = f", at `{step}`" if step else ""
        return Failure(broken=f"docker buildx build ended without a result{at}: {ended}; run it again")
    left = _EXIT.search(text)
    full = _FULL.search(last_lines(vertex.log)) if vertex and left else None
    trouble = _TROUBLES[0] if full else None if left else _trouble(text) or _trouble(error)
    if vertex and vertex.name.startswith(_CACHE_WRITTEN):
        return Failure(broken=f"could not write a cache: {text}; correct `cache-to`, or add `ignore-error=true` to it")
    if trouble:
        _, what, remedy = trouble
        during = f" in `{shortened(vertex.name)}`" if vertex else ""
        return Failure(broken=f"{what}{during}: {full[0] if full else text}; {remedy}")
    if not vertex and not error.startswith(_ERROR + _SOLVE):
        return Failure(broken=f"docker buildx build failed: {text}")
    return Failure(finding=_finding(progress, dockerfile, vertex, text, left[1] if left else ""))


def _cause(error: str) -> str:
    lines = _STEP.sub("", _LAYERS.sub("", error)).strip().splitlines()
    return lines[0].rstrip(".") if lines else ""


def shortened(name: str) -> str:
    """Return the name of a step on one line of a limited length: a step may be a whole script."""
    line = one_line(name)
    return line if len(line) <= _LONGEST_NAME else f"{line[:_LONGEST_NAME]}…"


def _trouble(text: str) -> tuple[re.Pattern[str], str, str] | None:
    return next((one for one in _TROUBLES if one[0].search(text)), None)


def error_of(progress: Progress) -> str:
    """Return the error of the client, with the lines after it; empty without one."""
    lines = progress.lines
    starts = [number for number, line in enumerate(lines) if line.startswith(_ERROR)]
    return "\n".join(lines[starts[-1] :]) if starts else ""


def _failed(progress: Progress, error: str) -> Vertex | None:
    """Return the step that failed: the others are canceled then, and a cache that cannot be read fails nothing."""
    failed = [
        one
        for one in progress.vertices.values()
        if one.error and not one.name.startswith(_CACHE_READ)
    ]
    own = [one for one in failed if not _CANCELED.search(one.error)]
    named = (one for one in own if one.error in error)
    return next(named, next(iter(own or failed), None))


def _finding(progress: Progress, dockerfile: Dockerfile, vertex: Vertex | None, text: str, code: str) -> Finding:
    log = last_lines(vertex.log) if vertex else ""
    if vertex and code:
        message = f"`{shortened(vertex.name)}` failed with exit code {code}"
    else:
        named = vertex and not METADATA.match(vertex.name)
        message = f"`{shortened(vertex.name)}` failed: {text}" if vertex and named else text
    return Finding(
        tool=TOOL,
        rule=FAILED,
        message=f"{message}\n{log}" if log else message,
        location=_marked(progress, dockerfile)
        or (place_of(vertex, dockerfile) if vertex else None)
        or _parsed(text, dockerfile)
        or Location(path=dockerfile.path, line=1),
    )


def _marked(progress: Progress, dockerfile: Dockerfile) -> Location | None:
    """Return the lines that buildx prints with the error, which newer builders name."""
    lines = progress.lines
    for number, (line, following) in enumerate(pairwise(lines)):
        found = _PLACE.fullmatch(line)
        if found and _RULE.fullmatch(following):
            first = int(found[1])
            last = max([first, *_marks(lines[number + 2 :])])
            return Location(path=dockerfile.path, line=first, end_line=last if last > first else None)
    return None


def _marks(lines: Sequence[str]) -> Iterator[int]:
    for line in lines:
        if _RULE.fullmatch(line):
            return
        if found := _MARKED.match(line):
            yield int(found[1])


def _parsed(text: str, dockerfile: Dockerfile) -> Location | None:
    found = _PARSE.search(text)
    return Location(path=dockerfile.path, line=int(found[1])) if found else None


def lint_findings(progress: Progress, dockerfile: Dockerfile) -> tuple[Finding, ...]:
    """Return what BuildKit itself warns about, each once."""
    return tuple(dict.fromkeys(_linted(one, dockerfile) for one in progress.warnings))


def _linted(warned: Warned, dockerfile: Dockerfile) -> Finding:
    found = _SHORT.fullmatch(warned.short.strip())
    rule = (found["rule"] if found else "") or "warning"
    text = (found["text"] if found else "").strip() or warned.detail or warned.short
    several = warned.line and warned.end_line and warned.end_line > warned.line
    return Finding(
        tool=TOOL,
        rule=f"{_LINT}/{rule}",
        message=text,
        level=Level.WARNING,
        location=Location(
            path=dockerfile.path, line=warned.line, end_line=warned.end_line if several else None
        ),
        url=warned.url if _OF_DOCKER.fullmatch(warned.url) else _RULES,
    )


def unread_caches(progress: Progress) -> tuple[str, ...]:
    """Return a warning for each cache that could not be read, but not for one that does not exist yet."""
    texts = [
        f"{shortened(one.name)}: {_cause(one.error)}"
        for one in progress.vertices.values()
        if one.error and one.name.startswith(_CACHE_READ) and not one.error.endswith(_NOT_FOUND)
    ]
    return tuple(f"`cache-from` was not used: {text}" for text in dict.fromkeys(texts))


def running(progress: Progress) -> str:
    """Return the step that a build that was ended had come to; empty if it had begun none."""
    names = [
        shortened(one.name)
        for one in progress.vertices.values()
        if one.name and one.started and (one.running or _CANCELED.search(one.error))
    ]
    return next((name for name in reversed(names) if not OWN.match(name)), names[-1] if names else "")
