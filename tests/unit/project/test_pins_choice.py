"""Which of several pins is taken, and what is said where they disagree."""

from typing import Any

import pytest

from ci_action.project.pins import Pin, choose

BUNDLED = "26.10.1"


def pin(specifier: str, source: str = "a", *extras: str) -> Pin:
    return Pin(specifier=specifier, source=source, extras=frozenset(extras))


@pytest.mark.parametrize(
    ("pins", "expected", "warnings"),
    [
        pytest.param([], ("", "bundled"), 0, id="no pin"),
        pytest.param([pin("")], ("", "bundled"), 0, id="named without a version"),
        pytest.param([pin("==24.1.0")], ("==24.1.0", "a"), 0, id="exact"),
        pytest.param([pin("===24.1.0")], ("===24.1.0", "a"), 0, id="arbitrary equality"),
        pytest.param([pin("==24.*")], ("==24.*", "a"), 0, id="a range without ours"),
        pytest.param([pin("==26.*")], ("", "bundled"), 0, id="a range with ours"),
        pytest.param([pin(">=24")], ("", "bundled"), 0, id="an open range with ours"),
        pytest.param([pin("<25")], ("<25", "a"), 0, id="a range below ours"),
        pytest.param([pin(f"=={BUNDLED}")], (f"=={BUNDLED}", "a"), 0, id="exactly ours"),
        pytest.param(
            [pin(">=24"), pin("==24.2", "b")], ("==24.2", "b"), 0, id="exact inside the stronger range"
        ),
        pytest.param(
            [pin("<25"), pin("==26.1", "b")], ("<25", "a"), 1, id="exact outside the stronger range"
        ),
        pytest.param([pin("==24.1"), pin("==24.2", "b")], ("==24.1", "a"), 1, id="two exact ones"),
        pytest.param([pin("==24.1"), pin("==24.1.0", "b")], ("==24.1", "a"), 0, id="the same version twice"),
        pytest.param([pin("==24.1"), pin(">=25", "b")], ("==24.1", "a"), 1, id="a weaker range forbids it"),
        pytest.param([pin("==24.1"), pin(">=24", "b")], ("==24.1", "a"), 0, id="a weaker range allows it"),
        pytest.param(
            [pin("<25"), pin("==26.1", "b"), pin("==24.3", "c")],
            ("<25", "a"),
            1,
            id="a third that a stronger one forbids",
        ),
        pytest.param([pin(">=24,<25"), pin(">=25,<26", "b")], ("<25,>=24", "a"), 0, id="two ranges"),
        pytest.param([pin("==26.1rc1")], ("==26.1rc1", "a"), 0, id="a prerelease"),
    ],
)
def test_the_choice(pins: list[Pin], expected: tuple[str, str], warnings: int):
    choice = choose("black", pins, BUNDLED)
    assert (set(choice.specifier.split(",")), choice.source) == (set(expected[0].split(",")), expected[1])
    assert len(choice.warnings) == warnings


def test_a_disagreement_names_both(wording: Any):
    (warning,) = choose(
        "black", [pin("==24.1", "uv.lock"), pin("==24.2", ".pre-commit-config.yaml: psf/black")], BUNDLED
    ).warnings
    assert warning == wording


def test_extras_of_every_pin_are_kept():
    assert choose("black", [pin("", "a", "jupyter"), pin(">=20", "b")], BUNDLED).extras == {"jupyter"}
    assert choose("black", [pin("", "a", "jupyter")], BUNDLED).extras == {"jupyter"}
