"""The test stage on projects of every kind: what ran, how it ended, and what is said when it did not."""

import textwrap
from typing import Any

import pytest

from ci_action.project.environment import ADDED

PYPROJECT = "[project]\nname = 'sample'\nversion = '0'\nrequires-python = '>=3.9'\n"
OK = "def test_ok():\n    assert True\n"
PACKAGE = {"pkg/__init__.py": "def add(a, b):\n    if a > 100:\n        return 0\n    return a + b\n"}
COVERED = "from pkg import add\ndef test_add():\n    assert add(1, 2) == 3\n"


@pytest.fixture
def project(standing):
    return standing


@pytest.fixture
def stage(project, ci_action, kept):
    def run(files, *words, **more):
        folder = project({"pyproject.toml": PYPROJECT, **files})
        return ci_action(folder, "run", "test", f"--cache-dir={kept}", *words, **more)

    return run


def metrics(ran: Any, tool: str = "pytest") -> dict[str, float]:
    return {name: value for name, value in ran.tool(tool)["metrics"].items() if value}


def test_a_green_project(stage):
    ran = stage({**PACKAGE, "tests/test_a.py": COVERED})
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")
    assert metrics(ran)["tests"] == 1
    assert ran.report["outputs"]["tests-total"] == "1"


OUTCOMES = """
import pytest, unittest
def test_ok(): pass
def test_bad():
    x = 1
    assert x == 2
@pytest.mark.skip(reason="not now")
def test_skip(): pass
@pytest.mark.xfail
def test_xfail(): assert 0
@pytest.mark.xfail
def test_xpass(): pass
@pytest.fixture
def broken(): raise RuntimeError("boom")
def test_error(broken): pass
@pytest.fixture
def late():
    yield
    raise RuntimeError("late")
def test_teardown(late): pass
@pytest.mark.parametrize("v", ["a\\nb", "|`<"])
def test_ids(v): pass
class T(unittest.TestCase):
    def test_parts(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)
"""


def test_every_outcome_is_told_with_its_line(stage):
    ran = stage({"test_a.py": OUTCOMES})
    assert ran.code == 1
    assert metrics(ran) == {
        "tests": 10, "passed": 3, "failed": 2, "errors": 2, "skipped": 1, "xfailed": 1, "xpassed": 1, "subtests": 3,
    }  # fmt: skip
    found = {
        (finding["rule"], finding["message"].partition(":")[0].rpartition("/")[2], finding["line"])
        for finding in ran.findings("pytest")
    }
    assert ("failed", "test_a.py", 6) in found
    lines = sorted(finding["line"] for finding in ran.findings("pytest"))
    assert lines == [6, 14, 19, 27]


BREAKING = {
    "os._exit(0)": (
        "import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\n",
        "exited during the tests",
        1,
    ),
    "segfault": ("import ctypes\ndef test_a(): pass\ndef test_b(): ctypes.string_at(0)\n", "SIGSEGV", 1),
    "hangs": ("import time\ndef test_a(): pass\ndef test_b(): time.sleep(60)\n", "timed out", 1),
    "pytest.exit": (
        "import pytest\ndef test_a(): pass\ndef test_b(): pytest.exit('x', returncode=0)\ndef test_c(): pass\n",
        "early",
        1,
    ),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_run_that_breaks_half_way_is_broken_and_keeps_what_ran(name, stage):
    source, reason, passed = BREAKING[name]
    ran = stage({"test_a.py": source}, "--timeout=8")
    assert ran.code == 3
    assert reason in ran.tool("pytest")["reason"]
    assert metrics(ran)["passed"] == passed
    assert "Traceback" not in ran.out.partition("ci-action:")[2]


def test_nothing_collected_is_empty(stage):
    ran = stage({"smoke.py": OK}, "--coverage-min=80")
    assert (ran.code, ran.report["conclusion"]) == (2, "empty")
    assert "no tests" in ran.tool("pytest")["reason"]


def test_all_skipped_is_red_with_its_own_name(stage):
    ran = stage({"test_a.py": "import pytest\npytestmark = pytest.mark.skip(reason='no server')\n" + OK})
    assert ran.code == 1
    [finding] = ran.findings("pytest")
    assert finding["rule"] == "all-skipped"
    assert "no server" in finding["message"]


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"test_a.py": "import pytest\n@pytest.mark.xfail\ndef test_a(): assert 0\n"}, "none-passed"),
        (
            {
                "test_a.py": "import pytest\n@pytest.mark.xfail\ndef test_a(): assert 0\n"
                "@pytest.mark.skip\ndef test_b(): pass\n"
            },
            "none-passed",
        ),
    ],
)
def test_a_run_in_which_nothing_passed_is_red(files, rule, stage):
    ran = stage(files)
    assert (ran.code, ran.report["conclusion"]) == (1, "failed")
    assert [finding["rule"] for finding in ran.findings("pytest")] == [rule]


