"""Names of the same problem, fixed versions, accepted problems, and the address of the service."""

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.engine.advisories.osv import Record, record_of
from ci_action.engine.advisories.osv_client import address_mistakes, base_of, host_of
from ci_action.engine.advisories.output import Advisory
from ci_action.engine.advisories.result import GRACE_DAYS, accepted, unused
from ci_action.engine.advisories.vulnerabilities import grouped, mending, preference, problems_of, rated
from ci_action.settings.types import IgnoredVulnerability


def record(name: str = "PYSEC-1", **document) -> Record:
    found = record_of({"id": name, **document})
    assert found is not None
    return found


def affected(*events: dict[str, str], name: str = "a") -> dict[str, object]:
    return {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
    }


def advisory(*names: str, fixed: tuple[str, ...] = ()) -> Advisory:
    return Advisory(id=names[0], aliases=names[1:], fixed_in=fixed, summary=f"about {names[0]}")


def ids(groups: list[list[Advisory]]) -> set[frozenset[str]]:
    return {frozenset(one.id for one in group) for group in groups}


def test_one_problem_with_many_names_is_one_whatever_the_order():
    every = [
        advisory("PYSEC-1", "CVE-1"),
        advisory("GHSA-1", "CVE-1", "CVE-2"),
        advisory("X-1", "CVE-2"),
        advisory("PYSEC-2", "CVE-3"),
    ]
    for order in permutations(every):
        assert ids(grouped(order)) == {frozenset({"PYSEC-1", "GHSA-1", "X-1"}), frozenset({"PYSEC-2"})}


def test_a_record_may_join_what_shares_no_name():
    every = [advisory("PYSEC-1"), advisory("GHSA-1")]
    assert len(grouped(every)) == 2
    assert len(grouped(every, [record("GHSA-1", aliases=["PYSEC-1"])])) == 1
    assert len(grouped(every, [record("GHSA-1", aliases=["PYSEC-1"], withdrawn="2021-01-01")])) == 2


NAMES = st.sampled_from([f"{kind}-{number}" for kind in ("PYSEC", "GHSA", "CVE", "X") for number in range(4)])


@given(st.lists(st.lists(NAMES, min_size=1, max_size=3, unique=True), max_size=8), st.randoms())
def test_groups_are_closed_and_do_not_depend_on_the_order(lists, random):
    every = [advisory(*names) for names in lists]
    shuffled = random.sample(every, len(every))
    groups = grouped(every)
    assert ids(groups) == ids(grouped(shuffled))
    assert sum(map(len, groups)) == len(every)
    names = [{one for found in group for one in (found.id, *found.aliases)} for group in groups]
    assert all(not names[a] & names[b] for a in range(len(names)) for b in range(a))


def test_what_a_problem_is_called():
    names = ["CVE-1", "X-9", "GHSA-2", "PYSEC-2", "PYSEC-1", "GHSA-1"]
    assert sorted(names, key=preference) == ["PYSEC-1", "PYSEC-2", "GHSA-1", "GHSA-2", "CVE-1", "X-9"]
    (problem,) = problems_of("a", "1", [advisory("CVE-1", "X-1"), advisory("GHSA-1", "CVE-1")], {})
    assert (problem.id, problem.ids, problem.severity, problem.unrated) == (
        "GHSA-1",
        ("GHSA-1", "CVE-1", "X-1"),
        "unknown",
        True,
    )


def test_the_worst_of_the_group_counts_and_the_withdrawn_does_not():
    records = {
        "PYSEC-1": record("PYSEC-1", database_specific={"severity": "LOW"}),
        "GHSA-1": record("GHSA-1", database_specific={"severity": "HIGH"}, summary="a\ntitle"),
        "CVE-1": record("CVE-1", database_specific={"severity": "CRITICAL"}, withdrawn="2022"),
    }
    (problem,) = problems_of("a", "1", [advisory("PYSEC-1", "GHSA-1", "CVE-1")], records)
    assert (problem.severity, problem.summary, problem.unrated) == ("high", "a title", False)


def test_the_versions_that_mend_are_newer_than_the_one_in_use():
    records = {
        "GHSA-1": record(
            "GHSA-1",
            affected=[
                affected(
                    {"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2"}, {"fixed": "2.6"}, name="A"
                )
            ],
        )
    }
    (problem,) = problems_of("a", "1.2", [advisory("GHSA-1", fixed=("2.6", "0.9", "1.2", "1.10"))], records)
    assert problem.fixed_in == ("1.5", "1.10", "2.6")


