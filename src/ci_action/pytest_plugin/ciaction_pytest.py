"""Tell what pytest does, as it does it: one JSON object a line, so that what ran is known whatever comes after.

Loaded by `-p ciaction_pytest` into the project's own interpreter: CPython 3.8 and later, pytest 6.2 and later, nothing
but the standard library. The file to write is named by CI_ACTION_PYTEST_EVENTS. CI_ACTION_PYTEST_OVERLAY may name a
folder of packages that the environment lacks: it goes to the end of sys.path, so that the project's own come first.
"""

import json
import os
import sys

_OVERLAY = os.environ.get("CI_ACTION_PYTEST_OVERLAY")
if _OVERLAY and _OVERLAY not in sys.path:
    sys.path.append(_OVERLAY)

import pytest  # noqa: E402 - the overlay may be what holds it

_EVENTS = os.environ.get("CI_ACTION_PYTEST_EVENTS")
_MOST_TEXT = 8000
_MOST_FRAMES = 30


def _frames(value, traceback):
    """Return the places of a traceback, the innermost last, and where the syntax error is, if it is one."""
    found = []
    while traceback is not None:
        found.append([traceback.tb_frame.f_code.co_filename, traceback.tb_lineno])
        traceback = traceback.tb_next
    if isinstance(value, SyntaxError) and value.filename:
        found.append([value.filename, value.lineno or 1])
    return found[-_MOST_FRAMES:]


def _places(excinfo):
    places = _frames(excinfo.value, excinfo.tb)
    cause = excinfo.value.__cause__  # a module that cannot be imported: pytest raises its own error from it
    if cause is not None:
        places += _frames(cause, cause.__traceback__)
    return places[-_MOST_FRAMES:]


class Teller:
    """Writes the events of one pytest session."""

    def __init__(self, config, path):
        self.config = config
        self.stream = open(path, "a", encoding="utf-8", errors="backslashreplace", buffering=1)

    def tell(self, event, **facts):
        """Write one event."""
        self.stream.write(json.dumps(dict(event=event, **facts), default=repr) + "\n")

    def pytest_sessionstart(self, session):
        root = getattr(self.config, "rootpath", None) or self.config.rootdir
        self.tell("start", pytest=pytest.__version__, python=sys.version.split()[0], root=str(root))

    def pytest_collectreport(self, report):
        if report.failed:
            self.tell(
                "collect",
                nodeid=report.nodeid,
                places=getattr(report, "ci_action_places", []),
                text=str(report.longrepr)[-_MOST_TEXT:],
            )

    def pytest_deselected(self, items):
        self.tell("deselected", count=len(items))

    def pytest_runtest_logreport(self, report):
        facts = dict(
            nodeid=report.nodeid,
            when=report.when,
            outcome=report.outcome,
            seconds=round(getattr(report, "duration", 0.0) or 0.0, 4),
        )
        if report.location and report.when == "setup":
            facts["at"] = [report.location[0], (report.location[1] or 0) + 1]
        if hasattr(report, "wasxfail"):
            facts["xfail"] = str(report.wasxfail)
        context = getattr(report, "context", None)
        if context is not None:
            described = dict(getattr(context, "kwargs", None) or {})
            facts["subtest"] = " ".join(
                [str(getattr(context, "msg", "") or "")] + ["%s=%r" % pair for pair in described.items()]
            ).strip()
        if report.outcome == "failed":
            crash = getattr(report.longrepr, "reprcrash", None)
            facts["message"] = str(getattr(crash, "message", "") or "")[:2000]
            facts["text"] = str(report.longrepr)[-_MOST_TEXT:]
            facts["printed"] = [[name, text[-2000:]] for name, text in report.sections][-6:]
            facts["places"] = getattr(report, "ci_action_places", [])
        elif report.outcome == "skipped" and isinstance(report.longrepr, tuple):
            facts["message"] = str(report.longrepr[2])[:2000]
        self.tell("test", **facts)

    def pytest_warning_recorded(self, warning_message, when, nodeid, location):
        self.tell("warning", category=warning_message.category.__name__)

    def pytest_internalerror(self, excrepr):
        self.tell("internal", text=str(excrepr)[-_MOST_TEXT:])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        self.tell("finish", exit=int(exitstatus), collected=getattr(session, "testscollected", 0))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep the places of a failure on its report, in basic types: xdist hands the report to another process."""
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
    """Tell from the process that collects all results; the workers of xdist send theirs to it."""
    if _EVENTS and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Teller(config, _EVENTS), "ci-action-teller")
