"""Where a value comes from, and what is said of wrong ones."""

from datetime import date
from typing import Any

import pytest

from ci_action.settings.resolve import from_inputs, from_pyproject, resolve
from ci_action.system.errors import SettingsError
from ci_action.system.text import did_you_mean

SECRET = "ghs_abcdefghijklmnop"


def mistakes_of(*layers: tuple[str, dict[str, Any]], **more: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        resolve(*layers, **more)
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("environ", "values"),
    [
        pytest.param({"INPUT_PYTHON-VERSION": "3.12"}, {"python-version": "3.12"}, id="hyphen"),
        pytest.param({"INPUT_STAGE": ""}, {}, id="empty is not set"),
        pytest.param({"INPUT_STAGE": " \n"}, {}, id="blank is not set"),
        pytest.param({"INPUT_STAGE": "quality  \n"}, {"stage": "quality"}, id="trailing spaces"),
        pytest.param({"INPUT_PATHS": "a\nb c\n"}, {"paths": "a\nb c"}, id="several lines"),
        pytest.param({"INPUT_BLACK-ARGS": "x" * 102_400}, {"black-args": "x" * 102_400}, id="100 KiB"),
        pytest.param({"INPUT_ARGS": "a", "INPUT_ENTRYPOINT": "b"}, {}, id="the runner's own inputs"),
        pytest.param({"INPUT_METHOD": "fcitx"}, {}, id="a desktop's INPUT_METHOD"),
        pytest.param({"PATH": "/bin", "MY_INPUT_STAGE": "x"}, {}, id="other variables"),
        pytest.param({"INPUT_Stage": "quality"}, {"stage": "quality"}, id="any case"),
    ],
)
def test_inputs(environ: dict[str, str], values: dict[str, str]):
    assert from_inputs(environ) == (values, [])


@pytest.mark.parametrize(
    ("environ", "mistake"),
    [
        pytest.param(
            {"INPUT_STAGES": "x"}, "unknown input 'stages'; did you mean 'stage'?", id="near, in a shell"
        ),
        pytest.param(
            {"INPUT_PYTHON_VERSION": "3.12"},
            "unknown input 'python_version'; did you mean 'python-version'?",
            id="underscore",
        ),
        pytest.param(
            {"INPUT_PYTHON.VERSION": "3.12"},
            "unknown input 'python.version'; did you mean 'python-version'?",
            id="dot",
        ),
        pytest.param(
            {"GITHUB_ACTIONS": "true", "INPUT_ZZZ": "x"},
            "unknown input 'zzz'; available: advisory-url, alembic-args, alembic-config, allow-privileged, areas,",
            id="far, under Actions",
        ),
        pytest.param(
            {"GITHUB_ACTIONS": "true", "INPUT_METHOD": "fcitx"},
            "unknown input 'method'",
            id="INPUT_METHOD under Actions",
        ),
    ],
)
def test_unknown_inputs(environ: dict[str, str], mistake: str):
    values, mistakes = from_inputs(environ)
    assert values == {}
    assert len(mistakes) == 1
    assert mistakes[0].startswith(mistake)


@pytest.mark.parametrize(
    ("document", "values", "mistakes"),
    [
        pytest.param({}, {}, [], id="no tool table"),
        pytest.param({"tool": 5}, {}, [], id="tool is no table"),
        pytest.param({"tool": {"ci-action": {"stage": ""}}}, {}, [], id="empty is not set"),
        pytest.param({"tool": {"ci-action": {"timeout": 0}}}, {"timeout": 0}, [], id="zero is set"),
        pytest.param(
            {"tool": {"ci-action": ["stage"]}},
            {},
            ["p.toml: tool.ci-action is not a table; write [tool.ci-action] above its keys"],
            id="an array",
        ),
        pytest.param(
            {"tool": {"ci-action": {"time-out": 3}}},
            {},
            ["p.toml: unknown key 'time-out' in [tool.ci-action]; did you mean 'timeout'?"],
            id="an unknown key",
        ),
    ],
)
def test_pyproject(document: dict[str, Any], values: dict[str, Any], mistakes: list[str]):
    assert from_pyproject(document, "p.toml") == (values, mistakes)


def test_the_token_is_no_key_of_pyproject():
    values, mistakes = from_pyproject({"tool": {"ci-action": {"github-token": SECRET}}}, "p.toml")
    assert values == {}
    assert mistakes[0].startswith("p.toml: 'github-token' cannot be set")
    assert SECRET not in mistakes[0]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"tool-versions": "bundle"}, id="near"),
        pytest.param({"tool-versions": "x"}, id="far"),
        pytest.param({"tool-versions": 5}, id="number for a choice"),
        pytest.param({"timeout": "0"}, id="no time"),
        pytest.param({"timeout": 86_401}, id="more than a day"),
        pytest.param({"timeout": 1.5}, id="half a second"),
        pytest.param({"working-directory": 5}, id="number for a folder"),
        pytest.param({"paths": 5}, id="number for a list"),
        pytest.param({"python-version": 3.1}, id="3.10 without quotes in TOML"),
        pytest.param({"black-args": "'"}, id="open quote"),
    ],
)
def test_wrong_values_name_setting_value_source_and_remedy(values: dict[str, Any], wording: Any):
    (mistake,) = mistakes_of(("input", values))
    name, value = next(iter(values.items()))
    assert mistake.startswith(f"{name} = {str(value)!r} (from input): ")
    assert mistake == wording


