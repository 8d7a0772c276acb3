"""One build: the run of buildx, and what it means."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from ci_action.engine.context import Context
from ci_action.engine.docker.client import Docker, Engine
from ci_action.model.docker import Image
from ci_action.model.finding import Finding, Location
from ci_action.model.result import Broken, Counted, Outcome, Report
from ci_action.stages.docker.build.builder import Builder, own, selected, variables
from ci_action.stages.docker.build.caches import github_variables
from ci_action.stages.docker.build.command import Request, described
from ci_action.stages.docker.build.context import copied
from ci_action.stages.docker.build.folders import Folders
from ci_action.stages.docker.build.judging import TOOL, failure_of, lint_findings, running, unread_caches
from ci_action.stages.docker.build.progress import Progress
from ci_action.stages.docker.build.steps import location_of, steps_of
from ci_action.stages.docker.build.watch import Watch
from ci_action.stages.docker.model import Built, Dockerfile
from ci_action.system.errors import ENDED
from ci_action.system.process import last_lines
from ci_action.system.text import counted

_DIGESTS: Final = ("containerimage.digest", "containerimage.config.digest")
_LAST_LINES: Final = 12
_NO_GITHUB: Final = (
    "caches of `type=gha` are not used: the variables ACTIONS_RUNTIME_TOKEN and ACTIONS_CACHE_URL are not set, as outside of"
    " GitHub Actions"
)


class Job:
    """One run of buildx."""

    def __init__(self, ctx: Context, engine: Engine, dockerfile: Dockerfile, request: Request) -> None:
        """Prepare the build of a Dockerfile."""
        self.ctx = ctx
        self.docker = Docker(ctx)
        self.dockerfile = dockerfile
        self.request = request
        self.engine = engine
        self.progress = Progress()
        self.built: Built | None = None
        self.warnings: list[str] = []
        self._notes: list[str] = []
        self._builder = Builder()

    def outcome(self) -> Outcome:
        """Build, and judge what happened; sets `built` if there is an image. Raises `ToolError`."""
        ctx, environ = self.ctx, variables(self.ctx)
        caches = self.request.caches
        if caches.has_github:
            github = github_variables(ctx.environ)
            if not github:
                caches = caches.without_github()
                self.warnings.append(_NO_GITHUB)
            environ |= github
        folders = Folders(ctx, caches, self.request.metadata.parent)
        self._notes += [f"the cache {one!r} does not exist yet" for one in folders.absent]
        self.request = replace(self.request, caches=folders.caches)
        self.warnings += [
            f"the build copies our folder {name!r} into the image, and nothing after it is cached: add it to .dockerignore"
            for name in copied([*ctx.own_folders, *folders.paths], self.request, self.dockerfile, ctx.layout.workspace)
        ]
        self._builder = selected(ctx)
        if not folders.caches.need_another(self._builder.driver, containerd=self.engine.has_containerd):
            outcome = self._run(environ)
        else:
            self._notes.append("built by a builder of our own: the one of Docker cannot use these caches")
            with own(ctx, folders.caches) as (self._builder, selecting):
                outcome = self._run(environ | selecting)
        self.warnings += unread_caches(self.progress)
        if self.built:
            folders.keep()
        return outcome

    def _run(self, environ: Mapping[str, str]) -> Outcome:
        watch = Watch(self.ctx.live, TOOL)
        command = self.docker.command(
            *self.request.words(self._builder.name),
            seconds=float(self.ctx.settings.timeout),
            environ={**self.request.environ, **environ},
            watch=watch.look,
            supervised=True,  # else the build would go on if we are killed
        )
        try:
            done = self.ctx.run(command)
        except ENDED as error:
            self.progress = Progress.of(error.stderr)
            step = running(self.progress)
            return self._broken(f"{error.reason} (it was at `{step}`)" if step else error.reason)
        self.progress = Progress.of(done.stderr)
        if done.returncode == 0:
            return self._report()
        failure = failure_of(self.progress, self.dockerfile, done.killed_by or f"exit code {done.returncode}")
        if failure.finding is None:
            return self._broken(failure.broken)
        return Report(
            findings=(failure.finding, *self._linted()),
            examined=self._examined(),
            image=self._image(),
            details=self._details(),
        )

    def _report(self) -> Outcome:
        found = self._id()
        if not found:
            return self._broken(f"docker buildx build succeeded, but the image {self.request.tag!r} is not in the engine")
        stages = self.dockerfile.chain(self.request.target)
        # Another parser than Docker's may know stages in a file that has none for us.
        place = location_of(stages[0].start, self.dockerfile) if stages else Location(path=self.dockerfile.path)
        self.built = Built(
            name=self.request.tag,
            id=found,
            engine=self._described,
            dockerfile=self.dockerfile,
            place=place,
            steps=steps_of(self.progress, self.dockerfile),
        )
        return Report(
            findings=self._linted(),
            examined=self._examined(),
            image=self._image(self.request.tag, found),
            details=self._details(),
        )

    def _broken(self, reason: str) -> Broken:
        return Broken(
            reason,
            last_lines("\n".join(self.progress.lines), _LAST_LINES),
            findings=self._linted(),
            examined=self._examined(),
            image=self._image(),
        )

    def _id(self) -> str:
        """Return the id of the image in the engine: which digest it is depends on how the engine stores images."""
        for name in (*_digests(self.request.metadata), self.request.tag):
            if found := self.docker.inspect("image", name):
                return str(found.get("Id", ""))
        return ""

    def _linted(self) -> tuple[Finding, ...]:
        return lint_findings(self.progress, self.dockerfile)

    def _examined(self) -> dict[Counted, int]:
        steps = steps_of(self.progress, self.dockerfile)
        return {Counted.STEPS: sum(not one.failed for one in steps)}

    def _image(self, name: str = "", image: str = "") -> Image:
        steps = steps_of(self.progress, self.dockerfile)
        return Image(name=name, id=image, engine=self._described, steps=steps)

    @property
    def _described(self) -> str:
        return described(self.engine.server_version, self.engine.buildx)

    def _details(self) -> tuple[str, ...]:
        return tuple(self._said())

    def _said(self) -> Iterator[str]:
        steps = [one for one in steps_of(self.progress, self.dockerfile) if one.place]
        cached = sum(one.cached for one in steps)
        if cached:
            yield f"{cached:,} of {counted(len(steps), 'step')} cached"
        yield from self._notes
        if not self.progress.warnings and self._builder.lacks_checks:
            yield (
                f"BuildKit's own checks of the Dockerfile were not run: BuildKit {self._builder.version} lacks them;"
                " Docker 27 and later have them"
            )


def _digests(metadata: Path) -> Iterator[str]:
    try:
        found: Any = msgspec.json.decode(metadata.read_bytes())
    except (OSError, ValueError):
        return
    for name in _DIGESTS:
        digest = found.get(name) if isinstance(found, dict) else None
        if isinstance(digest, str):
            yield digest


def log_of(progress: Progress) -> str:
    """Return the log of a build for people: each step with what it has printed, then the lines of the client."""
    parts = []
    for vertex in progress.vertices.values():
        if vertex.started:
            end = "cached" if vertex.cached else "failed" if vertex.error else f"{vertex.seconds:.1f} s"
            parts += [f"{vertex.name} ({end})", vertex.log.rstrip()]
    return "\n".join(part for part in (*parts, *progress.lines) if part)
