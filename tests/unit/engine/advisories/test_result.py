"""Results of an audit: the outcome, messages, upgrades, new and accepted problems."""

import json
from datetime import date
from typing import Any

import pytest
from support.paths import GOLDEN

from ci_action.engine.advisories.audit import Audit
from ci_action.engine.advisories.osv import Record, record_of
from ci_action.engine.advisories.output import Advisory, failure_of
from ci_action.engine.advisories.result import Judgement, upgrade_of
from ci_action.engine.hints import Facts, recognise
from ci_action.model.finding import Finding, Level, Location
from ci_action.model.result import Broken, Counted, Report
from ci_action.project.dependencies.inventory import Inventory, Kind, Needed, Unauditable
from ci_action.settings.types import IgnoredVulnerability
from ci_action.stages import load

ADVISORIES = GOLDEN / "advisories"
RECORDS: dict[str, Record] = {
    file.stem: found
    for file in ADVISORIES.glob("*.json")
    if (found := record_of(json.loads(file.read_text())))
}
REQUESTS = Needed(name="requests", version="2.19.0", location=Location(path="uv.lock", line=3), direct=True)
URLLIB3 = Needed(
    name="urllib3",
    version="1.26.4",
    location=Location(path="uv.lock", line=9),
    parents=("requests",),
    direct=False,
)
SLOW = Advisory(
    id="PYSEC-2021-108",
    aliases=("CVE-2021-33503", "GHSA-q2q7-5pp4-w6pg"),
    fixed_in=("1.26.5",),
    summary="slow",
)


def inventory(*packages: Needed, **overrides) -> Inventory:
    return Inventory(
        **{"kind": Kind.UV, "source": "uv.lock", "packages": packages or (REQUESTS, URLLIB3), **overrides}
    )


def judgement(**overrides) -> Judgement:
    found = {REQUESTS.key: (), URLLIB3.key: (SLOW,)}
    values = {
        "inventory": inventory(),
        "audit": Audit(audited=found),
        "records": RECORDS,
        "today": date(2026, 6, 30),
    }
    return Judgement(**{**values, **overrides})


def reported(one: Judgement) -> tuple[Finding, ...]:
    outcome = one.outcome("")
    assert isinstance(outcome, Report)
    return outcome.findings


def test_one_sentence_holds_it_all(wording: Any):
    (found,) = reported(judgement())
    assert found.message == wording
    assert (found.rule, found.severity, found.level, str(found.location)) == (
        "PYSEC-2021-108",
        "high",
        Level.WARNING,
        "uv.lock:9",
    )
    assert found.url == "https://osv.dev/vulnerability/PYSEC-2021-108"
    assert found.package is not None
    assert (found.package.parents, found.package.direct, found.package.fixed_in) == (
        ("requests",),
        False,
        ("1.26.5",),
    )
    assert found.package.upgrade == "uv lock --upgrade-package 'urllib3>=1.26.5'"


def test_what_was_not_audited_warns_and_has_no_level(wording: Any):
    audit = Audit(audited={REQUESTS.key: ()}, missed={URLLIB3.key: "it answered with HTTP 500"})
    elsewhere = Unauditable(name="six", reason="it comes from a repository\n::error::x")
    outcome = judgement(audit=audit, inventory=inventory(unauditable=(elsewhere,))).outcome("")
    assert isinstance(outcome, Report)
    assert outcome.examined == {"packages": 1, "skipped": 2}
    assert [(one.rule, one.severity, one.level, one.message) for one in outcome.findings] == [
        ("not-audited", "", Level.WARNING, "urllib3 1.26.4 was not audited: it answered with HTTP 500"),
        ("not-audited", "", Level.WARNING, wording),
    ]


def test_none_audited_is_broken_and_says_it_once(wording: Any):
    audit = Audit(missed=dict.fromkeys((REQUESTS.key, URLLIB3.key), "S refused the connection"))
    outcome = judgement(audit=audit).outcome("detail")
    assert outcome == Broken(
        wording,
        "detail",
        examined={Counted.PACKAGES: 0, Counted.SKIPPED: 2},
    )


def test_only_what_no_index_holds_is_broken_too(wording: Any):
    elsewhere = (Unauditable(name="six", reason="it comes from a repository"),)
    empty = Inventory(kind=Kind.UV, source="uv.lock", unauditable=elsewhere)
    outcome = judgement(inventory=empty, audit=Audit()).outcome("")
    assert isinstance(outcome, Broken)
    assert outcome.reason == wording


def test_what_was_found_before_the_time_was_over_is_kept(wording: Any):
    audit = Audit(
        audited={URLLIB3.key: (SLOW,)}, missed={REQUESTS.key: "the time limit was reached"}, late=True
    )
    outcome = judgement(audit=audit).outcome("")
    assert isinstance(outcome, Broken)
    assert [one.rule for one in outcome.findings] == ["PYSEC-2021-108", "not-audited"]
    assert outcome.reason == wording


def test_a_package_of_which_an_advisory_was_left_out_is_not_wholly_audited():
    audit = Audit(audited={REQUESTS.key: (), URLLIB3.key: (SLOW,)}, missed={URLLIB3.key: "left out"})
    outcome = judgement(audit=audit).outcome("")
    assert isinstance(outcome, Report)
    assert ([one.rule for one in outcome.findings], outcome.examined[Counted.PACKAGES]) == (
        ["PYSEC-2021-108", "not-audited"],
        1,
    )


OLDER = Needed(name="urllib3", version="1.26.3")


