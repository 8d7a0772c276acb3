"""Foreign text in the formats of report files."""

import json
import re
from functools import cache
from typing import Any, Final

import msgspec

from ci_action.system.text import plain

_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")


def xml_text(text: str) -> str:
    """Return text that XML 1.0 can contain: every other character becomes the replacement character."""
    return text if text.isprintable() else _not_xml().sub("\ufffd", text)


@cache
def _not_xml() -> re.Pattern[str]:
    # XML 1.0 cannot contain these, or a terminal would act on them. It takes 3 ms to compile, and few texts need it.
    return re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_content(text: str) -> str:
    """Return text as the content of an XML element; `xml.sax.saxutils` does it too, but imports an HTTP client."""
    return xml_text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def xml_attribute(text: str) -> str:
    """Return text as the value of an XML attribute, in quotes: readers turn literal line breaks into spaces."""
    escaped = xml_content(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return f'"{escaped}"'


def json_text(value: Any) -> bytes:
    """Return data as JSON in ASCII: lone surrogates become the replacement character."""
    try:
        raw = msgspec.json.encode(value)
    except UnicodeEncodeError:
        raw = plain(json.dumps(msgspec.to_builtins(value), ensure_ascii=False)).encode()
    return raw if raw.isascii() else _NOT_ASCII.sub(_escaped, raw.decode()).encode()


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
