"""Which files of a project name a formatter, linter or type checker, and which do not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import layout, write

from ci_action.project.evidence import Evidence, Kind, gather
from ci_action.project.layout import Layout
from ci_action.project.tool_names import Named

PRE_COMMIT = "repos:\n- repo: https://github.com/x/y\n  rev: v1\n  hooks:\n"
WORKFLOW = "on: [push]\njobs:\n  lint:\n    steps:\n"


def evidence(root: Path, files: dict[str, str | bytes]) -> list[Evidence]:
    write(root, files)
    found = gather(layout(root))
    assert found.problems == ()
    return list(found.evidence)


NAMING: dict[str, tuple[dict[str, str], list[str]]] = {
    "a group": (
        {"pyproject.toml": '[dependency-groups]\nlint = ["black==24.1.0"]\n'},
        ["black, from pyproject.toml: dependency-groups.lint"],
    ),
    "an extra for development": (
        {"pyproject.toml": '[project.optional-dependencies]\ndev = ["black"]\nblack = ["black"]\n'},
        ["black, from pyproject.toml: project.optional-dependencies.dev"],
    ),
    "what a library needs": (
        {"pyproject.toml": '[build-system]\n[project]\ndependencies = ["black"]\n'},
        [],
    ),
    "what an application needs": (
        {"pyproject.toml": '[project]\ndependencies = ["black"]\n'},
        ["black, from pyproject.toml: project.dependencies"],
    ),
    "Poetry": (
        {
            "pyproject.toml": '[build-system]\n[tool.poetry.dependencies]\nblack = "*"\n'
            '[tool.poetry.group.dev.dependencies]\nmypy = "*"\n'
        },
        ["mypy, from pyproject.toml: tool.poetry.group.dev"],
    ),
    "an environment of Hatch": (
        {"pyproject.toml": '[tool.hatch.envs.lint]\ndependencies = ["ruff"]\nscripts.all = "ruff format --check ."\n'},
        ["ruff, from pyproject.toml: tool.hatch.envs.lint.dependencies",
         "ruff format, from pyproject.toml: tool.hatch.envs.lint.scripts.all"],
    ),
    "requirements": (
        {"requirements-dev.txt": "black==24.1.0 \\\n    --hash=sha256:x\nmypy\n# flake8\n"},
        ["black, from requirements-dev.txt", "mypy, from requirements-dev.txt"],
    ),
    "requirements of a resolver": (
        {"requirements.txt": "black==24.1.0\n    # via datamodel-code-generator\nmypy==1\n    # via -r requirements.in\n"
         "flake8==7  # via other\npylint==1\n    # via\n    #   -r x.in\n    #   other\n"},
        ["mypy, from requirements.txt", "pylint, from requirements.txt"],
    ),
    "extras of setup.cfg": (
        {"setup.cfg": "[options.extras_require]\nlint =\n    black\nfeature =\n    mypy\n"},
        ["black, from setup.cfg: options.extras_require.lint"],
    ),
    "extras of setup.py": (
        {"setup.py": "extras = {'dev': ['black>=1', 'pytest'], 'feature': ['mypy']}\nsetup(extras_require=extras)\n"},
        ["black, from setup.py: extras_require.dev"],
    ),
    "Pipfile": ({"Pipfile": '[dev-packages]\nblack = "*"\n'}, ["black, from Pipfile: dev-packages"]),
    "a lock alone": ({"uv.lock": '[[package]]\nname = "black"\nversion = "1"\n'}, []),
    "tables": (
        {"pyproject.toml": "[tool.black]\n[tool.mypy]\n[tool.pylint.x]\n[tool.pyright]\n[tool.ty]\n"},
        [f"{name}, from pyproject.toml: tool.{name}" for name in ("black", "pylint", "mypy", "pyright", "ty")],
    ),
    "Ruff for no purpose": (
        {"pyproject.toml": "[tool.ruff]\nline-length = 100\n"},
        ["ruff, from pyproject.toml: tool.ruff"],
    ),
    "Ruff as formatter": (
        {"ruff.toml": "[format]\nquote-style = 'single'\n"},
        ["ruff format, from ruff.toml: format"],
    ),
    "Ruff as linter": (
        {".ruff.toml": "select = ['E']\n", "pyproject.toml": "[tool.ruff.lint]\nselect = ['E']\n"},
        ["ruff check, from pyproject.toml: tool.ruff.lint", "ruff check, from .ruff.toml"],
    ),
    "an empty ruff.toml": ({"ruff.toml": ""}, ["ruff, from ruff.toml"]),
    "files of tools": (
        {".flake8": "", ".pylintrc": "", "mypy.ini": "", "pyrightconfig.json": "{}", ".style.yapf": ""},
        ["yapf, from .style.yapf", "flake8, from .flake8", "pylint, from .pylintrc", "mypy, from mypy.ini",
         "pyright, from pyrightconfig.json"],
    ),
    "sections": (
        {"setup.cfg": "[flake8]\nx=1\n[mypy]\n[mypy-x]\n", "tox.ini": "[flake8]\nx=1\n[mypy]\n"},
        ["flake8, from setup.cfg: [flake8]", "mypy, from setup.cfg: [mypy]", "flake8, from tox.ini: [flake8]"],
    ),
    "hooks": (
        {".pre-commit-config.yaml": PRE_COMMIT + "  - id: ruff\n  - id: ruff-format\n  - id: black\n  - id: mypy\n"},
        [f"{name}, from .pre-commit-config.yaml" + place for name, place in (
            ("ruff check", ": ruff"), ("ruff format", ""), ("black", ""), ("mypy", ""))],
    ),
    "a local hook": (
        {".pre-commit-config.yaml": "repos:\n- repo: local\n  hooks:\n  - id: fmt\n    entry: uv run ruff format\n"},
        ["ruff format, from .pre-commit-config.yaml: fmt"],
    ),
    "tox": (
        {"tox.ini": "[testenv:lint]\ndeps =\n  black==24.1\ncommands =\n  pytest\n  black --check {posargs:src tests}\n",
         "src/a.py": ""},
        ["black, from tox.ini: testenv:lint: deps", "black, from tox.ini: testenv:lint"],
    ),
    "tox in pyproject.toml": (
        {"pyproject.toml": '[tool.tox.env.lint]\ncommands = [["black", "--check", "."]]\n'},
        ["black, from pyproject.toml: lint"],
    ),
    "nox": (
        {"noxfile.py": "import nox\nPATHS = ['src', 'tests']\n@nox.session\ndef lint(session):\n"
         "    session.run('black', '--check', *PATHS)\n", "src/a.py": ""},
        ["black, from noxfile.py: lint"],
    ),
    "invoke": (
        {"tasks.py": "@task\ndef fmt(c):\n    c.run('ruff format .')\n"},
        ["ruff format, from tasks.py: fmt"],
    ),
    "make": (
        {"Makefile": "BLACK = black\n# black .\nlint: black\n\t@echo black\n\t$(BLACK) --check .\n\t-flake8 .\n"},
        ["black, from Makefile: lint", "flake8, from Makefile: lint"],
    ),
    "just": (
        {"justfile": "files := 'src'\n# black .\nfmt:\n    ruff format {{files}}\n"},
        ["ruff format, from justfile: fmt"],
    ),
    "scripts": (
        {"scripts/lint": "#!/bin/sh -e\nexport FILES='a b'\nruff check $FILES\n", "scripts/words.txt": "black .\n",
         "bin/fmt.sh": "black .\n"},
        ["ruff check, from scripts/lint", "black, from bin/fmt.sh"],
    ),
    "tasks": (
        {"pyproject.toml": '[tool.poe.tasks.fmt]\nhelp = "black ."\ncmd = "ruff format ."\n'
         '[tool.pdm.scripts]\nlint.composite = ["ruff check ."]\n'},
        ["ruff check, from pyproject.toml: tool.pdm.scripts.lint",
         "ruff format, from pyproject.toml: tool.poe.tasks.fmt"],
    ),
    "a workflow": (
        {".github/workflows/ci.yml": WORKFLOW + "    - name: black .\n    - run: |\n        pip install black\n"
         "        black --check .\n    - uses: astral-sh/ruff-action@v3\n      with:\n        args: format --check\n"},
        ["black, from .github/workflows/ci.yml: lint", "ruff format, from .github/workflows/ci.yml: lint"],
    ),
    "GitLab": (
        {".gitlab-ci.yml": "lint:\n  script:\n    - black --check .\n"},
        ["black, from .gitlab-ci.yml: lint"],
    ),
    "prose": (
        {"README.md": "black .\n", "docs/conf.py": "black = 1\n", "Makefile": "all:\n\techo black\n",
         "words.txt": "black\nwhite\n"},
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), NAMING.values(), ids=NAMING)
def test_what_names_a_tool(files, expected, tmp_path):
    assert list(map(str, evidence(tmp_path, files))) == expected


def test_a_hook_has_its_arguments_and_files(tmp_path):
    text = "exclude: ^vendor/\ndefault_stages: [manual]\n" + PRE_COMMIT
    text += "  - id: black\n    args: [--line-length=100]\n    files: ^src/\n    exclude: ^src/x/\n"
    (hook,) = evidence(tmp_path, {".pre-commit-config.yaml": text})
    assert (hook.kind, hook.words) == (Kind.HOOK, ("--line-length=100",))
    assert (hook.files, hook.exclude) == (("^src/",), ("^vendor/", "^src/x/"))
    assert hook.advisory


@pytest.mark.parametrize(
    ("workflow", "advisory", "folder"),
    [
        (WORKFLOW + "    - run: black .\n", False, "."),
        (WORKFLOW + "    - run: black .\n      continue-on-error: true\n", True, "."),
        (WORKFLOW + "    - run: ruff check --exit-zero\n", True, "."),
        (WORKFLOW.replace("[push]", "workflow_dispatch") + "    - run: black .\n", True, "."),
        (WORKFLOW + "    - run: black .\n      working-directory: backend\n", False, "backend"),
        (WORKFLOW + "    - run: cd backend && black .\n", False, "backend"),
        ("on: push\ndefaults:\n  run:\n    working-directory: b\n" + WORKFLOW.partition("\n")[2] + "    - run: black .\n",
         False, "b"),
    ],
)  # fmt: skip
def test_a_workflow(workflow, advisory, folder, tmp_path):
    (found,) = evidence(tmp_path, {".github/workflows/ci.yml": workflow})
    assert (found.advisory, found.folder, found.kind) == (advisory, folder, Kind.WORKFLOW)


@pytest.mark.parametrize(
    ("files", "automated"),
    [
        ({}, False),
        ({"tox.ini": "[testenv]\ncommands = pytest\n"}, False),
        ({".github/workflows/ci.yml": WORKFLOW + "    - run: pytest\n"}, True),
        ({".github/workflows/ci.yml": WORKFLOW.replace("[push]", "schedule") + "    - run: pytest\n"}, False),
        ({".github/workflows/ci.yml": WORKFLOW + "    - uses: org/ci-action@v1\n"}, False),
        ({".pre-commit-config.yaml": "repos: []\n"}, True),
        ({".gitlab-ci.yml": "test:\n  script: pytest\n"}, True),
    ],
)
def test_whether_it_is_known_what_the_project_checks(files, automated, tmp_path):
    write(tmp_path, files)
    assert gather(layout(tmp_path)).automated is automated


def test_folders_above_count_too(tmp_path):
    write(
        tmp_path,
        {".pre-commit-config.yaml": PRE_COMMIT + "  - id: black\n", "back/pyproject.toml": "[tool.mypy]\n"},
    )
    found = gather(Layout(workspace=tmp_path, root=tmp_path / "back"))
    assert [(one.tool, one.folder) for one in found.evidence] == [(Named.MYPY, "back"), (Named.BLACK, ".")]


NAMES = [
    "pyproject.toml", "Pipfile", "requirements.txt", "setup.cfg", "setup.py", "tox.ini", "ruff.toml", "noxfile.py",
    ".pre-commit-config.yaml", "Makefile", "justfile", "Taskfile.yml", "tox.toml", "hatch.toml", "pixi.toml",
    ".github/workflows/ci.yml", ".gitlab-ci.yml", "scripts/x.sh", "bin/x.py",
]  # fmt: skip
PIECES = st.sampled_from([
    "black", "ruff", " ", "\n", "\t", "[tool", ".ruff", ".tox.env", "]", "[", "=", ":", "- ", "run", "jobs", "steps", "repos",
    "hooks", "id", "args", "&a ", "*a", "{", "}", '"', "'", "commands", "deps", "testenv", "def f():", "(", ")", "1", "null",
    "env", "tasks", "scripts", "on", "\x00", "é", "\\", "#", "$", "[[", "]]", "legacy_tox_ini",
])  # fmt: skip


@given(name=st.sampled_from(NAMES), pieces=st.lists(PIECES, max_size=30))
def test_any_content_can_be_read(name, pieces, tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    write(root, {name: "black " + "".join(pieces)})
    gather(layout(root))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"\xff\xfeblack", b"black: " + b"[" * 5000, b"black = " + b"(" * 3000])
def test_hostile_content_can_be_read(name, content, tmp_path):
    write(tmp_path, {name: content})
    gather(layout(tmp_path))


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    write(tmp_path, {".pre-commit-config.yaml": "black: [", "ruff.toml": "x"})
    problems = gather(layout(tmp_path)).problems
    assert ["ruff.toml" in problems[0], ".pre-commit-config.yaml" in problems[1]] == [True, True]
