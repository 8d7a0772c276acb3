"""`ruff format` as a tool: the verdict, the files and the fixes are those of the bare program."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import bare

PIN = "[project]\nname = 'x'\nversion = '0'\nrequires-python = '>=3.10'\n"
ROW = "x  = 'a'\n"


def bare_format(folder: Path, *words: str, paths: tuple[str, ...] = (".",)) -> tuple[int, int]:
    """Return the exit code of `ruff format --check` and the number of files that it would format."""
    argv: list[str | Path] = [bare.BIN / "ruff", "format", "--check", "--no-cache", *words, "--", *paths]
    env = bare.environment(folder.parent)
    done = subprocess.run(argv, cwd=folder, capture_output=True, check=False, env=env)
    found = re.search(rb"(\d+) files? would be reformatted", done.stdout + done.stderr)
    return done.returncode, int(found[1]) if found else 0


def agree(ran, folder: Path, *words: str, paths: tuple[str, ...] = (".",)) -> None:
    """Hold a run against the bare Ruff, and its changes against what Ruff writes."""
    code, number = bare_format(folder, *words, paths=paths)
    found = ran.findings("ruff-format")
    formatted = {one["path"] for one in found if one["rule"] == "format"}
    assert len(formatted) == number
    assert bool(found) is (code != 0)
    copy = shutil.copytree(folder, folder.parent / "rewritten", symlinks=True)
    env = bare.environment(folder.parent)
    subprocess.run([bare.BIN / "ruff", "format", "--quiet", *words, *paths], cwd=copy, check=False, env=env)
    for path in formatted:
        changes = [one for one in found if one["path"] == path]
        if path != "cr.py" and all(one["before"] for one in changes):  # the helper knows no such lines
            assert bare.applied((folder / path).read_bytes(), changes) == (copy / path).read_bytes(), path


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        pytest.param("[tool.ruff]\nline-length = 40\n", (), id="line length"),
        pytest.param("[tool.ruff.format]\nquote-style = 'single'\n", (), id="quotes"),
        pytest.param("[tool.ruff]\nextend = 'ci/base.toml'\n", (), id="extend"),
        pytest.param("[tool.ruff.format]\nexclude = ['b.py']\n", (), id="format.exclude"),
        pytest.param("[tool.ruff]\nexclude = ['sub']\npreview = true\n", (), id="exclude and preview"),
        pytest.param("", ("--isolated",), id="no configuration"),
    ],
)
def test_it_agrees_with_the_bare_ruff(configuration, words, project, ci_action):
    folder = project({
        "pyproject.toml": PIN + configuration,
        "ci/base.toml": "line-length = 40\nformat.quote-style = 'single'\n",
        ".gitignore": "gen\n",
        "a.py": "def f( a,b ):\n    return  a+b\n\n\n\n\nx = 'y'\nzzzzzzzzzzzzzzzzzzzzz = [1, 2, 3333333333, 4]\n",
        "b.py": ROW,
        "clean.py": "x = 1\n",
        "crlf.py": b"x  = 1\r\n\r\n\r\n\r\ny = 2\r\n",
        "cr.py": b"x  = 1\ry = 2\r",
        "noeol.py": "x  = 1",
        "off.py": "# fmt: off\nx  = 1\n# fmt: on\ny  = 2\n",
        "bad.py": "def f(:\n",
        "latin.py": b"x = '\xe9'\n",
        "sub/c.py": ROW,
        "nested/ruff.toml": "format.quote-style = 'single'\n",
        "nested/d.py": ROW,
        "gen/e.py": ROW,
        "stub.pyi": "def f( x ): ...\n",
        "README.md": "# x\n\n```python\nx  = 1\n```\n",
        "odd \n name.py": ROW,
        "ünïcödé ##[x].py": ROW,
    })  # fmt: skip
    (folder / "link.py").symlink_to("b.py")
    ran = ci_action(folder, "quality", "--formatter=ruff", "--cache-dir=none")
    assert {one["rule"] for one in ran.findings("ruff-format") if one["path"] == "bad.py"} == {"parse"}
    # Without a configuration the nested one still rules its folder.
    if words:
        assert {one["path"] for one in ran.findings("ruff-format")} >= {
            "nested/d.py",
            "sub/c.py",
            "README.md",
        }
    else:
        agree(ran, folder)
    (black,) = (tool for tool in ran.report["stages"][0]["tools"] if tool["name"] == "black")
    assert black["outcome"] == "skipped"


def test_the_version_is_the_one_of_pre_commit(project, ci_action):
    hooks = "repos:\n- repo: https://github.com/astral-sh/ruff-pre-commit\n  rev: v0.4.10\n  hooks:\n  - id: ruff-format\n"
    folder = project({".pre-commit-config.yaml": hooks, "a.py": ROW, "README.md": "```python\nx  = 1\n```\n"})
    ran = ci_action(folder, "quality", "--cache-dir=none")
    assert {one["path"] for one in ran.findings("ruff-format")} == {"a.py"}  # that version reads no Markdown
    assert ran.tool("ruff-format")["version"] == "0.4.10"


def test_fix_gives_what_both_commands_of_ruff_accept(project, ci_action):
    folder = project({
        "pyproject.toml": PIN + "[tool.ruff.lint]\nselect = ['F', 'I', 'UP']\n[tool.ruff.format]\n",
        "Makefile": "lint:\n\truff check .\n\truff format --check .\n",
        "a.py": "import sys, os\nx  =  {  'a':1 }\nprint(sys, x)\n",
        "bad.py": "def f(:\n",
    })  # fmt: skip
    assert ci_action(folder, "fix").code == 1
    (folder / "bad.py").unlink()
    assert bare_format(folder) == (0, 0)
    assert "import os" not in (folder / "a.py").read_text()
    assert ci_action(folder, "quality").code == 0


def test_a_silent_ruff_never_passes(project, ci_action, fake_tools):
    folder = project({"a.py": ROW})
    script = f'case "$*" in *--show-files*) echo "{folder}/a.py";; *) exit 0;; esac'
    ran = ci_action(folder, "quality", "--formatter=ruff", prefix=fake_tools(ruff=script))
    assert ran.code == 3
    assert ran.tool("ruff-format")["outcome"] == "broken"


def test_a_link_out_of_the_project_is_not_read(project, ci_action, tmp_path):
    secret = tmp_path / "outside.py"
    secret.write_text("password  = 'x'\n")
    folder = project({"a.py": "x = 1\n"})
    (folder / "out.py").symlink_to(os.path.relpath(secret, folder))
    ran = ci_action(folder, "quality", "--formatter=ruff")
    assert ran.findings("ruff-format") == []
    assert ran.tool("ruff-format")["examined"]["files"] == 1
