"""How the coverage of a test run is measured: as the project's own commands do, else by pytest-cov."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

from msgspec import Struct, convert, structs, to_builtins

from ci_action.engine.test_run import COVERAGE
from ci_action.model.tests import TestWarning
from ci_action.project.coverage_combined import combination
from ci_action.project.coverage_command import (
    PytestOptions,
    Starter,
    coverage_command,
    loaded_early,
    pytest_options,
)
from ci_action.project.environment import PYTEST_COV, Environment
from ci_action.project.layout import Layout
from ci_action.settings import Settings
from ci_action.system.errors import ToolError
from ci_action.system.json_fields import json_object
from ci_action.system.text import plain

FILE: Final = "measuring.json"
WARNING: Final = "CoverageWarning"
# As coverage writes them: before 6.0, from 6.0, and with a link from 7.11.
_WARNED: Final = re.compile(
    rf"(?:{WARNING}|Coverage\.py warning): (?P<text>[^\n]+?)(?: \((?P<slug>[a-z][a-z-]+)\))?(?:; see https?://\S+)?$",
    re.MULTILINE,
)
OWN_CONFIG: Final = "the configuration of pytest"


class Measuring(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How coverage is measured, and what became of it."""

    starter: Starter
    origin: str = ""
    """What decided that, for people; empty if nothing of the project does."""
    own: bool = False
    """Whether a command of the project measures coverage: then its tests are known to pass with it."""
    replace: bool = False
    """Whether the sources replace those of the project's own options."""
    source: tuple[str, ...] = ()
    config: str = ""
    branch: bool = False
    fail_under: str = ""
    combined: str = ""
    """What judges the minimum of the project over the data of several environments; empty if a single run is judged."""
    options: tuple[str, ...] = ()
    """Further options of `coverage run`."""
    disabled: tuple[str, ...] = ()
    """The plugins that the project's own command disables."""
    noted: tuple[tuple[str, str], ...] = ()
    """What coverage warned about: its own names of the warnings, and the texts."""
    failed: str = ""
    """Why coverage could not be measured; empty if it was."""

    @property
    def words(self) -> tuple[str, ...]:
        """What comes after the interpreter to start pytest."""
        if self.starter is not Starter.COVERAGE:
            return ("-m", "pytest")
        words = [*self.options]
        words += [f"--source={','.join(self.source)}"] if self.source else []
        words += [f"--rcfile={self.config}"] if self.config else []
        words += ["--branch"] if self.branch else []
        return ("-m", "coverage", "run", *words, "-m", "pytest")

    def variables(self, data: Path, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables for our plugin and for coverage; `environ` are those of the step."""
        facts: dict[str, Any] = {
            "starter": self.starter,
            "given": environ.get("COVERAGE_FILE"),
            "replace": self.replace,
            "source": self.source,
            "config": self.config,
            "branch": self.branch,
        }
        return {"CI_ACTION_PYTEST_COVERAGE": json.dumps(facts), "COVERAGE_FILE": str(data)}

    def without(self, reason: str) -> Self:
        """Return a run without coverage."""
        return structs.replace(self, starter=Starter.NONE, failed=reason)

    def save(self, tempdir: Path) -> None:
        """Write it for the tool that reads the data."""
        (tempdir / FILE).write_bytes(json.dumps(to_builtins(self)).encode())

    @classmethod
    def load(cls, tempdir: Path) -> Self:
        """Read what the tool of the tests wrote; raises `ToolError` if it wrote nothing."""
        try:
            return convert(json_object((tempdir / FILE).read_bytes()), cls)
        except (OSError, ValueError) as error:
            raise ToolError("the tests left no coverage data") from error


def _options(layout: Layout, settings: Settings, environ: Mapping[str, str]) -> PytestOptions:
    """Return the options of pytest, with those of the setting `pytest-args`."""
    found = pytest_options(layout, environ)
    return replace(found, words=(*found.words, *settings.pytest_args))


def package_of(layout: Layout, settings: Settings, environ: Mapping[str, str]) -> str:
    """Return the package that measures the coverage of a project: pytest-cov only if it is used."""
    command, options = coverage_command(layout), _options(layout, settings, environ)
    by_command = command is not None and command.starter is Starter.COVERAGE
    early = command is None and not options.spread and bool(loaded_early(layout, options))
    starts = (by_command or early) and not options.need_pytest_cov and not settings.workers
    return COVERAGE if starts else PYTEST_COV


def measuring_of(
    layout: Layout, settings: Settings, environment: Environment, environ: Mapping[str, str]
) -> Measuring:
    """Return how to measure the coverage of a project's tests."""
    command, options = coverage_command(layout), _options(layout, settings, environ)
    # Packages beside the environment can only be found by pytest, and `coverage run` does not see the processes of xdist.
    can_start = COVERAGE in environment.packages and not settings.workers
    cannot_plug_in = not environment.overlay and PYTEST_COV not in environment.packages
    instead = cannot_plug_in and not options.spread
    wanted = package_of(layout, settings, environ) == COVERAGE
    starter = Starter.COVERAGE if can_start and (wanted or instead) else Starter.PYTEST_COV
    given = settings.coverage_source
    if command is None:
        early = wanted and loaded_early(layout, options)
        origin = early or (OWN_CONFIG if options.covers else "")
        found = Measuring(starter=starter, origin=origin, own=options.covers)
    else:
        found = Measuring(
            starter=starter,
            origin=command.origin,
            own=True,
            source=command.source,
            config=command.config,
            branch=command.branch,
            fail_under=command.fail_under,
            combined="" if options.covers else combination(layout),
            options=command.options,
            disabled=tuple(name for name in command.disabled if "cov" not in name),
        )
    return structs.replace(found, source=given, replace=True) if given else found


def coverage_warnings(text: str, recorded: Iterable[TestWarning] = ()) -> tuple[tuple[str, str], ...]:
    """Return the warnings of coverage, each once: its own name and the text; from output, and those of pytest."""
    texts = [text, *(f"{WARNING}: {one.message}" for one in recorded if one.category == WARNING)]
    found = (match for one in texts for match in _WARNED.finditer(one))
    return tuple(dict.fromkeys((match["slug"] or "warning", plain(match["text"])) for match in found))
