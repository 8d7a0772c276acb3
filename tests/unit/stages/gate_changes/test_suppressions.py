"""Gate changes: suppressions that are new and tests that are gone, in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.gate_changes import removed_tests
from ci_action.stages.gate_changes.loosened import Changed
from ci_action.stages.gate_changes.removed_tests import Naming
from ci_action.stages.gate_changes.suppressions import compare, compare_dockerfiles

PATH = "tests/test_a.py"
PLAIN = Naming()


def new_in(
    before: str, after: str, *others: Changed, markers: frozenset[str] = frozenset()
) -> list[tuple[str, int]]:
    problems: list[str] = []
    found = compare([Changed(path=PATH, before=before, after=after), *others], markers, problems)
    result = [(one.message.split("`")[1], one.line or 0) for one in found]
    assert problems == []
    return result


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("x = 1  # noqa", "# noqa"),
        ("x = 1  #NOQA:E501", "# noqa: E501"),
        ("x = 1  # noqa: E501, F401", "# noqa: E501, F401"),
        ("# ruff: noqa", "# ruff: noqa"),
        ("# flake8: noqa: E501", "# ruff: noqa: E501"),
        ("x = 1  # nosec", "# nosec"),
        ("x = 1  # nosec B101", "# nosec: B101"),
        ("x = 1  # type: ignore", "# type: ignore"),
        ("x = 1  # type: ignore[arg-type]", "# type: ignore[arg-type]"),
        ("x = 1  # pyright: ignore[x]", "# pyright: ignore[x]"),
        ("# mypy: ignore-errors", "# mypy: ignore-errors"),
        ("x = 1  # pragma: no cover", "# pragma: no cover"),
        ("x = 1  # pragma: allowlist secret", "# pragma: allowlist secret"),
        ("x = 1  # fmt: skip", "# fmt: off"),
        ("pytestmark = pytest.mark.skip", "pytest.mark.skip"),
        ("pytestmark = [pytest.mark.xfail(reason='x')]", "pytest.mark.xfail"),
        ("pytest.skip('no', allow_module_level=True)", "pytest.skip()"),
        ("raise unittest.SkipTest('no')", "unittest.SkipTest"),
    ],
)
def test_a_suppression_on_a_new_line(line: str, kind: str):
    code = "y = 2\n"
    assert new_in(code, f"{code}{line}\n") == [(kind, 2)]
    assert new_in(f"{code}{line}\n", code) == new_in(f"{code}{line}\n", f"{line}\n{code}") == []


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("FROM a\nRUN b\n", "FROM a\n# hadolint ignore=DL3008\nRUN b\n", [("# hadolint ignore=DL3008", 2)]),
        ("", "#hadolint  ignore=SC2086, DL3008 # because\n", [("# hadolint ignore=DL3008, SC2086", 1)]),
        ("", "# hadolint global ignore=DL3008\n", [("# hadolint global ignore=DL3008", 1)]),
        ("", "# check=skip=JSONArgs,all;error=true\n", [("# check=skip=JSONArgs, all", 1)]),
        ("", "\n# check = skip = all\n", [("# check=skip=all", 2)]),
        ("# hadolint ignore=DL1\nRUN b\n", "RUN b\n\n# hadolint ignore=DL1\n", []),
        ("# hadolint ignore=DL1,DL2\n", "# hadolint ignore=DL2\n", []),
        ("# hadolint ignore=DL1\n", "# hadolint ignore=DL1,DL2\n", [("# hadolint ignore=DL1, DL2", 1)]),
        ("# hadolint ignore=DL1\n", "", []),
        ("", "RUN echo '# hadolint ignore=DL1'\n# hadolint ignores=DL1\n# hadolint ignore=\n", []),
    ],
)
def test_a_suppression_in_a_dockerfile(before: str, after: str, found: list[tuple[str, int]]):
    seen = compare_dockerfiles([Changed(path="Dockerfile", before=before, after=after)])
    assert [(one.message.split("`")[1], one.line) for one in seen] == found


TEST = "def test_a():\n    assert f()\n"


@pytest.mark.parametrize(
    ("decorator", "kind"),
    [
        ("pytest.mark.skip", "pytest.mark.skip"),
        ("pytest.mark.skipif(True, reason='')", "pytest.mark.skipif"),
        ("pytest.mark.xfail(strict=False)", "pytest.mark.xfail"),
        ("mark.skip(reason='x')", "pytest.mark.skip"),
        ("unittest.skip('x')", "unittest.skip"),
        ("skipIf(True, 'x')", "unittest.skipIf"),
        ("unittest.expectedFailure", "unittest.expectedFailure"),
        ("pytest.mark.slow", "pytest.mark.slow"),
    ],
)
def test_a_skipped_test(decorator: str, kind: str):
    skipped = f"@{decorator}\n{TEST}"
    markers = frozenset({"slow"})
    assert new_in(TEST, skipped, markers=markers) == [(kind, 1)]
    assert (
        new_in(skipped, TEST, markers=markers) == new_in(skipped, f"x = 1\n{skipped}", markers=markers) == []
    )


@pytest.mark.parametrize("body", ["pytest.skip('x')", "pytest.xfail('x')", "self.skipTest('x')"])
def test_a_test_that_skips_itself(body: str):
    assert len(new_in(TEST, f"def test_a():\n    {body}\n    assert f()\n")) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = f(1)  # noqa\n", "if y:\n    x = f(1)  # noqa\n"),
        ("x = f(1)  # noqa: E501\n", "x = f(2)  # noqa: E501\n"),
        ("x = 1  # noqa\n", "x = 1  # noqa: E501\n"),
        ("x = 1  # noqa: E501, F401\n", "x = 1  # noqa: E501\n"),
        ("x = 1  # type: ignore\n", "x = 1  # type: ignore[misc]\n"),
        ("", "x = '# noqa'\n"),
        ("", '"""\n# type: ignore\n"""\n'),
        ("", "def skip():\n    pass\n"),
        ("", "x = 1  # the mark is skipped, see noqa in the manual\n"),
        # A new test that does not run everywhere removes nothing.
        (TEST, f"{TEST}@pytest.mark.skipif(WIN)\ndef test_b():\n    pass\n"),
        ("x = 1\r\n# noqa\r\n".replace("\r", ""), "# noqa\nx = 1\n"),
    ],
)
def test_what_is_not_a_new_suppression(before: str, after: str):
    assert new_in(before, after) == []


