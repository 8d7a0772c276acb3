"""Write what pytest does while it does it: one JSON object a line, so that it is known whatever happens later.

`coverage-options.json` in the same folder has the options of pytest-cov, for whoever reads its data.

Loaded by `-p ciaction_pytest` into the project's own interpreter: CPython 3.8 and later, pytest 6.2 and later, only
the standard library. CI_ACTION_PYTEST_EVENTS is the file to write. CI_ACTION_PYTEST_OVERLAY may be a folder of packages
that the environment lacks: it goes to the end of sys.path, so that the project's own come first.
CI_ACTION_PYTEST_COVERAGE is how coverage is measured, as JSON: `starter` is `pytest-cov`, `coverage` (it started this
process) or empty; `data` is the file for its data; `given` is the value of COVERAGE_FILE for the tests;
`replace` and `source`, `branch`, `config` are options of pytest-cov.
"""

import json
import os
import sys

_OVERLAY = os.environ.get("CI_ACTION_PYTEST_OVERLAY")
if _OVERLAY and _OVERLAY not in sys.path:
    sys.path.append(_OVERLAY)

import pytest  # it may be in the overlay

_EVENTS = os.environ.get("CI_ACTION_PYTEST_EVENTS")
_MOST_TEXT = 8000
_MOST_FRAMES = 30
_MOST_SECONDS = 1000000000
_MOST_NAMES = 3
_MOST_WARNINGS = 1000
_COVERAGE = json.loads(os.environ.get("CI_ACTION_PYTEST_COVERAGE") or "{}")


