"""Dockerfiles with configurations of hadolint, and what it printed about them: kept runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from support.builders import completed
from support.paths import GOLDEN

from ci_action.system.process import Completed

FOLDER: Final = GOLDEN / "hadolint"
VERSION: Final = "2.15.1"
CLEAN: Final = 'FROM python:3.13-slim\nUSER 1000\nCMD ["shop"]\n'
BAD: Final = "FROM debian\nRUN apt-get install curl\nRUN cd /srv && echo $HOME\n"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A Dockerfile with a configuration of hadolint."""

    source: str = BAD
    config: str = "{}\n"


CASES: Final[Mapping[str, Case]] = {
    "clean": Case(source=CLEAN),
    "findings": Case(),
    "unparsable": Case(source="FROM debian:13\nRUN --mount=type=cache,target=/x pip install .\nFRO x\n"),
    "levels": Case(config="override:\n  error: [DL3015]\n  style: [DL3006]\nignored: [SC2086, DL3008]\n"),
    "format": Case(config="format: sarif\nno-fail: true\n"),
    "threshold": Case(config="failure-threshold: error\n"),
    "wrong-value": Case(config="ignored: DL3008\n"),
    "wrong-quotes": Case(config="ignored: *all\n"),
    "wrong-syntax": Case(config="ignored: [\n"),
    "wrong-empty": Case(config=""),
}


def kept_run(case: str) -> Completed:
    """Return how hadolint ended for a case."""
    found = json.loads((FOLDER / f"{VERSION}-{case}.json").read_text("utf-8"))
    return completed(found["stdout"], found["stderr"], found["returncode"])
