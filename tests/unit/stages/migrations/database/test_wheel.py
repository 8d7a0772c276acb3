"""The pins of the embedded servers."""

import re

import pytest

from ci_action.stages.migrations.database.wheel import WHEELS, Wheel


@pytest.mark.parametrize("wheel", WHEELS, ids=lambda wheel: wheel.version)
def test_a_pin_is_one_version_with_the_hashes_of_its_wheels(wheel: Wheel):
    first, *others = wheel.requirement.replace("\\\n", "").split()
    assert re.fullmatch(r"[a-z-]+==[\d.]+", first)
    assert len(others) >= 4  # Linux and macOS, two architectures
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in others)


def test_versions():
    assert [wheel.version for wheel in WHEELS] == ["17.10", "18.6"]
    assert [wheel.major for wheel in WHEELS] == [17, 18]
