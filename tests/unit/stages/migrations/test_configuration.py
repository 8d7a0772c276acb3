"""Which configuration of Alembic a project has, from its files alone."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_action.engine.stage import Configuration
from ci_action.project.layout import Layout
from ci_action.settings import Settings
from ci_action.stages.migrations.configuration import (
    Configured,
    arguments,
    find,
    flask,
    mistakes,
)
from ci_action.stages.migrations.model import Alembic
from ci_action.system.errors import ToolError

ENV = "from alembic import context\n\nconfig = context.config\n"
FLASK_ENV = "from flask import current_app\nfrom alembic import context\n"
PLAIN = "[alembic]\nscript_location = migrations\n"
TREE = {"alembic.ini": PLAIN, "migrations/env.py": ENV}


def layout_of(root: Path, files: Mapping[str, str], **overrides: Any) -> Layout:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Layout(**{"workspace": root, "root": root, **overrides})


def found(root: Path, files: Mapping[str, str], **values: Any) -> Configured:
    environ = values.pop("environ", {})
    hidden = values.pop("ignored", ())
    return find(
        layout_of(root, files),
        Settings(**values),
        environ=environ,
        ignored=lambda names: [name for name in names if name in hidden],
    )


def one(root: Path, files: Mapping[str, str], **values: Any) -> Alembic:
    result = found(root, files, **values)
    assert not result.findings
    (alembic,) = result.each
    return alembic


def places(alembic: Alembic, root: Path) -> dict[str, Any]:
    return {
        "folder": os.path.relpath(alembic.folder, root),
        "scripts": os.path.relpath(alembic.script_location, root),
        "versions": [os.path.relpath(folder, root) for folder in alembic.versions],
    }


@pytest.mark.parametrize(
    ("files", "folder", "scripts", "versions"),
    [
        pytest.param(TREE, ".", "migrations", ["migrations/versions"], id="beside-the-folder"),
        pytest.param(
            {f"backend/{name}": text for name, text in TREE.items()},
            "backend",
            "backend/migrations",
            ["backend/migrations/versions"],
            id="below-the-root",
        ),
        pytest.param(
            {"db/alembic.ini": "[alembic]\nscript_location = db/scripts\n", "db/scripts/env.py": ENV},
            ".",
            "db/scripts",
            ["db/scripts/versions"],
            id="relative-to-the-root",
        ),
        pytest.param(
            {"db/alembic.ini": "[alembic]\nscript_location = %(here)s/m\n", "db/m/env.py": ENV},
            "db",
            "db/m",
            ["db/m/versions"],
            id="here",
        ),
        pytest.param(
            {
                "alembic.ini": "[alembic]\nscript_location = app.db:migrations\n",
                "src/app/db/migrations/env.py": ENV,
            },
            ".",
            "src/app/db/migrations",
            ["src/app/db/migrations/versions"],
            id="package",
        ),
        pytest.param(
            {**TREE, "alembic.ini": f"{PLAIN}version_locations = %(here)s/a, b c\n"},
            ".",
            "migrations",
            ["a", "b", "c"],
            id="locations-divided-as-before",
        ),
        pytest.param(
            {**TREE, "alembic.ini": f"{PLAIN}version_locations = a b:c\nversion_path_separator = os\n"},
            ".",
            "migrations",
            ["a b", "c"],
            id="version-path-separator",
        ),
        pytest.param(
            {**TREE, "alembic.ini": f"{PLAIN}version_locations = a\n  b\npath_separator = newline\n"},
            ".",
            "migrations",
            ["a", "b"],
            id="path-separator",
        ),
        pytest.param(
            {"pyproject.toml": "[tool.alembic]\nscript_location = '%(here)s/m'\n", "m/env.py": ENV},
            ".",
            "m",
            ["m/versions"],
            id="pyproject",
        ),
        pytest.param(
            {
                "pyproject.toml": "[tool.alembic]\nscript_location = 'm'\nversion_locations = ['%(here)s/x', 'y']\n",
                "alembic.ini": "[alembic]\nsqlalchemy.url = driver://\n",
                "m/env.py": ENV,
            },
            ".",
            "m",
            ["x", "y"],
            id="pyproject-and-ini",
        ),
        pytest.param(
            {"migrations/alembic.ini": "[alembic]\n", "migrations/env.py": FLASK_ENV, "app.py": ""},
            ".",
            "migrations",
            ["migrations/versions"],
            id="flask-migrate",
        ),
        pytest.param(
            {"deploy/production.ini": PLAIN, "deploy/migrations/env.py": ENV, "other.ini": "[x]\ny = 1\n"},
            "deploy",
            "deploy/migrations",
            ["deploy/migrations/versions"],
            id="another-name",
        ),
    ],
)
def test_the_places_of_a_configuration(files, folder, scripts, versions, tmp_path):
    assert places(one(tmp_path, files), tmp_path) == {
        "folder": folder,
        "scripts": scripts,
        "versions": versions,
    }


def test_recursive_folders(tmp_path):
    assert not one(tmp_path, TREE).recursive
    assert one(tmp_path, {"alembic.ini": f"{PLAIN}recursive_version_locations = true\n"}).recursive


def test_the_file_and_what_else_belongs_to_it(tmp_path):
    alembic = one(tmp_path, TREE, alembic_args=("-x", "tenant=a", "-xb=1"))
    assert alembic.ini == tmp_path / "alembic.ini"
    assert (alembic.toml, alembic.section, alembic.source) == (None, "alembic", "alembic.ini")
    assert alembic.x_arguments == ("tenant=a", "b=1")


SEVERAL = {
    "alembic.ini": "[alembic]\nscript_location = one\n[second]\nscript_location = two\n[loggers]\nkeys = root\n",
    "one/env.py": ENV,
    "two/env.py": ENV,
}


def test_each_history_counts_once(tmp_path):
    files = {
        **SEVERAL,
        "production.ini": "[alembic]\nscript_location = one\n",
        "api/alembic.ini": PLAIN,
        "api/migrations/env.py": ENV,
    }
    sources = [alembic.source for alembic in found(tmp_path, files).each]
    assert sources == ["alembic.ini", "alembic.ini [second]", "api/alembic.ini"]


def test_one_section_by_name(tmp_path):
    assert one(tmp_path, SEVERAL, alembic_args=("-n", "second")).script_location == tmp_path / "two"
    with pytest.raises(ToolError):
        found(tmp_path, SEVERAL, alembic_args=("--name=third",))


def test_a_configuration_that_a_setting_names(tmp_path):
    files = {
        **TREE,
        "tests/db/settings.cfg": "[alembic]\nscript_location = env\n",
        "tests/db/env/env.py": ENV,
    }
    assert one(tmp_path, files, alembic_config="tests/db/settings.cfg").source == "tests/db/settings.cfg"
    assert (
        one(tmp_path, files, environ={"ALEMBIC_CONFIG": "tests/db/settings.cfg"}).folder
        == tmp_path / "tests/db"
    )
    with pytest.raises(ToolError):
        found(tmp_path, files, environ={"ALEMBIC_CONFIG": "absent.ini"})


@pytest.mark.parametrize(
    "folder", ["tests/sample", ".venv/x", "node_modules/x", "examples", "{{cookiecutter.name}}", "env/lib"]
)
def test_configurations_that_are_not_those_of_the_project(folder, tmp_path):
    result = found(tmp_path, {f"{folder}/{name}": text for name, text in TREE.items()})
    assert (result.each, result.findings) == ((), ())
    assert result.why_not


def test_an_environment_by_its_marker(tmp_path):
    files = {f"python/{name}": text for name, text in {**TREE, "pyvenv.cfg": "home = /usr\n"}.items()}
    assert found(tmp_path, files).why_not


def test_a_file_that_git_ignores(tmp_path):
    assert found(tmp_path, TREE, ignored=("alembic.ini", "migrations/env.py")).why_not
    assert [one.rule for one in found(tmp_path, TREE, ignored=("alembic.ini",)).findings] == ["config"]


@pytest.mark.parametrize(
    ("files", "path", "line"),
    [
        pytest.param({"alembic.ini": "# x\n[alembic]\nurl = x\n"}, "alembic.ini", 2, id="no-location"),
        pytest.param({"alembic.ini": "[other]\n"}, "alembic.ini", 1, id="no-section"),
        pytest.param({"alembic.ini": PLAIN}, "alembic.ini", 2, id="no-folder"),
        pytest.param({"alembic.ini": PLAIN, "migrations/x.py": ""}, "alembic.ini", 2, id="no-env"),
        pytest.param({"alembic.ini": "[alembic]\na = 1\na = 2\n"}, "alembic.ini", 3, id="twice"),
        pytest.param({"alembic.ini": "[alembic]\nx\n"}, "alembic.ini", 2, id="no-ini"),
        pytest.param(
            {"alembic.ini": "[alembic]\nscript_location = %(nothing)s/m\n"},
            "alembic.ini",
            2,
            id="interpolation",
        ),
        pytest.param(
            {**TREE, "alembic.ini": f"{PLAIN}version_locations = a\npath_separator = tab\n"},
            "alembic.ini",
            4,
            id="separator",
        ),
        pytest.param(
            {"pyproject.toml": "[tool.alembic]\nx = 1\nscript_location = 'm'\n"},
            "pyproject.toml",
            3,
            id="pyproject",
        ),
        pytest.param(
            {"pyproject.toml": "[tool.alembic]\nscript_location = ['m']\n"},
            "pyproject.toml",
            2,
            id="pyproject-list",
        ),
        pytest.param(
            {"pyproject.toml": "[tool.alembic]\nscript_location = '%(x)s'\n"},
            "pyproject.toml",
            2,
            id="pyproject-here",
        ),
        pytest.param({"db/env.py": ENV}, "db/env.py", 1, id="env-alone"),
        pytest.param({"requirements.txt": "flask\nalembic>=1.13\n"}, "requirements.txt", 2, id="requirement"),
    ],
)
def test_a_configuration_that_is_wrong_for_everybody(files, path, line, tmp_path):
    result = found(tmp_path, files)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line) == ("config", path, line)
    assert finding.level == "error"
    assert not result.each
    assert result.unconfigured is (path in {"requirements.txt", "db/env.py"})


def test_a_requirement_of_the_pyproject(tmp_path):
    text = '[project]\nname = "x"\ndependencies = ["flask", "Flask-Migrate>=4"]\n'
    project = {"project": {"dependencies": ["flask", "Flask-Migrate>=4"]}}
    layout = layout_of(tmp_path, {"pyproject.toml": text}, pyproject=project)
    result = find(layout, Settings(), environ={})
    assert [(one.path, one.line) for one in result.findings] == [("pyproject.toml", 3)]


def test_one_wrong_configuration_does_not_hide_another(tmp_path):
    result = found(tmp_path, {**TREE, "api/alembic.ini": "[alembic]\nscript_location = absent\n"})
    assert len(result.each) == len(result.findings) == 1


def test_a_link_out_of_the_workspace_is_not_followed(tmp_path):
    outer = tmp_path / "outer"
    layout_of(outer, TREE)
    root = tmp_path / "project"
    layout = layout_of(root, {"x.py": ""})
    (root / "alembic.ini").symlink_to(outer / "alembic.ini")
    (root / "migrations").symlink_to(outer / "migrations")
    result = find(layout, Settings(), environ={})
    assert [finding.rule for finding in result.findings] == ["config"]
    (root / "alembic.ini").unlink()
    (root / "alembic.ini").write_text(PLAIN)
    assert [finding.rule for finding in find(layout, Settings(), environ={}).findings] == ["config"]


def test_revisions_of_a_foreign_package_are_mentioned(tmp_path):
    text = f"{PLAIN}version_locations = migrations/versions other:versions\n"
    result = found(tmp_path, {**TREE, "alembic.ini": text})
    assert [folder.name for folder in result.each[0].versions] == ["versions"]
    assert len(result.notes) == 1


FLASK = {"migrations/alembic.ini": "[alembic]\n", "migrations/env.py": FLASK_ENV}


@pytest.mark.parametrize(
    ("files", "environ", "application"),
    [
        ({"wsgi.py": "", "app.py": ""}, {"FLASK_APP": "site:make"}, "site:make"),
        ({".flaskenv": "X=1\nexport FLASK_APP='shop:create_app()'\n", "app.py": ""}, {}, "shop:create_app()"),
        ({".env": "FLASK_APP=a\n", ".flaskenv": "FLASK_APP=b\n"}, {}, "a"),
        ({"app.py": "", "wsgi.py": ""}, {}, "wsgi.py"),
        ({"app.py": ""}, {}, "app.py"),
        ({"Dockerfile": "FROM x\nENV A=1 FLASK_APP=run.py\n"}, {}, "run.py"),
        ({"shop/__init__.py": "def create_app(config):\n    pass\n"}, {}, "shop"),
        ({"src/shop/__init__.py": "def create_app():\n    pass\n"}, {}, "src/shop"),
        ({"blog.py": "app = create_app()\n"}, {}, "blog.py"),
        ({"dash/__init__.py": "", "dash/app.py": "def create_app():\n    pass\n"}, {}, "dash/app.py"),
    ],
)
def test_the_application_of_flask(files, environ, application, tmp_path):
    alembic = one(tmp_path, {**FLASK, **files}, environ=environ)
    assert alembic.flask == application
    assert alembic.folder == tmp_path


def test_the_application_in_a_table_of_the_pyproject(tmp_path):
    table = {"tool": {"pytest_env": {"FLASK_APP": "shop.web"}}}
    assert flask.application(tmp_path, tmp_path, {}, table) == "shop.web"


def test_an_application_that_nothing_names(tmp_path):
    result = found(tmp_path, FLASK)
    assert result.each[0].flask == ""
    assert len(result.notes) == 1


@pytest.mark.parametrize(
    ("words", "section", "x", "refused"),
    [
        ((), "", (), ()),
        (("-x", "a=1", "-x", "b"), "", ("a=1", "b"), ()),
        (("-xa=1", "-n", "one", "--name", "two"), "two", ("a=1",), ()),
        (("--name=three",), "three", (), ()),
        (("-nfour",), "four", (), ()),
        (("-x",), "", (), ("-x",)),
        (("--name=",), "", (), ("--name=",)),
        (("-c", "other.ini", "--raiseerr"), "", (), ("-c", "other.ini", "--raiseerr")),
        (("upgrade", "head"), "", (), ("upgrade", "head")),
    ],
)
def test_the_options_of_alembic(words, section, x, refused):
    read = arguments.read(words)
    assert (read.section, read.x, read.refused) == (section, x, refused)
    assert len(list(arguments.mistakes(words))) == len(refused)


@given(st.lists(st.text()))
def test_any_word_is_a_value_or_refused(words):
    read = arguments.read(words)
    assert {*read.refused} <= {*words}


@pytest.mark.parametrize(
    ("values", "number"),
    [
        ({}, 0),
        ({"alembic_config": "alembic.ini"}, 0),
        ({"alembic_config": "absent.ini"}, 1),
        ({"alembic_config": "migrations"}, 1),
        ({"alembic_config": "../alembic.ini"}, 1),
        ({"alembic_config": "absent.ini", "alembic_args": ("--sql",)}, 2),
    ],
)
def test_the_settings_are_checked_before_a_run(values, number, tmp_path):
    given_ = Configuration(settings=Settings(**values), layout=layout_of(tmp_path, TREE))
    assert len(list(mistakes(given_))) == number


@settings(max_examples=30)
@given(text=st.text(alphabet="[]alembic=%()shere:\n #;._-/0"))
def test_any_file_is_read_or_is_a_finding(text, tmp_path_factory):
    root = tmp_path_factory.mktemp("any")
    result = found(root, {"alembic.ini": f"[alembic]\n{text}"})
    assert result.each or result.findings
