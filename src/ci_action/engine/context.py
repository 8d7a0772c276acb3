"""Everything that a tool can use: passed to every tool, so that none touches the world by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ci_action.engine.live import NOTHING, Live
from ci_action.github.client import GitHub
from ci_action.github.event import Event
from ci_action.github.pull_request import NO_PULL, NoPull, Pull
from ci_action.model.changes import Changes
from ci_action.project.evidence import Gathered, gather
from ci_action.project.files import Files, tracked
from ci_action.project.git.repository import Repository, find, withheld_from_git
from ci_action.project.layout import Layout
from ci_action.project.programs import BundledTools, Program
from ci_action.settings import Settings
from ci_action.settings.types import Scope
from ci_action.system.cache import Digests, Results, Store
from ci_action.system.child_environ import Sees
from ci_action.system.folder import Owner
from ci_action.system.lazy import Lazy, LazyMap
from ci_action.system.ownership import hand_over
from ci_action.system.process import Command, Run, Serve
from ci_action.system.redaction import Redactor


@dataclass(frozen=True, kw_only=True)
class Context:
    """The settings, facts and services of a run."""

    settings: Settings
    of_project: frozenset[str] = frozenset()
    """The settings from `[tool.ci-action]` of the project, which the author of a pull request controls."""
    layout: Layout
    bundled: BundledTools
    run: Run
    """Starts a program and waits for it; raises `ToolError` and `InterruptedRunError`."""
    serve: Serve
    """Runs a program during a block; raises the same."""
    tempdir: Path
    """An empty folder outside the workspace, removed after the run."""
    environ: Mapping[str, str] = field(default_factory=dict)
    event: Event = field(default_factory=Event)
    cache: Path | None = None
    """The cache of environments and downloads of uv, which the project's code can write to; None for no cache."""
    kept: Store | None = None
    """The cached results of unchanged files; None for no cache."""
    notices: tuple[str, ...] = ()
    """Warnings about the run from before its tools started."""
    own_folders: tuple[Path, ...] = ()
    """Our own folders, which are never checked if they are in the workspace."""
    digests: Digests = field(default_factory=Digests)
    redact: Redactor = field(default_factory=Redactor)
    """Replaces the secrets of the environment and those found in the project's files."""
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    github: GitHub | None = None
    """GitHub's API for the repository of the run; None without a token."""
    pull: Pull | NoPull = NO_PULL
    """The pull request of the run."""
    pull_files: Lazy[Any] = field(default_factory=Lazy)
    """Its changed files, used by several tools."""
    changes: Changes | None = None
    """The changes since the base commit; None if no setting needs them."""
    owner: Owner | None = None
    """The user that runs the project's code: in the container the owner of the workspace; None for our own user."""
    holder: Owner | None = None
    """The owner of the workspace in the container, whatever user runs the project's code; None for our own user."""
    repositories: Lazy[Repository] = field(default_factory=Lazy)
    listed: Lazy[Files] = field(default_factory=Lazy)
    programs: dict[str, Lazy[Program]] = field(default_factory=dict)
    """The located programs: two tools can have the same one, and only one of them installs it."""
    gathered: Lazy[Gathered] = field(default_factory=Lazy)
    scans: Lazy[Any] = field(default_factory=Lazy)
    """The scan of all files for secrets: its results are reported and redacted."""
    environments: LazyMap[tuple[Any, tuple[str, ...]]] = field(default_factory=LazyMap)
    """The environments of the project's code, with warnings: each is made once for all tools of the run."""
    alembic: Lazy[Any] = field(default_factory=Lazy)
    """How the project configures Alembic."""
    revisions: Lazy[Any] = field(default_factory=Lazy)
    """The histories of its revisions."""
    migrations: Lazy[Any] = field(default_factory=Lazy)
    """The run of the migrations that the tools of its stage share."""
    docker: Lazy[Any] = field(default_factory=Lazy)
    """The engine of Docker that the run uses."""
    built: Lazy[Any] = field(default_factory=Lazy)
    """The image of the run, with how it was built."""
    type_checkers: Lazy[Any] = field(default_factory=Lazy)
    """Which type checkers the project runs, and how."""
    container: bool = False
    """Whether we run in our image."""
    live: Live = NOTHING
    """Shows what running tools report before they have ended."""
    stopped: Callable[[], bool] = lambda: False
    """Whether the run was interrupted; running programs are ended by then."""

    @property
    def narrowed(self) -> Changes | None:
        """The changes that the run is limited to: None with `scope: all`, or if the base commit is unknown."""
        limited = self.settings.scope is Scope.CHANGED and self.changes is not None and self.changes.known
        return self.changes if limited else None

    @property
    def installer(self) -> Owner | None:
        """The user that runs the commands of `install`: root for those of the workflow, the owner for those of the project."""
        return self.owner if "install" in self.of_project else None

    @property
    def repository(self) -> Repository:
        """The repository of the project, found once and used for all git commands; raises `ToolError` if there is none."""
        return self.repositories.of(
            lambda: find(
                Repository(
                    run=self.run,
                    top=self.layout.root,
                    tempdir=self.tempdir,
                    owner=self.holder,
                    withheld=withheld_from_git(self.environ),
                )
            )
        )

    @property
    def tracked(self) -> Files:
        """The files to scan, listed once, before code of the project can change what git tracks."""
        return self.listed.of(lambda: tracked(lambda: self.repository, self.layout, self.own_folders))

    @property
    def evidence(self) -> Gathered:
        """What names the tools of the project, read once."""
        return self.gathered.of(lambda: gather(self.layout))

    def hand_over(self, folder: Path) -> None:
        """Create one of our folders for the user that runs the project's code."""
        hand_over(folder, self.owner)

    def home_of_project(self) -> dict[str, str]:
        """Return the variables of the home of the project's code: another user cannot read ours."""
        if self.owner is None:
            return {}
        home = self.tempdir / "home"
        hand_over(home, self.owner)
        return {"HOME": str(home)}

    def reading(self, command: Command) -> Command:
        """Return a command that only reads the project: with its owner, a separate home and few variables."""
        sees = Sees.LITTLE if command.sees is Sees.STEP else command.sees
        return replace(
            command, owner=self.owner, sees=sees, environ={**self.home_of_readers(), **command.environ}
        )

    def home_of_readers(self) -> dict[str, str]:
        """Return the variables of the home of our tools: another user cannot read ours.

        Configuration and plugins at home are not used: they differ between laptop and runner, and the project's code
        can have written them.
        """
        home = self.tempdir / "readers"
        hand_over(home, self.owner)
        apart = {"HOME": str(home)} if self.owner else {}
        return {**apart, "XDG_CONFIG_HOME": str(home / "config"), "XDG_CACHE_HOME": str(home / "cache")}

    def results(self, tool: str) -> Results:
        """Open the cached results of a tool."""
        return Results(self.kept, tool)
