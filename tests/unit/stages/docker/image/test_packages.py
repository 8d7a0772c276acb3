"""The audit of the packages of an image."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.builders import at, context, write
from support.paths import GOLDEN

from ci_action.engine.advisories.audit import Audit
from ci_action.engine.advisories.lookup import Answers
from ci_action.engine.advisories.osv import record_of
from ci_action.engine.advisories.output import Advisory
from ci_action.model.finding import Level
from ci_action.stages.docker.image.contents import Installed
from ci_action.stages.docker.image.packages import Audited, asked, audited, inventory_of

SITE = "/usr/local/lib/python3.13/site-packages"


def installed(name: str, version: str = "1.0", **overrides: Any) -> Installed:
    where = overrides.pop("where", SITE)
    values = {"path": f"{where}/{name}-{version}.dist-info/METADATA", "layer": 0, **overrides}
    return Installed(name=name, version=version, **values)


def inventory(*found: Installed, own: frozenset[str] = frozenset()):
    return inventory_of(found, own, lambda layer: at("Dockerfile", layer + 1))


def test_a_version_is_asked_once_and_named_with_its_places():
    result, skipped = inventory(
        installed("Requests", "2.19.0", layer=3, where="/venv"),
        installed("requests", "2.19", layer=2),
        installed("requests", "2.32.0"),
    )
    assert skipped == 0
    assert [(one.key, one.folder, one.location) for one in result.packages] == [
        (("requests", "2.32.0"), SITE, at("Dockerfile", 1)),
        (("requests", "2.19"), SITE, at("Dockerfile", 3)),
        (("requests", "2.19.0"), "/venv", at("Dockerfile", 4)),
    ]
    (one,) = inventory(installed("x", where="/venv", layer=3), installed("x"))[0].packages
    assert (one.folder, one.location) == (f"{SITE}, /venv", at("Dockerfile", 1))


def test_the_project_itself_is_not_asked():
    result, skipped = inventory(
        installed("my_app"),
        installed("other", origin="dir_info"),
        installed("six"),
        own=frozenset({"my-app"}),
    )
    assert ([one.name for one in result.packages], skipped) == (["six"], 2)


@pytest.mark.parametrize(
    "one",
    [
        installed("x", "", path="/s/x.dist-info/METADATA"),
        installed("x", "1", origin="vcs_info"),
        installed("x", "not a version"),
        installed("--option", "1"),
        installed("a b\nc", "1"),
    ],
)
def test_what_no_service_can_answer(one: Installed):
    result, _ = inventory(one)
    assert not result.packages
    assert len(result.unauditable) == 1


ADVISORY = Advisory(
    id="PYSEC-2018-28", aliases=("CVE-2018-18074", "GHSA-x84v-xcm2-53pg"), fixed_in=("2.20.0",), summary="x"
)
RECORDS = {
    file.stem: found
    for file in (GOLDEN / "advisories").glob("*.json")
    if (found := record_of(json.loads(file.read_text())))
}


@dataclass
class Auditing:
    """Audits packages with these answers, in a context of this folder."""

    folder: Path

    def __call__(
        self, *found: Installed, missed: str = "", problems: tuple[str, ...] = (), **settings: Any
    ) -> Audited:
        result, _ = inventory(*found)
        keys = [one.key for one in result.packages]
        known = {key: (ADVISORY,) * (key[0] == "requests") for key in keys}
        answers = Audit(missed=dict.fromkeys(keys, missed)) if missed else Audit(audited=known)
        ctx = context(self.folder, settings=settings, today=date(2026, 6, 30))
        return audited(ctx, result, Answers(audit=answers, records=RECORDS), problems, at("Dockerfile", 9))


@pytest.fixture
def audit(tmp_path: Path) -> Auditing:
    return Auditing(write(tmp_path / "w", {"x": ""}))


def test_a_vulnerable_package(audit: Auditing):
    found = audit(installed("requests", "2.19.0", layer=4), installed("six"))
    (one,) = found.findings
    assert (one.tool, one.rule, one.severity, str(one.location)) == (
        "image",
        "vulnerable-package",
        "high",
        "Dockerfile:5",
    )
    assert one.package is not None
    assert one.package.advisories[0] == "PYSEC-2018-28"
    assert one.package.fixed_in == ("2.20.0",)
    assert SITE in one.message
    assert "requests" in one.package.upgrade
    assert (found.packages, found.skipped) == (2, 0)


def test_an_accepted_vulnerability_is_muted(audit: Auditing):
    ignored = "requests CVE-2018-18074 2999-12-31 why"
    (one,) = audit(installed("requests", "2.19.0"), ignore_vulnerabilities=ignored).findings
    assert one.muted


@pytest.mark.parametrize(
    ("fail_on", "level"), [("never", Level.WARNING), ("high", Level.ERROR), ("new", Level.ERROR)]
)
def test_one_finding_for_all_that_was_not_audited(fail_on: str, level: Level, audit: Auditing):
    several = [installed(f"p{number}") for number in range(40)]
    found = audit(*several, missed="it hung up", problems=("layer 3: cut",), fail_on=fail_on)
    (one,) = found.findings
    assert (one.rule, one.level, one.severity, one.line) == ("not-audited", level, "", 9)
    for word in ("40 of 40", "it hung up", "p0 1.0", "layer 3: cut"):
        assert word in one.message
    assert (found.packages, found.skipped) == (0, 40)


def test_a_layer_that_could_not_be_read_is_enough(audit: Auditing):
    assert [one.rule for one in audit(problems=("layer 1: x",)).findings] == ["not-audited"]
    assert audit().findings == ()


def test_without_pip_audit_everything_is_missed(tmp_path: Path):
    (tmp_path / "w").mkdir()
    result, _ = inventory(installed("six"))
    answers = asked(context(tmp_path / "w"), result)
    assert set(answers.audit.missed) == {("six", "1.0")}
    assert asked(context(tmp_path / "w"), inventory()[0]) == Answers(audit=Audit(), records={})