FORGED = """
import json, os, pytest
def forge(**event):
    with open(os.environ["CI_ACTION_PYTEST_EVENTS"], "a") as stream:
        stream.write(json.dumps(event) + "\\n")
FINISH = dict(event="finish", exit=0, collected=1, deselected=0, dropped=0, dropped_names=[])
TEST = dict(event="test", nodeid="t.py::x", when="call", outcome="passed", seconds=0.0)
def test_ok(): pass
"""


@pytest.mark.parametrize(
    "line",
    [
        "forge(event='start', pytest=None, python=[], root={})",
        "forge(event='finish', exit='zero', collected=None)",
        "forge(**FINISH)",
        "forge(**dict(FINISH, exit=float('nan')))",
        "forge(**dict(TEST, seconds=float('inf')))",
        "forge(**dict(TEST, seconds=-1))",
        "forge(**dict(TEST, seconds='x'))",
        "forge(**dict(TEST, nodeid=['t']))",
        "forge(**dict(TEST, nodeid='\\ud800'))",
        "forge(**dict(TEST, nodeid='a\\0b'))",
        "forge(**dict(TEST, at=['t.py', None]))",
        "forge(**dict(TEST, outcome='failed', places=[['t.py', None]]))",
        "forge(**dict(TEST, outcome='failed', places=[['t\\0', 1]]))",
        "forge(event='collect', nodeid=None, text=None)",
        "forge(event='new')",
        "open(os.environ['CI_ACTION_PYTEST_EVENTS'], 'w').close()",
        "open(os.environ['CI_ACTION_PYTEST_EVENTS'], 'ab').write(b'[' * 100_000 + b'\\n')",
        "open(os.environ['CI_ACTION_PYTEST_EVENTS'], 'ab').write(b'x' * 20_000_000 + b'\\n')",
        "p = os.environ['CI_ACTION_PYTEST_EVENTS']; os.rename(p, p + '-'); os.symlink('/dev/zero', p)",
        "p = os.environ['CI_ACTION_PYTEST_EVENTS']; os.rename(p, p + '-'); os.mkfifo(p)",
        "p = os.environ['CI_ACTION_PYTEST_EVENTS']; os.rename(p, p + '-'); os.mkdir(p)",
    ],
)
def test_events_that_the_project_writes_itself_are_broken(line, stage):
    ran = stage({"test_a.py": f"{FORGED}def test_forge():\n    {line}\n"}, "--install=none")
    assert (ran.code, ran.report["conclusion"]) == (3, "broken"), ran.out
    assert "a bug in ci-action" not in ran.out


def test_a_test_that_forks_and_never_ends_its_child_is_told_once(stage):
    text = "import os\ndef test_fork():\n    pid = os.fork()\n    if pid: os.waitpid(pid, 0)\ndef test_ok(): pass\n"
    ran = stage({"test_a.py": text}, "--install=none")
    assert (ran.code, metrics(ran)["tests"]) == (0, 2), ran.out


