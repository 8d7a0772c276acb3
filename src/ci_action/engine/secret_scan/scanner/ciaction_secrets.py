"""Scan files with the engine of detect-secrets, and tell of each file as soon as it was scanned: one JSON object a line.

Started by the Python of the bundled tools, in the project's folder; standard input says what to scan (`main`). A found
value leaves this process through its standard output alone, as hexadecimal digits. Nothing else is written: plugins and
filters of the project run here, so both standard streams lead nowhere for them, and of an exception only its type and
its place are told.
"""

import inspect
import io
import json
import os
import sys

# The release whose inner parts the prefilter knows; any other runs as it is.
KNOWN_VERSION = "1.5.0"
VERIFICATION = "detect_secrets.filters.common.is_ignored_due_to_verification_policies"
BASELINE_FILTER = "detect_secrets.filters.common.is_baseline_file"
# The least that a secret needs to be reported where it was tried out: not to be known as false.
_NOT_KNOWN_AS_FALSE = 2
_OWN_FILTERS = "detect_secrets.filters."


class UnusableError(Exception):
    """The configuration cannot be used; the text says why, and is ours."""


class Teller:
    """Writes the events."""

    def __init__(self):
        self._stream = os.fdopen(os.dup(1), "w", encoding="ascii")
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)

    def tell(self, event, **facts):
        """Write one event, so that it is known whatever comes after."""
        self._stream.write(json.dumps(dict(event=event, **facts)) + "\n")
        self._stream.flush()


def decoded(raw):
    """Return the text of a file and its encoding; None where it is binary."""
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
    """Stands in for `open` in the engine, which passes over every file that is not UTF-8 without a word."""

    def __init__(self):
        self.state, self.encoding, self.problem = "excluded", "", ""

    def __call__(self, name):
        """Return the text of a file, its line ends made newlines, as `open` would."""
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
            raise OSError  # the engine takes it for a file that it need not look at
        text, self.encoding = found
        self.state = "scanned"
        file = io.StringIO(text, newline=None)
        file.name = name
        return file


def configure(baseline, name, verify):
    """Set the engine up as `detect-secrets scan` does; return what a baseline says of plugins and filters."""
    from detect_secrets import settings
    from detect_secrets.core import baseline as baselines

    if baseline:
        baseline = baselines.upgrade(baseline)
    if "plugins_used" not in baseline:
        with settings.default_settings() as default:
            pass
        settings.get_settings().set(default)  # leaving the block has put the former ones back
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
        raise UnusableError("a plugin that it names is not known, or cannot be set up so") from None
    except FileNotFoundError:
        raise UnusableError("the file of a plugin that it names is not there") from None
    if not plugins:
        raise UnusableError("it names no plugins, so nothing would be found")
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
    """Return the engine, with the prefilter in it where it is the one that the prefilter knows."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from ciaction_prefilter import Engine
    from detect_secrets.__version__ import VERSION
    from detect_secrets.core import scan
    from detect_secrets.settings import get_plugins, get_settings

    shapes = {
        "_process_line_based_plugins": ["lines", "filename"],
        "_scan_line": ["plugin", "filename", "line", "line_number", "context", "kwargs"],
        "_is_filtered_out": ["required_filter_parameters", "kwargs"],
        "get_code_snippet": ["lines", "line_number", "lines_of_context"],
    }
    known = VERSION == KNOWN_VERSION and all(
        list(inspect.signature(getattr(scan, name)).parameters) == shape
        for name, shape in shapes.items()
        if hasattr(scan, name)
    )
    # A filter of the project may want to see every line.
    own = all(path.startswith(_OWN_FILTERS) for path in get_settings().filters)
    if known and own and all(hasattr(scan, name) for name in shapes):
        # The filters for lines cost more than the plugins; but what they leave out must not be tried out either.
        verifies = VERIFICATION in get_settings().filters
        scan._process_line_based_plugins = Engine(scan, get_plugins(), lines_first=verifies).process
        return scan, "prefilter"
    return scan, "plain"


def scan_file(scan, name):
    """Return what is to be told of one file."""
    opener = scan.open = Opener()
    try:
        secrets = list(scan.scan_file(name))
    except Exception as error:  # the engine's own parsers fail on some files
        return dict(state="failed", encoding="", found=[], problem=_told(error))
    if opener.state == "excluded" and not os.path.isfile(name):
        return dict(state="unreadable", encoding="", found=[], problem="it is no file any more")
    found = sorted(
        {
            (one.line_number, one.type, one.secret_value.encode("utf-8", "surrogatepass").hex())
            for one in secrets
        }
    )
    return dict(state=opener.state, encoding=opener.encoding, found=found, problem=opener.problem)


def _told(error):
    """Return the type and the place of an exception; its text may hold a line of the file."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    place = traceback and "%s:%d" % (
        os.path.basename(traceback.tb_frame.f_code.co_filename),
        traceback.tb_lineno,
    )
    return "%s in %s" % (type(error).__name__, place or "an unknown place")


def main():
    """Read what to scan, scan it, and tell; what `stdin` holds is made by ci_action.engine.secret_scan.scan."""
    teller = Teller()
    try:
        job = json.load(sys.stdin)
        configuration = configure(job["baseline"], job["name"], job["verify"])
        scan, kind = engine()
    except UnusableError as error:
        teller.tell("failed", problem=str(error))
        return 3
    except Exception as error:
        teller.tell("failed", problem=_told(error))
        return 3
    teller.tell("start", engine=kind, **configuration)
    for number, name in enumerate(job["files"]):
        teller.tell("file", number=number, **scan_file(scan, name))
    teller.tell("finish", files=len(job["files"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
