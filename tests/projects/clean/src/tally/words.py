"""What a word is, and which ones come up most."""

import re
from collections import Counter
from collections.abc import Iterator

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a text in lower case; `don't` is one word."""
    return (match[0].lower() for match in _WORD.finditer(text))


def favourites(text: str, most: int = 5, *, shortest: int = 4) -> list[tuple[str, int]]:
    """Return the words that come up most, with their counts, short ones left out."""
    counts = Counter(word for word in words_of(text) if len(word) >= shortest)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
