"""The project's git repository: its commits, its changes, and commits that a shallow clone lacks.

The repository is never written: what is fetched goes to a separate folder, where git looks too. Its settings name
programs (hooks, filters, a monitor of files, a command for SSH), chosen by whoever wrote to its folder. So git always
runs as the workspace's owner, without our secrets in its environment, and with everything switched off that reading
does not need. What is left, such as a command for SSH in a fetch, runs as that owner as well.
"""

import os
import re
import shlex
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from ci_action.project.git import lfs_filter
from ci_action.project.git.diff import SOURCE_PREFIX, TARGET_PREFIX, Diff, parse
from ci_action.system.errors import TimedOutError, ToolError
from ci_action.system.folder import Owner
from ci_action.system.lazy import Lazy
from ci_action.system.ownership import hand_over, hand_over_whole
from ci_action.system.process import Command, Completed, Run, last_lines

# One command, a fetch (longer costs more than the whole project), and all git of a run.
_LISTING_SECONDS: Final = 20.0
_SECONDS: Final = 60.0
_HEAD: Final = "HEAD"
# Hexadecimal digits of a SHA-1.
_SHA1: Final = 40
_FETCH_SECONDS: Final = 120.0
_ALL_SECONDS: Final = 240.0
_OBJECT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# Of a name as git allows it, without what a refspec means.
_BRANCH: Final = re.compile(r"(?!-)[^\s:*?\[\\^~\x00-\x20\x7f]+")
# More than git can count: all of the history.
_ALL_HISTORY: Final = "--depth=2147483647"
_LARGEST_SHALLOW: Final = 10_000_000
_NOBODY: Final = 65_533
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_ENVIRON: Final = {
    "GIT_ASKPASS": "",  # without a user to answer
    "GIT_PROXY_COMMAND": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",  # no commit replaces another
    "GIT_GRAFT_FILE": os.devnull,
    "LC_ALL": "C",
}
# The variables that git and the programs that it may start see: none is a secret of the workflow.
_SEEN: Final = re.compile(
    r"PATH|HOME|XDG_CONFIG_HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|SSH_AUTH_SOCK"
    r"|(?i:(HTTPS?|ALL|NO)_PROXY)|SSL_CERT_\w+|CURL_CA_BUNDLE|GIT_(SSL|HTTP|SSH)\w*|GIT_EXEC_PATH"
)
# They override those of the repository. Reading needs no hook and no monitor of files.
_SETTINGS: Final = (
    ("safe.directory", "*"),
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "off"),
    ("core.pager", "cat"),
    ("core.askPass", ""),
    ("protocol.ext.allow", "never"),
    ("diff.autoRefreshIndex", "false"),
    ("submodule.recurse", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("advice.graftFileDeprecated", "false"),
)
_SUBMODULE: Final = "160000 "
# The filter of Git LFS is a program that the repository names; ours converts a file in the same way.
_LFS: Final = "lfs"
_LFS_FILTER: Final = Path(lfs_filter.__file__)
# A new index contains all files, and none of them is assumed to be unchanged.
_WHOLE_INDEX: Final = (
    ("core.ignoreStat", "false"),
    ("core.sparseCheckout", "false"),
    ("core.splitIndex", "false"),
    ("core.untrackedCache", "false"),
    ("index.sparse", "false"),
)
_OTHERS: Final = ("ls-files", "--others", "-z")
_STATUS: Final = ("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=dirty")
_IGNORES: Final = ".gitignore"
# The files in our folders.
_DATA: Final = (".json", ".md", ".sarif", ".xml", ".info", ".html", "/.gitignore")
DIFF: Final = (
    "diff", "--patch", "--no-color", "--no-ext-diff", "--no-textconv", "--unified=0", "--inter-hunk-context=0", "--find-renames", "--diff-algorithm=myers",
    "--ignore-submodules=all", f"--src-prefix={SOURCE_PREFIX}", f"--dst-prefix={TARGET_PREFIX}",
)  # fmt: skip


