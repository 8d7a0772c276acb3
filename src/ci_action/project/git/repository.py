"""The project's git repository: its commits, its changes, and commits that a shallow clone lacks.

Nothing in it is written: what is fetched goes to a folder of ours, and git looks there too. Its settings name programs
(hooks, filters, a monitor of files, a command for SSH), and whoever wrote to its folder has chosen them. So every git
of ours runs as the workspace's owner, without our secrets in its environment, and with all that is switched off which
reading does not need. What is left, such as a command for SSH in a fetch, runs as that owner as well.
"""

import os
import re
import shlex
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Final

from ci_action.project.git import lfs_filter
from ci_action.project.git.diff import SOURCE_PREFIX, TARGET_PREFIX, Diff, parse
from ci_action.system.errors import TimedOutError, ToolError
from ci_action.system.folder import Owner
from ci_action.system.ownership import hand_over, hand_over_whole
from ci_action.system.process import Command, Completed, Run, last_lines

# One command, a fetch (longer costs more than the whole project), and all git of a run.
_LISTING_SECONDS: Final = 20.0
_SECONDS: Final = 60.0
_FETCH_SECONDS: Final = 120.0
_ALL_SECONDS: Final = 240.0
_OBJECT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# More than git can count: all of the history.
_ALL_HISTORY: Final = "--depth=2147483647"
_LARGEST_SHALLOW: Final = 10_000_000
_NOBODY: Final = 65_533
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_ENVIRON: Final = {
    "GIT_ASKPASS": "",  # nobody is there to answer
    "GIT_PROXY_COMMAND": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a commit is what its name says
    "GIT_GRAFT_FILE": os.devnull,
    "LC_ALL": "C",
}
# What git and the programs that it may start see of our environment: nothing of it is a secret of the workflow.
_SEEN: Final = re.compile(
    r"PATH|HOME|XDG_CONFIG_HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|SSH_AUTH_SOCK"
    r"|(?i:(HTTPS?|ALL|NO)_PROXY)|SSL_CERT_\w+|CURL_CA_BUNDLE|GIT_(SSL|HTTP|SSH)\w*|GIT_EXEC_PATH"
)
# They stand above those of the repository. Reading needs no hook, no monitor of files, and nobody's comfort.
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
# The filter of Git LFS is a program that the repository names; ours makes the same of a file for git.
_SUBMODULE: Final = "160000 "
_LFS: Final = "lfs"
_LFS_FILTER: Final = Path(lfs_filter.__file__)
# The index is made anew, with all files, and none of them is believed to be unchanged.
_WHOLE_INDEX: Final = (
    ("core.ignoreStat", "false"),
    ("core.sparseCheckout", "false"),
    ("core.splitIndex", "false"),
    ("core.untrackedCache", "false"),
    ("index.sparse", "false"),
)
_OTHERS: Final = ("ls-files", "--others", "-z")
_IGNORES: Final = ".gitignore"
# What our folders hold.
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


