"""The stage `test`: services, the project's tests, and their coverage."""

from collections.abc import Callable
from typing import Final

from ci_action.engine.stage import Output
from ci_action.model.result import StageResult
from ci_action.model.totals import totals_of
from ci_action.stages.test import section


def _tests(*names: str) -> Callable[[StageResult], str]:
    def value(stage: StageResult) -> str:
        number = totals_of(stage.tools).count(*names)
        return "" if number is None else str(number)

    return value


OUTPUTS: Final = (
    Output("tests-total", "Number of tests; empty if none were run.", _tests("tests")),
    Output("tests-failed", "Number of failed tests, including errors.", _tests("failed", "errors")),
    Output("tests-skipped", "Number of skipped tests.", _tests("skipped")),
    Output(
        "coverage",
        "Coverage in percent, cut to two decimals; empty if it was not measured.",
        lambda stage: totals_of(stage.tools).percent,
    ),
    Output(
        "patch-coverage",
        "Coverage of the changed lines in percent, cut to two decimals; empty if it is unknown.",
        lambda stage: totals_of(stage.tools).patch_percent,
    ),
)
SECTIONS: Final = section.of
