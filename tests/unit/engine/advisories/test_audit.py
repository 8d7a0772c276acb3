"""Looking up many packages: whatever the service does, each ends as audited or as missed, after a few runs."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.engine.advisories.audit import LATE, PART, Audit, Auditor, Key, divided
from ci_action.engine.advisories.output import Advisory, Answer, Failure

KEYS = [(f"p{number}", "1") for number in range(5)]
REFUSED = Failure(text="refused", unreachable=True)
BROKEN = Failure(text="HTTP 500")
FINAL = Failure(text="HTTP 400", final=True)


class Service:
    """Answers for some packages, not for others; fails at the first that it does not like, as pip-audit does."""

    def __init__(
        self, *bad: str, cause: Failure = BROKEN, times: int = 1_000, skipped: Sequence[str] = ()
    ) -> None:
        self.bad, self.cause, self.times, self.skipped = bad, cause, times, skipped
        self.asked: list[list[str]] = []

    def __call__(self, packages: Sequence[Key], seconds: float, /) -> Answer | Failure:
        self.asked.append([name for name, _ in packages])
        place = next(
            (at for at, (name, _) in enumerate(packages) if name in self.bad or "*" in self.bad), None
        )
        if place is not None and self.times > 0:
            self.times -= 1
            return replace(self.cause, done=place)
        found = {key: (Advisory(id="X"),) for key in packages if key[0] not in self.skipped}
        return Answer(audited=found, skipped=dict.fromkeys(self.skipped, "not found"))


def audited(service, keys=KEYS, **overrides) -> tuple[Audit, list[float]]:
    waited: list[float] = []
    auditor = Auditor(**{"ask": service, "seconds": 60.0, "wait": waited.append, **overrides})
    return auditor.audit(keys), waited


def test_all_are_asked_for_at_once():
    service = Service()
    audit, waited = audited(service)
    assert (list(audit.audited), audit.missed, audit.runs, waited) == (KEYS, {}, 1, [])


def test_what_fails_for_a_while_is_asked_again_after_growing_pauses():
    audit, waited = audited(Service("p2", times=2))
    assert (len(audit.audited), audit.missed, audit.runs, waited) == (5, {}, 3, [0.5, 1.5])


def test_one_package_that_fails_costs_no_other():
    audit, _ = audited(Service("p2", "p4"))
    assert audit.missed == {("p2", "1"): "HTTP 500", ("p4", "1"): "HTTP 500"}
    assert len(audit.audited) == 3


def test_where_nobody_answers_it_ends_after_a_few_runs():
    audit, _ = audited(Service("*"))
    assert (audit.audited, len(audit.missed), audit.runs) == ({}, 5, 5)


def test_an_unreachable_service_is_given_up_for_all_parts():
    keys = [(f"p{number}", "1") for number in range(PART * 3)]
    audit, _ = audited(Service("*", cause=REFUSED), keys)
    assert set(audit.missed.values()) == {"refused"}
    assert (audit.audited, len(audit.missed)) == ({}, len(keys))
    assert audit.runs <= 9


def test_what_would_be_answered_alike_is_not_asked_again():
    audit, waited = audited(Service("p0", cause=FINAL))
    assert (audit.missed, len(audit.audited), audit.runs, waited) == ({("p0", "1"): "HTTP 400"}, 4, 2, [])


def test_runs_have_an_end_even_where_many_packages_fail():
    keys = [(f"p{number}", "1") for number in range(PART)]
    audit, _ = audited(Service(*(name for name, _ in keys[1::2])), keys)
    assert audit.audited.keys() | audit.missed.keys() == set(keys)
    assert audit.runs == 12


def test_once_it_is_unreachable_nobody_waits_for_it_again():
    auditor = Auditor(ask=Service("*", cause=REFUSED), seconds=60.0, wait=lambda _: None)
    assert [auditor.audit(KEYS).runs, auditor.audit(KEYS).runs] == [3, 1]


def test_what_is_passed_over_or_not_mentioned_is_missed():
    audit, _ = audited(Service(skipped=("p1",)))
    assert audit.missed == {("p1", "1"): "not found"}
    audit, _ = audited(lambda packages, seconds: Answer(audited={}, skipped={}))
    assert set(audit.missed.values()) == {"pip-audit did not report on it"}


def test_a_doubt_is_told_beside_what_was_found():
    answer = Answer(audited={KEYS[0]: (Advisory(id="X"),)}, skipped={}, doubts={KEYS[0]: "left out"})
    audit, _ = audited(lambda packages, seconds: answer, KEYS[:1])
    assert (list(audit.audited), audit.missed) == (KEYS[:1], {KEYS[0]: "left out"})


def test_the_time_of_the_tool_ends_it():
    clock = iter(range(100))
    audit, _ = audited(Service("*"), seconds=2.5, now=lambda: float(next(clock)))
    assert audit.late
    assert set(audit.missed.values()) == {"HTTP 500"}
    audit, _ = audited(Service(), seconds=-1.0)
    assert (audit.late, set(audit.missed.values()), audit.runs) == (True, {LATE}, 0)


def test_no_packages_no_runs():
    audit, _ = audited(Service(), [])
    assert (audit.runs, audit.audited) == (0, {})


@pytest.mark.parametrize(("count", "parts"), [(0, 0), (1, 1), (PART, 1), (PART + 1, 2), (PART * 50, 6)])
def test_how_many_processes(count, parts):
    assert len(divided([(f"p{number}", "1") for number in range(count)])) == parts


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("123456789")), unique=True))
def test_a_part_holds_no_name_twice_and_nothing_is_lost(keys):
    parts = divided(keys)
    assert sorted(key for part in parts for key in part) == sorted(keys)
    assert all(len({name for name, _ in part}) == len(part) for part in parts)
