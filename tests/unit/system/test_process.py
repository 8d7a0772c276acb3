"""What a child sees of our environment; the integration tests run real programs."""

import io
from pathlib import Path
from typing import Any

import pytest

from ci_action.system.child_environ import Sees, clean_environment
from ci_action.system.errors import InterruptedRunError
from ci_action.system.process import Command, Processes, batches, end_of, last_lines


@pytest.mark.parametrize(
    "name",
    [
        *(
            "INPUT_STAGE",
            "INPUT_GITHUB-TOKEN",
            "ACTIONS_RUNTIME_TOKEN",
            "ACTIONS_CACHE_URL",
            "GITHUB_TOKEN",
            "GH_TOKEN",
        ),
        *("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "STATE_x"),
        *(
            "BLACK_NUM_WORKERS",
            "RUFF_SELECT",
            "PYTHONPATH",
            "PYTHONHOME",
            "PYTHONSTARTUP",
            "VIRTUAL_ENV",
            "GIT_DIR",
        ),
        *("FORCE_COLOR", "COLUMNS", "UV_PROJECT", "UV_PYTHON", "LD_LIBRARY_PATH", "GIT_CONFIG_KEY_7"),
    ],
)
def test_a_child_never_sees(name: str):
    assert name not in clean_environment({name: "x"})


@pytest.mark.parametrize(
    "name",
    [
        *(
            "PATH",
            "HOME",
            "LANG",
            "CI",
            "GITHUB_ACTIONS",
            "GITHUB_REPOSITORY",
            "PYTHONWARNINGS",
            "SSL_CERT_FILE",
        ),
        *("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "HTTPS_PROXY", "NETRC", "REQUESTS_CA_BUNDLE"),
    ],
)
def test_a_child_sees(name: str):
    assert clean_environment({name: "x"})[name] == "x"


@pytest.mark.parametrize(
    ("name", "little", "network"),
    [
        *((name, True, True) for name in ("PATH", "HOME", "LC_ALL", "TMPDIR", "GIT_CONFIG_COUNT", "NO_COLOR")),
        *((name, False, True) for name in ("HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE", "NETRC", "UV_DEFAULT_INDEX")),
        *((name, False, False) for name in ("API_KEY", "AWS_SECRET_ACCESS_KEY", "UV_PUBLISH_TOKEN", "PIP_INDEX_URL")),
        *((name, False, False) for name in ("GITHUB_REPOSITORY", "XPATH", "HOMEX", "DATABASE_URL", "RUNNER_TEMP")),
    ],
)  # fmt: skip
def test_a_tool_that_only_reads_sees_little(name: str, little: bool, network: bool):
    seen = clean_environment({name: "x"})
    assert (name in Sees.LITTLE.of(seen)) is little
    assert (name in Sees.NETWORK.of(seen)) is network
    assert Sees.STEP.of(seen) == seen


def test_every_child_trusts_the_workspace_and_prints_no_colours():
    found = clean_environment({"GIT_CONFIG_COUNT": "5", "NO_COLOR": ""})
    assert found["GIT_CONFIG_COUNT"] == "1"
    assert (found["GIT_CONFIG_KEY_0"], found["GIT_CONFIG_VALUE_0"]) == ("safe.directory", "*")
    assert (found["NO_COLOR"], found["GIT_TERMINAL_PROMPT"]) == ("1", "0")


def test_a_command_is_shown_as_in_a_shell():
    assert str(Command(argv=("black", "--", "a b.py"), cwd=Path())) == "black -- 'a b.py'"


def test_after_stop_nothing_is_started(tmp_path: Path, wording: Any):
    processes = Processes({}, tmp_path)
    processes.stop()
    assert processes.stopped
    with pytest.raises(InterruptedRunError) as caught:
        processes.run(Command(argv=("true",), cwd=tmp_path))
    assert str(caught.value) == wording


def test_the_last_lines_that_are_not_blank():
    assert last_lines("a\n\n b \nc\n\n", 2) == " b\nc"
    assert last_lines("") == ""


def test_batches_fit_on_a_command_line():
    names = [f"{number}" * 60_000 for number in range(10)]
    found = list(batches(names))
    assert [name for batch in found for name in batch] == names
    assert [len(batch) for batch in found] == [8, 2]
    assert list(batches([])) == []
    assert list(batches(["x" * 600_000])) == [["x" * 600_000]]


@pytest.mark.parametrize(
    ("most", "kept"),
    [
        (None, b"first\nsecond\nthird\n"),
        (100, b"first\nsecond\nthird\n"),
        (19, b"first\nsecond\nthird\n"),
        (18, b"second\nthird\n"),
        (13, b"second\nthird\n"),
        (12, b"third\n"),
        (3, b""),
    ],
)
def test_the_end_of_what_was_printed_has_whole_lines(most: int | None, kept: bytes):
    assert end_of(io.BytesIO(b"first\nsecond\nthird\n"), most) == kept
