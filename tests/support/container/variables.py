"""The variables that the runner sets for a Docker action."""

from collections.abc import Mapping
from typing import Final

import yaml
from support.paths import ROOT

WORKSPACE: Final = "/github/workspace"
TOKEN: Final = "ghs_T0kenOfTheInputGithubToken0000000001"
RUNTIME_TOKEN: Final = "eyRunt1meT0kenOfTheRunner0000000002"
SHA: Final = "0123456789abcdef0123456789abcdef01234567"


def inputs_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return a variable for every input of action.yml: empty if it is not given and has no default."""
    declared = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    values = {name: TOKEN if entry.get("default") else "" for name, entry in declared.items()} | dict(given)
    return {f"INPUT_{name.replace(' ', '_').upper()}": value for name, value in values.items()}


def context() -> dict[str, str]:
    github = {
        "ACTION": "__self",
        "ACTOR": "octocat",
        "API_URL": "https://api.github.com",
        "EVENT_NAME": "push",
        "EVENT_PATH": "/github/workflow/event.json",
        "GRAPHQL_URL": "https://api.github.com/graphql",
        "JOB": "quality",
        "REF": "refs/heads/main",
        "REF_NAME": "main",
        "REF_TYPE": "branch",
        "REPOSITORY": "octocat/project",
        "REPOSITORY_OWNER": "octocat",
        "RUN_ATTEMPT": "1",
        "RUN_ID": "1",
        "RUN_NUMBER": "1",
        "SERVER_URL": "https://github.com",
        "SHA": SHA,
        "WORKFLOW": "ci",
        "WORKSPACE": WORKSPACE,
    }
    runner = {
        "OS": "Linux",
        "ARCH": "X64",
        "NAME": "e2e",
        "ENVIRONMENT": "github-hosted",
        "TEMP": "/github/runner_temp",
    }
    own = {"TOOL_CACHE": "/opt/hostedtoolcache", "WORKSPACE": "/home/runner/work/project"}
    services = {
        "ACTIONS_RUNTIME_URL": "https://pipelines.example.invalid/",
        "ACTIONS_RUNTIME_TOKEN": RUNTIME_TOKEN,
    }
    return {
        **{f"GITHUB_{name}": value for name, value in github.items()},
        **{f"RUNNER_{name}": value for name, value in {**runner, **own}.items()},
        **services,
        "ACTIONS_RESULTS_URL": "https://results.example.invalid/",
    }
