"""Random-looking strings that are not a secret: hashes in known places, and data.

Detectors of random-looking strings find every hash. A string is only called harmless if the kind of its file, the text
beside it and its own form agree: a token in the same place has another form and stays a secret. Detectors of one kind of
credential are never overruled.
"""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final, NamedTuple

from ci_action.engine.secret_scan.events import Text
from ci_action.project.file_kinds import PRE_COMMIT_FILES, PYTHON, is_lock, is_test, is_workflow

ENTROPY: Final = frozenset({"Base64 High Entropy String", "Hex High Entropy String"})
"""The types of strings that only look random."""

_DATA: Final = (
    ".json", ".jsonl", ".ndjson", ".geojson", ".topojson", ".har", ".map",
    ".csv", ".tsv", ".lock", ".svg", ".ipynb", ".snap", ".ambr",
)  # fmt: skip
_DATA_FOLDERS: Final = frozenset({
    "fixtures", "_fixtures", "__fixtures__", "testdata", "test_data", "test-data", "cassettes",
    "snapshots", "__snapshots__", "golden", "goldens",
})  # fmt: skip
# A file with such a name is made to hold secrets, whatever its kind.
_SECRETIVE: Final = re.compile(
    r"secret|credential|passw|token|service[_-]?account|\.env|\.key$", re.IGNORECASE
)
# Between a name and its value.
_IS: Final = r"[\"']?\]?\s*(?:=>|[:=])\s*[\"'b(]*$"
# A name of a value like these is that of a credential.
_CREDENTIAL: Final = re.compile(
    r"(?:secret|token|passw|pwd|credential|private|api[_-]?key|access[_-]?key|auth(?!or(?!i[sz]))|bearer|session)"
    rf"[\w.-]*{_IS}",
    re.IGNORECASE,
)
_NAME: Final = re.compile(rf"([\w.-]+){_IS}")
_WORD: Final = re.compile(r"[a-z]+(?:[_-][a-z]+)*")
_COMMIT: Final = r"[0-9a-f]{40}"
_DIGEST: Final = r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})"
_BASE64: Final = "[A-Za-z0-9+/]"
_SRI: Final = (
    rf"(?:sha1-{_BASE64}{{27}}=|sha256-{_BASE64}{{43}}=|sha384-{_BASE64}{{64}}|sha512-{_BASE64}{{86}}==)"
)
_END: Final = r"[\"']?\s*(?:$|#|[,}])"
_ID: Final = r"[0-9a-f]{12}"


class _Known(NamedTuple):
    """A place of hashes: kind of the file, text before and after the value on its line, and the form of the value."""

    reason: str
    file: Callable[[str, Text], bool]
    before: re.Pattern[str]
    form: re.Pattern[str]
    after: re.Pattern[str]


def _is_pre_commit(path: str, _: Text) -> bool:
    return path.rpartition("/")[2] in PRE_COMMIT_FILES


def _is_alembic(path: str, text: Text) -> bool:
    """Whether a file is a revision of Alembic: it names its own id and that of the revision before."""
    return path.endswith(PYTHON) and all(name.search(text.raw) for name in _REVISION_NAMES)


_REVISION_NAMES: Final = tuple(
    re.compile(rf"^{name}(?:\s*:[^=\n]+)?\s*=", re.MULTILINE) for name in ("revision", "down_revision")
)
_KNOWN: Final = (
    _Known(
        "the commit of a pre-commit hook",
        _is_pre_commit,
        re.compile(r"(?:^|[\s{,-])rev:\s*[\"']?$"),
        re.compile(_COMMIT),
        re.compile(_END),
    ),
    _Known(
        "a commit in a workflow",
        lambda path, _: is_workflow(path),
        re.compile(r"(?:^|[\s{,-])(?:ref:\s*[\"']?|uses:\s*[\"']?[\w./-]+@)$"),
        re.compile(_COMMIT),
        re.compile(_END),
    ),
    _Known(
        "the id of an Alembic revision",
        _is_alembic,
        re.compile(
            rf"^(?:revision|down_revision|depends_on)(?:\s*:[^=]+)?\s*=\s*[(\[]?(?:\s*[\"']{_ID}[\"']\s*,)*\s*[\"']$"
        ),
        re.compile(_ID),
        re.compile(r"[\"']"),
    ),
    _Known(
        "a hash in a lock file",
        lambda path, _: is_lock(path),
        re.compile(
            r"(?:[\w-]*hash(?:es)?|sha\d+|md5|blake2\w*|checksum|integrity|digest|rev|resolved)[\"']?\s*[:=]\s*[\[{]?\s*[\"']?"
            r"(?:sha\d+[:-])?$",
            re.IGNORECASE,
        ),
        re.compile(f"{_DIGEST}|{_SRI}"),
        re.compile(r"[\"']?\s*(?:$|#|[,}\]])"),
    ),
    _Known(
        "an integrity hash",
        lambda *_: True,
        re.compile(r"\bintegrity[\"']?\s*[:=]\s*[\"']?$"),
        re.compile(_SRI),
        re.compile(r"[\"']|\s*(?:$|[,}])"),
    ),
)


def why_harmless(path: str, text: Text, value: str, lines: Iterable[int]) -> str:
    """Return what a random-looking string is, on each line that has it; empty if it may be a secret."""
    fitting = (known for known in _KNOWN if known.form.fullmatch(value) and known.file(path, text))
    every = [text.line(line) for line in lines]
    return next((known.reason for known in fitting if all(_fits(known, one, value) for one in every)), "")


def _fits(known: _Known, line: str, value: str) -> bool:
    """Whether a value has the right neighbours everywhere on a line."""
    before, *rest = line.split(value)
    return bool(rest) and all(
        known.before.search(left) and known.after.match(right) for left, right in pairwise([before, *rest])
    )


def is_data(path: str) -> bool:
    """Whether a file holds data: by its kind, by a folder of fixtures, or as a file of tests other than code."""
    *folders, name = path.split("/")
    if _SECRETIVE.search(name):
        return False
    kind = name.lower().endswith(_DATA) or is_lock(path) or not _DATA_FOLDERS.isdisjoint(folders)
    return kind or (is_test(path) and "." in name and not name.endswith((*PYTHON, ".pyi")))


def names_credential(text: Text, value: str, line: int) -> bool:
    """Whether the name of a value on a line is that of a credential, or the value is not on the line as it is."""
    before, found, _ = text.line(line).partition(value)
    return not found or _CREDENTIAL.search(before) is not None


def is_named_after(text: Text, value: str, line: int) -> bool:
    """Whether a value on a line is a word of its own name, as in `OTHER_API_KEY = "other"`: elsewhere it is an ordinary word."""
    name = _NAME.search(text.line(line).rpartition(value)[0])
    return name is not None and _WORD.fullmatch(value) is not None and value in name[1].lower()
