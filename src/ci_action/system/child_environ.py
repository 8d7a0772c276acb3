"""The environment of the programs that we start: without our inputs and the tokens of the runner."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

from ci_action.system.index_credentials import with_bound_credentials

# Never passed on: our inputs, the runner's tokens and command files, and variables that would change what a tool
# prints or checks. Index, proxy, certificate and netrc settings are passed on.
_WITHHELD_PREFIXES: Final = ("INPUT_", "ACTIONS_", "BLACK_", "RUFF_", "GIT_CONFIG_", "STATE_")

_WITHHELD_NAMES: Final = frozenset({
    "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STATE", "GITHUB_PATH",
    "GITHUB_STEP_SUMMARY", "GITHUB_ARTIFACTS", "GITHUB_ARTIFACTS_LIST",
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_EXTERNAL_DIFF",
    "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "pythonLocation",
    "FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "COLUMNS", "LINES", "TERM",
    "UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_WORKING_DIR", "UV_PYTHON", "UV_CONSTRAINT", "UV_OVERRIDE",
    "UV_REQUIRE_HASHES", "UV_CONFIG_FILE", "UV_TOOL_DIR", "UV_PRERELEASE", "UV_RESOLUTION",
})  # fmt: skip

_KEPT_PYTHON: Final = frozenset({"PYTHONWARNINGS"})

# Passed to every program: none of these contains a secret.
_COMMON: Final = re.compile(
    r"PATH|HOME|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|GIT_CONFIG_\w+|GIT_TERMINAL_PROMPT|NO_COLOR|PYTHON\w+"
)

# Passed in addition to programs that use the network.
_NETWORK: Final = re.compile(
    r"(?:HTTPS?|ALL|NO)_PROXY|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NETRC|UV_(?!PUBLISH_)\w+|XDG_\w+",
    re.IGNORECASE,
)


class Sees(Enum):
    """The part of our environment that a program gets, besides the variables of its command."""

    STEP = None
    """Everything that is not withheld: for the project's code, which may need the variables of the step."""
    LITTLE = (_COMMON,)
    """What every program needs: for tools that read the project, whose files must not reveal a secret."""
    NETWORK = (_COMMON, _NETWORK)
    """Also proxies, certificates and package indexes: for programs that use the network."""

    def of(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the part of an environment that the program gets."""
        if self.value is None:
            return {**environ}
        return {
            name: text for name, text in environ.items() if any(one.fullmatch(name) for one in self.value)
        }


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return our environment without what is withheld, and with `safe.directory` for git.

    The workspace belongs to the runner's user while we are root (actions/runner issue 2033); the variables reach every
    git that a child starts.
    """
    kept = {
        name: value
        for name, value in with_bound_credentials(environ).items()
        if not name.startswith(_WITHHELD_PREFIXES)
        and name not in _WITHHELD_NAMES
        and (not name.startswith("PYTHON") or name in _KEPT_PYTHON)
    }
    kept.update(
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0="safe.directory",
        GIT_CONFIG_VALUE_0="*",
        GIT_TERMINAL_PROMPT="0",
        NO_COLOR="1",
        PYTHONUTF8="1",
        PYTHONDONTWRITEBYTECODE="1",
    )
    return kept