DROPS = """
def pytest_collection_modifyitems(config, items):
    gone = [item for item in items if "slow" in item.name]
    items[:] = [item for item in items if item not in gone]
    if config.getoption("--told"):
        config.hook.pytest_deselected(items=gone)
def pytest_addoption(parser):
    parser.addoption("--told", action="store_true")
"""


@pytest.mark.parametrize("words", [[], ["--workers=2"]])
def test_dropped_tests_are_said(words, stage):
    tests = "def test_ok(): pass\ndef test_two(): pass\ndef test_slow_1(): pass\ndef test_slow_2(): pass\n"
    files = {"conftest.py": DROPS, "test_a.py": tests}
    ran = stage(files, *words)
    [said] = [text for text in ran.tool("pytest")["warnings"] if "collected" in text]
    assert (ran.code, metrics(ran)["tests"]) == (0, 2)
    assert "2 collected tests did not run" in said
    assert "'test_a.py::test_slow_1'" in said
    ran = stage(files, *words, "--pytest-args=--told")
    assert ran.code == 0
    assert (metrics(ran)["deselected"], ran.tool("pytest")["warnings"]) == (2, [])
    ran = stage(files, *words, "--pytest-args=--told -k 'not two'")
    assert (metrics(ran)["deselected"], ran.tool("pytest")["warnings"]) == (3, [])


def test_tests_that_end_early_are_broken_though_others_were_deselected(stage):
    tests = "import pytest\ndef test_a(): pytest.exit('enough', returncode=0)\ndef test_b(): pass\ndef test_c(): pass\n"
    ran = stage({"test_a.py": tests}, "--pytest-args=-k 'not c'")
    assert (ran.code, ran.report["conclusion"]) == (3, "broken")


def test_a_module_that_cannot_be_imported_is_a_finding_on_its_line(stage):
    ran = stage({"test_a.py": OK, "test_b.py": "x = 1\nimport nothing_like_it\n", "test_c.py": "def f(:\n"})
    assert ran.code == 1
    found = {(finding["rule"], finding["path"], finding["line"]) for finding in ran.findings("pytest")}
    assert found == {("collection", "test_b.py", 2), ("collection", "test_c.py", 1)}


@pytest.mark.parametrize(
    "files",
    [
        {"conftest.py": "raise RuntimeError('no')\n", "test_a.py": OK},
        {
            "pyproject.toml": PYPROJECT + "[tool.pytest.ini_options]\naddopts = '--no-such-option'\n",
            "test_a.py": OK,
        },
    ],
    ids=["conftest", "addopts"],
)
def test_pytest_that_cannot_start_is_broken(files, stage):
    ran = stage(files)
    assert ran.code == 3
    assert "could not start" in ran.tool("pytest")["reason"]


def test_configuration_of_the_project_is_respected_and_cannot_hide_anything(stage):
    options = (
        "addopts = '--cov=pkg --cov-fail-under=100 --cov-report=html --tb=no -q --color=yes -p no:warnings'\n"
    )
    files = {
        "pyproject.toml": PYPROJECT + "[tool.pytest.ini_options]\n" + options,
        **PACKAGE,
        "tests/test_a.py": COVERED,
    }
    ran = stage(files)
    assert (ran.code, [one["rule"] for one in ran.findings("coverage")]) == (1, ["coverage-min"])
    # The tests themselves are no part of its `--cov`.
    assert metrics(ran, "coverage")["statements"] == 4
    assert stage(files, "--coverage-min=75").code == 0
    assert metrics(stage(files, "--coverage-source=."), "coverage")["statements"] > 4


@pytest.mark.parametrize(("minimum", "code"), [("100", 1), ("75", 0), ("75.01", 1), ("0", 0)])
def test_coverage_is_held_against_the_minimum_exactly(minimum, code, stage):
    ran = stage({**PACKAGE, "tests/test_a.py": COVERED}, f"--coverage-min={minimum}", "--coverage-source=pkg")
    assert ran.code == code
    assert ran.tool("coverage")["metrics"]["coverage"] == 75.0
    assert ran.report["outputs"]["coverage"] == "75.00"