def _set(name, value):
    """Set a variable for the programs that the tests start; None removes it."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _forget_ours():
    """Remove our values from the variables that the tests and the programs that they start get."""
    ours = os.path.dirname(os.path.abspath(__file__))
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    _set("PYTHONPATH", os.pathsep.join(name for name in folders if name != ours) or None)
    if not os.environ.get("COVERAGE_PROCESS_START"):  # else these programs add to our data
        _set("COVERAGE_FILE", _COVERAGE.get("given"))


class Measuring:
    """Starts pytest-cov with the options of the project, and with ours if it has none."""

    def __init__(self):
        self.loaded = self.own = self.disabled = False
        self.fail_under = None

    def settle(self, options):
        """Set the options of pytest-cov, if it is loaded."""
        if not hasattr(options, "cov_fail_under"):
            return
        own = bool(options.cov_source)
        self.loaded, self.own = True, self.own or own
        self.disabled = bool(getattr(options, "no_cov", False))
        if self.fail_under is None:
            self.fail_under = options.cov_fail_under
        if _COVERAGE.get("starter") != "pytest-cov":
            options.cov_source = []
            return
        if _COVERAGE.get("replace") or not own:
            options.cov_source = list(_COVERAGE.get("source") or [True])
        if not own:
            options.cov_branch = _COVERAGE.get("branch") or options.cov_branch
            options.cov_config = _COVERAGE.get("config") or options.cov_config
        options.cov_fail_under, options.cov_report = 0, {"": None}

    def facts(self, config):
        """Return what the reader of the data has to know."""
        return dict(
            config=str(config.getoption("cov_config", None) or ""),
            path=[name for name in sys.path if isinstance(name, str)],
            loaded=self.loaded,
            own=self.own,
            disabled=self.disabled,
            fail_under=self.fail_under,
        )


_MEASURING = Measuring()


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config):
    """Settle the options before pytest-cov reads them; its data goes to our file, unlike that of inner sessions."""
    known = early_config.known_args_namespace
    _MEASURING.settle(known)
    yield
    spread = getattr(known, "numprocesses", None) or getattr(known, "dist", "no") != "no"
    if not spread:  # the workers of xdist need them
        _forget_ours()


def _name(value):
    """Return a valid file name: code can be compiled under any name."""
    text = str(value).replace("\0", "\\x00")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def _line(value):
    return value if isinstance(value, int) and 0 < value < _MOST_SECONDS else 1


def _seconds(value):
    """Return a duration; 0 for those of frozen clocks: negative, or of years."""
    known = isinstance(value, (int, float)) and 0 <= value < _MOST_SECONDS
    return round(float(value), 4) if known else 0.0


def _frames(value, traceback):
    """Return the places of a traceback, the innermost last, and the place of a syntax error."""
    found = []
    while traceback is not None:
        found.append([_name(traceback.tb_frame.f_code.co_filename), _line(traceback.tb_lineno)])
        traceback = traceback.tb_next
    if isinstance(value, SyntaxError) and value.filename:
        found.append([_name(value.filename), _line(value.lineno)])
    return found[-_MOST_FRAMES:]


def _places(excinfo):
    places = _frames(excinfo.value, excinfo.tb)
    cause = excinfo.value.__cause__  # a module that cannot be imported: pytest raises its own error from it
    if cause is not None:
        places += _frames(cause, cause.__traceback__)
    return places[-_MOST_FRAMES:]


class Counter:
    """Counts the tests of one process that collects: found, deselected and dropped ones."""

    def __init__(self):
        self.found = []
        self.deselected = []

    def pytest_itemcollected(self, item):
        self.found.append(item.nodeid)

    def pytest_deselected(self, items):
        self.deselected += [getattr(item, "nodeid", "") for item in items]

    def counts(self, session):
        """Return the counts as basic types: xdist sends them to another process."""
        left = {item.nodeid for item in getattr(session, "items", None) or ()}
        left.update(self.deselected)
        dropped = [nodeid for nodeid in self.found if nodeid not in left]
        return dict(
            deselected=len(self.deselected),
            dropped=len(dropped),
            dropped_names=[_name(nodeid)[:_MOST_TEXT] for nodeid in dropped[:_MOST_NAMES]],
        )


class Worker(Counter):
    """Sends the counts of an xdist worker to the process that collects all results."""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self):
        _forget_ours()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        session.config.workeroutput["ci_action_counts"] = self.counts(session)


class Writer(Counter):
    """Writes the events of one pytest session."""

    def __init__(self, config, path):
        Counter.__init__(self)
        self.config = config
        self.process = os.getpid()
        self.worker = None
        self.distributed = False
        self.warnings = {}
        self.stream = open(path, "a", encoding="utf-8", errors="backslashreplace", buffering=1)
        beside = os.path.join(os.path.dirname(path), "coverage-options.json")
        with open(beside, "w", encoding="utf-8") as stream:
            json.dump(_MEASURING.facts(config), stream)

    def write(self, event, **facts):
        """Write one event; not in the child of a test that forked, which continues the session as well."""
        if os.getpid() == self.process:
            self.stream.write(json.dumps(dict(event=event, **facts), default=repr) + "\n")

    def pytest_sessionstart(self, session):
        root = getattr(self.config, "rootpath", None) or self.config.rootdir
        self.write("start", pytest=str(pytest.__version__), python=sys.version.split()[0], root=str(root))

    def pytest_collection_finish(self, session):
        self.write("collected", tests=len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        """Write the number of tests once: all xdist workers collect the same."""
        if not self.distributed:
            self.distributed = True
            self.write("collected", tests=len(ids))

    def pytest_collectreport(self, report):
        if report.failed:
            self.write(
                "collect",
                nodeid=_name(report.nodeid),
                places=getattr(report, "ci_action_places", []),
                text=str(report.longrepr)[-_MOST_TEXT:],
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        """Keep the counts of one xdist worker: all of them collect the same tests."""
        self.worker = self.worker or getattr(node, "workeroutput", {}).get("ci_action_counts")

    def pytest_runtest_logreport(self, report):
        facts = dict(
            nodeid=_name(report.nodeid),
            when=str(report.when),
            outcome=str(report.outcome),
            seconds=_seconds(getattr(report, "duration", 0.0)),
        )
        if report.location and report.when == "setup":
            facts["at"] = [str(report.location[0]), _line((report.location[1] or 0) + 1)]
        if hasattr(report, "wasxfail"):
            facts["xfail"] = str(report.wasxfail)[:2000]
        context = getattr(report, "context", None)
        if context is not None:
            described = dict(getattr(context, "kwargs", None) or {})
            facts["subtest"] = " ".join(
                [str(getattr(context, "msg", "") or "")] + ["%s=%r" % pair for pair in described.items()]
            ).strip()[:2000]
        if report.outcome == "failed":
            crash = getattr(report.longrepr, "reprcrash", None)
            facts["message"] = str(getattr(crash, "message", "") or "")[:2000]
            facts["text"] = str(report.longrepr)[-_MOST_TEXT:]
            facts["printed"] = [[str(name), str(text)[-2000:]] for name, text in report.sections][-6:]
            facts["places"] = getattr(report, "ci_action_places", [])
        elif report.outcome == "skipped" and isinstance(report.longrepr, tuple):
            facts["message"] = str(report.longrepr[2])[:2000]
        self.write("test", **facts)

    def pytest_warning_recorded(self, warning_message, when, nodeid, location):
        """Write a warning, in full only the first time."""
        place = [_name(warning_message.filename), _line(warning_message.lineno)]
        text = str(warning_message.message)[:2000]
        key = (warning_message.category.__name__, text, *place)
        known = self.warnings.get(key)
        if known is None and len(self.warnings) < _MOST_WARNINGS:
            self.warnings[key] = len(self.warnings)
            self.write("warning", category=key[0], text=text, place=place)
        else:
            self.write("again", number=known)

    def pytest_internalerror(self, excrepr):
        self.write("internal", text=str(excrepr)[-_MOST_TEXT:])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        counts = self.worker or self.counts(session)
        self.write("finish", exit=int(exitstatus), collected=getattr(session, "testscollected", 0), **counts)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep the places of a failure on its report, in basic types: xdist sends the report to another process."""
    outcome = yield
    if call.excinfo is not None:
        outcome.get_result().ci_action_places = _places(call.excinfo)


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    """Keep the places of a module that could not be imported."""
    outcome = yield
    report = outcome.get_result()
    excinfo = getattr(getattr(report, "call", None), "excinfo", None)
    if report.failed and excinfo is not None:
        report.ci_action_places = _places(excinfo)


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """Write in the process that collects all results; the workers of xdist send theirs to it."""
    if _EVENTS:
        worker = hasattr(config, "workerinput")
        if not worker:
            _MEASURING.settle(config.option)
        config.pluginmanager.register(Worker() if worker else Writer(config, _EVENTS), "ci-action-writer")
