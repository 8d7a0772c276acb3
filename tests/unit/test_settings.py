"""Settings: where a value comes from, and what is said of wrong ones."""

from decimal import Decimal
from typing import Any

import pytest

from ci_action.errors import SettingsError
from ci_action.resolution import from_inputs, from_pyproject, resolve
from ci_action.settings import Settings, about, is_list, names
from ci_action.text import did_you_mean
from ci_action.values import RunAs, Scope, ToolVersions

SECRET = "ghs_abcdefghijklmnop"


def mistakes_of(*layers: tuple[str, dict[str, Any]], **more: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        resolve(*layers, **more)
    return caught.value.mistakes


# Every name with a value that is not its default: as an input has it, as TOML has it, and what becomes of it.
VALUES: dict[str, tuple[str, Any, Any]] = {
    "stage": ("quality, all", ["quality", "all"], ("quality", "all")),
    "working-directory": ("app", "app", "app"),
    "paths": ("src\ntests", ["src", "tests"], ("src", "tests")),
    "python-version": ("3.12", "3.12", "3.12"),
    "ignore": ("ruff:E501, black", ["ruff:E501", "black"], ("ruff:E501", "black")),
    "tool-versions": ("bundled", "bundled", ToolVersions.BUNDLED),
    "timeout": ("60", 60, 60),
    "report-dir": ("out", "out", "out"),
    "cache-dir": ("none", "none", "none"),
    "black-args": ("--skip-string-normalization -v", ["-S"], None),
    "ruff-args": ("--select 'E, F'", "--select 'E, F'", ("--select", "E, F")),
    "scope": ("changed", "changed", Scope.CHANGED),
    "coverage-min": ("89.996", 89.996, Decimal("89.996")),
    "patch-coverage-min": ("90 %", 90, None),
    "coverage-source": ("pkg, src", ["pkg", "src"], ("pkg", "src")),
    "install": (
        "pip install a, b\npip check",
        ["pip install a, b", "pip check"],
        ("pip install a, b", "pip check"),
    ),
    "system-packages": ("libpq5, git", ["libpq5", "git"], ("libpq5", "git")),
    "run-as": ("root", "root", RunAs.ROOT),
    "pytest-args": ("-x -k 'a b'", ["-x", "-k", "a b"], ("-x", "-k", "a b")),
    "workers": ("auto", "auto", "auto"),
    "shard": ("2/4", "2/4", "2/4"),
    "wait-for": ("tcp://a:1, tcp://b:2", ["tcp://a:1", "tcp://b:2"], ("tcp://a:1", "tcp://b:2")),
    "reruns": ("2", 2, 2),
}


def test_the_table_names_every_setting():
    assert {*VALUES, "github-token"} == set(names())


@pytest.mark.parametrize("name", VALUES)
def test_every_setting_comes_from_an_input(name: str):
    text, _, expected = VALUES[name]
    values, mistakes = from_inputs({f"INPUT_{name.upper()}": text})
    settings = resolve(("input", values))
    assert mistakes == []
    assert settings.sources[name] == "input"
    if expected is not None:
        assert getattr(settings.settings, name.replace("-", "_")) == expected


@pytest.mark.parametrize("name", VALUES)
def test_every_setting_comes_from_pyproject(name: str):
    _, value, expected = VALUES[name]
    values, mistakes = from_pyproject({"tool": {"ci-action": {name: value}}}, "pyproject.toml")
    settings = resolve(("pyproject.toml", values))
    assert mistakes == []
    assert settings.sources[name] == "pyproject.toml"
    if expected is not None:
        assert getattr(settings.settings, name.replace("-", "_")) == expected


@pytest.mark.parametrize(
    ("layers", "value", "source"),
    [
        pytest.param({}, 600, "default", id="nobody"),
        pytest.param({"pyproject.toml": 1}, 1, "pyproject.toml", id="pyproject"),
        pytest.param({"pyproject.toml": 1, "input": "2"}, 2, "input", id="input over pyproject"),
        pytest.param({"pyproject.toml": 1, "input": "2", "flag": "3"}, 3, "flag", id="flag over everything"),
        pytest.param({"pyproject.toml": 1, "flag": "3"}, 3, "flag", id="flag over pyproject"),
    ],
)
def test_the_strongest_source_wins(layers: dict[str, Any], value: int, source: str):
    got = resolve(*((name, {"timeout": given}) for name, given in layers.items()))
    assert (got.settings.timeout, got.sources["timeout"]) == (value, source)


def test_defaults():
    got = resolve()
    assert got.settings == Settings()
    assert set(got.sources.values()) == {"default"}
    assert got.chosen() == {}


def test_chosen_holds_what_is_no_default_in_a_form_that_prints():
    got = resolve(("flag", {"paths": "a\nb", "tool-versions": "bundled", "timeout": "5"}))
    assert got.chosen() == {"paths": ["a", "b"], "tool-versions": "bundled", "timeout": 5}


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
            "unknown input 'zzz'; there are: black-args, cache-dir,",
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
            ["p.toml: tool.ci-action is no table; write [tool.ci-action] above its keys"],
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
    assert mistakes[0].startswith("p.toml: unknown key 'github-token'")
    assert SECRET not in mistakes[0]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param(
            {"tool-versions": "bundle"}, "must be 'project' or 'bundled'; did you mean 'bundled'?", id="near"
        ),
        pytest.param({"tool-versions": "x"}, "must be 'project' or 'bundled'", id="far"),
        pytest.param(
            {"tool-versions": 5}, "input should be 'project' or 'bundled'", id="number for a choice"
        ),
        pytest.param({"timeout": "0"}, "greater than or equal to 1", id="no time"),
        pytest.param({"timeout": 86_401}, "less than or equal to 86400", id="more than a day"),
        pytest.param({"timeout": 1.5}, "write a whole number of seconds", id="half a second"),
        pytest.param({"working-directory": 5}, "valid string", id="number for a folder"),
        pytest.param({"paths": 5}, "valid tuple", id="number for a list"),
        pytest.param({"paths": ["a", 5]}, "valid string", id="number in a list"),
        pytest.param({"python-version": 3.1}, "in quotes", id="3.10 without quotes in TOML"),
        pytest.param({"black-args": "'"}, "the quotes do not match", id="open quote"),
    ],
)
def test_wrong_values_name_setting_value_source_and_remedy(values: dict[str, Any], says: str):
    (mistake,) = mistakes_of(("input", values))
    name, value = next(iter(values.items()))
    assert mistake.startswith(f"{name} = {str(value)!r} (from input): ")
    assert says in mistake


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
    assert got.settings.github_token.get_secret_value() == SECRET
    assert "github-token" not in got.chosen()
    assert SECRET not in f"{got!r} {got.settings} {got.settings.model_dump_json()}"


def test_a_wrong_token_is_not_quoted():
    (mistake,) = mistakes_of(("pyproject.toml", {"github-token": [SECRET]}))
    assert mistake.startswith("github-token (from pyproject.toml): ")
    assert SECRET not in mistake


def test_a_name_that_is_no_setting_is_a_mistake():
    (mistake,) = mistakes_of(("flag", {"zzz": "1"}))
    assert mistake.startswith("zzz = '1' (from flag): ")


def test_nearest_or_the_whole_choice():
    assert did_you_mean("ruf", ["black", "ruff"]) == "; did you mean 'ruff'?"
    assert did_you_mean("x", ["ruff", "black"]) == "; there are: black, ruff"


def test_every_definition_says_what_people_read():
    for name in names():
        assert set(about(name)) == {"x-stage", "x-default", "x-pyproject"}
        assert Settings.model_fields[name.replace("-", "_")].description
    assert [name for name in names() if is_list(name)] == [
        "stage",
        "paths",
        "ignore",
        "black-args",
        "ruff-args",
        "coverage-source",
        "install",
        "system-packages",
        "pytest-args",
        "wait-for",
    ]
