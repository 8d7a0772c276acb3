"""From flags, inputs and pyproject.toml to settings and places, on small projects."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import write

from ci_action.commands.configure import configure
from ci_action.project.layout import report_dir
from ci_action.system.errors import SettingsError


def configured(workspace: Path, flags: dict[str, Any] | None = None, **inputs: str):
    environ = {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in inputs.items()}
    return configure(flags or {}, {"GITHUB_WORKSPACE": str(workspace), **environ})


def mistakes_of(workspace: Path, flags: dict[str, Any] | None = None, **inputs: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        configured(workspace, flags, **inputs)
    return caught.value.mistakes


def test_an_empty_workspace(tmp_path: Path):
    resolved, layout = configured(tmp_path)
    assert resolved.chosen() == {}
    assert (layout.workspace, layout.root, layout.paths, layout.pyproject) == (tmp_path, tmp_path, (".",), {})


def test_sources_and_their_order(tmp_path: Path):
    write(
        tmp_path,
        {
            "pyproject.toml": "[tool.ci-action]\ntimeout = 1\npaths = ['a']\nignore = ['ruff']\n",
            "a/x.py": "",
            "b/x.py": "",
        },
    )
    resolved, layout = configured(tmp_path, {"paths": ("b",)}, paths="a", timeout="2")
    assert dict(resolved.chosen()) == {"paths": ["b"], "ignore": ["ruff"], "timeout": 2}
    assert [resolved.sources[name] for name in ("paths", "timeout", "ignore")] == [
        "flag",
        "input",
        "pyproject.toml",
    ]
    assert layout.paths == ("b",)


APP = "[tool.ci-action]\ntimeout = 7\n[project]\nrequires-python = '>=3.12'\n"


@pytest.mark.parametrize("by", ["flag", "input", "pyproject"])
def test_the_working_directory_has_its_own_project(tmp_path: Path, by: str):
    root = "[tool.ci-action]\nworking-directory = 'app'\n" if by == "pyproject" else ""
    write(tmp_path, {"app/pyproject.toml": APP, "pyproject.toml": root})
    flags = {"working-directory": "app"} if by == "flag" else {}
    inputs = {"working_directory": "app"} if by == "input" else {}
    resolved, layout = configured(tmp_path, flags, **inputs)
    assert layout.root == tmp_path / "app"
    assert layout.requires_python == ">=3.12"
    assert resolved.settings.timeout == (600 if by == "pyproject" else 7)


def test_the_table_of_the_workspace_counts_where_the_working_directory_has_none(tmp_path: Path):
    write(
        tmp_path,
        {
            "app/pyproject.toml": "[project]\nname = 'x'\n",
            "pyproject.toml": "[tool.ci-action]\ntimeout = 3\n",
        },
    )
    resolved, layout = configured(tmp_path, working_directory="app")
    assert resolved.settings.timeout == 3
    assert layout.pyproject == {"project": {"name": "x"}}


@pytest.fixture
def monorepo(tmp_path: Path) -> Path:
    """A repository with a table for every project, and a project with its own."""
    root = "[tool.ci-action]\ntimeout = 3\n"
    folder = write(tmp_path / "r", {"pyproject.toml": root, "app/pyproject.toml": APP, "lib/src/a.py": ""})
    return write(folder, {".git/HEAD": "ref: refs/heads/main\n"})


@pytest.mark.parametrize(
    ("here", "environ", "flags", "expected"),
    [
        (".", {}, {}, (".", ".", 3, ".")),
        ("app", {}, {}, (".", "app", 7, "app")),
        (".", {}, {"working-directory": "app"}, (".", "app", 7, ".")),
        ("lib/src", {}, {}, (".", "lib/src", 3, "lib/src")),
        ("lib/src", {}, {"working-directory": "app"}, (".", "app", 7, "lib/src")),
        ("app", {}, {"working-directory": "."}, (".", ".", 3, "app")),
        ("..", {"GITHUB_WORKSPACE": "."}, {"working-directory": "app"}, (".", "app", 7, ".")),
        ("app", {"GITHUB_WORKSPACE": ".", "GITHUB_ACTIONS": "true"}, {}, (".", "app", 7, ".")),
        ("app", {"GITHUB_WORKSPACE": "absent"}, {}, (".", "app", 7, "app")),
        ("app", {"GITHUB_WORKSPACE": "app"}, {}, ("app", ".", 7, "app")),
    ],
)
def test_the_workspace_and_the_current_folder(
    monorepo: Path,
    here: str,
    environ: dict[str, str],
    flags: dict[str, str],
    expected: tuple[str, str, int, str],
):
    workspace, root, timeout, reports = expected
    given = {
        name: str(monorepo / value) if name == "GITHUB_WORKSPACE" else value
        for name, value in environ.items()
    }
    resolved, layout = configure(flags, given, here=monorepo.joinpath(here).resolve())
    assert layout.workspace == monorepo / workspace
    assert layout.root == layout.workspace / root
    assert resolved.settings.timeout == timeout
    assert report_dir(layout, resolved.settings) == monorepo / reports / "ci-action-report" / "all"
    assert resolved.chosen().get("working-directory", ".") == root


def test_a_key_of_the_root_is_stronger_than_the_current_folder(monorepo: Path):
    write(monorepo, {"pyproject.toml": "[tool.ci-action]\nworking-directory = 'app'\n"})
    resolved, layout = configure({}, {}, here=monorepo / "lib")
    assert layout.root == monorepo / "app"
    assert resolved.sources["working-directory"] == "pyproject.toml"


@pytest.mark.parametrize(
    ("entry", "found"), [("file", True), ("HEAD", True), ("empty", False), ("none", False)]
)
def test_what_is_a_repository(tmp_path: Path, entry: str, found: bool):
    write(tmp_path, {"w/inner/a": ""})
    git = tmp_path / "w" / ".git"
    if entry == "file":
        git.write_text("gitdir: elsewhere")
    elif entry != "none":
        write(git, {entry: ""})
        (git / "empty").unlink(missing_ok=True)
    here = tmp_path / "w" / "inner"
    _, layout = configure({}, {}, here=here)
    assert layout.workspace == (tmp_path / "w" if found else here)


def test_a_workspace_that_is_a_link(monorepo: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(monorepo)
    _, layout = configure({}, {"GITHUB_WORKSPACE": str(tmp_path / "link")}, here=monorepo / "app")
    assert layout.root == tmp_path / "link" / "app"


def test_wrong_toml_is_told_once(tmp_path: Path, wording: Any):
    write(tmp_path, {"pyproject.toml": "[tool.ci-action\n"})
    (mistake,) = mistakes_of(tmp_path)
    assert mistake == wording


def test_wrong_toml_in_the_working_directory(tmp_path: Path, wording: Any):
    write(tmp_path, {"app/pyproject.toml": "x = \n"})
    assert [mistake.partition(":")[0] for mistake in mistakes_of(tmp_path, working_directory="app")] == [
        wording
    ]


@pytest.mark.parametrize(
    "inputs",
    [
        {"working_directory": "absent"},
        {"working_directory": "../"},
        {"paths": "absent"},
        {"paths": "../x"},
        {"paths": "link"},
        {"python_version": "3.10"},
        {"stage": "qualty"},
        {"ignore": "xyz"},
        {"black_args": "--quiet"},
        {"black_args": "-Sq"},
        {"ruff_args": "--fix"},
        {"ruff_args": "--output-format=github"},
        {"bandit_args": "-f txt"},
        {"bandit_args": "src"},
    ],
    ids=str,
)
def test_a_mistake(tmp_path: Path, inputs: dict[str, str], wording: Any):
    workspace = write(tmp_path / "w", {"pyproject.toml": "[project]\nrequires-python = '>=3.12'\n"})
    (workspace / "link").symlink_to(tmp_path)
    (mistake,) = mistakes_of(workspace, None, **inputs)
    assert mistake == wording


def test_all_mistakes_at_once(tmp_path: Path):
    write(
        tmp_path,
        {
            "pyproject.toml": "[tool.ci-action]\ntime-out = 5\ntool-versions = 'mine'\n[project]\nrequires-python = '>=3.12'\n"
        },
    )
    mistakes = mistakes_of(
        tmp_path, {"timeout": "soon"}, stage="qualty", paths="absent", python_version="3.10", pths="x"
    )
    starts = (
        "unknown input 'pths'",
        "pyproject.toml: unknown key 'time-out'",
        "tool-versions = 'mine'",
        "timeout = 'soon'",
    )
    more = ("unknown stage 'qualty'", "paths = 'absent'", "python-version = '3.10'")
    assert len(mistakes) == len(starts) + len(more)
    for start in (*starts, *more):
        assert any(mistake.startswith(start) for mistake in mistakes), start


@pytest.mark.parametrize(
    "content",
    ["[project]\nrequires-python = 3\n", "project = 5\n", "[tool]\nci-action = {}\n", "tool = 5\n"],
    ids=["number", "no table", "empty table", "tool no table"],
)
def test_odd_but_harmless_projects(tmp_path: Path, content: str):
    write(tmp_path, {"pyproject.toml": content})
    assert configured(tmp_path, python_version="3.12")[0].settings.python_version == "3.12"


@pytest.mark.parametrize("stage", ["comment", "merge"])
def test_what_posts_or_merges_is_no_stage_of_the_project(tmp_path: Path, stage: str, wording: Any):
    write(tmp_path, {"pyproject.toml": f"[tool.ci-action]\nstage = ['{stage}']\n"})
    (mistake,) = mistakes_of(tmp_path)
    assert mistake == wording
    assert configured(tmp_path, stage="quality")[0].settings.stage == ("quality",)
    assert configured(tmp_path, {"stage": [stage]})[0].settings.stage == (stage,)


def test_commands_whose_quotes_do_not_match(tmp_path: Path):
    write(tmp_path, {"pyproject.toml": "[tool.ci-action]\ninstall = ['pip check', \"echo 'x\"]\n"})
    (mistake,) = mistakes_of(tmp_path)
    assert "install" in mistake
    assert 'entry 2 = "echo \'x": the quotes do not match' in mistake


@pytest.mark.parametrize("value", ["5", "['a']", "true"])
def test_a_working_directory_in_pyproject_that_is_no_text(tmp_path: Path, value: str):
    write(tmp_path, {"pyproject.toml": f"[tool.ci-action]\nworking-directory = {value}\n"})
    (mistake,) = mistakes_of(tmp_path)
    assert mistake.startswith("working-directory = ")


def test_a_nul_in_the_working_directory(tmp_path: Path, wording: Any):
    (mistake,) = mistakes_of(tmp_path, {"working-directory": "a\0b"})
    assert mistake == wording


def test_addresses_of_services_are_checked_and_their_passwords_are_not_shown(tmp_path: Path):
    found = mistakes_of(tmp_path, wait_for="postgres://u:s3cr3t/value@db, redsi://:s3cr3t-value@r")
    assert [one.partition(": ")[0] for one in found] == [
        "wait-for = 'postgres://u:***@db'",
        "wait-for = 'redsi://:***@r'",
    ]
    assert "did you mean 'redis'?" in found[1]
    resolved, _ = configured(tmp_path, wait_for="postgres://u:s3cr3t-value@db/app, tcp://x:1")
    assert resolved.chosen() == {"wait-for": ["postgres://u:***@db/app", "tcp://x:1"]}
    assert resolved.settings.wait_for[0] == "postgres://u:s3cr3t-value@db/app"
    assert "s3cr3t" not in str(mistakes_of(tmp_path, {"wait-for": [1, "redis://:s3cr3t@r"]}))
    resolved, _ = configured(tmp_path, database_url="postgresql://u:s3cr3t-value@db")
    assert resolved.chosen() == {"database-url": "postgresql://u:***@db"}


WRONG: dict[str, Any] = {
    "black_args": "--quiet",
    "wait_for": "redsi://r",
    "secrets_baseline": "absent.json",
    "licenses_allow": "MTI",
    "bandit_args": "src",
    "pip_audit_args": "--fix",
    "advisory_url": "ftp://x",
    "title_error": "{titel}",
}


@pytest.mark.parametrize("stage", ["all", "quality", "pr", "merge"])
def test_mistakes_of_stages_that_are_not_to_run_are_told_as_well(tmp_path: Path, stage: str):
    found = mistakes_of(tmp_path, stage=stage, **WRONG)
    assert len(found) == len(WRONG)
    for name in WRONG:
        assert any(mistake.startswith(name.replace("_", "-")) for mistake in found), name


def test_a_file_that_the_command_writes_need_not_be_there(tmp_path: Path):
    flags = {"secrets-baseline": "new.json"}
    assert len(mistakes_of(tmp_path, flags)) == 1
    environ = {"GITHUB_WORKSPACE": str(tmp_path)}
    resolved, _ = configure(flags, environ, written=frozenset({"secrets-baseline"}))
    assert resolved.settings.secrets_baseline == "new.json"