@dataclass(frozen=True, kw_only=True)
class Server:
    """The server of the event: whom our token may be told, and where the repository is there."""

    address: str
    repository: str
    authorization: str = field(repr=False)

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """The settings of git under which it asks this server, and no other."""
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
    """The time that all git of a run has together: a repository can make each command as slow as it likes."""

    def __init__(self, seconds: float = _ALL_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._all = self._left = seconds
        self._clock = clock
        self._lock = Lock()

    def spend(self, run: Run, command: Command) -> Completed:
        """Run a command of git within what is left; raises `ToolError` where that was not enough."""
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
    """A repository as it lies on the disk."""

    run: Run
    top: Path
    tempdir: Path
    """A folder that is ours alone."""
    environ: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None
    """Who runs git: the owner of the workspace in the container, None for ourselves."""
    filters: tuple[str, ...] = (_LFS,)
    """The names of the filters that settings know; none of them runs."""
    withheld: frozenset[str] = frozenset()
    allowance: Allowance = field(default_factory=Allowance)

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
        return parse(succeeded(self.git(*DIFF, base, "--"), "git diff failed: ").stdout)

    def text_at(self, commit: str, name: str) -> str | None:
        """Return what a file said at a commit, also at one that was fetched; None where it was not there."""
        done = self.with_fetched().git("cat-file", "blob", f"{commit}:{name}")
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

    def untracked(self) -> list[str]:
        """List the files that git does not know and is not told to ignore."""
        done = succeeded(
            self.git("ls-files", "--others", "--exclude-standard", "-z"), "git ls-files failed: "
        )
        names = (os.fsdecode(name) for name in done.stdout.split(b"\0"))
        return [name for name in names if name and not name.endswith("/")]

    def tracked(self, folder: Path, paths: Iterable[str]) -> list[str]:
        """List the files below the paths of a folder that git knows, each once, by names relative to the folder."""
        below = [path if path != "." else "./" for path in paths]
        words = ("--literal-pathspecs", "ls-files", "--cached", "-z", "--", *below)
        done = succeeded(self.git(*words, cwd=folder), "git ls-files failed: ")
        return sorted({os.fsdecode(name) for name in done.stdout.split(b"\0") if name})

    def nested(self, folder: Path, paths: Iterable[str]) -> list[str]:
        """List the folders below the paths of a folder that are repositories which git does not know."""
        below = [path if path != "." else "./" for path in paths]
        words = ("ls-files", "--others", "--exclude-standard", "-z", "--", *below)
        # A .gitignore that is a pipe keeps git waiting; what it lists here is only named in a warning.
        found = self.git("--literal-pathspecs", *words, cwd=folder, seconds=_LISTING_SECONDS).stdout.split(
            b"\0"
        )
        return [os.fsdecode(name[:-1]) for name in found if name.endswith(b"/")]

    def changed(self, own: Iterable[Path] = ()) -> str:
        """Return the name of a file that is not that of the commit, or that git does not know; empty without one.

        What lies beside the commit is not believed: its index may say that a file is not to be looked at, and patterns
        that are no part of the commit may hide others. `own` are folders of ours, which hold data alone. Git would look
        into submodules under their own settings, not under ours: each is asked like a repository.
        """
        folder = self.tempdir / f"head-{sha256(os.fsencode(self.top)).hexdigest()[:20]}"
        hand_over(folder, self.owner)
        fresh = replace(self, environ={**self.environ, "GIT_INDEX_FILE": str(folder / "index")})
        fresh.told("read-tree", "HEAD")
        words = ("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=dirty")
        if name := fresh.told(*words)[0][3:]:
            return name
        if name := next(
            filter(None, (*fresh.told(*_OTHERS, f"--exclude-per-directory={_IGNORES}"), fresh.hidden(own))),
            "",
        ):
            return name
        listed = fresh.told("ls-files", "--cached", "--stage", "-z")
        submodules = (
            name
            for mode, _, name in (entry.partition("\t") for entry in listed)
            if mode.startswith(_SUBMODULE)
        )
        for submodule in submodules:
            if os.path.lexists(self.top / submodule / ".git"):
                name = find(replace(self, top=self.top / submodule)).changed()
                if name:
                    return f"{submodule}/{name}"
        return ""

    def told(self, *words: str) -> list[str]:
        """Return the names that git tells, under settings of ours for the index; one at least. Raises `ToolError`."""
        done = self.git(*words, settings=_WHOLE_INDEX)
        if done.returncode != 0:
            raise ToolError("git cannot say whether the files are those of the commit")
        return [os.fsdecode(name) for name in done.stdout.split(b"\0")]

    def hidden(self, own: Iterable[Path]) -> str:
        """Return a file that only patterns hide which are no part of the commit; those of tools in `.folders` may."""
        root = self.top / _IGNORES
        of_root = [f"--exclude-from={root}"] if root.is_file() else []
        data = [folder.relative_to(self.top).as_posix() for folder in own if folder.is_relative_to(self.top)]
        for name in filter(None, self.told(*_OTHERS, *of_root, "--", f":(glob)**/{_IGNORES}")):
            *parts, _ = name.split("/")
            if any(part.startswith(".") for part in parts):
                continue
            if not any(name.startswith(f"{folder}/") for folder in data):
                return name
        for name in (
            filter(None, self.told(*_OTHERS, "--", *(f":(literal){one}" for one in data))) if data else ()
        ):
            if not name.endswith(_DATA):
                return name
        return ""

    def with_commit(self, sha: str, server: Server | None) -> "Repository":
        """Fetch one commit without its history; return the repository as one that has it too."""
        self._fetch("base", server, "--depth=1", "--no-filter", commits=[sha])
        return self.with_fetched()

    def with_fetched(self) -> "Repository":
        """Return the repository as one that also has the commit that was fetched before, if one was."""
        stores = [store for name in ("base", _apart("base")) if (store := self._store(name)).is_dir()]
        if not stores:
            return self
        others = [self._path("objects"), *(store / "objects" for store in stores[1:])]
        environ = {"GIT_OBJECT_DIRECTORY": str(stores[0] / "objects"), **_also(*others)}
        return replace(self, environ={**self.environ, **environ})

    def fetched_merge_base(self, one: str, head: str, server: Server | None) -> str:
        """Fetch the history of a commit, without files; return where it parts from the other."""
        depth = [_ALL_HISTORY] if self.shallow else []
        store = self._fetch("history", server, *depth, "--filter=tree:0", commits=[one, head])
        return self.merge_base(one, head, self._at(store))

    def _fetch(self, name: str, server: Server | None, *options: str, commits: Sequence[str]) -> Path:
        """Fetch commits into a store of ours, which is returned: first with what checkout left behind.

        Our token is for clones that kept no credentials. It never meets what the repository's settings name, neither
        a program nor another address: it goes to the server of the event, from a store that knows no other settings.
        The user who sends it is not the owner, whose programs could read the variables of another one of theirs.
        """
        plain = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc", "--refmap=")
        argv = ("fetch", *plain, *options, "origin", *commits)
        store = self._made(name)
        self._include(store)
        self._give(store, self.owner)
        done = self.git(*argv, seconds=_FETCH_SECONDS, environ=self._at(store))
        if done.returncode == 0 or server is None:
            succeeded(done)
            return store
        apart = self._made(_apart(name))
        stranger = self.owner and _stranger(self.owner)
        self._give(apart, stranger)
        here = self.head().sha
        environ = {**self._at(apart), "HOME": str(apart)}
        if stranger:  # a home in the container is anybody's
            environ["GIT_CONFIG_GLOBAL"] = os.devnull
        fetching = replace(self, top=apart, owner=stranger, environ=environ)
        # What is here is told by us: git would ask the repository, by a command that may be named there.
        settings = (*server.settings, ("core.alternateRefsCommand", f"echo {here} #"))
        succeeded(fetching.git(*argv, seconds=_FETCH_SECONDS, settings=settings))
        return apart

    def _store(self, name: str) -> Path:
        return self.tempdir / f"{name}.git"

    def _made(self, name: str) -> Path:
        """Make an empty repository that nobody else has written to; it knows where the history of ours ends."""
        store = self._store(name)
        if not store.exists():
            store.mkdir()
            head = self.git("rev-parse", "HEAD").stdout.strip()
            kind = ["--object-format=sha256"] if len(head) > 40 else []  # noqa: PLR2004 - length of SHA-1
            ours = replace(self, owner=None, top=store, environ={"GIT_CONFIG_GLOBAL": os.devnull})
            succeeded(ours.git("init", "--bare", "--quiet", "--template=", *kind, str(store)))
            if ends := _ends(self._path("shallow")):
                (store / "shallow").write_bytes(ends)
        return store

    def _give(self, store: Path, user: Owner | None) -> None:
        if user and store.stat().st_uid != user.uid:
            hand_over_whole(store, user)

    def _at(self, store: Path) -> dict[str, str]:
        """Return the variables under which git works in a store, and finds there what our repository has."""
        return {"GIT_DIR": str(store), **_also(self._path("objects"))}

    def _include(self, store: Path) -> None:
        """Let a store have the settings of the repository: its remotes, and the credentials of checkout."""
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
        """List the files that git's settings come from; their values are not read."""
        done = self.git("config", "--list", "--show-origin", "--name-only", "-z", environ=environ)
        origins = dict.fromkeys(done.stdout.split(b"\0")[0::2])
        files = (os.fsdecode(one.removeprefix(b"file:")) for one in origins if one.startswith(b"file:"))
        return [Path(os.path.normpath(self.top / file)) for file in files]

    def _path(self, name: str) -> Path:
        raw = succeeded(self.git("rev-parse", "--git-path", name)).stdout
        return Path(os.path.normpath(self.top / os.fsdecode(raw.removesuffix(b"\n"))))


def succeeded(done: Completed, what: str = "") -> Completed:
    """Return an answer of git; raises `ToolError` with the reason if git failed."""
    if done.returncode != 0:
        raise ToolError(f"{what}{_reason(done)}")
    return done


def find(here: Repository) -> Repository:
    """Find the repository that a folder belongs to; raises `ToolError` with the reason where there is none."""
    try:
        done = here.git("rev-parse", "--show-toplevel")
    except ToolError as error:
        raise ToolError(f"git cannot be asked: {error.reason}") from error
    if done.returncode != 0 or not done.stdout.strip():
        raise ToolError(f"there is no git repository here: {_reason(done)}")
    top = Path(os.fsdecode(done.stdout.removesuffix(b"\n")))
    keys = here.git("config", "--name-only", "-z", "--get-regexp", r"^filter\.").stdout.split(b"\0")
    named = {os.fsdecode(key).removeprefix("filter.").rpartition(".")[0] for key in keys}
    return replace(here, top=top, filters=tuple(sorted({_LFS, *named} - {""})))


def withheld_from_git(environ: Iterable[str]) -> frozenset[str]:
    """Return the names of the variables that git does not see."""
    return frozenset(name for name in environ if not _SEEN.fullmatch(name))


def _without(filters: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Return settings under which files are compared as they lie there, those of Git LFS by their pointers."""
    pointers = shlex.join((sys.executable, "-I", "-S", str(_LFS_FILTER)))
    for name in filters:
        yield f"filter.{name}.clean", ""
        yield f"filter.{name}.smudge", ""
        yield f"filter.{name}.process", pointers if name == _LFS else ""
        yield f"filter.{name}.required", "false"


def _as_variables(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return settings as variables: an option could not hold a name with `=`."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _apart(name: str) -> str:
    return f"{name}-asked"


def _stranger(owner: Owner) -> Owner:
    """Return a user who is nobody else here: neither root nor the owner."""
    return Owner(uid=_NOBODY if owner.uid != _NOBODY else _NOBODY - 1, gid=owner.gid)


def _also(*folders: Path) -> dict[str, str]:
    """Return the variable by which git looks for objects in further folders."""
    quoted = b":".join(_quoted(folder) for folder in folders)
    return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": os.fsdecode(quoted)}


def _ends(shallow: Path) -> bytes:
    """Return the names of the commits at which a history ends; what else the file may hold or lead to is not read."""
    try:
        opened = os.open(shallow, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(opened, "rb") as stream:
            regular = stat.S_ISREG(os.fstat(opened).st_mode)
            lines = stream.read(_LARGEST_SHALLOW).splitlines() if regular else []
    except OSError:
        return b""
    return b"".join(line + b"\n" for line in lines if _OBJECT.fullmatch(line.decode("ascii", "replace")))


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
