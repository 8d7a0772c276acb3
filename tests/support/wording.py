"""The sentences of our messages, which tests hold against the golden files: whoever rewords them writes those anew.

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
    """What one test expects of the wording; equal to a text, or to texts in a list, if the golden file has the same."""

    __hash__ = None  # type: ignore[assignment]  # it is no member of a set: what it equals depends on when it is asked

    def __init__(self, known: list[Texts] | None, folder: str) -> None:
        self.seen: list[Texts] = []
        self._known = known
        self._folder = folder

    def __eq__(self, other: object) -> bool:
        told = self._plain(other)
        self.seen.append(told)
        return self._known is None or self._known[len(self.seen) - 1 : len(self.seen)] == [told]

    def __repr__(self) -> str:
        """Show what was expected where the test has just been told something else."""
        return f"wording {(self._known or [])[max(0, len(self.seen) - 1) :][:1]}"

    def _plain(self, value: object) -> Texts:
        if isinstance(value, str):
            return value.replace(self._folder, "FOLDER") if self._folder else value
        assert isinstance(value, list | tuple), f"wording is of texts, not of {value!r}"
        return [self._plain(one) for one in value]


class Book:
    """The golden files of a session: read once each, or collected to be written anew."""

    def __init__(self, *, capture: bool) -> None:
        self.capture = capture
        self._known: dict[Path, dict[str, list[Texts]]] = {}
        self._collected: dict[Path, dict[str, list[Texts]]] = {}

    def of(self, module: Path, test: str, folder: str) -> Wording:
        """Return what a test expects."""
        if self.capture:
            return Wording(None, folder)
        if module not in self._known:
            file = golden_of(module)
            self._known[module] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        return Wording(self._known[module].get(test, []), folder)

    def keep(self, module: Path, test: str, wording: Wording) -> None:
        """Collect what a test was told; raises `AssertionError` if it did not ask for all that is known."""
        if self.capture:
            if wording.seen:
                self._collected.setdefault(module, {})[test] = wording.seen
            return
        known = self._known[module].get(test, [])
        assert len(wording.seen) >= len(known), f"{test} asked for {len(wording.seen)} of {len(known)} texts"

    def write(self) -> None:
        """Write the golden files anew."""
        for module, tests in self._collected.items():
            file = golden_of(module)
            file.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(dict(sorted(tests.items())), indent=1, ensure_ascii=False)
            file.write_text(f"{text}\n", "utf-8")
