"""The whole run: upgrade from nothing, each revision down and up again, then models against the database."""

import json
import os
import sys

from .channel import Channel


def main():
    """Do what the input asks for; exit 0 only after the last event."""
    given = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # the input has the address of the database
    channel = Channel(given["events"])
    sys.argv[:] = ["alembic", "upgrade", "heads"]
    sys.path += [folder for folder in given["folders"] if folder not in sys.path]
    _run(given, channel)
    channel.send("end")
    sys.stdout.flush()
    sys.stderr.flush()
    # What the project leaves running, such as a thread, decides nothing any more.
    os._exit(0)


def _run(given, channel):
    try:
        import alembic
        import sqlalchemy
    except ImportError as error:
        channel.send("absent", module=error.name or "alembic", text=str(error))
        return
    channel.send(
        "start",
        python="%d.%d.%d" % sys.version_info[:3],
        alembic=alembic.__version__,
        sqlalchemy=sqlalchemy.__version__,
    )
    for module, least in ((alembic, (1, 8)), (sqlalchemy, (1, 4))):
        if _version(module) < least:
            needed = "%s %d.%d or newer" % (module.__name__, *least)
            channel.send("absent", module=needed, text="version %s" % module.__version__)
            return
    from .walk import Walk

    Walk(given, channel).run()


def _version(module):
    """Return the first two numbers of a version."""
    return tuple(int(part) if part.isdigit() else 0 for part in module.__version__.split(".")[:2])