def test_one_more_of_the_same_counts():
    assert new_in("a = 1  # noqa\n", "a = 1  # noqa\nb = 2  # noqa\n") == [("# noqa", 2)]
    assert new_in("a = 1  # noqa: E1\n", "a = 1  # noqa: E1, E2\n") == [("# noqa: E1, E2", 1)]
    assert new_in("a = 1  # noqa: E1\n", "a = 1  # noqa\n") == [("# noqa", 1)]


def test_what_moved_to_another_file_is_not_new():
    line = "x = 1  # noqa\n"
    skipped = f"@pytest.mark.skip\n{TEST}"
    for text in (line, skipped):
        assert new_in(text, "y = 1\n", Changed(path="b.py", before="", after=text)) == []
        assert new_in(text, "", Changed(path="b.py", before="", after=text)) == []
        assert len(new_in(text, text, Changed(path="b.py", before="", after=text))) == 1


def test_what_cannot_be_parsed_is_a_problem():
    problems: list[str] = []
    files = [
        Changed(path="a.py", before="", after="def (: # noqa\n'''"),
        Changed(path="b.py", before="", after="# noqa\n"),
    ]
    assert [one.path for one in compare(files, frozenset(), problems)] == ["b.py"]
    assert [problem[:5] for problem in problems] == ["a.py:"]


@given(st.text(alphabet="#: noqaskip\n'\"()@\t[]E5\\\0", max_size=60))
def test_any_text_in_a_file(text: str):
    problems: list[str] = []
    assert list(compare([Changed(path="a.py", before=text, after=text)], frozenset(), problems)) == []
    list(compare([Changed(path="a.py", before="", after=text)], frozenset(), problems))


