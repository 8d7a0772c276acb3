"""What looks like tests, and what would be run."""

from pathlib import Path

import pytest
from support.builders import context, write

from ci_action.stages.test.pytest import plan, test_files, why_not


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"test_a.py": "", "src/b_test.py": "", "a.py": ""}, ["src/b_test.py", "test_a.py"]),
        ({".venv/test_a.py": "", "venv/test_a.py": "", "x/node_modules/test_a.py": ""}, []),
        ({"lib/site-packages/x/test_a.py": "", "tests/.hidden/test_a.py": "", ".test_a.py": ""}, []),
        ({"test_a.txt": "", "atest.py": "", "tests/helper.py": ""}, []),
    ],
)
def test_what_looks_like_tests(tmp_path: Path, files: dict[str, str], found: list[str]):
    ctx = context(write(tmp_path / "w", files))
    assert sorted(file.relative_to(tmp_path / "w").as_posix() for file in test_files(ctx)) == found
    assert bool(why_not(ctx)) is not bool(found)


WORKFLOW = ".github/workflows/ci.yml"
RUN = "on: push\njobs:\n  a:\n    steps:\n    - run: {}\n"


@pytest.mark.parametrize(
    ("files", "other"),
    [
        ({WORKFLOW: RUN.format("python manage.py test")}, True),
        ({WORKFLOW: RUN.format("tox"), "tox.ini": "[testenv]\ncommands = python -bb -m app.test\n"}, True),
        ({WORKFLOW: RUN.format("./runtests.py -v")}, True),
        ({WORKFLOW: RUN.format("trial app")}, True),
        # pytest runs tests of unittest.
        ({WORKFLOW: RUN.format("python -m unittest")}, False),
        ({WORKFLOW: RUN.format("make"), "Makefile": "t:\n\t# python -m app.test\n"}, False),
        # Something names pytest.
        ({WORKFLOW: RUN.format("python manage.py test"), "conftest.py": ""}, False),
        ({WORKFLOW: RUN.format("python manage.py test"), "requirements.txt": "pytest-django\n"}, False),
        # Nothing shows what the project checks, or it is ci-action.
        ({"Makefile": "t:\n\tpython manage.py test\n"}, False),
        ({WORKFLOW: RUN.format("python manage.py test") + "    - uses: org/ci-action@v1\n"}, False),
    ],
)
def test_a_project_with_another_test_runner(tmp_path: Path, files: dict[str, str], other: bool):
    ctx = context(write(tmp_path / "w", {"test_a.py": "", **files}))
    assert bool(why_not(ctx)) is other


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["1 file "]),
        ({"shard": "1/2", "workers": "3", "reruns": "4"}, ["1 file ", "shard 1/2", "3 workers", "4 reruns"]),
    ],
)
def test_the_plan(tmp_path: Path, settings: dict[str, str], words: list[str]):
    ctx = context(write(tmp_path / "w", {"test_a.py": ""}), settings=settings)
    said = plan(ctx).split(", ")
    assert len(said) == len(words)
    assert all(part.startswith(word) for part, word in zip(said, words, strict=True))
