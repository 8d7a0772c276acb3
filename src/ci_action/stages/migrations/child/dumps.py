"""The schema as pg_dump prints it: the last word, because it has every kind of object."""

import os
import re
import subprocess

from sqlalchemy.engine import make_url

from .bodies import collapsed

_SECONDS = 120
_LONGEST = 600
# Made by Alembic, by us, or shared by all migrations of a server.
_LEFT_OUT = re.compile(
    r"\bci_action|\balembic_version|\bEXTENSION\b|^\\|^SET |^SELECT pg_catalog\.set_config"
)


class DumpError(Exception):
    """pg_dump did not print the schema."""


def take(program, url):
    """Return the statements that make the schema; raises `DumpError`."""
    address = make_url(url)
    variables = {
        "PGHOST": address.host or "",
        "PGPORT": str(address.port or 5432),
        "PGUSER": address.username or "",
        "PGPASSWORD": str(address.password or ""),
        "PGDATABASE": address.database or "",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    words = [*program, "--schema-only", "--no-owner", "--exclude-schema=ci_action"]
    done = subprocess.run(
        words,
        env=dict(kept, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise DumpError(done.stderr.decode("utf-8", "replace")[-_LONGEST:])
    return statements(done.stdout.decode("utf-8", "replace"))


def statements(text):
    """Return the statements of a dump; the lines of a table are sorted, because the order of its columns is not compared."""
    found = set()
    for block in re.split(r"\n\s*\n", collapsed(text)):
        lines = [line for line in block.splitlines() if line.strip() and not line.startswith("--")]
        if not lines or _LEFT_OUT.search("\n".join(lines)):
            continue
        if lines[0].startswith("CREATE TABLE"):
            lines = [lines[0], *sorted(line.rstrip(",") for line in lines[1:])]
        found.add("\n".join(lines))
    return found


def differences(before, after):
    """Return what was added and removed."""
    added = [["+", one[:_LONGEST], "", ""] for one in sorted(after - before)]
    return added + [["-", one[:_LONGEST], "", ""] for one in sorted(before - after)]
