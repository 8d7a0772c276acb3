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
    try:
        import alembic
        import sqlalchemy
    except ImportError as error:
        channel.send("absent", module=error.name or "alembic", text=str(error))
    else:
        channel.send(
            "start",
            python="%d.%d.%d" % sys.version_info[:3],
            alembic=alembic.__version__,
            sqlalchemy=sqlalchemy.__version__,
        )
        from .walk import Walk

        Walk(given, channel).run()
    channel.send("end")
    sys.stdout.flush()
    sys.stderr.flush()
    # What the project leaves running, such as a thread, decides nothing any more.
    os._exit(0)
