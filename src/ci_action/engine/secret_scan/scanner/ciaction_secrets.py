"""Scans files with the engine of detect-secrets and reports each file at once: one JSON object per line.

It is started by the Python of the bundled tools in the project's folder; standard input is the job (`main`). Found values
are only written to standard output, as hexadecimal digits. Plugins and filters of the project run here, so both standard
streams are closed for them, and only the type and the place of an exception are reported.
"""

import io
import json
import os
import sys

# The release for whose internals the prefilter is written; any other runs without it.
KNOWN_VERSION = "1.5.0"
VERIFICATION = "detect_secrets.filters.common.is_ignored_due_to_verification_policies"
BASELINE_FILTER = "detect_secrets.filters.common.is_baseline_file"
# The minimum level of a verified secret to be reported: it is not known to be false.
_NOT_KNOWN_AS_FALSE = 2
_OWN_FILTERS = "detect_secrets.filters."


class UnusableError(Exception):
    """The configuration is invalid; the message holds no text of the project."""


class Events:
    """Writes the events."""

    def __init__(self):
        self._stream = os.fdopen(os.dup(1), "w", encoding="ascii")
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)

    def write(self, event, **fields):
        """Write one event at once, whatever happens later."""
        self._stream.write(json.dumps(dict(event=event, **fields)) + "\n")
        self._stream.flush()


def decoded(raw):
    """Return the text of a file and its encoding; None if it is binary."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8"] if b"\0" in raw else ["utf-8", "latin-1"]
    for encoding in encodings:
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return None


class Opener:
    """Replaces `open` in the engine, which silently skips files that are not UTF-8."""

    def __init__(self):
        self.state, self.encoding, self.problem = "excluded", "", ""

    def __call__(self, name):
        """Return the text of a file with universal newlines, as `open` does."""
        self.state = "unreadable"
        try:
            with open(name, "rb") as stream:
                raw = stream.read()
        except OSError as error:
            self.problem = error.strerror or type(error).__name__
            raise
        found = decoded(raw)
        if found is None:
            self.state = "binary"
            raise OSError  # the engine then skips it
        text, self.encoding = found
        self.state = "scanned"
        file = io.StringIO(text, newline=None)
        file.name = name
        return file


def configure(baseline, name, verify):
    """Configure the engine as `detect-secrets scan` does; return the plugins and filters for a baseline."""
    from detect_secrets import settings
    from detect_secrets.core import baseline as baselines

    if baseline:
        baseline = baselines.upgrade(baseline)
    if "plugins_used" not in baseline:
        with settings.default_settings() as default:
            pass
        settings.get_settings().set(default)  # leaving the block has restored the former ones
    used = settings.get_settings()
    settings.configure_settings_from_baseline(baseline, filename=name)
    if not verify:
        used.disable_filters(VERIFICATION)
    elif VERIFICATION not in used.filters:
        used.filters[VERIFICATION] = {"min_level": _NOT_KNOWN_AS_FALSE}
    settings.get_plugins.cache_clear()
    settings.get_filters.cache_clear()
    try:
        plugins = settings.get_plugins()
    except TypeError:
        raise UnusableError("it has an unknown plugin, or a plugin with invalid options") from None
    except FileNotFoundError:
        raise UnusableError("the file of a plugin was not found") from None
    if not plugins:
        raise UnusableError("it has no plugins, so no secrets would be found")
    found = {
        **used.json(),
        **{key: baseline[key] for key in ("plugins_used", "filters_used") if key in baseline},
    }
    if "filters_used" not in baseline:
        found["filters_used"] = [
            entry for entry in found["filters_used"] if entry["path"] not in (BASELINE_FILTER, VERIFICATION)
        ]
    return found


def engine():
    """Return the engine, with the prefilter if it fits."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from ciaction_prefilter import Engine
    from detect_secrets.__version__ import VERSION
    from detect_secrets.core import scan
    from detect_secrets.settings import get_plugins, get_settings

    filters = get_settings().filters
    # A filter of the project may want to see every line.
    if VERSION == KNOWN_VERSION and all(path.startswith(_OWN_FILTERS) for path in filters):
        # The filters for lines cost more than the plugins, so they come last; but excluded lines must not be verified.
        engine = Engine(scan, get_plugins(), lines_first=VERIFICATION in filters)
        scan._process_line_based_plugins = engine.process
        return scan, "prefilter"
    return scan, "plain"


def scan_file(scan, name):
    """Return the event of one file."""
    opener = scan.open = Opener()
    try:
        secrets = list(scan.scan_file(name))
    except Exception as error:  # the engine's own parsers fail on some files
        return dict(state="failed", encoding="", found=[], problem=_described(error))
    if opener.state == "excluded" and not os.path.isfile(name):
        return dict(state="unreadable", encoding="", found=[], problem="not a regular file")
    found = sorted(
        {
            (one.line_number, one.type, one.secret_value.encode("utf-8", "surrogatepass").hex())
            for one in secrets
        }
    )
    return dict(state=opener.state, encoding=opener.encoding, found=found, problem=opener.problem)


def _described(error):
    """Return the type and the place of an exception, whose message may hold a line of the file."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    place = traceback and "%s:%d" % (
        os.path.basename(traceback.tb_frame.f_code.co_filename),
        traceback.tb_lineno,
    )
    return "%s in %s" % (type(error).__name__, place or "an unknown place")


def main():
    """Read the job, which ci_action.engine.secret_scan.scan writes, and scan its files."""
    events = Events()
    try:
        job = json.load(sys.stdin)
        configuration = configure(job["baseline"], job["name"], job["verify"])
        scan, kind = engine()
    except UnusableError as error:
        events.write("failed", problem=str(error))
        return 3
    except Exception as error:
        events.write("failed", problem=_described(error))
        return 3
    events.write("start", engine=kind, **configuration)
    for number, name in enumerate(job["files"]):
        events.write("file", number=number, **scan_file(scan, name))
    events.write("finish", files=len(job["files"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
