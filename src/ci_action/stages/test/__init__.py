"""The stage `test`: services, the project's tests, and their coverage."""

from collections.abc import Callable
from typing import Final

from ci_action.engine.stage import Output
from ci_action.model.result import StageResult
from ci_action.model.totals import totals_of


def _tests(*names: str) -> Callable[[StageResult], str]:
    def value(stage: StageResult) -> str:
        number = totals_of(stage.tools).count(*names)
        return "" if number is None else str(number)

    return value


OUTPUTS: Final = (
    Output("tests-total", "How many tests there were; empty where none were run.", _tests("tests")),
    Output("tests-failed", "How many of them failed, errors included.", _tests("failed", "errors")),
    Output("tests-skipped", "How many of them were skipped.", _tests("skipped")),
    Output(
        "coverage",
        "The coverage in percent, cut to two decimals; empty where none was measured.",
        lambda stage: totals_of(stage.tools).percent,
    ),
    Output(
        "patch-coverage",
        "The coverage of the changed lines in percent, cut to two decimals; empty where it is not known.",
        lambda stage: totals_of(stage.tools).patch_percent,
    ),
)
