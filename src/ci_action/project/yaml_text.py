"""YAML, read by PyYAML, which is imported where there is some: it takes as long as thirty of our own modules."""

from typing import Any


def from_yaml(text: str) -> Any:
    """Return what a text holds; raises `ValueError`, and `RecursionError` where it is nested too deeply."""
    import yaml  # noqa: PLC0415 - see the module's docstring

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
