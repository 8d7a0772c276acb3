"""The prefilter loses nothing: what the engine of detect-secrets finds in a file is found with it too."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from detect_secrets.core import scan
from detect_secrets.plugins import keyword
from detect_secrets.settings import default_settings, get_plugins
from hypothesis import given, settings
from hypothesis import strategies as st
from support import planted_secrets

from ci_action.engine import secret_scan

FOLDER = Path(secret_scan.__file__).parent / "scanner"


@pytest.fixture(scope="module")
def prefilter() -> Iterator[Any]:
    sys.path.insert(0, str(FOLDER))
    with default_settings():
        yield importlib.import_module("ciaction_prefilter")
    sys.path.remove(str(FOLDER))


def found(process: Any, lines: list[str], name: str) -> list[tuple[int, str, str | None]]:
    numbered = list(enumerate(lines, start=1))
    return sorted((one.line_number, one.type, one.secret_value) for one in process(numbered, name))


def compare(prefilter: Any, lines: list[str], name: str) -> list[tuple[int, str, str | None]]:
    plain = found(scan._process_line_based_plugins, lines, name)
    for lines_first in (True, False):
        engine = prefilter.Engine(scan, get_plugins(), lines_first=lines_first)
        assert found(engine.process, lines, name) == plain
    return plain


def test_every_plugin_is_known_and_something_is_planted_for_it(prefilter):
    assert all(prefilter._patterns(plugin) for plugin in get_plugins())
    assert prefilter._STEMS.keys() <= {type(plugin).__name__ for plugin in get_plugins()}
    assert {plugin.secret_type for plugin in get_plugins()} == {
        *planted_secrets.secrets(),
        "Public IP (ipv4)",
    }


@pytest.mark.parametrize("kind", planted_secrets.secrets())
def test_what_is_planted_is_found(kind: str, prefilter):
    lines = f"# nothing\n{planted_secrets.secrets()[kind][1]}\n\n".splitlines(keepends=True)
    assert kind in {one[1] for one in compare(prefilter, lines, "a.py")}


def patterns_of(plugin: Any) -> list[re.Pattern[str]]:
    """Return the expressions by which a plugin finds something."""
    if isinstance(plugin, keyword.KeywordDetector):
        groups = {id(group): group for group in keyword.REGEX_BY_FILETYPE.values()}
        return [pattern for group in groups.values() for pattern in group]
    return list(getattr(plugin, "denylist", None) or [plugin.regex])


with default_settings():
    PLUGINS = get_plugins()
NEAR = [
    "password",
    "PWD",
    "pa\u017f\u017fword",
    "api\u212aey",
    "İ",
    ' = "',
    '"',
    ": ",
    "==",
    "\t",
    "\x1c",
    "\x85",
    "\u2028",
]
TAILS = ["", "  ", "\t\n", " # pragma: allowlist secret"]
FILES = ["a.py", "a.yaml", "a.go", "a.ini", "a.c", "a.txt"]


@pytest.mark.parametrize("number", range(len(PLUGINS)), ids=lambda number: type(PLUGINS[number]).__name__)
@given(data=st.data())
@settings(max_examples=15)
def test_every_line_in_which_a_plugin_finds_something_is_looked_at(
    number: int, data: st.DataObject, prefilter
):
    plugin = PLUGINS[number]
    found = data.draw(st.sampled_from(patterns_of(plugin)).flatmap(st.from_regex))
    before, tail = data.draw(st.sampled_from(["", "İ", "x "])), data.draw(st.sampled_from(TAILS))
    lines = [before, *(line + tail for line in found.split("\n"))]
    candidates = prefilter.Prefilter(PLUGINS).candidates(lines)
    name = data.draw(st.sampled_from(FILES))
    for index, line in enumerate(lines):
        if plugin.analyze_line(filename=name, line=line.rstrip(), line_number=1):
            assert number in candidates.get(index, ()), line


@given(
    texts=st.lists(
        st.sampled_from(NEAR + [line for _, line in planted_secrets.secrets().values()]), max_size=8
    ),
    end=st.sampled_from(["", "\n"]),
    tail=st.sampled_from(TAILS),
    name=st.sampled_from(FILES),
)
def test_the_same_is_found_with_and_without_it(texts: list[str], end: str, tail: str, name: str, prefilter):
    lines = [line + tail + end for text in [*texts, "".join(texts)] for line in text.split("\n")]
    compare(prefilter, lines, name)
    compare(
        prefilter, [f'key: "{text}"\n' for text in texts], "a.yaml"
    )  # newlines inside, as of a block in YAML


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(['pa\u017f\u017fword = "hunter2-xy"'], id="a letter that counts as an s"),
        pytest.param(['api_\u212aey = "hunter2-xy"'], id="a letter that counts as a k"),
        pytest.param(
            ["İ" * 40, "pass" + 'word = "hunter2-xy"', ""], id="a letter that grows when it is small"
        ),
        pytest.param(["contra" + 'seña = "hunter2-xy"'], id="Spanish"),
    ],
)
def test_letters_that_only_look_like_others(lines: list[str], prefilter):
    assert len(compare(prefilter, lines, "a.py")) == 1


def test_an_accepted_line_stays_accepted(prefilter):
    lines = [
        f"{line}  # pragma: allowlist secret"
        for _, line in planted_secrets.secrets().values()
        if "\n" not in line
    ]
    assert compare(prefilter, lines, "a.py") == []


def test_what_a_filter_for_lines_leaves_out_stays_out(prefilter):
    value = planted_secrets.secrets()["AWS Access Key"][0]
    assert compare(prefilter, [f'key = load("{value}")'], "a.py") == []  # for the engine a call, not a value
    assert compare(prefilter, [f'key = "{value}"'], "a.py") != []


def test_an_expression_that_matches_over_lines_makes_all_of_them_count(prefilter):
    assert list(prefilter._Text(["a", "b", "c", "d"]).matched(re.compile("b\nc"))) == [1, 2]


def test_a_plugin_that_is_not_known_gets_every_line(prefilter):
    class Foreign:
        secret_type = "Foreign"  # pragma: allowlist secret

    assert prefilter.Prefilter([Foreign()]).candidates(["a\n", "\n"]) == {0: {0}, 1: {0}}


def test_most_lines_are_spared(prefilter):
    lines = [f"value_{number} = compute({number})  # plain\n" for number in range(500)]
    assert prefilter.Prefilter(get_plugins()).candidates(lines) == {}
