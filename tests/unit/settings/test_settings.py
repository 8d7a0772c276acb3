"""Settings: every one of them from every source, and what their definitions say."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ci_action.settings import SETTINGS, Settings
from ci_action.settings.resolve import from_inputs, from_pyproject, resolve
from ci_action.settings.types import (
    Area,
    CommentWhen,
    DraftTitles,
    FailOn,
    Formatter,
    GateChanges,
    IgnoredVulnerability,
    Linter,
    MigrationDanger,
    MigrationDepth,
    RunAs,
    Scope,
    ToolVersions,
    TypeChecker,
)

LAST = date(2026, 12, 31)
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
    "formatter": ("ruff", "ruff", Formatter.RUFF),
    "linter": ("none", "none", Linter.NONE),
    "black-args": ("--skip-string-normalization -v", ["-S"], None),
    "ruff-args": ("--select 'E, F'", "--select 'E, F'", ("--select", "E, F")),
    "scope": ("changed", "changed", Scope.CHANGED),
    "type-checker": ("pyright", "pyright", TypeChecker.PYRIGHT),
    "coverage-min": ("89.996", 89.996, Decimal("89.996")),
    "patch-coverage-min": ("90 %", 90, None),
    "coverage-source": ("pkg, src", ["pkg", "src"], ("pkg", "src")),
    "install": (
        "pip install a, b\npip check",
        ["pip install a, b", "pip check"],
        ("pip install a, b", "pip check"),
    ),
    "groups": ("dev, tests", ["dev", "tests"], ("dev", "tests")),
    "extras": ("http2", ["http2"], ("http2",)),
    "before-tests": (
        "python -m manage migrate\nalembic upgrade head",
        ["python -m manage migrate", "alembic upgrade head"],
        ("python -m manage migrate", "alembic upgrade head"),
    ),
    "system-packages": ("libpq5, git", ["libpq5", "git"], ("libpq5", "git")),
    "run-as": ("root", "root", RunAs.ROOT),
    "pytest-args": ("-x -k 'a b'", ["-x", "-k", "a b"], ("-x", "-k", "a b")),
    "workers": ("auto", "auto", "auto"),
    "shard": ("2/4", "2/4", "2/4"),
    "wait-for": ("tcp://a:1, tcp://b:2", ["tcp://a:1", "tcp://b:2"], ("tcp://a:1", "tcp://b:2")),
    "reruns": ("2", 2, 2),
    "alembic-config": ("db/alembic.ini", "db/alembic.ini", "db/alembic.ini"),
    "alembic-args": ("-x tenant='a b'", ["-x", "tenant=a b"], ("-x", "tenant=a b")),
    "database-url": ("postgresql://h/", "postgresql://h/", "postgresql://h/"),
    "postgres-version": ("16", 16, 16),
    "migration-depth": ("all", "all", MigrationDepth.ALL),
    "downgrade-from": ("ae1027a6acf", "ae1027a6acf", "ae1027a6acf"),
    "migration-danger": ("fail", "fail", MigrationDanger.FAIL),
    "context": ("app", "app", "app"),
    "dockerfile": ("docker/Dockerfile", "docker/Dockerfile", "docker/Dockerfile"),
    "target": ("prod", "prod", "prod"),
    "platform": ("linux/arm64/v8", "linux/arm64/v8", "linux/arm64/v8"),
    "build-args": ("A=1\nB=x=y, z", ["A=1", "B=x=y, z"], (("A", "1"), ("B", "x=y, z"))),
    "image-tag": ("ghcr.io/org/app:1", "ghcr.io/org/app:1", "ghcr.io/org/app:1"),
    "cache-from": (
        "type=gha\ntype=local,src=c",
        ["type=gha", "type=local,src=c"],
        ("type=gha", "type=local,src=c"),
    ),
    "cache-to": ("type=gha,mode=max", ["type=gha,mode=max"], ("type=gha,mode=max",)),
    "smoke-url": (
        "http://localhost:8000/health",
        "http://localhost:8000/health",
        "http://localhost:8000/health",
    ),
    "smoke-command": ("python -m app check", ["python -m app check"], ("python -m app check",)),
    "smoke-env": ("KEY=a b", ["KEY=a b"], (("KEY", "a b"),)),
    "smoke-timeout": ("90", 90, 90),
    "max-image-size": ("300MB", "300MB", 300_000_000),
    "base-report": ("base/report.json", "base/report.json", "base/report.json"),
    "fail-on": ("high", "high", FailOn.HIGH),
    "secrets-baseline": ("ci/secrets.json", "ci/secrets.json", "ci/secrets.json"),
    "secrets-verify": ("yes", True, True),
    "bandit-args": ("--severity-level=high", ["--severity-level=high"], ("--severity-level=high",)),
    "pip-audit-args": ("--skip-editable", "--skip-editable", ("--skip-editable",)),
    "advisory-url": ("https://osv.example/v1", "https://osv.example/v1", "https://osv.example/v1"),
    "ignore-vulnerabilities": (
        "urllib3 CVE-2021-33503 2026-12-31 no proxy is used",
        [{"package": "urllib3", "id": "CVE-2021-33503", "expires": LAST, "reason": "no proxy is used"}],
        (
            IgnoredVulnerability(
                package="urllib3", id="CVE-2021-33503", expires=LAST, reason="no proxy is used"
            ),
        ),
    ),
    "licenses-allow": ("MIT, BSD-*", ["MIT", "BSD-*"], ("MIT", "BSD-*")),
    "licenses-deny": ("GPL-*", "GPL-*", ("GPL-*",)),
    "comment": ("on-failure", "on-failure", CommentWhen.ON_FAILURE),
    "check-run": ("true", True, True),
    "suggestions": ("true", True, True),
    "gate-changes": ("fail", "fail", GateChanges.FAIL),
    "fail-fast": ("false", False, False),
    "title-types": ("feat\nfix|mend", ["feat", "fix|mend"], ("feat", "fix|mend")),
    "title-scopes": ("api\nui-.*", ["api", "ui-.*"], ("api", "ui-.*")),
    "title-disallow-scopes": ("release", ["release"], ("release",)),
    "title-require-scope": ("true", True, True),
    "title-subject-pattern": ("(?![A-Z]).+", "(?![A-Z]).+", "(?![A-Z]).+"),
    "title-pattern": (r"[A-Z]+-\d+ .+", r"[A-Z]+-\d+ .+", r"[A-Z]+-\d+ .+"),
    "title-error": ("See the wiki: {title}", "See the wiki: {title}", "See the wiki: {title}"),
    "draft-titles": ("skip", "skip", DraftTitles.SKIP),
    "ignore-labels": ("big, bot", ["big", "bot"], ("big", "bot")),
    "max-files": ("100", 100, 100),
    "max-lines": ("1000", 1000, 1000),
    "size-ignore": ("*.svg, data/", ["*.svg", "data/"], ("*.svg", "data/")),
    "size-blocking": ("true", True, True),
    "areas": (
        "api: src/api/, tests/api/",
        {"api": ["src/api/", "tests/api/"]},
        (Area(name="api", patterns=("src/api/", "tests/api/")),),
    ),
    "labels": ("true", True, True),
}
# Whose word counts for each input, spelled out here as well: a change of it is a change of what a stranger may decide.
POLICIES = {
    "stage": "anyone",
    "working-directory": "anyone",
    "paths": "anyone",
    "python-version": "anyone",
    "scope": "anyone",
    "type-checker": "anyone",
    "ignore": "anyone",
    "tool-versions": "anyone",
    "timeout": "anyone",
    "report-dir": "workflow",
    "cache-dir": "workflow",
    "github-token": "workflow",
    "comment": "workflow",
    "check-run": "workflow",
    "suggestions": "workflow",
    "allow-privileged": "workflow",
    "gate-changes": "workflow",
    "fail-fast": "workflow",
    "formatter": "anyone",
    "linter": "anyone",
    "black-args": "anyone",
    "ruff-args": "anyone",
    "coverage-min": "anyone",
    "patch-coverage-min": "anyone",
    "coverage-source": "anyone",
    "install": "anyone",
    "groups": "anyone",
    "extras": "anyone",
    "before-tests": "anyone",
    "system-packages": "workflow",
    "run-as": "workflow",
    "pytest-args": "anyone",
    "workers": "anyone",
    "shard": "anyone",
    "wait-for": "anyone",
    "reruns": "anyone",
    "fail-on": "anyone",
    "secrets-baseline": "anyone",
    "secrets-verify": "workflow",
    "bandit-args": "anyone",
    "pip-audit-args": "anyone",
    "advisory-url": "workflow",
    "ignore-vulnerabilities": "anyone",
    "licenses-allow": "anyone",
    "licenses-deny": "anyone",
    "alembic-config": "anyone",
    "alembic-args": "anyone",
    "database-url": "workflow",
    "postgres-version": "anyone",
    "migration-depth": "anyone",
    "downgrade-from": "anyone",
    "migration-danger": "anyone",
    "context": "anyone",
    "dockerfile": "anyone",
    "target": "anyone",
    "platform": "anyone",
    "build-args": "anyone",
    "image-tag": "workflow",
    "cache-from": "workflow",
    "cache-to": "workflow",
    "smoke-url": "anyone",
    "smoke-command": "anyone",
    "smoke-env": "workflow",
    "smoke-timeout": "anyone",
    "max-image-size": "anyone",
    "base-report": "anyone",
    "title-types": "anyone",
    "title-scopes": "anyone",
    "title-disallow-scopes": "anyone",
    "title-require-scope": "anyone",
    "title-subject-pattern": "anyone",
    "title-pattern": "anyone",
    "title-error": "anyone",
    "draft-titles": "anyone",
    "ignore-labels": "anyone",
    "max-files": "anyone",
    "max-lines": "anyone",
    "size-ignore": "anyone",
    "size-blocking": "anyone",
    "areas": "anyone",
    "labels": "workflow",
}
NO_KEYS = [name for name, policy in POLICIES.items() if policy == "workflow"]


def test_the_table_names_every_setting():
    assert VALUES.keys() | {"github-token", "allow-privileged"} == set(SETTINGS)


def test_whose_word_counts():
    assert {name: setting.set_by for name, setting in SETTINGS.items()} == POLICIES


@pytest.mark.parametrize("name", NO_KEYS)
def test_what_only_the_workflow_decides(name: str, wording: Any):
    values, mistakes = from_pyproject({"tool": {"ci-action": {name: "x"}}}, "app/pyproject.toml")
    assert values == {}
    (mistake,) = mistakes
    assert mistake == wording
    assert f"set the input {name!r} in the workflow" in mistake


def test_the_privilege_of_an_event_is_allowed_by_an_input():
    values, _ = from_inputs({"INPUT_ALLOW-PRIVILEGED": "true"})
    assert resolve(("input", values)).settings.allow_privileged


def test_which_values_are_the_projects_own():
    got = resolve(("pyproject.toml", {"timeout": 1, "install": ["x"]}), ("input", {"install": "y"}))
    assert got.of_project == {"timeout"}


@pytest.mark.parametrize("name", VALUES)
def test_every_setting_comes_from_an_input(name: str):
    text, _, expected = VALUES[name]
    values, mistakes = from_inputs({f"INPUT_{name.upper()}": text})
    settings = resolve(("input", values))
    assert mistakes == []
    assert settings.sources[name] == "input"
    if expected is not None:
        assert getattr(settings.settings, name.replace("-", "_")) == expected


@pytest.mark.parametrize("name", sorted(VALUES.keys() - set(NO_KEYS)))
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
    assert vars(got.settings) == vars(Settings()) == {}
    assert set(got.sources.values()) == {"default"}
    assert got.chosen() == {}


def test_chosen_holds_what_is_no_default_in_a_form_that_prints():
    got = resolve(("flag", {"paths": "a\nb", "tool-versions": "bundled", "timeout": "5"}))
    assert got.chosen() == {"paths": ["a", "b"], "tool-versions": "bundled", "timeout": 5}


def test_every_definition_says_what_people_read():
    assert all(setting.description and setting.stage for setting in SETTINGS.values())
    assert [name for name, setting in SETTINGS.items() if setting.is_list] == [
        "stage",
        "paths",
        "ignore",
        "black-args",
        "ruff-args",
        "coverage-source",
        "install",
        "groups",
        "extras",
        "before-tests",
        "system-packages",
        "pytest-args",
        "wait-for",
        "bandit-args",
        "pip-audit-args",
        "ignore-vulnerabilities",
        "licenses-allow",
        "licenses-deny",
        "alembic-args",
        "build-args",
        "cache-from",
        "cache-to",
        "smoke-command",
        "smoke-env",
        "title-types",
        "title-scopes",
        "title-disallow-scopes",
        "ignore-labels",
        "size-ignore",
        "areas",
    ]


def test_settings_cannot_be_changed():
    settings = resolve().settings
    with pytest.raises(AttributeError):
        settings.timeout = 5
    assert settings.timeout == SETTINGS["timeout"].default