@dataclass(frozen=True)
class Commit:
    """A commit and its parents, also those that a shallow clone lacks."""

    sha: str
    parents: tuple[str, ...] = ()

    @property
    def merged(self) -> str:
        """The commit that a merge of two has brought into its first parent; empty for other commits."""
        match self.parents:
            case (_, merged):
                return merged
            case _:
                return ""


@dataclass(frozen=True, kw_only=True)
class Server:
    """The server of the event, the only one that gets our token, and the repository on it."""

    address: str
    repository: str
    authorization: str = field(repr=False)

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """Settings with which git connects to this server, and to no other."""
        return (
            ("remote.origin.url", f"{self.address}/{self.repository}"),
            ("protocol.allow", "never"),
            ("protocol.https.allow", "always"),
            ("protocol.http.allow", "always"),
            ("credential.helper", ""),
            (f"http.{self.address}/.extraheader", ""),
            (f"http.{self.address}/.extraheader", self.authorization),
        )


class Allowance:
    """The time that all git commands of a run have together: a repository can make each of them slow."""

    def __init__(self, seconds: float = _ALL_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._all = self._left = seconds
        self._clock = clock
        self._lock = Lock()

    def spend(self, run: Run, command: Command) -> Completed:
        """Run a command of git in the remaining time; raises `ToolError` if that is not enough."""
        most = min(command.timeout, self._left)
        if most <= 0:
            raise ToolError(
                f"git is unavailable: its commands have used the {self._all:.0f} s available in a run"
            )
        started = self._clock()
        try:
            return run(replace(command, timeout=most))
        except TimedOutError as error:
            reason = f"git timed out after {most:.0f} s (all git commands of a run: {self._all:.0f} s)"
            raise ToolError(reason, detail=error.detail) from error
        finally:
            with self._lock:
                self._left -= self._clock() - started


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository on the disk."""

    run: Run
    top: Path
    tempdir: Path
    """A folder that only we write to."""
    environ: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None
    """Who runs git: the owner of the workspace in the container, else None for the current user."""
    filters: tuple[str, ...] = (_LFS,)
    """The names of the filters that settings know; none of them runs."""
    withheld: frozenset[str] = frozenset()
    allowance: Allowance = field(default_factory=Allowance)
    heads: Lazy[Commit] = field(default_factory=Lazy)

    def git(
        self,
        *words: str,
        stdin: bytes = b"",
        seconds: float = _SECONDS,
        environ: Mapping[str, str] = _NONE,
        settings: Iterable[tuple[str, str]] = (),
        cwd: Path | None = None,
    ) -> Completed:
        """Run git at the top of the repository; `environ` and `settings` are added to what it sees."""
        known = (*_SETTINGS, *_without(self.filters), *settings)
        command = Command(
            argv=("git", *words),
            cwd=cwd or self.top,
            stdin=stdin,
            environ={**_ENVIRON, **self.environ, **environ, **_as_variables(known)},
            timeout=seconds,
            owner=self.owner,
            withheld=self.withheld,
        )
        return self.allowance.spend(self.run, command)

    def ask(self, *words: str, **options: Any) -> bytes:
        """Run git and return what it prints; raises `ToolError` if it fails."""
        done = self.git(*words, **options)
        if done.returncode != 0:
            word = next(word for word in words if not word.startswith("-"))
            raise ToolError(f"git {word} failed: {_reason(done)}")
        return done.stdout

    def names(self, *words: str, **options: Any) -> list[str]:
        """Run git and return the names that it prints, divided by NUL; raises `ToolError` if it fails."""
        return [os.fsdecode(name) for name in self.ask(*words, **options).split(b"\0") if name]

    def commits(self, *names: str) -> dict[str, Commit]:
        """Return the commits among these names that the clone has."""
        done = self.git("cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
        found, rest = {}, done.stdout
        for name in names:
            head, _, rest = rest.partition(b"\n")
            match head.split(b" "):
                case [sha, kind, size] if size.isdigit():
                    body, rest = rest[: int(size)], rest[int(size) + 1 :]
                    if kind == b"commit":
                        found[name] = Commit(sha.decode(), tuple(_parents(body)))
                case _:  # it is missing
                    continue
        return found

    def head(self) -> Commit:
        """Return the commit that is checked out when it is first needed; raises `ToolError`."""
        return self.heads.of(lambda: _head(self.commits(_HEAD)))

    def head_and(self, *names: str) -> tuple[Commit, dict[str, Commit]]:
        """Return the same, and the commits among these names that the clone has, by one command."""
        found = self.commits(_HEAD, *names)
        return self.heads.of(lambda: _head(found)), found

    def upstream(self) -> Commit | None:
        """Return the commit of the branch that the current one follows, if any."""
        done = self.git("rev-parse", "--verify", "--quiet", "@{upstream}")
        return Commit(done.stdout.decode().strip()) if done.returncode == 0 else None

    def merge_base(self, one: str, other: str, environ: Mapping[str, str] = _NONE) -> str:
        """Return the common ancestor of two commits, as far as the clone has it; empty if there is none."""
        done = self.git("merge-base", one, other, environ=environ)
        return done.stdout.decode().strip() if done.returncode == 0 else ""

    @property
    def shallow(self) -> bool:
        """Whether the clone lacks older commits."""
        return self.git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def diff(self, base: str) -> Diff:
        """Compare the current files with a commit."""
        return parse(self.ask(*DIFF, base, "--"))

    def text_at(self, commit: str, name: str) -> str | None:
        """Return the text of a file at a commit, also at a fetched one; None if it did not exist."""
        done = self.with_fetched().git("cat-file", "blob", f"{commit}:{name}")
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

    def untracked(self) -> list[str]:
        """List the files that git neither tracks nor ignores."""
        names = self.names(*_OTHERS, "--exclude-standard")
        return [name for name in names if not name.endswith("/")]

    def ignored(self, folder: Path, names: Iterable[str]) -> frozenset[str]:
        """Return the names, relative to a folder, that git ignores and does not track."""
        stdin = b"".join(os.fsencode(name) + b"\0" for name in names)
        done = self.git("check-ignore", "-z", "--stdin", stdin=stdin, cwd=folder)
        return frozenset(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)

    def tracked(self, folder: Path, paths: Iterable[str]) -> list[str]:
        """List the tracked files below the paths of a folder, each once, relative to the folder."""
        return sorted(set(self._below(folder, paths, "--cached")))

    def nested(self, folder: Path, paths: Iterable[str]) -> list[str]:
        """List the untracked repositories below the paths of a folder."""
        # A .gitignore that is a pipe keeps git waiting; what it lists here is only named in a warning.
        found = self._below(folder, paths, "--others", "--exclude-standard", seconds=_LISTING_SECONDS)
        return [name[:-1] for name in found if name.endswith("/")]

    def _below(self, folder: Path, paths: Iterable[str], *words: str, **options: Any) -> list[str]:
        below = [path if path != "." else "./" for path in paths]
        return self.names(
            "--literal-pathspecs", "ls-files", *words, "-z", "--", *below, cwd=folder, **options
        )

    def changed(self, own: Iterable[Path] = ()) -> str:
        """Return a file that differs from the commit, or that git does not track; empty if there is none.

        Only the commit is trusted: its index may mark a file as unchanged, and patterns that are not part of the commit
        may hide others. `own` are our folders, which contain only data. Git would compare submodules under their own
        settings, not under ours: each is treated like a repository.
        """
        folder = self.tempdir / f"head-{sha256(os.fsencode(self.top)).hexdigest()[:20]}"
        hand_over(folder, self.owner)
        fresh = replace(self, environ={**self.environ, "GIT_INDEX_FILE": str(folder / "index")})
        listed = partial(fresh.names, settings=_WHOLE_INDEX)
        listed("read-tree", "HEAD")
        if names := listed(*_STATUS):
            return names[0][3:]
        others = listed(*_OTHERS, f"--exclude-per-directory={_IGNORES}")
        if name := next(chain(others, self._hidden(listed, own)), ""):
            return name
        for entry in listed("ls-files", "--cached", "--stage", "-z"):
            mode, _, submodule = entry.partition("\t")
            if mode.startswith(_SUBMODULE) and os.path.lexists(self.top / submodule / ".git"):
                name = find(replace(self, top=self.top / submodule)).changed()
                if name:
                    return f"{submodule}/{name}"
        return ""

    def _hidden(self, listed: Callable[..., list[str]], own: Iterable[Path]) -> Iterator[str]:
        """Yield files hidden by patterns that are not part of the commit, except those of tools in `.folders`."""
        root = self.top / _IGNORES
        of_root = [f"--exclude-from={root}"] if root.is_file() else []
        data = [folder.relative_to(self.top).as_posix() for folder in own if folder.is_relative_to(self.top)]
        for name in listed(*_OTHERS, *of_root, "--", f":(glob)**/{_IGNORES}"):
            ours = any(name.startswith(f"{folder}/") for folder in data)
            if not ours and not any(part.startswith(".") for part in name.split("/")[:-1]):
                yield name
        if data:
            inside = listed(*_OTHERS, "--", *(f":(literal){one}" for one in data))
            yield from (name for name in inside if not name.endswith(_DATA))

    def with_commit(self, sha: str, server: Server | None, seconds: float | None = None) -> "Repository":
        """Fetch one commit without its history; return the repository as one that has it too."""
        self._fetch("base", server, "--depth=1", "--no-filter", commits=[sha], seconds=seconds)
        return self.with_fetched()

    def with_branch(self, name: str, server: Server | None, seconds: float) -> tuple[str, "Repository"]:
        """Fetch the newest commit of a branch without its history; return it, and the repository as one that has it.

        Raises `ToolError`.
        """
        if not _BRANCH.fullmatch(name):
            raise ToolError(f"{name!r} is not the name of a branch")
        store = self._fetch(
            "base", server, "--depth=1", "--no-filter", commits=[f"refs/heads/{name}"], seconds=seconds
        )
        found = self.ask("rev-parse", "--verify", "FETCH_HEAD^{commit}", environ=self._at(store))
        return found.decode().strip(), self.with_fetched()

    def author(self, commit: str, path: str) -> str:
        """Return who last changed a file in the history of a commit; empty if the clone does not have that history.

        The path is relative to the top. At the end of a shallow clone every file seems to be new.
        """
        words = (
            "--literal-pathspecs",
            "log",
            "-1",
            "--no-merges",
            "--format=%H%x00%P%x00%aN",
            commit,
            "--",
            path,
        )
        done = self.git(*words)
        sha, _, rest = done.stdout.decode("utf-8", "replace").strip("\n").partition("\0")
        parents, _, name = rest.partition("\0")
        if done.returncode != 0 or not sha:
            return ""
        ends_here = not parents and self.commits(sha)[sha].parents
        return "" if ends_here else name

    def with_fetched(self) -> "Repository":
        """Return the repository as one that also has the commit that was fetched before, if one was."""
        stores = [store for name in ("base", _apart("base")) if (store := self._store(name)).is_dir()]
        if not stores:
            return self
        others = [self._path("objects"), *(store / "objects" for store in stores[1:])]
        environ = {"GIT_OBJECT_DIRECTORY": str(stores[0] / "objects"), **_also(*others)}
        return replace(self, environ={**self.environ, **environ})

    def fetched_merge_base(self, one: str, head: str, server: Server | None) -> str:
        """Fetch the history of a commit, without files; return its common ancestor with the other."""
        depth = [_ALL_HISTORY] if self.shallow else []
        store = self._fetch("history", server, *depth, "--filter=tree:0", commits=[one, head])
        return self.merge_base(one, head, self._at(store))

    def _fetch(
        self,
        name: str,
        server: Server | None,
        *options: str,
        commits: Sequence[str],
        seconds: float | None = None,
    ) -> Path:
        """Fetch commits into a separate store, which is returned: first with the credentials that checkout kept.

        Our token is for clones without credentials. It never meets what the repository's settings name, neither a program
        nor another address: it goes to the server of the event, from a store that has no other settings. The user who
        sends it is not the owner, whose programs could read the variables of another process of theirs.
        """
        plain = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc", "--refmap=")
        argv = ("fetch", *plain, *options, "origin", *commits)
        store = self._made(name)
        self._include(store)
        self._give(store, self.owner)
        done = self.git(*argv, seconds=seconds or _FETCH_SECONDS, environ=self._at(store))
        if done.returncode == 0:
            return store
        if server is None:
            raise ToolError(_reason(done))
        apart = self._made(_apart(name))
        # Neither root nor the owner.
        stranger = self.owner and Owner(uid=_NOBODY - (self.owner.uid == _NOBODY), gid=self.owner.gid)
        self._give(apart, stranger)
        environ = {**self._at(apart), "HOME": str(apart)}
        if stranger:  # every user of the container can write to a home
            environ["GIT_CONFIG_GLOBAL"] = os.devnull
        fetching = replace(self, top=apart, owner=stranger, environ=environ)
        # The commit that the clone has: git would ask the repository, by a command that may be named there.
        settings = (*server.settings, ("core.alternateRefsCommand", f"echo {self.head().sha} #"))
        fetching.ask(*argv, seconds=seconds or _FETCH_SECONDS, settings=settings)
        return apart

    def _store(self, name: str) -> Path:
        return self.tempdir / f"{name}.git"

    def _made(self, name: str) -> Path:
        """Create an empty repository that only we have written to, with the same shallow commits as ours."""
        store = self._store(name)
        if not store.exists():
            store.mkdir()
            head = self.git("rev-parse", "HEAD").stdout.strip()
            kind = ["--object-format=sha256"] if len(head) > _SHA1 else []
            ours = replace(self, owner=None, top=store, environ={"GIT_CONFIG_GLOBAL": os.devnull})
            ours.ask("init", "--bare", "--quiet", "--template=", *kind, str(store))
            if ends := _ends(self._path("shallow")):
                (store / "shallow").write_bytes(ends)
        return store

    def _give(self, store: Path, user: Owner | None) -> None:
        if user and store.stat().st_uid != user.uid:
            hand_over_whole(store, user)

    def _at(self, store: Path) -> dict[str, str]:
        """Return variables with which git works in a store, and finds there what our repository has."""
        return {"GIT_DIR": str(store), **_also(self._path("objects"))}

    def _include(self, store: Path) -> None:
        """Add the settings of the repository to a store: its remotes, and the credentials of checkout."""
        if store.stat().st_uid != os.geteuid():  # it was given away, and has them
            return
        self._append(store, [self._path("config")])
        # What checkout includes under a condition on the folder has to be named.
        known = self._configs({"GIT_DIR": str(store)})
        self._append(store, [file for file in self._configs() if file not in known])

    def _append(self, store: Path, files: Sequence[Path]) -> None:
        with (store / "config").open("ab") as stream:
            for file in files:
                stream.write(b"[include]\n\tpath = " + _quoted(file) + b"\n")
            stream.write(b"[core]\n\tbare = true\n")

    def _configs(self, environ: Mapping[str, str] = _NONE) -> list[Path]:
        """List the files that git's settings come from, without the values."""
        done = self.git("config", "--list", "--show-origin", "--name-only", "-z", environ=environ)
        origins = dict.fromkeys(done.stdout.split(b"\0")[0::2])
        files = (os.fsdecode(one.removeprefix(b"file:")) for one in origins if one.startswith(b"file:"))
        return [Path(os.path.normpath(self.top / file)) for file in files]

    def _path(self, name: str) -> Path:
        raw = self.ask("rev-parse", "--git-path", name).removesuffix(b"\n")
        return Path(os.path.normpath(self.top / os.fsdecode(raw)))


def find(here: Repository) -> Repository:
    """Return the repository that a folder belongs to; raises `ToolError` with the reason if there is none."""
    try:
        done = here.git("rev-parse", "--show-toplevel")
    except ToolError as error:
        raise ToolError(f"could not run git: {error.reason}") from error
    if done.returncode != 0 or not done.stdout.strip():
        raise ToolError(f"no git repository found: {_reason(done)}")
    top = Path(os.fsdecode(done.stdout.removesuffix(b"\n")))
    keys = here.git("config", "--name-only", "-z", "--get-regexp", r"^filter\.").stdout.split(b"\0")
    named = {os.fsdecode(key).removeprefix("filter.").rpartition(".")[0] for key in keys}
    return replace(here, top=top, filters=tuple(sorted({_LFS, *named} - {""})))


def withheld_from_git(environ: Iterable[str]) -> frozenset[str]:
    """Return the variables that are removed from git's environment."""
    return frozenset(name for name in environ if not _SEEN.fullmatch(name))


def _without(filters: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Return settings that compare files without filters, and those of Git LFS by their pointers."""
    pointers = shlex.join((sys.executable, "-I", "-S", str(_LFS_FILTER)))
    for name in filters:
        yield f"filter.{name}.clean", ""
        yield f"filter.{name}.smudge", ""
        yield f"filter.{name}.process", pointers if name == _LFS else ""
        yield f"filter.{name}.required", "false"


def _as_variables(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return settings as variables: an option does not allow a name with `=`."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _apart(name: str) -> str:
    return f"{name}-asked"


def _also(*folders: Path) -> dict[str, str]:
    """Return the variable for further folders with objects."""
    quoted = b":".join(_quoted(folder) for folder in folders)
    return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": os.fsdecode(quoted)}


def _ends(shallow: Path) -> bytes:
    """Return the names of the commits at which a history ends, and nothing else that the file contains or leads to."""
    try:
        opened = os.open(shallow, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(opened, "rb") as stream:
            regular = stat.S_ISREG(os.fstat(opened).st_mode)
            lines = stream.read(_LARGEST_SHALLOW).splitlines() if regular else []
    except OSError:
        return b""
    return b"".join(line + b"\n" for line in lines if _OBJECT.fullmatch(line.decode("ascii", "replace")))


def is_commit_name(text: object) -> bool:
    """Whether a value of a payload is the full name of a commit, and not all zeros."""
    return isinstance(text, str) and bool(_OBJECT.fullmatch(text)) and bool(text.strip("0"))


def _head(found: Mapping[str, Commit]) -> Commit:
    if _HEAD not in found:
        raise ToolError("the repository has no commit yet")
    return found[_HEAD]


def _parents(body: bytes) -> Iterator[str]:
    for line in body.partition(b"\n\n")[0].split(b"\n"):
        if line.startswith(b"parent "):
            yield line.removeprefix(b"parent ").decode()


def _quoted(path: Path) -> bytes:
    """Return a path in quotes, as in git's configuration files and variables."""
    raw = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + raw + b'"'


def _reason(done: Completed) -> str:
    lines = last_lines(done.stderr).splitlines() or [""]
    line = next((line for line in lines if line.startswith(("fatal: ", "error: "))), lines[-1])
    return line.partition(": ")[2] or line or f"git ended with exit code {done.returncode}"