def test_the_minimum_of_the_project_holds_where_no_other_is_given(stage):
    more = "[tool.coverage.report]\nfail_under = 99.5\n[tool.coverage.run]\nsource = ['pkg']\nbranch = true\n"
    files = {"pyproject.toml": PYPROJECT + more, **PACKAGE, "tests/test_a.py": COVERED}
    ran = stage(files)
    assert ran.code == 1
    assert "99.5" in ran.findings("coverage")[0]["message"]
    assert metrics(ran, "coverage")["branches"] == 2
    assert stage(files, "--coverage-min=10").code == 0


@pytest.mark.parametrize("words", ["--cov-config=tests/cov.ini", "--cov-config tests/cov.ini"])
def test_the_configuration_that_the_project_gives_to_pytest_cov_holds(words, stage):
    options = f"[tool.pytest.ini_options]\naddopts = '{words}'\n"
    config = "[run]\nsource = pkg\nomit = pkg/left.py\n[report]\nfail_under = 99\nexclude_lines = return 0\n"
    files = {**PACKAGE, "pkg/left.py": "x = 1\n", "tests/cov.ini": config}
    two = "from pkg import add\nimport pkg.left\ndef test_two():\n    assert add\n"
    ran = stage({"pyproject.toml": PYPROJECT + options, **files, "tests/test_a.py": two})
    assert (metrics(ran, "coverage")["statements"], metrics(ran, "coverage")["covered_lines"]) == (3, 1)
    assert metrics(ran, "coverage")["fail_under"] == 99
    assert ran.code == 1


def test_a_plugin_of_coverage_is_found_on_the_path_of_pytest(stage):
    more = """
        [tool.pytest.ini_options]
        pythonpath = ["tasks"]
        [tool.coverage.run]
        source = ["pkg"]
        plugins = ["pragmas"]
    """
    plugin = """
        from coverage import CoveragePlugin
        class Pragmas(CoveragePlugin):
            def configure(self, config):
                config.set_option("report:fail_under", 42.0)
        def coverage_init(reg, options):
            reg.add_configurer(Pragmas())
    """
    project = {"pyproject.toml": PYPROJECT + textwrap.dedent(more), **PACKAGE, "tests/test_a.py": COVERED}
    ran = stage({**project, "tasks/pragmas.py": textwrap.dedent(plugin)})
    assert ran.code == 0
    assert metrics(ran, "coverage")["fail_under"] == 42


def test_a_file_that_is_named_like_our_plugin_is_measured(stage):
    files = {"pytest_plugin/__init__.py": "", "pytest_plugin/ciaction_pytest.py": "def f():\n    return 1\n"}
    test = "import pytest_plugin.ciaction_pytest\ndef test_a(): pass\n"
    ran = stage({**files, "test_a.py": test}, "--coverage-source=pytest_plugin")
    assert (metrics(ran, "coverage")["statements"], metrics(ran, "coverage")["covered_lines"]) == (2, 1)


def test_a_test_that_prints_an_error_of_pytest_does_not_start_it_again(stage):
    printed = """
        import pathlib

        def test_a():
            print("error: unrecognized arguments: --cov=x")
            ran_before = pathlib.Path("ran")
            ran_before.touch(exist_ok=False)
            assert 0
    """
    ran = stage({"test_a.py": textwrap.dedent(printed)})
    assert (ran.code, [one["rule"] for one in ran.findings("pytest")]) == (1, ["failed"])
    assert "FileExistsError" not in ran.findings("pytest")[0]["message"]


def test_a_minimum_without_data_is_broken_never_green(stage):
    ran = stage({"test_a.py": OK}, "--coverage-min=10", "--pytest-args=--no-cov")
    assert ran.code == 3
    assert "no coverage data" in ran.tool("coverage")["reason"]


def test_failing_tests_still_have_coverage(stage):
    ran = stage({**PACKAGE, "test_a.py": COVERED.replace("== 3", "== 4")})
    assert ran.code == 1
    assert metrics(ran, "coverage")["covered_lines"] > 0


