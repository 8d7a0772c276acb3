"""The command that reproduces the verdict in a shell, for every mix of stages."""

from typing import Any

import pytest
from support.builders import finding, resolved, run_result, stage_result, tool_result

from ci_action.engine.reproduce import fix_flags, reproduce
from ci_action.github.pull_request import NO_PULL, NoPull, Pull
from ci_action.model.finding import Fix
from ci_action.model.result import StageResult
from ci_action.settings.resolve import PROJECT, resolve

PULL = Pull(number=7, title="x")
FETCHED = (
    "gh api repos/o/r/pulls/7 --jq '{pull_request: .}' > event.json"
    " && GITHUB_EVENT_NAME=pull_request GITHUB_EVENT_PATH=event.json ci-action run "
)


def command(
    *stages: StageResult, pull: Pull | NoPull = NO_PULL, repository: str = "o/r", **values: Any
) -> str:
    judged = run_result(*stages).stages
    return reproduce(judged, resolved(**values), pull, repository)


def green(name: str, **overrides: Any) -> StageResult:
    return stage_result(tool_result(), stage=name, **overrides)


def red(name: str, **overrides: Any) -> StageResult:
    return stage_result(tool_result(finding()), stage=name, **overrides)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ""),
        ({"paths": "a b\nc"}, " '--paths=a b' --paths=c"),
        ({"black_args": "-S --x 'a b'"}, """ '--black-args=-S --x '"'"'a b'"'"''"""),
        ({"report_dir": "x", "cache_dir": "none", "timeout": 5}, " --timeout=5"),
        ({"github_token": "s3cr3t-token"}, ""),
        ({"areas": "a: src/, lib/\nb: docs/"}, " '--areas=a: src/, lib/' '--areas=b: docs/'"),
        ({"labels": True, "comment": "always", "run_as": "root", "allow_privileged": True}, ""),
        ({"size_blocking": True, "secrets_verify": False}, " --no-secrets-verify --size-blocking"),
        (
            {"working_directory": "a b", "python_version": ">=3.11"},
            " '--working-directory=a b' '--python-version=>=3.11'",
        ),
        ({"title_error": "$(rm -r x)\n`y`"}, " '--title-error=$(rm -r x)\n`y`'"),
        ({"wait_for": "postgres://me:s3cr3t-value@db/x"}, " '--wait-for=postgres://me:***@db/x'"),
        ({"build_args": "A=x y\nB="}, " '--build-args=A=x y' --build-args=B="),
        ({"build_args": "API_TOKEN=s3cr3t-value"}, " '--build-args=API_TOKEN=***'"),
        ({"build_args": "DSN=http://me:s3cr3t-value@db/x"}, " '--build-args=DSN=http://me:***@db/x'"),
        (
            {"smoke_env": "DEBUG=1\nDB_PASSWORD=s3cr3t-value"},
            " '--smoke-env=DEBUG=***' '--smoke-env=DB_PASSWORD=***'",
        ),
        (
            {"smoke_url": "http://me:s3cr3t-value@localhost:8000/"},
            " '--smoke-url=http://me:***@localhost:8000/'",
        ),
        ({"size_ignore": "*.snap,docs/"}, " '--size-ignore=*.snap' --size-ignore=docs/"),
    ],
)
def test_the_settings_of_the_command(values: dict[str, Any], words: str):
    assert command(stage_result(), **values) == f"ci-action run quality{words}"


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ({}, ()),
        ({"working_directory": "app", "scope": "changed"}, ("--working-directory=app", "--scope=changed")),
        ({"black_args": "-S", "coverage_min": 80, "fail_on": "high"}, ("--black-args=-S",)),
        ({"gate_changes": "fail", "report_dir": "x", "github_token": "s3cr3t-token"}, ()),
    ],
)
def test_the_settings_of_a_fix(values: dict[str, Any], flags: tuple[str, ...]):
    fixable = stage_result(tool_result(finding(fix=Fix.SAFE)))
    stages = [fixable, stage_result(tool_result(finding()), stage="test")]
    assert fix_flags(stages, resolved(**values)) == flags


def test_keys_of_the_project_are_not_repeated():
    project = resolve((PROJECT, {"paths": ["src"]}), ("flag", {"timeout": "5"}))
    assert fix_flags([stage_result(tool_result(finding(fix=Fix.SAFE)))], project) == ("--timeout=5",)


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        pytest.param([green("quality"), green("pr")], "ci-action run quality", id="all green"),
        pytest.param([red("quality"), green("pr")], "ci-action run quality", id="another is red"),
        pytest.param([green("quality"), red("pr")], f"{FETCHED}quality pr", id="the pull request is red"),
        pytest.param([red("pr")], f"{FETCHED}pr", id="alone"),
        pytest.param([green("pr")], f"{FETCHED}pr", id="alone and green"),
        pytest.param([red("comment")], "", id="a comment is nothing for a shell"),
        pytest.param(
            [red("quality", by_name=False), green("test", by_name=False, reason="no tests")],
            "ci-action run all",
            id="what does not apply would be red by its name",
        ),
    ],
)
def test_the_stages_of_the_command(stages: list[StageResult], words: str):
    assert command(*stages, pull=PULL) == words


@pytest.mark.parametrize(("pull", "repository"), [(NO_PULL, "o/r"), (PULL, ""), (PULL, "o/r;rm -r x")])
def test_without_a_pull_request_there_is_no_command(pull: Pull | NoPull, repository: str):
    assert command(red("pr"), pull=pull, repository=repository) == ""
