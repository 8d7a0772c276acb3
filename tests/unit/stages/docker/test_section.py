"""The section and the outputs of the docker stage, also from the report of another run."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.builders import at, event, publication, report, run_result, stage_result, tool_result
from support.image_sample import (
    ID,
    LAYERS,
    NAME,
    SIZE,
    broken_smoke,
    docker_stage,
    exited,
    failed_build,
    foreign_docker_stage,
    many_layers,
    many_steps,
)

from ci_action.github.pull_request import NoPull
from ci_action.model.docker import BuildStep, Image
from ci_action.model.result import Skipped, StageResult, ToolResult
from ci_action.model.section import Channel, Facts, Items, Link, Look, Ours, Section, Table
from ci_action.reporters.report_json import write
from ci_action.reporters.report_json.read import outcome_of
from ci_action.reporters.report_json.schema import RunReport
from ci_action.stages.docker import OUTPUTS, SECTIONS
from ci_action.stages.docker.section import FEW

NO_PULL = NoPull("a push")
NOTHING = stage_result(tool_result(tool="build", outcome=Skipped("no Dockerfile")), stage="docker")


def section(stage: StageResult) -> Section:
    (found,) = SECTIONS(stage, NO_PULL)
    return found


def texts(line: tuple[str | Link, ...]) -> str:
    return "".join(part.text if isinstance(part, Link) else part for part in line)


def facts(stage: StageResult) -> dict[str, str]:
    rows = next(one.rows for one in section(stage).blocks if isinstance(one, Facts))
    return {name: texts(line) for name, line in rows}


def table(stage: StageResult, columns: int) -> list[tuple[str, ...]]:
    found = [one for one in section(stage).blocks if isinstance(one, Table) and len(one.head) == columns]
    return [tuple(map(texts, row)) for one in found for row in one.rows]


def steps(stage: StageResult) -> list[tuple[str, ...]]:
    return table(stage, 3)


def probes(stage: StageResult) -> list[tuple[str, ...]]:
    return table(stage, 4)


def items(stage: StageResult, *, chart: bool) -> Items | None:
    found = (one for one in section(stage).blocks if isinstance(one, Items))
    return next((one for one in found if (Channel.SUMMARY in one.on) is chart), None)


def outputs(stage: StageResult) -> tuple[str, ...]:
    return tuple(one.value(stage) for one in OUTPUTS)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (docker_stage(), (NAME, ID, str(SIZE))),
        (exited(), (NAME, ID, str(SIZE))),
        (broken_smoke(), (NAME, ID, str(SIZE))),
        (docker_stage(looked=Image(size=0)), (NAME, ID, "0")),
        (failed_build(), ("", "", "")),
        (NOTHING, ("", "", "")),
    ],
    ids=["good", "exited", "broken", "empty", "not built", "skipped"],
)
def test_the_outputs(stage: StageResult, expected: tuple[str, ...]):
    assert outputs(stage) == expected


def test_without_results_there_is_no_section():
    assert SECTIONS(NOTHING, NO_PULL) == ()


@pytest.mark.parametrize(
    ("limit", "base", "words", "look"),
    [
        (None, None, (), Look.PLAIN),
        (SIZE, None, ("within",), Look.PLAIN),
        (SIZE - 1, None, ("1 byte above",), Look.FAILED),
        (None, SIZE, ("the same",), Look.PLAIN),
        (None, SIZE + 2000, ("2 kB less",), Look.PLAIN),
        (SIZE + 5, SIZE - 1, ("within", "1 byte more"), Look.PLAIN),
    ],
)
def test_the_size_is_compared(limit: int | None, base: int | None, words: tuple[str, ...], look: Look):
    stage = docker_stage(looked=Image(size=SIZE, limit=limit, base_size=base))
    text = facts(stage)["Size"]
    assert text.removeprefix(Look.FAILED).startswith("180.8 MB")
    assert text.startswith(Look.FAILED) is (look is Look.FAILED)
    assert [word in text for word in ("within", "above", "base branch")] == [
        limit is not None and limit >= SIZE,
        look is Look.FAILED,
        base is not None,
    ]
    assert all(word in text for word in words)
    tile = section(stage).tile
    assert tile
    assert (tile.figure, tile.look) == ("180.8 MB", look)


def test_the_page_shows_the_size_beside_that_of_the_base_branch_and_the_limit():
    found = items(docker_stage(looked=Image(size=50, limit=100, base_size=25)), chart=False)
    assert found
    assert [(row.share, row.mark) for row in found.rows] == [(50, 100), (25, 100)]
    assert found.on == {Channel.PAGE}
    assert items(docker_stage(looked=Image(size=50)), chart=False) is None


def test_layers_of_the_base_image_are_one_and_empty_ones_are_left_out():
    found = items(docker_stage(), chart=True)
    assert found
    base, *own = found.rows
    assert [part for part in base.line if isinstance(part, Ours)]
    assert "3" in texts(base.line)
    assert base.figure == "119.4 MB"
    assert [texts(row.line).partition(" ")[0] for row in own] == ["COPY", "RUN", "COPY"]
    assert sum(row.share or 0 for row in found.rows) == pytest.approx(100)
    assert {base.look} != {row.look for row in own}


def test_of_many_layers_the_largest_come_first():
    few, many = (items(docker_stage(looked=Image(layers=many_layers(n))), chart=True) for n in (FEW, FEW + 1))
    assert few
    assert many
    assert few.rows[0].figure == "1 MB"
    assert many.rows[0].figure == f"{FEW + 1} MB"


def test_layers_without_content_have_no_share():
    empty = tuple(replace(one, size=0) for one in LAYERS)
    found = items(docker_stage(looked=Image(layers=empty)), chart=True)
    assert found
    assert [row.share for row in found.rows] == [0]


def test_few_steps_are_in_their_order_with_time_or_cached():
    found = steps(docker_stage())
    assert [row[0].partition("]")[0] for row in found[:4]] == [
        "[internal",
        "[build 1/4",
        "[build 2/4",
        "[build 3/4",
    ]
    assert [bool(row[1]) for row in found] == [True, False, False, True, True, True]
    assert found[3][1] == "14.6 s"
    assert facts(docker_stage())["Steps"].endswith("2 cached")


def test_of_many_steps_the_failed_one_comes_first_then_the_slowest():
    found = steps(docker_stage(Image(name=NAME, steps=many_steps(30))))
    assert found[0][0] == "[30/30] RUN make all"
    assert found[0][2].startswith(Look.FAILED)
    assert found[1][0] == "[29/30] RUN make part-28"
    assert not found[-1][1]
    assert len(found) == 30


def test_a_failed_step_has_its_line():
    rows = next(one for one in section(failed_build()).blocks if isinstance(one, Table)).rows
    (link,) = rows[-1][0]
    assert isinstance(link, Link)
    assert str(link.place) == "Dockerfile:5"
    assert rows[-1][2][0] is Look.FAILED


def test_what_was_asked_of_the_container():
    assert probes(docker_stage())[0] == ("HEALTHCHECK", "3.1 s", "4", f"{Look.PASSED}healthy")
    ((*_, answer),) = probes(exited())
    assert answer.startswith(Look.FAILED)
    assert probes(failed_build()) == []


def test_packages_that_were_audited_in_the_image():
    assert facts(docker_stage())["Python packages"] == "41 audited"
    assert "Python packages" not in facts(failed_build())


def read_back(stage: StageResult, tmp_path: Path, **changes: Any) -> StageResult:
    """Return the stage as another run reads it from the report; `changes` are of the images."""
    text = write.render(run_result(stage), publication(tmp_path, event=event()))
    raw = json.loads(text)
    for one in raw["stages"][0]["tools"]:
        if one["image"]:
            one["image"] |= changes
    entries = msgspec.json.decode(json.dumps(raw), type=RunReport).stages[0].tools
    tools = tuple(ToolResult(tool=one.name, outcome=outcome_of(one)) for one in entries)
    return StageResult(stage="docker", tools=tools)


@pytest.mark.parametrize("stage", [docker_stage(), failed_build(), exited(), broken_smoke()])
def test_the_section_can_be_drawn_from_the_report(tmp_path: Path, stage: StageResult):
    read = read_back(stage, tmp_path)
    assert SECTIONS(read, NO_PULL) == SECTIONS(stage, NO_PULL)
    assert outputs(read) == outputs(stage)


@pytest.mark.parametrize(
    ("path", "line", "place"),
    [
        ("app/Dockerfile", 3, "app/Dockerfile:3"),
        ("/etc/passwd", 3, None),
        ("", 3, None),
        ("Dockerfile", -1, "Dockerfile"),
        ("Dockerfile", 10**12, "Dockerfile"),
    ],
)
def test_a_foreign_place_is_checked(tmp_path: Path, path: str, line: int, place: str | None):
    one = BuildStep(name="RUN x", seconds=1, place=at(path, line, column=4))
    stage = read_back(docker_stage(Image(steps=(one,))), tmp_path)
    found = stage.tools[1].outcome.image
    assert found
    assert [step.place and str(step.place) for step in found.steps] == [place]


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": [{"name": "RUN x", "seconds": 1, "place": {"path": "../x"}}]},
        {"steps": [{"name": "RUN x", "seconds": -1}]},
        {"size": -1},
        {"limit": 10**19},
        {"base_size": "1"},
        {"layers": [{"command": "RUN x", "size": -1, "own": True}]},
        {"probes": [{"name": "x", "answer": "y", "seconds": 1, "tries": -1}]},
    ],
    ids="".join,
)
def test_a_foreign_image_is_checked(tmp_path: Path, changes: dict[str, Any]):
    with pytest.raises(ValueError, match=r"path|Expected"):
        read_back(docker_stage(), tmp_path, **changes)


def test_a_skipped_tool_has_no_image(tmp_path: Path):
    text = write.render(run_result(docker_stage()), publication(tmp_path, event=event()))
    entry = msgspec.json.decode(text, type=RunReport).stages[0].tools[1]
    entry.outcome = "skipped"
    with pytest.raises(ValueError, match="skipped"):
        outcome_of(entry)


def test_every_text_is_foreign():
    text = "<b>x</b>"
    blocks = section(foreign_docker_stage(text)).blocks
    assert repr(blocks).count(text) >= 8
    assert not [part for part in _parts(blocks) if isinstance(part, Ours) and text in part]


def _parts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple | list):
        return [part for one in value for part in _parts(one)]
    if isinstance(value, msgspec.Struct):
        return [part for one in msgspec.structs.astuple(value) for part in _parts(one)]
    return []


def test_results_of_two_tools_are_one_image():
    looked = tool_result(tool="image", outcome=report(image=Image(size=5, limit=9)))
    built = tool_result(tool="build", outcome=report(image=Image(name=NAME, id=ID, limit=None)))
    assert outputs(stage_result(looked, built, stage="docker")) == (NAME, ID, "5")


@pytest.mark.parametrize(("image", "notes"), [(Image(name=NAME), ["stayed up"]), (None, [])])
def test_what_the_tools_note_about_the_image(image: Image | None, notes: list[str]):
    noting = tool_result(tool="smoke", outcome=report(image=image, details=("stayed up",)))
    found = SECTIONS(stage_result(noting, stage="docker"), NO_PULL)
    shown = [one for part in found for one in part.blocks if isinstance(one, Items)]
    assert [texts(row.line) for one in shown for row in one.rows] == notes
    assert all(Channel.CONSOLE in one.on for one in shown)