def test_flaky_tests_are_told_apart(stage, tmp_path):
    source = f"import pathlib\nmark = pathlib.Path({str(tmp_path / 'mark')!r})\n" + (
        "def test_flaky():\n    there = mark.exists()\n    mark.touch()\n    assert there\n" + OK
    )
    ran = stage({"test_a.py": source}, "--reruns=2")
    assert ran.code == 0
    assert metrics(ran) == {"tests": 2, "passed": 1, "flaky": 1}


def test_workers_and_shards(stage):
    files = {"test_a.py": "".join(f"def test_{number}(): pass\n" for number in range(10))}
    assert metrics(stage(files, "--workers=2"))["tests"] == 10
    parts = [metrics(stage(files, f"--shard={part}/3"))["tests"] for part in (1, 2, 3)]
    assert sum(parts) == 10
    assert max(parts) < 10


def test_the_tests_do_not_see_our_secrets(stage):
    source = (
        "import os\n"
        "def test_env():\n"
        "    seen = [n for n in os.environ if n.startswith(('INPUT_', 'ACTIONS_')) or 'INDEX' in n]\n"
        "    assert not seen, seen\n"
        "    assert 'GITHUB_TOKEN' not in os.environ\n"
        "    assert os.environ['DATABASE_URL'] == 'x'\n"
    )
    secrets = {
        "INPUT_GITHUB-TOKEN": "ghs_0123456789abcdef",
        "GITHUB_TOKEN": "ghs_0123456789abcdef",
        "ACTIONS_RUNTIME_TOKEN": "runtime-token",
        "UV_INDEX_PRIVATE_PASSWORD": "hunter2hunter2",
        "DATABASE_URL": "x",
    }
    assert stage({"test_a.py": source}, env=secrets).code == 0


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({"requirements.txt": "iniconfig==2.0.0\n"}, "requirements.txt"),
        (
            {"requirements-dev.txt": "-r requirements.txt\n", "requirements.txt": "iniconfig==2.0.0\n"},
            "requirements-dev.txt, requirements.txt",
        ),
        (
            {"pyproject.toml": PYPROJECT + "[dependency-groups]\ntest = ['iniconfig==2.0.0']\n"},
            "pyproject.toml with group test",
        ),
        ({"poetry.lock": '[[package]]\nname = "iniconfig"\nversion = "2.0.0"\n'}, "poetry.lock"),
        ({"pdm.lock": '[[package]]\nname = "iniconfig"\nversion = "2.0.0"\n'}, "pdm.lock"),
        (
            {"Pipfile.lock": '{"default": {}, "develop": {"iniconfig": {"version": "==2.0.0"}}}'},
            "Pipfile.lock",
        ),
        (
            {
                "setup.py": "from setuptools import setup\nsetup(name='sample', version='0', install_requires=['iniconfig==2.0.0'], py_modules=[])\n",
                "pyproject.toml": "",
            },
            "setup.py",
        ),
    ],
)
def test_dependencies_come_from_what_the_project_has(files, source, stage, project):
    check = "import importlib.metadata as m\ndef test_it(): assert m.version('iniconfig') == '2.0.0'\n"
    ran = stage({"test_a.py": check, **files})
    assert ran.code == 0, ran.out
    environment = ran.tool("environment")
    assert environment["version"].startswith("Python 3.")
    assert environment["version_source"].endswith(f" from {source}")
    assert {ran.tool(name)["version_source"] for name in ("pytest", "coverage")} == {ADDED}
    assert not list(project({}).glob("*.egg-info"))