def test_wrong_entries_of_a_list_come_with_their_place_all_at_once(wording: Any):
    mistakes = mistakes_of(("input", {"paths": ["a", 5, "b", None], "title-types": "(\nfeat\n["}))
    assert [one.partition(" (")[0] for one in mistakes] == ["paths", "paths", "title-types", "title-types"]
    assert list(mistakes) == wording


def test_all_mistakes_come_at_once():
    mistakes = mistakes_of(
        ("pyproject.toml", {"timeout": "x", "paths": ["ok"]}),
        ("flag", {"python-version": "9", "tool-versions": "no"}),
        mistakes=["given before"],
        checks=[lambda settings: [f"checked {settings.paths}"]],
    )
    assert mistakes[0] == "given before"
    assert [mistake.partition(" ")[0] for mistake in mistakes[1:-1]] == [
        "python-version",
        "tool-versions",
        "timeout",
    ]
    assert mistakes[-1] == "checked ('ok',)"


def test_the_token_is_never_shown():
    got = resolve(("input", {"github-token": SECRET}))
    assert got.settings.github_token.value == SECRET
    assert "github-token" not in got.chosen()
    assert SECRET not in f"{got!r} {got.settings} {vars(got.settings)} {got.settings.github_token}"


def test_a_wrong_token_is_not_quoted():
    (mistake,) = mistakes_of(("pyproject.toml", {"github-token": [SECRET]}))
    assert mistake.startswith("github-token (from pyproject.toml): ")
    assert SECRET not in mistake


def test_nearest_or_the_whole_choice():
    assert did_you_mean("ruf", ["black", "ruff"]) == "; did you mean 'ruff'?"
    assert did_you_mean("x", ["ruff", "black"]) == "; available: black, ruff"


ENTRY = {"package": "urllib3", "id": "CVE-1", "expires": "2026-12-31", "reason": "why"}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in ENTRY.items() if name != key}


@pytest.mark.parametrize(
    "value",
    [
        "urllib3 CVE-1",
        "urllib3 CVE-1 tomorrow why",
        "urllib3 CVE-1 2026-12-31",
        "a CVE-1 2026-02-30 why",
        "a==1 CVE-1 2026-02-20 why",
        [ENTRY, {**ENTRY, "expires": "20261231"}],
        [{**ENTRY, "expires": 5}],
        [{**ENTRY, "package": 5}],
        [{**ENTRY, "reason": " "}],
        [{**ENTRY, "id": "CVE 1"}],
        [without("reason")],
        [{**ENTRY, "resaon": "x"}],
        [5],
        5,
        ENTRY,
    ],
    ids=str,
)
def test_a_wrong_entry_of_ignored_vulnerabilities(value: Any, wording: Any):
    (mistake,) = mistakes_of(("pyproject.toml", {"ignore-vulnerabilities": value}))
    assert mistake == wording


def test_all_mistakes_in_ignored_vulnerabilities_come_at_once():
    given = "a b\nok CVE-1 2026-12-31 why\nc d 2026-13-01 why\n"
    mistakes = mistakes_of(("input", {"ignore-vulnerabilities": given, "timeout": "x"}))
    assert [one.split(": ")[1].partition(" =")[0] for one in mistakes if one.startswith("ignore")] == [
        "entry 1",
        "entry 3",
    ]
    assert any(": entry 3: expires = " in one for one in mistakes)
    assert len(mistakes) == 3


def test_a_hostile_entry_is_quoted_and_cut():
    (mistake,) = mistakes_of(("input", {"ignore-vulnerabilities": "x" * 5000 + "\x1b[31m"}))
    assert len(mistake) < 400
    (mistake,) = mistakes_of(("flag", {"ignore-vulnerabilities": "a\x1b[31m b"}))
    assert "\x1b" not in mistake


def test_what_was_ignored_is_chosen_as_an_input_takes_it():
    table = {**ENTRY, "expires": date(2026, 12, 31), "reason": "no\n  proxy"}
    got = resolve(("pyproject.toml", {"ignore-vulnerabilities": [table]}))
    (line,) = got.chosen()["ignore-vulnerabilities"]
    assert line == "urllib3 CVE-1 2026-12-31 no proxy"
    again = resolve(("input", {"ignore-vulnerabilities": line}))
    assert again.settings.ignore_vulnerabilities == got.settings.ignore_vulnerabilities


def test_the_password_in_the_address_of_advisories_is_never_shown():
    got = resolve(("input", {"advisory-url": f"https://u:{SECRET}@osv.example"}))
    assert got.chosen() == {"advisory-url": "https://u:***@osv.example"}
    (mistake,) = mistakes_of(("input", {"advisory-url": f"https://u:{SECRET}@a\0b"}))
    assert SECRET not in mistake
    assert SECRET not in str(mistakes_of(("input", {"wait-for": [f"redis://:{SECRET}@a\0b", [SECRET]]})))
