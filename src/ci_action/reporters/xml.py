"""Text as XML 1.0 can hold it."""

import re
from typing import Final

# What XML 1.0 cannot hold, and what a terminal would act on.
_NOT_XML: Final = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Return text that XML 1.0 can hold: every other character becomes the replacement character."""
    return _NOT_XML.sub("\ufffd", text)