def of_tests(before: str | None, after: str | None, path: str = PATH) -> Changed:
    return Changed(path=path, previous=path, before=before, after=after)


def missing(
    before: str | None, after: str | None, *others: Changed, naming: Naming = PLAIN
) -> list[tuple[str, ...]]:
    problems: list[str] = []
    found = list(removed_tests.compare([of_tests(before, after), *others], naming, naming, problems))
    assert problems == []
    return [tuple(one.message.split("'")[1::2]) for one in found]


TWO = "def test_a():\n    assert a\n\n\nasync def test_b():\n    assert b\n"
CLASS = "class TestAll:\n    def test_a(self):\n        assert a\n\n    def helper(self):\n        pass\n"


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        (TWO, "def test_a():\n    assert a\n", ("test_b",)),
        (TWO, "", ("test_a", "test_b")),
        (TWO, None, ("test_a", "test_b")),
        (TWO, TWO.replace("async def test_b", "async def not_test_b"), ("test_b",)),
        (TWO, f"def test_a():\n    assert a\n'''\n{TWO}'''\n", ("test_b",)),
        (CLASS, "class TestAll:\n    pass\n", ("TestAll::test_a",)),
        (CLASS, CLASS.replace("class TestAll", "class All"), ("TestAll::test_a",)),
        (CLASS.replace("TestAll", "All(TestCase)"), "", ("All::test_a",)),
        (f"if x:\n    {TWO.splitlines()[0]} pass\n", "", ("test_a",)),
        (TWO, TWO.replace("def test_a", "@pytest.mark.skip\ndef test_z"), ("test_a",)),
    ],
)
def test_a_test_that_is_gone(before: str, after: str | None, names: tuple[str, ...]):
    assert missing(before, after) == [names]
    assert missing(after, before) == missing(before, before) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TWO, TWO.replace("assert b", "assert c")),
        (TWO, TWO.replace("test_a", "test_z")),
        (TWO, TWO.replace("async def", "def")),
        (TWO, f"class TestX:\n    {TWO.replace(chr(10), chr(10) + '    ')}\n"),
        (CLASS, CLASS.replace("TestAll", "TestOthers")),
        ("def helper():\n    pass\n", ""),
        ("class All:\n    def test_a(self):\n        pass\n", ""),
        ("@pytest.fixture\ndef test_x():\n    pass\n", ""),
        (None, TWO),
    ],
)
def test_a_test_that_is_still_there(before: str | None, after: str | None):
    assert missing(before, after) == []


def test_a_test_that_moved():
    other = of_tests(None, TWO, "tests/test_b.py")
    assert missing(TWO, None, other) == []
    kept = of_tests(TWO, TWO, "tests/test_b.py")
    assert missing(TWO, None, kept) == [("test_a", "test_b")]


def test_names_that_the_project_chooses():
    naming = Naming(functions=("check_*",), classes=("Check",))
    assert missing("def check_a():\n    pass\ndef test_a():\n    pass\n", "", naming=naming) == [("check_a",)]
    naming = Naming(files=("check_*.py",))
    assert naming.is_file("tests/check_a.py")
    assert not naming.is_file(PATH)
    assert missing(TWO, "", naming=naming) == []


def test_the_line_is_where_the_test_was():
    problems: list[str] = []
    files = [of_tests(TWO, "def test_a():\n    assert a\n")]
    found = removed_tests.compare(files, PLAIN, PLAIN, problems)
    assert [(one.path, one.line) for one in found] == [(PATH, 2)]


@pytest.mark.parametrize("text", ["def (", "\0", "x = " + "-" * 200_000 + "1", "a" + ".b" * 100_000])
def test_what_no_parser_takes(text: str):
    problems: list[str] = []
    assert list(removed_tests.compare([of_tests(TWO, text)], PLAIN, PLAIN, problems)) == []
    assert problems
