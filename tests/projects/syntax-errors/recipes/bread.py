"""Bread: this file is as it should be."""

FLOUR_GRAMS = 500


def water_for(hydration: float) -> float:
    """Return the grams of water for a hydration such as 0.7."""
    return FLOUR_GRAMS * hydration