@pytest.mark.parametrize(
    ("before", "audited", "new"),
    [
        (None, {}, None),
        (inventory(URLLIB3), {}, False),
        (inventory(OLDER), {OLDER.key: (Advisory(id="CVE-2021-33503"),)}, False),
        (inventory(OLDER), {OLDER.key: (Advisory(id="CVE-2000-1"),)}, True),
        (inventory(OLDER), {OLDER.key: ()}, True),
        (inventory(OLDER), {}, True),
        (inventory(REQUESTS), {}, True),
    ],
)
def test_what_the_change_brought(before, audited, new):
    audit = Audit(audited={REQUESTS.key: (), URLLIB3.key: (SLOW,), **audited})
    assert [one.new for one in reported(judgement(base=before, audit=audit))] == [new]


def test_a_base_that_could_not_be_audited_is_told(wording: Any):
    audit = Audit(audited={REQUESTS.key: (), URLLIB3.key: (SLOW,)}, missed={OLDER.key: "HTTP 500"})
    one = judgement(base=inventory(OLDER), audit=audit)
    assert list(one.warnings()) == [wording]
    assert "not-audited" not in {found.rule for found in reported(one)}
    audit = Audit(audited={REQUESTS.key: (), URLLIB3.key: ()}, missed={OLDER.key: "HTTP 500"})
    assert list(judgement(base=inventory(OLDER), audit=audit).warnings()) == []


def accepted(until: str, name: str = "cve-2021-33503") -> IgnoredVulnerability:
    return IgnoredVulnerability(
        package="urllib3", id=name, expires=date.fromisoformat(until), reason="no proxy"
    )


@pytest.mark.parametrize(
    ("until", "rules", "muted", "text"),
    [
        ("2026-07-01", ["PYSEC-2021-108"], "accepted until 2026-07-01: no proxy", ""),
        (
            "2026-06-15",
            ["PYSEC-2021-108", "expired-ignore"],
            "accepted until 2026-06-15, which is over: no proxy",
            "",
        ),
        ("2026-01-01", ["PYSEC-2021-108"], "", "it was accepted until 2026-01-01: no proxy"),
    ],
)
def test_accepted_ones(until, rules, muted, text):
    findings = reported(judgement(acceptances=(accepted(until),)))
    assert ([one.rule for one in findings], findings[0].muted) == (rules, muted)
    assert text in findings[0].message
    assert all(one.severity == "" and not one.muted for one in findings[1:])


def test_what_nothing_needs_is_told_only_where_all_was_audited():
    entries = (accepted("2026-07-01"), accepted("2026-07-01", "CVE-1"))
    assert list(judgement(acceptances=entries).warnings()) == [
        "unused entry 'urllib3 CVE-1' in ignore-vulnerabilities: remove it"
    ]
    part = Audit(audited={URLLIB3.key: (SLOW,)}, missed={REQUESTS.key: "x"})
    assert list(judgement(acceptances=entries, audit=part).warnings()) == []


def test_a_record_that_cannot_be_had_is_told_with_the_number(wording: Any):
    one = judgement(records={})
    assert [found.severity for found in reported(one)] == ["unknown"]
    assert list(one.warnings()) == [wording]


def test_hostile_text_is_one_line_without_controls():
    advisory = Advisory(id="X\n::error::\x1b[31m", summary="a\r\n::warning::b")
    (found,) = reported(
        judgement(audit=Audit(audited={REQUESTS.key: (), URLLIB3.key: (advisory,)}), records={})
    )
    assert not {"\n", "\r", "\x1b"} & set(found.message + found.url)


@pytest.mark.parametrize(
    ("kind", "overrides"),
    [
        (Kind.UV, {}),
        (Kind.POETRY, {}),
        (Kind.PDM, {}),
        (Kind.PIPENV, {}),
        (
            Kind.PYLOCK,
            {},
        ),
        (Kind.ENVIRONMENT, {}),
        (Kind.REQUIREMENTS, {"named": True, "pinned": True}),
        (Kind.METADATA, {"named": True}),
        (Kind.METADATA, {}),
        (Kind.METADATA, {"location": None}),
    ],
)
def test_the_way_out(kind, overrides, wording: Any):
    needed = Needed(
        **{
            "name": "urllib3",
            "version": "1",
            "location": Location(path="r.txt"),
            "parents": ("requests",),
            "direct": False,
            **overrides,
        }
    )
    assert upgrade_of(needed, "2.2", inventory(REQUESTS, needed, kind=kind, source="the files")) == wording
    assert upgrade_of(needed, "", inventory(needed, kind=kind)) == ""


def test_a_compiled_file_is_compiled_anew():
    needed = Needed(
        name="urllib3", version="1", location=Location(path="back/r.txt", line=1), named=True, pinned=True
    )
    found = inventory(needed, kind=Kind.REQUIREMENTS, compiled={"back/r.txt": "r.in"})
    assert (
        upgrade_of(needed, "2.2", found)
        == "uv pip compile r.in --output-file=r.txt --upgrade-package 'urllib3>=2.2'"
    )


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("ProxyError", "advisories-proxy"),
        ("SSLError", "advisories-certificate"),
        ("NameResolutionError", "advisories-unreachable"),
        ("Connection refused", "advisories-unreachable"),
        ("ConnectTimeout", "advisories-unreachable"),
    ],
)
def test_the_hints_of_the_stage_match_our_own_messages(error: str, hint: str):
    failure = failure_of(error, "api.osv.dev")
    assert failure is not None
    outcome = judgement(audit=Audit(missed=dict.fromkeys((REQUESTS.key, URLLIB3.key), failure.text))).outcome(
        ""
    )
    assert isinstance(outcome, Broken)
    found = recognise(outcome.reason, Facts(tool="pip-audit"), load("security").hints)
    assert [one.name for one in found] == [hint]
