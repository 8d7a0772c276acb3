"""The stages as wings: what each has, and that together they are consistent."""

from pathlib import Path

import pytest

from ci_action.engine.stage import Configuration
from ci_action.project.layout import Layout
from ci_action.reporters.outputs import ABOUT, OF_EVERY_RUN
from ci_action.settings import SETTINGS, Settings
from ci_action.settings.general import ALL, STAGES
from ci_action.stages import fixing, load, load_all, outputs_of, tools


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_known_by_the_name_of_its_package(name: str):
    assert load(name).name == name


def test_every_setting_is_of_a_stage_or_of_all():
    assert {setting.stage for setting in SETTINGS.values()} == {*STAGES, ALL}


@pytest.mark.parametrize("name", STAGES)
def test_the_defaults_of_the_settings_are_no_mistake(name: str, tmp_path: Path):
    given = Configuration(settings=Settings(), layout=Layout(workspace=tmp_path, root=tmp_path))
    assert list(load(name).mistakes(given)) == []


def test_tools_and_outputs_have_names_of_their_own():
    every = [tool.name for stage in load_all() for tool in stage.tools]
    twice = [name for name in {*every} if every.count(name) > 1]
    assert len(tools()) == 1 + len({*every})
    assert twice == ["environment"]  # made once, for the tests and for the type checkers
    assert len(ABOUT) == len(OF_EVERY_RUN) + sum(len(outputs_of(name)) for name in STAGES)


def test_the_stages_that_write_fixes():
    assert fixing() == ("quality",)
