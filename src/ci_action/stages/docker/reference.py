"""Names of images, by the grammar of the registries (https://pkg.go.dev/github.com/distribution/reference)."""

import re
from typing import Final

_PART: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_REFERENCE: Final = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_PART}(?:/{_PART})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?", re.ASCII
)
_ID: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST: Final = 255
_LATEST: Final = "latest"


def wrong_reference(text: str) -> str:
    """Return what is wrong with the name of an image to build, with what to write instead; empty for a valid one."""
    if "@" in text:
        return "an image has no digest before it is pushed; write a name with a tag"
    found = _REFERENCE.fullmatch(text)
    if found is None or len(found["name"]) > _LONGEST or _ID.fullmatch(found["name"]):
        lower = _REFERENCE.fullmatch(text.lower())
        case = "; the name must be in lower case" if lower and not found else ""
        return f"not a valid image name, such as `org/app:1.2.3`{case}"
    return ""


def with_tag(reference: str) -> str:
    """Return a valid name of an image with its tag, which is `latest` without one."""
    found = _REFERENCE.fullmatch(reference)
    return reference if found is None or found["tag"] else f"{reference}:{_LATEST}"
