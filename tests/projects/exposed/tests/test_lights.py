"""The lights, without a radio link."""

import pytest

from beacon.lights import name_of


def test_names_are_short() -> None:
    assert len(name_of("10.0.0.7")) == 6


def test_names_differ() -> None:
    assert name_of("10.0.0.7") != name_of("10.0.0.8")


@pytest.mark.skip(reason="no light at hand")
def test_a_light_answers() -> None:
    raise NotImplementedError


def test_names_are_pronounceable() -> None:
    assert name_of("10.0.0.7").isalpha()
