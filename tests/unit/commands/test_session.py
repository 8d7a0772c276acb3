"""One call of the program: whatever ends it, it is cleaned up, the outputs are set, and the exit code is told."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.builders import actions_environ
from support.runner_model import key_values

from ci_action.commands.session import Call, Options
from ci_action.reporters.outputs import ABOUT
from ci_action.system.errors import InterruptedRunError, SettingsError, ShardsError, ToolError
from ci_action.system.signals import Interruption

NAMES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STATE", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")


class Machine:
    """A container with forged command files, as the project's code leaves them."""

    def __init__(self, folder: Path, *, container: bool = True) -> None:
        self.commands = folder / "commands"
        self.commands.mkdir()
        self.prefix = folder / "prefix"
        (self.prefix / ("tools" if container else "elsewhere") / "bin").mkdir(parents=True)
        (folder / "w").mkdir()
        files = {name: str(self.commands / name) for name in NAMES}
        self.environ = actions_environ(folder / "c", GITHUB_WORKSPACE=str(folder / "w"), **files)
        for name in NAMES:
            (self.commands / name).write_text("forged=1\n")
        self.interruption = Interruption()

    def call(self) -> Call:
        options = Options(environ=self.environ, prefix=self.prefix, interruption=self.interruption)
        return Call({"stage": ["quality"]}, options)

    def left(self, name: str) -> str:
        return (self.commands / name).read_text("utf-8")

    def see_that_all_is_ours(self) -> None:
        assert not any(self.left(name) for name in ("GITHUB_ENV", "GITHUB_STATE", "GITHUB_PATH"))
        assert "forged" not in self.left("GITHUB_STEP_SUMMARY")
        outputs = key_values(self.left("GITHUB_OUTPUT"))
        assert outputs.keys() == set(ABOUT)
        assert outputs["result"] == "broken"


def raising(error: BaseException) -> Callable[[], None]:
    def end() -> None:
        raise error

    return end


@pytest.mark.parametrize("opened", [False, True], ids=["before the session", "in the session"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError(["wrong"]), 2),
        (ShardsError(["wrong"]), 2),
        (ToolError("it is gone"), 3),
        (MemoryError(), 3),
        (RuntimeError("can't start new thread"), 3),
        (OSError(28, "No space left on device"), 3),
        (OSError(24, "Too many open files"), 3),
        (KeyboardInterrupt(), 130),
        (InterruptedRunError("git was interrupted"), 130),
        (ValueError("a bug"), 4),
        (RuntimeError("a bug"), 4),
        (OSError(2, "a bug"), 4),
        (SystemExit(0), 4),
        (BaseException("a bug"), 4),
    ],
    ids=lambda value: repr(value) if isinstance(value, BaseException) else "",
)
def test_every_way_out_cleans_up_and_sets_the_outputs(
    tmp_path: Path, error: BaseException, code: int, *, opened: bool, capsys
):
    machine = Machine(tmp_path)
    with machine.call() as call:
        if opened:
            call.open()
        raising(error)()
    assert call.code == code
    machine.see_that_all_is_ours()
    out = capsys.readouterr().out
    assert out.rstrip().endswith(f"exit {code}")
    assert ("Traceback" in out) is (code == 4)


def test_a_signal_that_came_before_the_session_ends_it(tmp_path: Path, capsys):
    machine = Machine(tmp_path)
    machine.interruption.handle(15, None)
    with machine.call() as call:
        call.open()
        raise AssertionError("nothing is run any more")
    assert call.code == 130
    machine.see_that_all_is_ours()
    assert "exit 130" in capsys.readouterr().out


@pytest.mark.parametrize(
    "error", [SettingsError(["wrong"]), ToolError("ended"), InterruptedRunError("ended"), None]
)
def test_what_a_signal_brings_about_is_exit_130(tmp_path: Path, error: Exception | None):
    machine = Machine(tmp_path)
    with machine.call() as call:
        call.open()
        machine.interruption.handle(2, None)
        if error:
            raise error
        call.code = 0
    assert call.code == 130


def test_the_emergency_exit_cleans_up_beside_a_main_thread_that_hangs(tmp_path: Path):
    left: list[int] = []
    machine = Machine(tmp_path)
    machine.interruption = Interruption(seconds=0.01, leave=left.append)
    with machine.call():
        machine.interruption.handle(15, None)
        for _ in range(500):
            if left:
                break
            time.sleep(0.01)
        assert left == [130]
        machine.see_that_all_is_ours()


def test_outside_the_container_nothing_is_emptied(tmp_path: Path):
    machine = Machine(tmp_path, container=False)
    with machine.call():
        raise ToolError("x")
    assert machine.left("GITHUB_ENV") == "forged=1\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_in_place_of_a_command_file_changes_no_exit_code(tmp_path: Path, name: str, capsys):
    machine = Machine(tmp_path, container=False)
    (machine.commands / name).unlink()
    (machine.commands / name).mkdir()
    with machine.call() as call:
        raise SettingsError(["wrong"])
    assert call.code == 2
    assert "Traceback" not in capsys.readouterr().out
