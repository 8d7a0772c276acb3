"""A subfolder of a repository is the same project however it is named: from within, by a flag, by the input."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.repositories import commit, git, pull_request
from support.runs import PREFIX

from ci_action.cli import main
from ci_action.settings.general import ALL, STAGES

SECRET = "AKIA" + "Z7VRSQ5TJN2XMPLB"
# What a project in a subfolder finds above: pins, configuration, ignored files.
ROOT: dict[str | bytes, str | bytes] = {
    "pyproject.toml": "[tool.ruff]\nline-length = 60\n[tool.ruff.lint]\nselect = ['E', 'F']\n",
    ".pre-commit-config.yaml": (
        "repos:\n- repo: https://github.com/psf/black\n  rev: 24.10.0\n  hooks: [{id: black}]\n"
    ),
    ".gitignore": "ignored.py\n",
    "root.py": "import os\n",
    "app/ignored.py": "import os\n",
    "conftest.py": "raise SystemExit('the tests of app do not need it')\n",
    ".python-version": "3.11\n",
}
APP: dict[str | bytes, str | bytes] = {
    "app/pyproject.toml": (
        "[tool.ci-action]\nignore = ['ruff:F401@pkg/quiet.py']\npatch-coverage-min = 10\n"
        "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.9'\n"
        "[tool.pytest.ini_options]\ntestpaths = ['tests']\npythonpath = ['.']\n"
        "[tool.bandit.assert_used]\nskips = ['*_test.py']\n"
    ),
    "app/requirements.txt": "pytest\nidna==3.6\n",
    "app/pkg/__init__.py": "def f(value):\n    if value:\n        return 1\n    return 2\n",
    "app/pkg/quiet.py": "import os\n",
    "app/tests/test_f.py": "import pkg\n\n\ndef test_f():\n    assert pkg.f(1) == 1\n",
}
CHANGE: dict[str | bytes, str | bytes] = {
    "app/pkg/loud.py": f"import os\nKEY = '{SECRET}'\nx  = 1 # {'long ' * 12}\nassert x\n",
    "app/tests/test_g.py": "import pkg\n\n\ndef test_g():\n    found = pkg.f(0)\n    assert found == 3\n",
    "app/pkg/__init__.py": "def f(value):\n    if value:\n        return 1\n    return 2 # more\n",
}


def lasting(value: Any) -> Any:
    """Return a report without its times."""
    if isinstance(value, dict):
        return {
            key: lasting(one)
            for key, one in value.items()
            if key not in {"seconds", "started", "reused"} and not key.endswith("_seconds")
        }
    return [lasting(one) for one in value] if isinstance(value, list) else value


def rows(value: Any, name: str = "") -> Iterator[str]:
    """Yield every value of a report in a line, with its place: differences are readable."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in parts:
            yield from rows(one, f"{name}.{key}")
    else:
        yield f"{name} = {value!r}"


@pytest.fixture
def ways(standing, environ, kept, tmp_path, monkeypatch, advisories) -> Callable[..., list[list[Any]]]:
    """Run stages for the folder `app` of a pull request in three ways; return each exit code and report."""
    folder = standing({})
    git(folder, "checkout", "--quiet", "-b", "main")
    commit(folder, {**ROOT, **APP})
    payload = pull_request(folder, CHANGE)
    payload["pull_request"]["title"] = "say more"
    payload["repository"] = {"full_name": "o/r"}
    git(folder, "checkout", "--quiet", "refs/pull/7/merge")
    event = tmp_path / "event.json"
    event.write_text(json.dumps(payload))
    of_event = {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_SHA": git(folder, "rev-parse", "HEAD"),
        "GITHUB_REPOSITORY": "o/r",
    }
    reports = tmp_path / "reports"
    given = {"cache-dir": str(kept), "report-dir": str(reports), "advisory-url": advisories}

    def run(here: Path, argv: list[str], more: Mapping[str, str]) -> list[Any]:
        monkeypatch.chdir(here)
        shutil.rmtree(reports, ignore_errors=True)
        code = main(argv, {**environ, **of_event, **more}, PREFIX)
        return [code, lasting(json.loads((reports / "report.json").read_bytes()))]

    def all_ways(stage: str) -> list[list[Any]]:
        flags = [f"--{name}={value}" for name, value in given.items()]
        inputs = {f"INPUT_{name.upper()}": value for name, value in given.items()}
        action = {
            "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(folder), "INPUT_STAGE": stage, "INPUT_WORKING-DIRECTORY": "app",
        }  # fmt: skip
        return [
            run(folder / "app", ["run", stage, *flags], {}),
            run(folder, ["run", stage, *flags, "--working-directory=app"], {}),
            run(folder, [], {**inputs, **action}),
        ]

    return all_ways


@pytest.mark.parametrize("stage", [*STAGES, ALL])
def test_three_ways_to_name_a_subfolder_give_one_report(ways: Any, stage: str):
    [within, flag, action] = ways(stage)
    assert [*rows(within)] == [*rows(flag)]
    assert [*rows(within)] == [*rows(action)]
    assert within[1]["settings"]["working-directory"] == "app"
    findings = [one for part in within[1]["stages"] for tool in part["tools"] for one in tool["findings"]]
    assert {one["path"].partition("/")[0] for one in findings} <= {"app", "", ".pre-commit-config.yaml"}
    expected = {"quality": 1, "test": 1, "pr": 1, "all": 1}
    assert within[0] == expected.get(stage, within[0])
