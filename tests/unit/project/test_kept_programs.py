"""Installed tools are made once, and used only if they are complete, current and ours."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, store, write

from ci_action.project.kept_programs import KeptPrograms, content_of, decisive, is_local
from ci_action.project.programs import Installed, Installer, Wanted
from ci_action.system.cache import Results
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.process import Command, Completed

TODAY = date(2026, 11, 26)
EXACT = Wanted(tool="black", specifier="==24.1.0")
RANGE = Wanted(tool="black", specifier="<25")


@dataclass
class Uv:
    """Installs one version after the other, or fails."""

    answers: list[str | Exception]
    asked: list[Command] = field(default_factory=list)
    version: str = ""

    def __call__(self, command: Command) -> Completed:
        program = Path(command.argv[0]).name
        if program == "python":
            return completed()
        if program != "uv":
            return completed(f"{program}, {self.version}")
        self.asked.append(command)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self.version = answer
        folder = Path(command.environ["UV_TOOL_DIR"]) / "black"
        write(folder, {"bin/black": "", "bin/python": "", "lib/black.py": f"version = {answer}"})
        for name in ("black", "python"):
            (folder / "bin" / name).chmod(0o755)
        return completed()


def kept(cache: Path, uv: Uv | FakeRun, **overrides: Any) -> KeptPrograms:
    """Return the installed versions as a new run finds them."""
    found = store(cache)
    installer = Installer(
        run=uv,
        uv=Path("uv"),
        python=Path("python"),
        tempdir=cache.parent,
        variables=overrides.pop("variables", {}),
    )
    values: dict[str, Any] = {"interpreter": "3.13", "environ": {}, "today": TODAY}
    return KeptPrograms(
        store=found,
        results=Results(found, "programs-black"),
        installer=installer,
        **{**values, **overrides},
    )


def versions(cache: Path, uv: Uv, runs: Sequence[dict[str, Any]], wanted: Wanted = EXACT) -> list[str]:
    return [kept(cache, uv, **run).install(wanted).version for run in runs]


def test_an_exact_version_is_installed_once(tmp_path: Path):
    uv = Uv(["24.1.0"])
    runs: list[dict[str, Any]] = [{}, {}, {"today": TODAY + timedelta(days=400)}]
    assert versions(tmp_path / "c", uv, runs) == ["24.1.0"] * 3
    assert len(uv.asked) == 1


def test_what_is_kept_starts_without_any_process(tmp_path: Path):
    first = kept(tmp_path / "c", Uv(["24.1.0"])).install(EXACT)
    assert kept(tmp_path / "c", FakeRun()).install(EXACT) == Installed(script=first.script, version="24.1.0")


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({}, False),
        ({"interpreter": "3.14"}, True),
        ({"environ": {"UV_INDEX_URL": "https://b/simple"}}, True),
        ({"variables": {"UV_FIND_LINKS": "/wheels"}}, True),
        ({"environ": {"UV_INDEX_URL": "https://user:new@a/simple"}}, False),
        ({"environ": {"UV_INDEX_URL": "https://a/simple", "UV_HTTP_TIMEOUT": "5"}}, False),
        ({"wanted": Wanted(tool="black", specifier="==24.2.0")}, True),
        ({"wanted": Wanted(tool="black", specifier="==24.1.0", extras=frozenset({"jupyter"}))}, True),
        ({"wanted": Wanted(tool="black", specifier="==24.1.0", python="3.14")}, True),
    ],
)
def test_everything_that_decides_is_part_of_the_key(tmp_path: Path, change: dict[str, Any], again: bool):
    uv = Uv(["24.1.0", "24.1.0"])
    same = {"environ": {"UV_INDEX_URL": "https://user:old@a/simple"}}
    kept(tmp_path / "c", uv, **same).install(EXACT)
    kept(tmp_path / "c", uv, **{**same, **{k: v for k, v in change.items() if k != "wanted"}}).install(
        change.get("wanted", EXACT)
    )
    assert len(uv.asked) == 1 + again


@pytest.mark.parametrize(
    "harm",
    [
        lambda tool: (tool / "bin" / "python").unlink(),
        lambda tool: (tool / "bin" / "black").chmod(0o644),
        lambda tool: (tool / "lib" / "black.py").unlink(),
        lambda tool: (tool / "lib" / "black.py").write_text("cut"),
        lambda tool: (tool / "lib" / "more.py").write_text(""),
        lambda tool: tool.parent.rename(tool.parents[1] / "away"),
        lambda tool: tool.parents[1].chmod(0o777),
    ],
    ids=["interpreter", "program", "file", "content", "more", "folder", "writable by others"],
)
def test_a_damaged_one_is_made_again(tmp_path: Path, harm: Any):
    uv = Uv(["24.1.0", "24.1.0"])
    first = kept(tmp_path / "c", uv).install(EXACT).script
    harm(first.parents[1])
    second = kept(tmp_path / "c", uv).install(EXACT).script
    assert second != first
    assert kept(tmp_path / "c", uv).install(EXACT).script == second
    assert len(uv.asked) == 2


def test_an_interrupted_installation_leaves_nothing(tmp_path: Path):
    uv = Uv([InterruptedRunError("interrupted"), "24.1.0"])
    with pytest.raises(InterruptedRunError):
        kept(tmp_path / "c", uv).install(EXACT)
    assert list((tmp_path / "c" / "results" / "trees").iterdir()) == []
    assert kept(tmp_path / "c", uv).install(EXACT).version == "24.1.0"


def test_a_version_that_is_not_available_is_not_kept(tmp_path: Path):
    uv = Uv([ToolError("not on the index"), ToolError("not on the index")])
    for _ in range(2):
        with pytest.raises(ToolError):
            kept(tmp_path / "c", uv).install(EXACT)


def test_runs_side_by_side_use_one_installation_each(tmp_path: Path):
    uv = Uv(["24.1.0", "24.1.0"])
    runs = [kept(tmp_path / "c", uv) for _ in range(2)]
    scripts = {run.install(EXACT).script for run in runs}
    assert all(script.is_file() for script in scripts)
    assert len(scripts) == 2
    assert kept(tmp_path / "c", uv).install(EXACT).script in scripts


def test_a_range_is_looked_up_once_a_day(tmp_path: Path):
    uv = Uv(["24.1.0", "24.2.0"])
    runs: list[dict[str, Any]] = [{"today": TODAY + timedelta(days=days)} for days in (0, 0, 1, 1)]
    assert versions(tmp_path / "c", uv, runs, RANGE) == ["24.1.0", "24.1.0", "24.2.0", "24.2.0"]


@pytest.mark.parametrize("error", [ToolError("no network"), TimedOutError("uv timed out")])
def test_without_an_index_a_range_keeps_its_last_version_and_reports_its_age(
    tmp_path: Path, error: ToolError
):
    uv = Uv(["24.1.0", error])
    kept(tmp_path / "c", uv).install(RANGE)
    found = kept(tmp_path / "c", uv, today=TODAY + timedelta(days=3)).install(RANGE)
    assert found.version == "24.1.0"
    [note] = found.warnings
    assert {"black<25", "24.1.0", str(TODAY)} <= set(
        note.replace(";", "").replace(",", "").replace(":", "").split()
    )
    assert uv.asked[1].environ["UV_HTTP_RETRIES"] == "0"
    assert uv.asked[1].timeout < uv.asked[0].timeout


def test_what_was_not_used_for_weeks_is_removed_when_another_is_installed(tmp_path: Path):
    uv = Uv(["24.1.0", "24.2.0", "24.3.0"])
    names = ["==24.1.0", "==24.2.0", "==24.3.0"]
    scripts = [
        kept(tmp_path / "c", uv).install(Wanted(tool="black", specifier=name)).script for name in names[:2]
    ]
    for script in scripts:
        os.utime(script.parents[2], (0, time.time() - 15 * 86_400))
    assert kept(tmp_path / "c", uv).install(EXACT).script == scripts[0], "used: it counts as new"
    kept(tmp_path / "c", uv).install(Wanted(tool="black", specifier=names[2]))
    assert [script.is_file() for script in scripts] == [True, False]


def test_a_cache_that_cannot_be_written_is_an_error_of_the_system(tmp_path: Path):
    write(tmp_path, {"file": ""})
    with pytest.raises(OSError, match="file"):
        kept(tmp_path / "file", Uv([])).install(EXACT)


@pytest.mark.parametrize(("apart", "mode"), [(False, 0o700), (True, 0o755)])
def test_only_where_another_user_starts_the_tools_others_can_read_them(
    tmp_path: Path, apart: bool, mode: int
):
    uv = Uv(["24.1.0"])
    python = Wanted(tool="black", specifier="==24.1.0", python="3.14")
    kept(tmp_path / "c", uv, apart=apart).install(python)
    trees = tmp_path / "c" / "results" / "trees"
    assert trees.stat().st_mode & 0o777 == mode
    assert uv.asked[0].environ.get("UV_PYTHON_INSTALL_DIR") == (str(trees / "python") if apart else None)


@pytest.mark.parametrize(
    ("variables", "local"),
    [
        ({}, False),
        ({"UV_DEFAULT_INDEX": "https://a/simple", "UV_INDEX": "b=https://b https://c"}, False),
        ({"UV_INDEX": "https://b /wheels"}, True),
        ({"UV_FIND_LINKS": "wheels"}, True),
        ({"UV_DEFAULT_INDEX": "FILE:///wheels"}, True),
        ({"UV_CACHE_DIR": "/cache"}, False),
    ],
)
def test_packages_of_this_machine(variables: dict[str, str], local: bool):
    assert is_local(variables) == local


def test_credentials_do_not_decide():
    assert decisive(
        {"UV_INDEX": "a=https://u:p@a/x https://b", "UV_INDEX_A_PASSWORD": "p", "NETRC": "n"}
    ) == {"UV_INDEX": "a=https://a/x https://b"}


def test_the_content_is_names_and_sizes(tmp_path: Path):
    write(tmp_path / "a", {"x/y": "1", "z": "22"})
    write(tmp_path / "b", {"x/y": "3", "z": "44"})
    write(tmp_path / "c", {"x/y": "1", "z": "2"})
    one, same, other = (content_of(tmp_path / name) for name in "abc")
    assert one == same != other