TOX = "[tox]\nenvlist = lint,unit\n[testenv:lint]\ndeps = ruff\n[testenv:unit]\ndeps =\n  pytest\n  -r {toxinidir}/more.in\ncommands = pytest\n"
NOX = "import nox\nDEPS = ['pytest', 'iniconfig==2.0.0']\n@nox.session\ndef tests(session):\n    session.install(*DEPS)\n    session.run('pytest')\n"
JOB = "jobs:\n  test:\n    steps:\n      - run: pip install pytest iniconfig==2.0.0\n      - run: pytest\n"
SETUP = (
    "from setuptools import setup\nneeds = {'testing': ['pytest', 'iniconfig==2.0.0'], 'docs': ['no-such-package-1234']}\n"
    "setup(name='sample', version='0', extras_require=needs, py_modules=[])\n"
)


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({"tox.ini": TOX, "more.in": "iniconfig==2.0.0\n"}, "tox.ini [testenv:unit]"),
        ({"noxfile.py": NOX}, "noxfile.py: session tests"),
        (
            {"hatch.toml": "[envs.default]\ndependencies = ['pytest', 'iniconfig==2.0.0']\n"},
            "hatch.toml: Hatch environment default",
        ),
        ({".github/workflows/ci.yml": JOB}, ".github/workflows/ci.yml: job test"),
        ({"pyproject.toml": "", "setup.py": SETUP}, "setup.py with extra testing"),
    ],
    ids=["tox", "nox", "hatch", "workflow", "setup.py"],
)
def test_where_nothing_else_brings_pytest_the_projects_own_runner_does(files, source, stage):
    check = "import importlib.metadata as m\ndef test_it(): assert m.version('iniconfig') == '2.0.0'\n"
    ran = stage({"test_a.py": check, **files})
    assert ran.code == 0, ran.out
    assert ran.tool("environment")["version_source"].endswith(source)
    assert source in ran.tool("pytest")["version_source"]


def test_the_variables_of_the_projects_own_runner_are_those_of_the_tests(stage):
    test = "import os, inner\ndef test_it(): assert os.environ['MODE'] == os.environ['WANTED']\n"
    tox = "[testenv]\ncommands = pytest\nset_env =\n  MODE = tox\n  PYTHONPATH = {toxinidir}{/}lib\n"
    files = {"tox.ini": tox, "lib/inner.py": "", "test_a.py": test}
    assert stage(files, env={"WANTED": "tox"}).code == 0
    assert stage(files, env={"WANTED": "step", "MODE": "step"}).code == 0


def test_without_testpaths_pytest_gets_what_the_projects_own_runner_gives_it(stage):
    tox = "[testenv]\ncommands = pytest {posargs:tests}\n"
    files = {"tox.ini": tox, "tests/test_a.py": OK, "samples/test_b.py": "import absent\n"}
    ran = stage(files)
    assert (ran.code, metrics(ran)["tests"]) == (0, 1)
    assert [warning for warning in ran.report["warnings"] if "samples/test_b.py" in warning]
    assert stage(files, "--pytest-args=-q").code == 1
    assert stage({**files, "pytest.ini": "[pytest]\ntestpaths = samples\n"}).code == 1


CHOSEN = PYPROJECT + "[dependency-groups]\ntest = ['iniconfig==2.0.0']\nother = ['iniconfig==2.1.0']\n"


def test_a_chosen_group_replaces_the_automatic_one(stage):
    check = "import importlib.metadata as m\ndef test_it(): assert m.version('iniconfig') == '2.1.0'\n"
    files = {"pyproject.toml": CHOSEN, "test_a.py": check}
    assert stage(files).code == 1
    assert stage(files, "--groups=Other").code == 0


def test_an_unknown_group_is_an_error_that_lists_the_groups(stage):
    ran = stage({"pyproject.toml": CHOSEN, "test_a.py": OK}, "--groups=others", "--extras=x")
    assert (ran.code, ran.report) == (2, {})
    assert "test, other" in ran.out


def test_an_extra_that_only_a_build_knows_and_that_is_missing_is_broken(stage):
    ran = stage({"pyproject.toml": "", "setup.py": SETUP, "test_a.py": OK}, "--extras=absent")
    assert ran.code == 3
    assert all(word in ran.tool("environment")["reason"] for word in ("absent", "testing, docs"))