def test_the_version_that_mends_them_all():
    records = {
        "X-1": record(
            "X-1",
            affected=[affected({"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2"}, {"fixed": "2.6"})],
        ),
        "X-2": record("X-2", affected=[affected({"introduced": "0"}, {"fixed": "2.1"})]),
        "X-3": record("X-3", affected=[affected({"introduced": "0"})]),
    }
    one, both, never = (
        problems_of("a", "1.2", [advisory(name) for name in names], records)
        for names in (["X-1"], ["X-1", "X-2"], ["X-3"])
    )
    assert mending("a", one, records) == "1.5"
    assert mending("a", both, records) == "2.6"  # 2.1 has X-1 again
    assert (never[0].fixed_in, mending("a", never, records)) == ((), "")
    assert mending("a", [*never, *one], records) == "1.5"
    assert mending("a", problems_of("a", "1", [advisory("X-9", fixed=("3", "2"))], {}), {}) == "2"


def test_which_records_are_asked_for():
    asked: list[list[str]] = []
    known = {
        "GHSA-1": record("GHSA-1", database_specific={"severity": "LOW"}),
        "PYSEC-2": record("PYSEC-2"),
        "CVE-2": record("CVE-2", database_specific={"severity": "HIGH"}),
    }

    def ask(names):
        asked.append(list(names))
        return {name: known[name] for name in asked[-1] if name in known}

    found = rated(
        {
            ("a", "1"): (advisory("PYSEC-1", "GHSA-1", "CVE-1"),),
            ("b", "1"): (advisory("PYSEC-2", "CVE-2"),),
            ("c", "1"): (advisory("CVE-3"),),
        },
        ask,
    )
    assert [sorted(names) for names in asked] == [["CVE-3", "GHSA-1", "PYSEC-1", "PYSEC-2"], ["CVE-2"]]
    assert found.keys() == known.keys()


def test_where_no_record_can_be_had_the_answers_about_the_package_rate():
    asked: list[list[tuple[str, str]]] = []
    known = {"PYSEC-1": record("PYSEC-1"), "GHSA-2": record("GHSA-2", database_specific={"severity": "LOW"})}

    def about(packages):
        asked.append(list(packages))
        return {"GHSA-2": known["GHSA-2"], "PYSEC-1": record("PYSEC-1", withdrawn="2026-01-01T00:00:00Z")}

    advisories = {
        ("a", "1"): (advisory("PYSEC-1"),),
        ("b", "1"): (advisory("PYSEC-1"), advisory("GHSA-2")),
    }
    found = rated(advisories, lambda names: {name: known[name] for name in names if name == "PYSEC-1"}, about)
    assert asked == [[("b", "1")]]
    assert found == known
    assert rated(advisories, lambda names: {name: known[name] for name in names}, about) == known
    assert len(asked) == 1


def entry(expires: date, name: str = "CVE-1", package: str = "url-lib3") -> IgnoredVulnerability:
    return IgnoredVulnerability(package=package, id=name, expires=expires, reason="why")


TODAY = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("days", "muted", "expired"),
    [
        (400, "accepted until 2027-08-04: why", False),
        (0, "accepted until 2026-06-30: why", False),
        (-1, "accepted until 2026-06-29, which is over: why", True),
        (-GRACE_DAYS, "accepted until 2026-05-31, which is over: why", True),
        (-GRACE_DAYS - 1, "", True),
    ],
)
def test_what_is_accepted(days, muted, expired):
    found = accepted("url-lib3", ("PYSEC-1", "cve-1"), [entry(TODAY + timedelta(days=days))], TODAY)
    assert (found.muted, found.expired is not None) == (muted, expired)


def test_the_entry_that_lasts_longest_counts_and_others_do_not_match():
    entries = [
        entry(TODAY - timedelta(days=90)),
        entry(TODAY),
        entry(TODAY, package="other"),
        entry(TODAY, "CVE-2"),
    ]
    assert accepted("url-lib3", ("CVE-1",), entries, TODAY).muted
    assert not accepted("url-lib3", ("CVE-9",), entries, TODAY).muted
    assert unused(entries, [("url-lib3", ("CVE-1",))]) == entries[2:]


@pytest.mark.parametrize(
    ("address", "base", "host"),
    [
        ("", "https://api.osv.dev", "api.osv.dev"),
        (" https://osv.example.org/ ", "https://osv.example.org", "osv.example.org"),
        ("https://example.org/mirror/v1", "https://example.org/mirror", "example.org"),
        ("https://example.org/v1/", "https://example.org", "example.org"),
        ("http://u:p@example.org:8000/v1/query", "http://u:p@example.org:8000", "example.org:8000"),
    ],
)
def test_addresses(address, base, host):
    assert (base_of(address), host_of(address), address_mistakes(address)) == (base, host, [])


@pytest.mark.parametrize(
    "address",
    ["osv.dev", "ftp://osv.dev", "file:///etc/passwd", "https://", "https://a:b:c/", "https://a/?x=1", "https://a/#x", "https://a b/", "http://[::1"],
)  # fmt: skip
def test_what_is_no_address(address, wording: Any):
    (mistake,) = address_mistakes(address)
    assert mistake == wording


def test_a_mistake_does_not_show_a_password():
    (mistake,) = address_mistakes("ftp://user:verysecret@example.org")
    assert "verysecret" not in mistake
