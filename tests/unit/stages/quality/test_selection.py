"""Which formatter and linter a project means, by the evidence and the settings: a table of decisions."""

from dataclasses import replace

import pytest

from ci_action.engine.tool import Selection
from ci_action.project.evidence import Evidence, Gathered, Kind
from ci_action.project.tool_names import Named
from ci_action.settings import Settings
from ci_action.settings.types import Formatter, Linter
from ci_action.stages.quality.selection import formatter_evidence, formatter_selection, linter_selection

D, T, H, C, W = Kind.DEPENDENCY, Kind.TABLE, Kind.HOOK, Kind.COMMAND, Kind.WORKFLOW
BLACK, FORMAT, CHECK, RUFF = Named.BLACK, Named.RUFF_FORMAT, Named.RUFF_CHECK, Named.RUFF
YAPF, AUTOPEP8, FLAKE8, PYLINT = Named.YAPF, Named.AUTOPEP8, Named.FLAKE8, Named.PYLINT


def gathered(*found: tuple[Named, Kind] | tuple[Named, Kind, bool]) -> Gathered:
    evidence = [
        Evidence(tool=tool, kind=kind, source=f"{kind.name}", advisory=bool(more))
        for tool, kind, *more in found
    ]
    return Gathered(evidence=tuple(sorted(evidence, key=lambda one: one.kind)))


FORMATTERS = {
    "nothing": ([], None),
    "a dependency": ([(BLACK, D)], BLACK),
    "a table": ([(BLACK, T)], BLACK),
    "Ruff's table": ([(FORMAT, T)], FORMAT),
    "Ruff for no purpose": ([(RUFF, D), (RUFF, T)], None),
    "Ruff as linter": ([(RUFF, D), (CHECK, H)], None),
    "both, and a hook": ([(BLACK, D), (BLACK, T), (FORMAT, H)], FORMAT),
    "both, and the other hook": ([(FORMAT, T), (BLACK, H), (FORMAT, C)], BLACK),
    "both as hooks, a workflow": ([(BLACK, H), (FORMAT, H), (FORMAT, W)], FORMAT),
    "both as hooks, a command": ([(BLACK, H), (FORMAT, H), (BLACK, C)], BLACK),
    "a workflow before other commands": ([(BLACK, C), (FORMAT, W)], FORMAT),
    "a command before a table": ([(BLACK, T), (FORMAT, C)], FORMAT),
    "a table before a dependency": ([(BLACK, D), (FORMAT, T)], FORMAT),
    "both alike": ([(BLACK, H), (FORMAT, H)], BLACK),
    "only yapf": ([(YAPF, T)], YAPF),
    "a hook of autopep8, a dependency on Black": ([(BLACK, D), (AUTOPEP8, H)], AUTOPEP8),
    "Black after autopep8": ([(AUTOPEP8, H), (BLACK, H)], BLACK),
    "yapf in a dependency, Black in a command": ([(YAPF, D), (BLACK, C)], BLACK),
}


@pytest.mark.parametrize(("found", "expected"), FORMATTERS.values(), ids=FORMATTERS)
def test_the_formatter(found, expected):
    evidence = formatter_evidence(gathered(*found))
    assert (evidence[0].tool if evidence else None) is expected


# Whether Black and Ruff's formatter run (`True`), are offered (`None`) or are skipped (`False`).
RUNS = {
    "nothing": ("auto", [], None, False),
    "Black": ("auto", [(BLACK, D)], True, False),
    "Ruff": ("auto", [(FORMAT, H)], False, True),
    "yapf": ("auto", [(YAPF, T)], False, False),
    "none": ("none", [(BLACK, H)], False, False),
    "asked for Black": ("black", [(FORMAT, H)], True, False),
    "asked for Ruff": ("ruff", [], False, True),
    "Black is installed, and the hooks are others": (
        "auto",
        [(BLACK, D), (BLACK, T), (CHECK, H)],
        None,
        False,
    ),
    "Black is installed, and the commands are others": ("auto", [(BLACK, D), (FLAKE8, C)], None, False),
    "Black is only run on request": ("auto", [(BLACK, W, True)], None, False),
    "Black is also run on request": ("auto", [(BLACK, W, True), (BLACK, C)], True, False),
}


def state(selection: Selection) -> bool | None:
    return False if selection.why_not else None if selection.offer else True


@pytest.mark.parametrize(("asked", "found", "black", "ruff"), RUNS.values(), ids=RUNS)
def test_what_formats(asked, found, black, ruff):
    settings = Settings(formatter=Formatter(asked))
    states = [state(formatter_selection(settings, gathered(*found), tool)) for tool in (BLACK, FORMAT)]
    assert states == [black, ruff]


LINTS = {
    "nothing": ("auto", [], None),
    "a dependency on Ruff": ("auto", [(RUFF, D)], True),
    "a table of its linter": ("auto", [(CHECK, T)], True),
    "a hook": ("auto", [(CHECK, H)], True),
    "beside flake8": ("auto", [(CHECK, H), (FLAKE8, H)], True),
    "only flake8": ("auto", [(FLAKE8, T)], False),
    "only pylint": ("auto", [(PYLINT, C)], False),
    "only flake8, but asked for": ("ruff", [(FLAKE8, T)], True),
    "none": ("none", [(CHECK, H)], False),
    "Ruff only formats": ("auto", [(RUFF, D), (RUFF, T), (FORMAT, H)], None),
    "Ruff only formats, flake8 lints": ("auto", [(RUFF, D), (FORMAT, H), (FLAKE8, H)], False),
    "Ruff is configured, and pylint is run": ("auto", [(CHECK, T), (FORMAT, H), (PYLINT, C)], None),
    "Ruff is installed, and flake8 is run": ("auto", [(RUFF, D), (FLAKE8, C)], None),
}


@pytest.mark.parametrize(("asked", "found", "expected"), LINTS.values(), ids=LINTS)
def test_what_lints(asked, found, expected):
    assert state(linter_selection(Settings(linter=Linter(asked)), gathered(*found))) is expected


@pytest.mark.parametrize(("automated", "expected"), [(False, True), (True, None)])
def test_what_is_only_installed_warns_if_the_checks_are_known(automated, expected):
    known = replace(gathered((BLACK, D), (CHECK, T)), automated=automated)
    assert state(formatter_selection(Settings(), known, BLACK)) is expected
    assert state(linter_selection(Settings(), known)) is expected


def test_the_choice_has_its_source():
    chosen = formatter_selection(Settings(), gathered((FORMAT, H)), FORMAT)
    assert chosen.because == "ruff format, from HOOK"
    assert "ruff format, from HOOK" in formatter_selection(Settings(), gathered((FORMAT, H)), BLACK).why_not


def test_an_offer_has_the_settings_that_end_it():
    offer = formatter_selection(Settings(), gathered(), BLACK).offer
    assert offer
    assert (offer.setting, offer.value) == ("formatter", "black")
    assert all(way in str(offer) for way in ("`formatter: black`", "`formatter: none`"))