BEFORE = "import os\ndef test_it(): assert open('made.txt').read() == os.environ['VIRTUAL_ENV']\n"
MAKE = "import os, pathlib; pathlib.Path('made.txt').write_text(os.environ['VIRTUAL_ENV'])"


def test_commands_before_the_tests_run_in_their_environment(stage):
    ran = stage({"test_a.py": BEFORE}, f'--before-tests=python -c "{MAKE}"')
    assert ran.code == 0, ran.out
    failed = stage({"test_a.py": BEFORE}, "--before-tests=python -c 'print(5 / 0)'")
    assert failed.code == 3
    assert all(
        word in failed.tool("pytest")["reason"] for word in ("5 / 0", "exit code 1", "ZeroDivisionError")
    )


POETRY = """[tool.poetry]
name = "sample"
[tool.poetry.dependencies]
python = "^3.9"
iniconfig = [{version = "1.1.1", python = "<3.9"}, {version = "^2", python = ">=3.9"}]
part = {path = "vendor/part"}
odd = {version = 3}
"""
PART = "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n[project]\nname = 'part'\nversion = '1'\n"


def test_a_poetry_project_without_a_build_system_gets_its_dependencies(stage):
    test = "import iniconfig, part\ndef test_ok(): assert part.one == 1\n"
    ran = stage(
        {
            "pyproject.toml": POETRY,
            "vendor/part/pyproject.toml": PART,
            "vendor/part/part.py": "one = 1\n",
            "test_a.py": test,
        }
    )
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")
    assert any("tool.poetry.dependencies.odd" in warning for warning in ran.report["warnings"])


def test_what_the_step_says_to_python_holds_for_the_tests(stage):
    test = "import os, inner\ndef test_ok(): assert (inner.one, os.environ['PYTHONHASHSEED']) == (1, '7')\n"
    files = {"lib/inner.py": "one = 1\n", "test_a.py": test}
    ran = stage(files, env={"PYTHONPATH": "lib", "PYTHONHASHSEED": "7", "PYTHONINSPECT": "1"})
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")


def test_an_environment_is_kept_while_nothing_changes(stage):
    files = {"test_a.py": OK, "requirements.txt": "iniconfig==2.0.0\n"}
    stage(files)
    assert stage(files).tool("environment")["metrics"] == {"reused": 1.0}
    changed = stage({**files, "requirements.txt": "iniconfig==2.0.0\npluggy\n"})
    assert changed.tool("environment")["metrics"] == {"reused": 0.0}


GENERATES = """import pathlib, setuptools
pathlib.Path("pkg/_version.py").write_text("version = '1'")
setuptools.setup(name="generates", version="1", packages=["pkg"])
"""


def test_an_environment_is_not_kept_without_what_its_build_wrote(stage, standing):
    test = "import pkg._version\ndef test_ok(): assert pkg._version.version == '1'\n"
    system = "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n"
    files = {"pyproject.toml": system, "setup.py": GENERATES, "pkg/__init__.py": "", "test_a.py": test}
    runs = [stage(files), stage(files)]
    (standing({}) / "pkg" / "_version.py").unlink()
    runs += [stage(files), stage(files)]
    assert [ran.report["conclusion"] for ran in runs] == ["passed"] * 4
    assert [ran.tool("environment")["metrics"]["reused"] for ran in runs] == [0, 1, 0, 1]


def test_a_failed_install_is_broken_with_the_reason(stage):
    ran = stage({"test_a.py": OK, "requirements.txt": "no-such-package-anywhere-1234==9\n"})
    assert ran.code == 3
    assert "no-such-package-anywhere-1234" in ran.tool("environment")["reason"]
    assert ran.tool("pytest")["outcome"] == "skipped"


def test_a_python_that_is_not_here_is_a_named_error(stage):
    ran = stage(
        {"pyproject.toml": "", "test_a.py": OK},
        "--python-version=3.7.1",
        env={"UV_PYTHON_DOWNLOADS": "never"},
    )
    assert ran.code == 3
    assert "; found: 3." in ran.tool("environment")["reason"]


