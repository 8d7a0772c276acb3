"""Waiting for services: tries and delays by a clock of the test, and what the tool `services` says."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.builders import context, program

from ci_action.engine.tool import Checked
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.stages.test.services import TOOL, Answer, Attempt, log_line, look, probe
from ci_action.stages.test.services.addresses import Address, parse
from ci_action.stages.test.services.faults import Fault, Unfit, cause, fix
from ci_action.system.errors import InterruptedRunError
from ci_action.system.wait import Clock, Tried, Waiting

DB = parse("postgres://app:s3cr3t-value@db:5432/app")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self, jitter: float = 1.0) -> None:
        self.seconds = 100.0
        self.slept: list[float] = []
        self.clock = Clock(now=lambda: self.seconds, sleep=self.sleep, jitter=lambda: jitter)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


def answering(*answers: str | Fault, time: Time | None = None, takes: float = 0.0) -> Attempt:
    """Return what greets: these answers in turn, the last of them for ever."""
    waiting = list(answers)

    def attempt(_address: Address, _seconds: float) -> str:
        if time:
            time.seconds += takes
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Fault):
            raise Unfit(answer, f"words of {answer.name.lower()}")
        return answer

    return attempt


def probed(
    *answers: str | Fault,
    address: Address = DB,
    takes: float = 0.0,
    limit: float = 60,
    container: bool = True,
) -> Tried[Answer]:
    time = Time()
    waiting = Waiting(limit=limit, clock=time.clock)
    return probe([address], answering(*answers, time=time, takes=takes), waiting, container=container)[
        address
    ]


def fault_of(one: Tried[Answer]) -> Fault | None:
    return one.answer.fault if isinstance(one.answer, Unfit) else None


def test_a_service_that_answers_at_once():
    assert probed("16.3") == Tried(answer="16.3", seconds=0.0, tries=1)


def test_a_service_that_starts_late():
    one = probed(Fault.UNRESOLVED, Fault.REFUSED, Fault.STARTING, "16.3")
    assert (one.tries, one.answer, round(one.seconds, 3)) == (4, "16.3", 0.7)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TLS,
        Fault.PROTOCOL,
        Fault.PASSWORD,
        Fault.NO_PASSWORD,
        Fault.ROLE,
        Fault.DATABASE,
        Fault.DENIED,
    ],
)
def test_what_waiting_does_not_mend_ends_it(fault: Fault):
    one = probed(Fault.REFUSED, fault)
    assert isinstance(one.answer, Unfit)
    assert (one.tries, one.answer.fault, one.answer.message) == (2, fault, f"words of {fault.name.lower()}")


@pytest.mark.parametrize(
    "fault",
    [Fault.REFUSED, Fault.UNREACHABLE, Fault.SILENT, Fault.CLOSED, Fault.STARTING, Fault.UNHEALTHY],
)
def test_what_waiting_may_mend_ends_with_the_time(fault: Fault):
    one = probed(fault)
    assert fault_of(one) is fault
    assert 57 < one.seconds <= 60
    assert one.tries == 34
    assert probed(fault, limit=3).seconds <= 3


def test_an_unknown_host_is_given_less_time():
    assert 7 < probed(Fault.UNRESOLVED).seconds <= 10
    assert probed(Fault.UNRESOLVED, limit=3).seconds <= 3


@pytest.mark.parametrize(("container", "most"), [(True, 10), (False, 60)])
def test_our_own_localhost_is_given_less_time(container: bool, most: int):
    one = probed(Fault.REFUSED, address=parse("tcp://localhost:1"), container=container)
    assert most - 3 < one.seconds <= most


def test_no_try_is_given_more_than_what_is_left():
    given: list[float] = []
    time = Time()

    def attempt(_address: Address, seconds: float) -> str:
        given.append(round(seconds, 2))
        time.seconds += seconds
        raise Unfit(Fault.SILENT)

    probe([DB], attempt, Waiting(limit=8, clock=time.clock), container=True)
    assert given == [5.0, 2.9]


def test_an_interruption_does_not_wait_for_the_tries():
    hang = threading.Event()

    def attempt(_address: Address, _seconds: float) -> str:
        hang.wait(30)
        return ""

    with pytest.raises(InterruptedRunError):
        probe([DB], attempt, Waiting(limit=60, stopped=lambda: True), container=True)
    hang.set()


def test_a_try_that_does_not_end_is_given_up():
    hang = threading.Event()

    def attempt(_address: Address, _seconds: float) -> str:
        hang.wait(30)
        return ""

    moments = iter(range(0, 1000, 20))
    waiting = Waiting(limit=60, clock=Clock(now=lambda: next(moments)))
    (one,) = probe([DB], attempt, waiting, container=True).values()
    hang.set()
    assert fault_of(one) is Fault.SILENT


def test_services_are_probed_in_parallel():
    meeting = threading.Barrier(3, timeout=10)

    def attempt(address: Address, _seconds: float) -> str:
        meeting.wait()
        return address.host

    addresses = [parse(f"tcp://{name}:1") for name in "abc"]
    found = probe(addresses, attempt, Waiting(limit=60), container=True)
    assert [one.answer for one in found.values()] == ["a", "b", "c"]


def test_a_bug_of_ours_is_not_swallowed():
    def attempt(_address: Address, _seconds: float) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        probe([DB], attempt, Waiting(limit=60), container=True)


# --- the tool ------------------------------------------------------------------------------------


def looked(
    tmp_path: Path, wait_for: str, attempt: Attempt, *, container: bool = True, **settings: object
) -> Checked:
    ctx = context(tmp_path, settings={"wait_for": wait_for, **settings}, container=container)
    return look(ctx, attempt, Time().clock)


def by_host(**answers: str | Fault) -> Callable[[Address, float], str]:
    return lambda address, seconds: answering(answers[address.host])(address, seconds)


def test_no_services(tmp_path: Path, wording: Any):
    assert TOOL.check(context(tmp_path), program()).outcome == Skipped(wording)
    assert (TOOL.name, TOOL.needs) == ("services", ())
    assert TOOL.program is not None
    assert TOOL.program(context(tmp_path)).argv == ()


def test_all_answer(tmp_path: Path):
    items = "postgres://u:s3cr3t-value@db/app, redis://cache, tcp://x:1, redis://cache"
    checked = looked(tmp_path, items, by_host(db="16.3", cache="7.2.5", x=""))
    assert checked.outcome == Report(examined={Counted.SERVICES: 3})
    assert checked.log.splitlines() == [
        "postgres 16.3 at db:5432/app answered after 0.00 s (1 try)",
        "redis 7.2.5 at cache:6379 answered after 0.00 s (1 try)",
        "tcp at x:1 answered after 0.00 s (1 try)",
    ]


def test_some_fail_and_all_of_them_are_named(tmp_path: Path, wording: Any):
    items = "postgres://app:s3cr3t-value@db/app, redis://cache, tcp://x:1"
    checked = looked(tmp_path, items, by_host(db=Fault.PASSWORD, cache=Fault.UNRESOLVED, x=""))
    assert isinstance(checked.outcome, Broken)
    assert checked.outcome.reason == wording
    assert checked.outcome.examined == {"services": 1}
    assert checked.outcome.detail == checked.log
    assert [one.name for one in checked.hints] == ["service-wrong-password", "service-unknown-name"]
    assert checked.hints[0].cause == wording
    assert all(one.fix and one.url.startswith("https://docs.github.com/") for one in checked.hints)
    assert "s3cr3t-value" not in repr(checked)


def test_the_time_limit_of_a_tool_holds(tmp_path: Path):
    time = Time()
    ctx = context(tmp_path, settings={"wait_for": "tcp://x:1", "timeout": 3})
    look(ctx, answering(Fault.REFUSED), time.clock)
    assert sum(time.slept) <= 3


def test_an_interrupted_run(tmp_path: Path):
    ctx = context(tmp_path, settings={"wait_for": "tcp://x:1"}, stopped=lambda: True)
    with pytest.raises(InterruptedRunError):
        look(ctx, answering(Fault.REFUSED), Time().clock)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize(
    ("scheme", "example"),
    [
        ("postgres", "postgres://postgres:5432"),
        ("redis", "redis://redis:6379"),
        ("http", "http://web:9999"),
        ("tcp", "tcp://db:9999"),
    ],
)
def test_localhost_in_the_container(host: str, scheme: str, example: str, wording: Any):
    address = parse(f"{scheme}://{host}:9999")
    assert example in fix(address, Fault.REFUSED, container=True)
    assert fix(address, Fault.REFUSED, container=True) == wording
    assert "publish" in fix(address, Fault.REFUSED, container=False)


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize(
    "item",
    [
        f"{scheme}://u:s3cr3t-value@host:77/x"
        for scheme in ("postgres", "redis", "rediss", "mysql", "amqp", "https", "memcached", "tcp")
    ],
)
def test_every_fault_has_its_cause_and_what_to_do(item: str, fault: Fault):
    address, unfit = parse(item), Unfit(fault, "no entry for s3cr3t-value")
    fixes = [fix(address, fault, container=container) for container in (True, False)]
    texts = [cause(address, unfit), log_line(address, Tried(answer=unfit, seconds=60, tries=33)), *fixes]
    assert not any("s3cr3t-value" in text or text.endswith(".") or "{" in text for text in texts)
    assert all(text and text[0].islower() for text in texts)


def test_what_the_service_said_is_shown_where_it_helps(wording: Any):
    address = parse("postgres://db")
    tried: Tried[Answer] = Tried(answer=Unfit(Fault.STARTING, "starting up (57P03)"), seconds=60.0, tries=33)
    assert log_line(address, tried) == wording
    assert "words" not in cause(address, Unfit(Fault.REFUSED, "words"))


def test_foreign_words_are_one_short_line_without_the_password():
    address = parse("redis://:s3cr3t-value@cache")
    assert cause(address, Unfit(Fault.DENIED, "a\nb\x1b[0m\ud800")).endswith("(a b␛[0m�)")
    words = cause(address, Unfit(Fault.DENIED, "x" * 155 + "s3cr3t-value" + "x" * 1000))
    assert words.endswith("x***xx…)")
    assert "s3c" not in words
