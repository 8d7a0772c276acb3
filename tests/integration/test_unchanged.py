"""Files that did not change are not checked again, and nothing stale or corrupt is ever believed."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

FILES = {
    "pyproject.toml": "[tool.ruff]\n",
    "good.py": "x = 1\n",
    "bad.py": "import os\ny  = 2\n",
    "worse.py": "def f(:\n",
}


def results(ran: Any) -> dict[str, list[str]]:
    """Return the findings of both tools, without what differs from run to run."""
    return {name: sorted(map(str, ran.findings(name))) for name in ("black", "ruff")}


@pytest.fixture
def counted(fake_tools, tmp_path):
    """An environment whose Black notes every start, and the note."""
    note = tmp_path / "starts"
    note.touch()
    real = Path(sys.prefix) / "bin" / "black"
    return fake_tools(black=f'echo "$@" >> "{note}"; exec "{real}" "$@"'), note


def test_a_second_run_answers_the_same_without_starting_black(project, ci_action, counted, tmp_path):
    prefix, note = counted
    folder = project(FILES)
    cache = f"--cache-dir={tmp_path / 'cache'}"
    first = ci_action(folder, "quality", cache, prefix=prefix)
    assert first.code == 1
    starts = note.read_text()
    assert starts
    second = ci_action(folder, "quality", cache, prefix=prefix)
    assert results(second) == results(first)
    assert second.tool("black")["examined"] == first.tool("black")["examined"]
    assert note.read_text() == starts


def test_only_the_changed_file_is_given_to_black(project, ci_action, counted, tmp_path):
    prefix, note = counted
    folder = project(FILES)
    cache = f"--cache-dir={tmp_path / 'cache'}"
    ci_action(folder, "quality", cache, prefix=prefix)
    note.write_text("")
    (folder / "good.py").write_text("x  = 3\n")
    ran = ci_action(folder, "quality", cache, prefix=prefix)
    assert "good.py" in note.read_text()
    assert "bad.py" not in note.read_text()
    assert {finding["path"] for finding in ran.findings("black")} == {"good.py", "bad.py", "worse.py"}


def test_a_changed_file_with_its_old_time_stamp_and_size_is_checked_again(project, ci_action, tmp_path):
    folder = project(FILES)
    cache = f"--cache-dir={tmp_path / 'cache'}"
    good = folder / "good.py"
    before = good.stat()
    ci_action(folder, "quality", cache)
    ci_action(folder, "quality", cache)
    good.write_text("x = y\n")
    os.utime(good, ns=(before.st_atime_ns, before.st_mtime_ns))
    ran = ci_action(folder, "quality", cache)
    assert "F821" in {finding["rule"] for finding in ran.findings("ruff") if finding["path"] == "good.py"}
    good.write_text("x= 1\n\n")
    os.utime(good, ns=(before.st_atime_ns, before.st_mtime_ns))
    ran = ci_action(folder, "quality", cache)
    assert "good.py" in {finding["path"] for finding in ran.findings("black")}


@pytest.mark.parametrize("damage", ["rubbish", "empty", "cut", "one byte", "other findings", "a folder"])
def test_a_corrupt_cache_changes_nothing(damage, project, ci_action, tmp_path):
    folder = project(FILES)
    cache = tmp_path / "cache"
    first = ci_action(folder, "quality", f"--cache-dir={cache}")
    for file in [file for file in cache.rglob("*") if file.is_file()]:
        content = file.read_bytes()
        match damage:
            case "rubbish":
                file.write_bytes(os.urandom(300))
            case "empty":
                file.write_bytes(b"")
            case "cut":
                file.write_bytes(content[: len(content) // 2])
            case "one byte":
                middle = len(content) // 2
                file.write_bytes(
                    content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
                    if content
                    else b""
                )
            case "other findings":
                file.write_bytes(content.replace(b"format", b"nothing"))
            case _:  # a folder
                file.unlink()
                file.mkdir()
    ran = ci_action(folder, "quality", f"--cache-dir={cache}")
    assert results(ran) == results(first)
    assert ran.code == 1


@pytest.mark.parametrize(
    "change",
    [
        {"pyproject.toml": "[tool.ruff]\n[tool.black]\nskip-string-normalization = true\n"},
        {
            "pyproject.toml": "[tool.ruff]\nlint.select = ['ALL']\n[project]\nname = 'x'\nrequires-python = '>=3.12'\n"
        },
    ],
)
def test_another_configuration_is_another_result(change, project, ci_action, tmp_path):
    folder = project({**FILES, "quotes.py": "x = 'a'\n"})
    cache = f"--cache-dir={tmp_path / 'cache'}"
    ci_action(folder, "quality", cache)
    project(change)
    warm = ci_action(folder, "quality", cache)
    cold = ci_action(folder, "quality", "--cache-dir=none")
    assert results(warm) == results(cold)


def test_a_new_module_that_changes_what_is_first_party_is_seen(project, ci_action, tmp_path):
    folder = project(
        {"pyproject.toml": "[tool.ruff]\nlint.select = ['I']\n", "a.py": "import attrs\nimport zeta\n"}
    )
    cache = f"--cache-dir={tmp_path / 'cache'}"
    assert ci_action(folder, "quality", cache).findings("ruff") == []
    project({"zeta.py": ""})
    warm = ci_action(folder, "quality", cache)
    cold = ci_action(folder, "quality", "--cache-dir=none")
    assert [finding["rule"] for finding in cold.findings("ruff")] == ["I001"]
    assert results(warm) == results(cold)


def test_none_keeps_nothing(project, ci_action, environ):
    folder = project(FILES)
    ci_action(folder, "quality", "--cache-dir=none")
    assert not (Path(environ["HOME"]) / ".cache").exists()
    assert not (folder / ".ruff_cache").exists()


def test_a_cache_in_the_workspace_ignores_itself_and_is_never_looked_at(project, ci_action):
    folder = project(FILES)
    first = ci_action(folder, "quality", "--cache-dir=.kept")
    assert (folder / ".kept" / ".gitignore").read_text() == "*\n"
    (folder / ".kept" / "planted.py").write_text("import os\n")
    second = ci_action(folder, "quality", "--cache-dir=.kept")
    assert second.tool("ruff")["examined"] == first.tool("ruff")["examined"]
    assert second.tool("black")["examined"] == first.tool("black")["examined"]
