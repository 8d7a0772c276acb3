"""What a tool may touch: handed to every tool, so that none reaches for the world by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ci_action.github.event import Event
from ci_action.github.protocol import GitHub
from ci_action.github.pull_request import NO_PULL, NoPull, Pull
from ci_action.model.changes import Changes
from ci_action.project.files import Files, tracked
from ci_action.project.git.repository import Repository, find, withheld_from_git
from ci_action.project.layout import Layout
from ci_action.project.programs import BundledTools
from ci_action.settings import Settings
from ci_action.settings.types import Scope
from ci_action.system.cache import Digests, Results, Store
from ci_action.system.child_environ import Sees
from ci_action.system.lazy import Lazy
from ci_action.system.ownership import hand_over
from ci_action.system.process import Command, Completed, Owner, Run
from ci_action.system.redaction import Redactor


@dataclass(frozen=True, kw_only=True)
class Context:
    """The collaborators of a run."""

    settings: Settings
    of_project: frozenset[str] = frozenset()
    """The settings that `[tool.ci-action]` of the project has set: the author of a pull request writes them."""
    layout: Layout
    bundled: BundledTools
    start: Run
    """Starts a program; its time limit is that of the command."""
    tempdir: Path
    """An empty folder outside the workspace, gone after the run."""
    environ: Mapping[str, str] = field(default_factory=dict)
    event: Event = field(default_factory=Event)
    cache: Path | None = None
    """Where environments and what uv fetches are kept, which the project's code can write; None to keep nothing."""
    kept: Store | None = None
    """The results of unchanged files; None to keep none."""
    notices: tuple[str, ...] = ()
    """What is to be said of the run before any tool has started."""
    own_folders: tuple[Path, ...] = ()
    """Folders of ours that may lie in the workspace and are never looked at."""
    digests: Digests = field(default_factory=Digests)
    redact: Redactor = field(default_factory=Redactor)
    """Knows the secrets of the environment, and hears of those that are found in the project's files."""
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    github: GitHub | None = None
    """GitHub's API for the repository of the run; None without a token."""
    pull: Pull | NoPull = NO_PULL
    """The pull request of the run."""
    pull_files: Lazy[Any] = field(default_factory=Lazy)
    """Its changed files, asked for by several tools (`pull_source`)."""
    changes: Changes | None = None
    """What the change touched; None where nobody asked."""
    owner: Owner | None = None
    """Who runs the project's code: the owner of the workspace in the container, None for ourselves."""
    holder: Owner | None = None
    """Who owns the workspace in the container, whoever runs the project's code; None where that is who we are."""
    repositories: Lazy[Repository] = field(default_factory=Lazy)
    listed: Lazy[Files] = field(default_factory=Lazy)
    scans: Lazy[Any] = field(default_factory=Lazy)
    """The scan of all files for secrets: one for the tool and for what is hidden."""
    container: bool = False
    """Whether we run in our image."""
    stopped: Callable[[], bool] = lambda: False
    """Whether the run was interrupted; programs that were started end by themselves then."""

    @property
    def narrowed(self) -> Changes | None:
        """The change that the run is limited to: None with `scope: all`, and where the base is not known."""
        limited = self.settings.scope is Scope.CHANGED and self.changes is not None and self.changes.known
        return self.changes if limited else None

    @property
    def installer(self) -> Owner | None:
        """Who runs the commands of `install`: root for those of the workflow, the owner for those of the project."""
        return self.owner if "install" in self.of_project else None

    @property
    def repository(self) -> Repository:
        """The repository of the project, found once; all git of ours goes through it. Raises `ToolError` without one."""
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
        """The files that scanners look at, listed once: before code of the project could change what git knows."""
        return self.listed.of(lambda: tracked(lambda: self.repository, self.layout, self.own_folders))

    def run(self, command: Command) -> Completed:
        """Start a program and wait for it; raises `ToolError` and its kinds."""
        return self.start(command)

    def hand_over(self, folder: Path) -> None:
        """Let whoever runs the project's code write into a folder of ours."""
        hand_over(folder, self.owner)

    def home_of_project(self) -> dict[str, str]:
        """Return where the project's code finds its home: ours is closed to another user."""
        if self.owner is None:
            return {}
        home = self.tempdir / "home"
        hand_over(home, self.owner)
        return {"HOME": str(home)}

    def reading(self, command: Command) -> Command:
        """Return a command that only reads the project: run by its owner, in a home of its own, with little environment."""
        sees = Sees.LITTLE if command.sees is Sees.STEP else command.sees
        return replace(
            command, owner=self.owner, sees=sees, environ={**self.home_of_readers(), **command.environ}
        )

    def home_of_readers(self) -> dict[str, str]:
        """Return where the tools find their home and keep what they write: ours is closed to another user.

        No configuration and no list of plugins at home has a say: laptop and runner would differ, and the project's code
        may have written them.
        """
        home = self.tempdir / "readers"
        hand_over(home, self.owner)
        apart = {"HOME": str(home)} if self.owner else {}
        return {**apart, "XDG_CONFIG_HOME": str(home / "config"), "XDG_CACHE_HOME": str(home / "cache")}

    def results(self, tool: str) -> Results:
        """Open the kept results of a tool."""
        return Results(self.kept, tool)
