"""Compares our messages with golden files, which are rewritten after a change of wording.

`assert found.reason == wording` compares with what `tests/golden/wording` has for this test, in the order in which it asks.
After a wanted change: `python tests/golden/capture_wording.py [FILE]...`, and read the difference.
"""

import json
from pathlib import Path
from typing import Final

from support.paths import GOLDEN, TESTS

FOLDER: Final = GOLDEN / "wording"
CAPTURE: Final = "--capture-wording"
Texts = str | list["Texts"]


def golden_of(module: Path) -> Path:
    """Return the golden file of a module of tests."""
    return FOLDER / module.relative_to(TESTS).with_suffix(".json")


class Wording:
    """The golden texts of one test: equal to a text, or to a list of texts, if the golden file has the same next."""

    __hash__ = None  # type: ignore[assignment]  # equality depends on the number of comparisons before

    def __init__(self, known: list[Texts] | None, folder: str) -> None:
        self.seen: list[Texts] = []
        self._known = known
        self._folder = folder

    def __eq__(self, other: object) -> bool:
        text = self._plain(other)
        self.seen.append(text)
        return self._known is None or self._known[len(self.seen) - 1 : len(self.seen)] == [text]

    def __repr__(self) -> str:
        """Show the expected text of the last comparison."""
        return f"wording {(self._known or [])[max(0, len(self.seen) - 1) :][:1]}"

    def _plain(self, value: object) -> Texts:
        if isinstance(value, str):
            return value.replace(self._folder, "FOLDER") if self._folder else value
        assert isinstance(value, list | tuple), f"wording is of texts, not of {value!r}"
        return [self._plain(one) for one in value]


class Book:
    """The golden files of a session: read once each, or collected to be rewritten."""

    def __init__(self, *, capture: bool) -> None:
        self.capture = capture
        self._known: dict[Path, dict[str, list[Texts]]] = {}
        self._collected: dict[Path, dict[str, list[Texts]]] = {}

    def of(self, module: Path, test: str, folder: str) -> Wording:
        """Return the golden texts of a test."""
        if self.capture:
            return Wording(None, folder)
        if module not in self._known:
            file = golden_of(module)
            self._known[module] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        return Wording(self._known[module].get(test, []), folder)

    def keep(self, module: Path, test: str, wording: Wording) -> None:
        """Collect the texts of a test; raises `AssertionError` if it did not compare all golden texts."""
        if self.capture:
            if wording.seen:
                self._collected.setdefault(module, {})[test] = wording.seen
            return
        known = self._known[module].get(test, [])
        assert len(wording.seen) >= len(known), f"{test} asked for {len(wording.seen)} of {len(known)} texts"

    def write(self) -> None:
        """Rewrite the golden files."""
        for module, tests in self._collected.items():
            file = golden_of(module)
            file.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(dict(sorted(tests.items())), indent=1, ensure_ascii=False)
            file.write_text(f"{text}\n", "utf-8")
