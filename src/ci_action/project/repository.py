"""The project's git repository: its commits, its changes, and commits that a shallow clone lacks.

Nothing in it is written: what is fetched goes to a folder of ours, and git looks there too. Its settings name programs
that git starts (filters, a command for SSH), so in the container git runs as the workspace's owner, who may have set them.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ci_action.changes import SOURCE_PREFIX, TARGET_PREFIX, Diff, parse
from ci_action.errors import InterruptedRunError, ToolError
from ci_action.process import Command, Completed, Owner, Run, last_lines
from ci_action.project.ownership import hand_over

_SECONDS: Final = 60.0
# A fetch that takes longer costs more than the whole project.
_FETCH_SECONDS: Final = 120.0
_OBJECT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# More than git can count: all of the history.
_ALL_HISTORY: Final = "--depth=2147483647"
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_ENVIRON: Final = {
    "GIT_ASKPASS": "",  # nobody is there to answer
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "LC_ALL": "C",
}
_WITHHELD: Final = frozenset({
    "GIT_DIFF_OPTS", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE", "GIT_TRACE", "GIT_TRACE2", "GIT_TRACE_CURL", "GIT_TRACE_PACKET", "GIT_CURL_VERBOSE",
    "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
})  # fmt: skip
DIFF: Final = (
    "git", "-c", "core.quotePath=off", "-c", "core.fsmonitor=false", "-c", "diff.autoRefreshIndex=false",
    "diff", "--patch", "--no-color", "--no-ext-diff", "--no-textconv", "--unified=0", "--inter-hunk-context=0", "--find-renames", "--diff-algorithm=myers",
    "--ignore-submodules=all", f"--src-prefix={SOURCE_PREFIX}", f"--dst-prefix={TARGET_PREFIX}",
)  # fmt: skip


@dataclass(frozen=True)
class Commit:
    """A commit and its parents, also those that a shallow clone lacks."""

    sha: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository as it lies on the disk."""

    run: Run
    top: Path
    scratch: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None

    def git(
        self, *words: str, stdin: bytes = b"", seconds: float = _SECONDS, environ: Mapping[str, str] = _NONE
    ) -> Completed:
        """Run git at the top of the repository; `environ` is added to what it sees."""
        argv = words if words[0] == "git" else ("git", *words)
        return self.run(
            Command(
                argv=argv,
                cwd=self.top,
                stdin=stdin,
                environ={**_ENVIRON, **self.environ, **environ},
                timeout=seconds,
                owner=self.owner,
                withheld=_WITHHELD,
            )
        )

    def commits(self, *names: str) -> dict[str, Commit]:
        """Return the commits among these names that are here."""
        done = self.git("cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
        found, rest = {}, done.stdout
        for name in names:
            head, _, rest = rest.partition(b"\n")
            words = head.split(b" ")
            if len(words) == 3 and words[2].isdigit():  # noqa: PLR2004 - <name> <type> <size>, else: missing
                body, rest = rest[: int(words[2])], rest[int(words[2]) + 1 :]
                if words[1] == b"commit":
                    found[name] = Commit(words[0].decode(), tuple(_parents(body)))
        return found

    def head(self) -> Commit:
        """Return the commit that is checked out."""
        found = self.commits("HEAD")
        if not found:
            raise ToolError("the repository has no commit yet")
        return found["HEAD"]

    def upstream(self) -> Commit | None:
        """Return the commit of the branch that the current one follows, if any."""
        done = self.git("rev-parse", "--verify", "--quiet", "@{upstream}")
        return Commit(done.stdout.decode().strip()) if done.returncode == 0 else None

    def merge_base(self, one: str, other: str, environ: Mapping[str, str] = _NONE) -> str:
        """Return where two lines of history part, as far as the history is here; empty where they do not meet."""
        done = self.git("merge-base", one, other, environ=environ)
        return done.stdout.decode().strip() if done.returncode == 0 else ""

    @property
    def shallow(self) -> bool:
        """Whether the history ends somewhere."""
        return self.git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def diff(self, base: str) -> Diff:
        """Compare the files as they are now with a commit."""
        done = self.git(*DIFF, base, "--")
        if done.returncode != 0:
            raise ToolError(f"git diff failed: {_reason(done)}")
        return parse(done.stdout)

    def text_at(self, commit: str, name: str) -> str | None:
        """Return what a file said at a commit, also at one that was fetched; None where it was not there."""
        fetched = self.scratch / "base.git"
        environs = [_NONE, {"GIT_DIR": str(fetched)}] if fetched.is_dir() else [_NONE]
        for environ in environs:
            done = self.git("cat-file", "blob", f"{commit}:{name}", environ=environ)
            if done.returncode == 0:
                return done.stdout.decode("utf-8", "replace")
        return None

    def untracked(self) -> list[str]:
        """List the files that git does not know and is not told to ignore."""
        done = self.git("-c", "core.fsmonitor=false", "ls-files", "--others", "--exclude-standard", "-z")
        if done.returncode != 0:
            raise ToolError(f"git ls-files failed: {_reason(done)}")
        names = (os.fsdecode(name) for name in done.stdout.split(b"\0"))
        return [name for name in names if name and not name.endswith("/")]

    def with_commit(self, sha: str, credentials: Mapping[str, str]) -> "Repository":
        """Fetch one commit without its history; return the repository as one that has it too."""
        folder = self._store("base")
        self._fetch(folder, credentials, "--depth=1", "--no-filter", sha)
        return replace(self, environ={**self.environ, **self._looking_at(folder)})

    def with_fetched(self) -> "Repository":
        """Return the repository as one that also has the commit that was fetched before, if one was."""
        folder = self.scratch / "base.git"
        found = self._looking_at(folder) if folder.is_dir() else {}
        return replace(self, environ={**self.environ, **found})

    def fetched_merge_base(self, one: str, head: str, credentials: Mapping[str, str]) -> str:
        """Fetch the history of a commit, without files; return where it parts from the other."""
        folder = self._store("history")
        depth = [_ALL_HISTORY] if self.shallow else []
        self._fetch(folder, credentials, *depth, "--filter=tree:0", one, head)
        return self.merge_base(one, head, {"GIT_DIR": str(folder)})

    def _store(self, name: str) -> Path:
        """Make an empty repository beside the user's that shares its objects, settings and remotes."""
        folder = self.scratch / f"{name}.git"
        if not folder.exists():
            head = self.git("rev-parse", "HEAD").stdout.strip()
            hand_over(folder, self.owner)
            kind = ["--object-format=sha256"] if len(head) > 40 else []  # noqa: PLR2004 - length of SHA-1
            self._done(self.git("init", "--bare", "--quiet", "--template=", *kind, str(folder)))
            (folder / "objects" / "info").mkdir(exist_ok=True)
            (folder / "objects" / "info" / "alternates").write_bytes(_quoted(self._path("objects")) + b"\n")
            if (shallow := self._path("shallow")).is_file():
                (folder / "shallow").write_bytes(shallow.read_bytes())
            self._include(folder, [self._path("config")])
            # What checkout includes under a condition on the folder has to be named.
            known = self._configs({"GIT_DIR": str(folder)})
            self._include(folder, [file for file in self._configs() if file not in known])
        return folder

    def _include(self, folder: Path, files: Sequence[Path]) -> None:
        with (folder / "config").open("ab") as stream:
            for file in files:
                stream.write(b"[include]\n\tpath = " + _quoted(file) + b"\n")
            stream.write(b"[core]\n\tbare = true\n")

    def _configs(self, environ: Mapping[str, str] = _NONE) -> list[Path]:
        """List the files that git's settings come from; their values are not read."""
        done = self.git("config", "--list", "--show-origin", "--name-only", "-z", environ=environ)
        origins = dict.fromkeys(done.stdout.split(b"\0")[0::2])
        files = (os.fsdecode(one.removeprefix(b"file:")) for one in origins if one.startswith(b"file:"))
        return [Path(os.path.normpath(self.top / file)) for file in files]

    def _path(self, name: str) -> Path:
        raw = self._done(self.git("rev-parse", "--git-path", name)).stdout
        return Path(os.path.normpath(self.top / os.fsdecode(raw.removesuffix(b"\n"))))

    def _fetch(self, folder: Path, credentials: Mapping[str, str], *words: str) -> None:
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc")
        depth = [word for word in words if word.startswith("-")]
        commits = [word for word in words if not word.startswith("-")]
        argv = ("fetch", *options, "--refmap=", *depth, "origin", *commits)
        # First with what checkout left behind; the token is for clones that kept no credentials.
        there = {"GIT_DIR": str(folder)}
        done = self.git(*argv, seconds=_FETCH_SECONDS, environ=there)
        if done.returncode != 0 and credentials:
            done = self.git(*argv, seconds=_FETCH_SECONDS, environ={**there, **credentials})
        self._done(done)

    def _looking_at(self, folder: Path) -> dict[str, str]:
        return {
            "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.fsdecode(_quoted(self._path("objects"))),
        }

    def _done(self, done: Completed) -> Completed:
        if done.returncode != 0:
            raise ToolError(_reason(done))
        return done


def find(run: Run, folder: Path, scratch: Path, owner: Owner | None = None) -> Repository:
    """Find the repository that a folder belongs to; raises `ToolError` with the reason where there is none."""
    here = Repository(run=run, top=folder, scratch=scratch, owner=owner)
    try:
        done = here.git("rev-parse", "--show-toplevel")
    except InterruptedRunError:
        raise
    except ToolError as error:
        raise ToolError(f"git cannot be asked: {error.reason}") from error
    if done.returncode != 0 or not done.stdout.strip():
        raise ToolError(f"there is no git repository here: {_reason(done)}")
    return replace(here, top=Path(os.fsdecode(done.stdout.removesuffix(b"\n"))))


def is_commit_name(text: object) -> bool:
    """Whether a value of a payload is the full name of a commit, and not that of none."""
    return isinstance(text, str) and bool(_OBJECT.fullmatch(text)) and bool(text.strip("0"))


def _parents(body: bytes) -> Iterator[str]:
    for line in body.partition(b"\n\n")[0].split(b"\n"):
        if line.startswith(b"parent "):
            yield line.removeprefix(b"parent ").decode()


def _quoted(path: Path) -> bytes:
    """Return a path in quotes, as git's files and variables of paths take it."""
    raw = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + raw + b'"'


def _reason(done: Completed) -> str:
    lines = last_lines(done.stderr).splitlines()
    told = next((line for line in lines if line.startswith(("fatal: ", "error: "))), (lines or [""])[-1])
    return told.partition(": ")[2] or told or f"git ended with exit code {done.returncode}"