def test_install_commands_and_none(stage):
    ran = stage({"test_a.py": "import iniconfig\n" + OK}, "--install=pip install -q iniconfig")
    assert ran.code == 0, ran.out
    failed = stage({"test_a.py": OK}, "--install=python -c 'raise SystemExit(7)'")
    assert failed.code == 3
    assert "exit code 7" in failed.tool("environment")["reason"]
    assert stage({"test_a.py": OK}, "--install=none").code == 0


def test_a_src_layout_and_a_backend_folder(project, ci_action, kept):
    folder = project({
        "pyproject.toml": PYPROJECT + "[tool.pytest.ini_options]\npythonpath = ['src']\n",
        "src/pkg/__init__.py": PACKAGE["pkg/__init__.py"],
        "tests/test_a.py": COVERED,
        "backend/pyproject.toml": PYPROJECT,
        "backend/app/__init__.py": "X = 1\n",
        "backend/tests/test_b.py": "from app import X\ndef test_b():\n    assert X == 2\n",
    })  # fmt: skip
    ran = ci_action(folder, "run", "test", f"--cache-dir={kept}", "--pytest-args=tests")
    assert ran.code == 0, ran.out
    below = ci_action(folder, "run", "test", f"--cache-dir={kept}", "--working-directory=backend")
    assert below.code == 1
    assert [finding["path"] for finding in below.findings("pytest")] == ["backend/tests/test_b.py"]


def test_the_tree_is_left_as_it_was(stage, project):
    ran = stage({**PACKAGE, "tests/test_a.py": COVERED})
    folder = project({})
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if ".git" not in path.parts}
    assert names == {"pyproject.toml", "pkg", "pkg/__init__.py", "tests", "tests/test_a.py"}
    assert ran.code == 0


@pytest.mark.parametrize("words", ["-p no:cov", "-p no:pytest_cov", "--no-cov"])
def test_a_project_that_switches_coverage_off_is_tested_all_the_same(words, stage):
    options = f"[tool.pytest.ini_options]\naddopts = '{words}'\n"
    files = {"pyproject.toml": PYPROJECT + options, "test_a.py": OK}
    ran = stage(files, "--reruns=1")
    assert ran.code == 0, ran.out
    assert metrics(ran)["passed"] == 1
    assert ran.tool("coverage")["outcome"] == "skipped"
    assert stage(files, "--coverage-min=1").code == 3


def test_plugins_that_are_not_loaded_by_themselves(stage):
    files = {**PACKAGE, "test_a.py": COVERED}
    ran = stage(files, "--workers=2", env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    assert ran.code == 0, ran.out
    assert metrics(ran, "coverage")["statements"] >= 4


SPOILED = """
import os
def pytest_unconfigure():
    folder = os.path.dirname(os.environ["CI_ACTION_PYTEST_EVENTS"])
    open(os.path.join(folder, ".coverage"), "wb").write(b"rubbish")
"""


def test_coverage_data_that_cannot_be_read_is_broken_only_if_there_is_a_minimum(stage):
    files = {**PACKAGE, "test_a.py": COVERED, "conftest.py": SPOILED}
    ran = stage(files)
    assert (ran.code, ran.report["conclusion"]) == (0, "warned")
    assert [(one["rule"], one["level"]) for one in ran.findings("coverage")] == [("not-measured", "warning")]
    assert metrics(ran)["passed"] == 1
    assert stage(files, "--coverage-min=1").code == 3
    more = "[tool.coverage.report]\nfail_under = 1\n"
    assert stage({**files, "pyproject.toml": PYPROJECT + more}).code == 3


def test_a_lock_file_that_is_out_of_date_is_broken_with_what_to_do(stage):
    files = {"uv.lock": "version = 1\nrequires-python = '>=3.9'\n", "test_a.py": OK}
    ran = stage({"pyproject.toml": PYPROJECT + "dependencies = ['iniconfig']\n", **files})
    assert ran.code == 3
    assert "uv lock" in ran.tool("environment")["reason"] + str(ran.tool("environment")["hints"])
