"""The names of the tools: none is that of two."""

from collections.abc import Callable, Iterable

import pytest

from ci_action.project.tool_names import SPELLINGS, Named, Spelling, by


@pytest.mark.parametrize(
    "names",
    [
        lambda one: one.packages,
        lambda one: one.programs,
        lambda one: one.hooks,
        lambda one: one.tables,
        lambda one: one.files,
        lambda one: one.repositories,
        lambda one: map(" ".join, one.subcommands),
    ],
)
def test_no_name_is_that_of_two_tools(names: Callable[[Spelling], Iterable[str]]):
    every = [name for one in SPELLINGS for name in names(one)]
    assert len(by(names)) == len(every) > 0


def test_every_tool_has_one_row():
    assert sorted(one.tool for one in SPELLINGS) == sorted(Named)
