"""Commands in shell text: what is a command, what is only a word, and what variables become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.project.evidence.calls import call_of
from ci_action.project.evidence.shell import lines_in
from ci_action.project.tool_names import Named


def calls(text: str, *existing: str) -> list[tuple[Named, tuple[str, ...]]]:
    found = (call_of(line.words, lambda word: word in existing) for line in lines_in(text))
    return [(call.tool, call.words) for call in found if call]


COMMANDS = {
    "black --check .": (Named.BLACK, ("--check", ".")),
    "python -m black src/": (Named.BLACK, ("src/",)),
    "python3.12 -X dev -m black .": (Named.BLACK, (".",)),
    "uv run --group lint black .": (Named.BLACK, (".",)),
    "uv run --with black==24.1 black .": (Named.BLACK, (".",)),
    "uvx black@24.1.0 --check .": (Named.BLACK, ("--check", ".")),
    "uv tool run ruff@0.5 format --check": (Named.RUFF_FORMAT, ("--check",)),
    "uvx --from 'black==24.1.0' black .": (Named.BLACK, (".",)),
    "poetry run ruff check --fix .": (Named.RUFF_CHECK, ("--fix", ".")),
    "hatch run lint:black .": (Named.BLACK, (".",)),
    "hatch fmt --check": (Named.HATCH_FMT, ("--check",)),
    "pipx run black==23.1.0 --check .": (Named.BLACK, ("--check", ".")),
    ".venv/bin/black -l 100 .": (Named.BLACK, ("-l", "100", ".")),
    "${PREFIX}black --check ./": (Named.BLACK, ("--check", "./")),
    "$(VENV)/bin/ruff format .": (Named.RUFF_FORMAT, (".",)),
    "git ls-files '*.py' | xargs -0 -n 1 black --check": (Named.BLACK, ("--check",)),
    "FOO=1 black .": (Named.BLACK, (".",)),
    "if ! black --check .; then exit 1; fi": (Named.BLACK, ("--check", ".")),
    "pip install black && black .": (Named.BLACK, (".",)),
    "cd x; (black .)": (Named.BLACK, (".",)),
    "docker compose run --rm web black .": (Named.BLACK, (".",)),
    "docker run --rm -v $PWD:/code image black /code": (Named.BLACK, ("/code",)),
    "ruff .": (Named.RUFF_CHECK, (".",)),
    "ruff --fix src/": (Named.RUFF_CHECK, ("--fix", "src/")),
    "ruff check": (Named.RUFF_CHECK, ()),
    "ruff format $FILES": (Named.RUFF_FORMAT, ("$FILES",)),
    "FILES='src tests'\nruff format $FILES": (Named.RUFF_FORMAT, ("src", "tests")),
    "flake8": (Named.FLAKE8, ()),
    "pylint $(git ls-files '*.py')": (Named.PYLINT, ("$(git ls-files '*.py')",)),
    "ty check": (Named.TY, ()),
    "mypy": (Named.MYPY, ()),
    "black \\\n  --check \\\n  .": (Named.BLACK, ("--check", ".")),
    "black . > log 2>&1 || exit 1": (Named.BLACK, (".",)),
    "black . # ruff format": (Named.BLACK, (".",)),
}


@pytest.mark.parametrize(("text", "expected"), COMMANDS.items(), ids=COMMANDS)
def test_a_command(text, expected):
    assert calls(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "pip install black ruff",
        "uv add --dev black",
        "poetry add black",
        "echo black .",
        "# black --check .",
        "black",
        "black is a formatter",
        "black --version",
        "ruff --version",
        "ruff",
        "ruff rule E501",
        "ty",
        "COLORS=(\n  black .\n)",
        "cat <<EOF\nblack --check .\nEOF",
        "cat <<-'EOF' > file\n\tblack --check .\n\tEOF",
        "echo '\nblack .\n'",
        "for x in black ./white; do echo $x; done",
        "pre-commit run black --all-files",
        "sed -i s/black/white/ .",
        "which black /usr/bin",
    ],
)
def test_a_word_is_not_a_command(text):
    assert calls(text) == []


def test_plain_words_count_as_paths_only_where_they_exist():
    assert calls("black src tests") == []
    assert calls("black src tests", "src") == [(Named.BLACK, ("src", "tests"))]


@pytest.mark.parametrize(
    ("text", "advisory"),
    [
        ("black . || true", True),
        ("black . || :", True),
        ("black . || echo unformatted", True),
        ("black . || exit 1", False),
        ("black . && true", False),
        ("black . | true", False),
    ],
)
def test_an_ignored_failure(text, advisory):
    assert next(iter(lines_in(text))).advisory is advisory


def test_an_apostrophe_hides_only_its_line():
    assert calls("echo don't\nblack .") == [(Named.BLACK, (".",))]


def test_text_in_substitutions_is_not_split():
    assert calls("black ${{ a && 'b' || c }} .") == [(Named.BLACK, ("${{ a && 'b' || c }}", "."))]


@given(st.text(alphabet=st.sampled_from("ab$(){}[]<>|&;'\"`\\#=\n \tblack.EOF<-")))
def test_any_text_can_be_read(text):
    for line in lines_in(text, {"a": "$a b", "b": "$(a)"}):
        assert line.words
        call_of(line.words, lambda _: True)


def test_variables_that_grow_end():
    assert len(next(iter(lines_in("x $A", {"A": "$A$A$A$A$A$A$A$A$A$A" * 100}))).words) < 1000
