"""The reader of what buildx prints: steps, logs, warnings, and nothing that it could not survive."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.buildx_runs import ENGINES, FOLDER, printed, progress

from ci_action.stages.docker.build.progress import Progress

LONG = 250_000


@pytest.mark.parametrize("engine", ENGINES)
def test_the_steps_of_a_build(engine: str):
    vertices = progress(engine, "good").vertices.values()
    run = next(one for one in vertices if "RUN echo before" in one.name)
    assert set(run.log.splitlines()) == {"before", "oops"}
    assert run.seconds > 0
    assert not run.cached
    assert not run.error
    assert not any(one.running for one in vertices)


@pytest.mark.parametrize("engine", ENGINES)
def test_cached_steps(engine: str):
    cached = [one.name for one in progress(engine, "again").vertices.values() if one.cached]
    assert sum("RUN" in name for name in cached) == 2


def test_a_cached_step_that_is_downloaded():
    reader = Progress()
    for start, cached in (("2026-01-01T00:00:00Z", True), ("2026-01-01T00:00:01Z", False)):
        step = {"digest": "v", "name": "[2/2] COPY a b", "started": start, "completed": "2026-01-01T00:00:02.5Z"}
        reader.feed(json.dumps({"vertexes": [step | ({"cached": True} if cached else {})]}))
    assert reader.vertices["v"].cached
    assert reader.vertices["v"].seconds == 4


def test_warnings_of_buildkit():
    first = progress("buildkit", "good").warnings[0]
    assert first.short.startswith("FromAsCasing: ")
    assert (first.line, first.end_line) == (7, 7)
    assert first.url.startswith("https://docs.docker.com/")
    assert not progress("docker-20.10", "good").warnings


def test_a_step_that_was_running():
    gone = progress("buildkit", "gone")
    assert any(one.running for one in gone.vertices.values())
    assert gone.lines[-1].startswith("ERROR: ")


@pytest.mark.parametrize("case", ["docker-20.10-failing", "buildkit-failing", "buildkit-unread-cache"])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_parts_of_any_size_say_the_same(case: str, size: int):
    text = (FOLDER / f"{case}.txt").read_text()
    whole, parts = Progress.of(text), Progress()
    for start in range(0, len(text), size):
        parts.feed(text[start : start + size])
    parts.end()
    assert (parts.vertices, parts.warnings, parts.lines) == (whole.vertices, whole.warnings, whole.lines)


def test_lines_are_shown_when_they_are_complete():
    shown = Progress().feed(printed("docker-20.10", "failing"))
    assert "before" in shown
    assert any("RUN echo before" in line for line in shown)
    [cached] = [line for line in Progress().feed(printed("docker-20.10", "again")) if "WORKDIR" in line and "cached" in line]
    assert cached


def test_a_line_in_two_parts_is_one():
    reader = Progress()
    assert reader.feed(log("token=abc")) == []
    assert reader.feed(log("def\nrest")) == ["token=abcdef"]
    assert reader.vertices["v"].log == "token=abcdef\nrest"


def log(text: str) -> str:
    data = base64.b64encode(text.encode()).decode()
    return json.dumps({"logs": [{"vertex": "v", "data": data}]}, indent=2) + "\n"


def test_of_a_long_log_the_end_is_kept():
    reader = Progress()
    for number in range(LONG // 10):
        reader.feed(log(f"{number:09}\n"))
    kept = reader.vertices["v"].log
    assert len(kept) < LONG
    assert kept.endswith(f"{LONG // 10 - 1:09}\n")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a\nb", ["a", "b"]),
        ('{"vertexes": [', []),
        ('{"vertexes": [\n{\n  "logs": []\n}\nERROR: x\n', ["ERROR: x"]),
        ("{}{}\nERROR: x\n", ["ERROR: x"]),
        ('{"vertexes": 3, "logs": {"a": 1}, "warnings": [null, 3]}\nx', ["x"]),
        ('{"warnings": [{"short": 3, "detail": 4, "range": [{"start": {"line": "x"}}]}]}\nx', ["x"]),
        ('{"vertexes": [{"digest": "a", "started": "never", "completed": "9999-99-99T99:99:99Z"}]}\nx', ["x"]),
    ],
)
def test_anything_else(text: str, lines: list[str]):
    assert Progress.of(text).lines == lines


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["digest", "name", "started", "completed", "error", "vertex", "data", "short", "range", "line"])
        | st.text(max_size=5),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)
statuses = st.dictionaries(st.sampled_from(["vertexes", "logs", "warnings", "statuses"]), json_values)


@given(st.lists(statuses | st.text(max_size=30), max_size=6))
def test_nothing_raises(parts: list[object]):
    text = "\n".join(one if isinstance(one, str) else json.dumps(one, indent=2) for one in parts)
    reader = Progress.of(text)
    for vertex in reader.vertices.values():
        assert vertex.seconds >= 0
        assert isinstance(vertex.log, str)
