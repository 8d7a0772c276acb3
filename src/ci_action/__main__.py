"""The entry point: argv and environment in, exit code out."""

import os
import sys


def entry() -> None:
    """Run the program and end Python with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # Foreign text must not end the run because of the encoding of the log.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # both are TextIOWrapper
    if sys.argv[1:] == ["--version"]:  # without the cost of the settings
        from ci_action import __version__  # noqa: PLC0415 - see above

        print(f"ci-action {__version__}")  # noqa: T201 - the command line's own output
        raise SystemExit(0)
    from ci_action.cli import main  # noqa: PLC0415 - see above

    raise SystemExit(main(sys.argv[1:], os.environ))  # noqa: TID251 - the one place


if __name__ == "__main__":
    entry()
