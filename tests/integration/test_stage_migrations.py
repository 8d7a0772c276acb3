"""The migrations stage on sample projects: from the command line, on an embedded PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from support import migration_samples as samples
from support.listening import listening
from support.migration_samples import sample
from support.repositories import commit, git

from ci_action.engine.base_commit import BRANCHES

FOURTH: Final = "migrations/versions/a0004.py"
STEPS: Final = ("heads", "upgrade", "downgrade", "drift")


def working_in(folder: Path) -> list[str]:
    """Return the command lines of the processes that use a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = str((process / "cwd").readlink())
        except OSError:
            continue
        if str(folder) in f"{words} {place}":
            found.append(words)
    return found


def places(folder: Path) -> set[str]:
    """Return the files and folders of a project, without what a run may leave in it."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if ".git" not in path.parts and "__pycache__" not in path.parts
    }


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Make a folder for temporary files that other users may enter: as root the server runs as one of them."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture
def stage(standing, ci_action, kept, temporary):
    def run(files, *words, **more):
        folder = standing(files)
        before = places(folder)
        env = {"RUNNER_TEMP": str(temporary), **more.pop("env", {})}
        ran = ci_action(folder, "run", "migrations", f"--cache-dir={kept}", *words, env=env, **more)
        assert places(folder) == before
        assert not working_in(temporary)
        assert not [*temporary.iterdir()]
        return ran

    return run


def outcomes(ran: Any, *tools: str) -> dict[str, str]:
    return {tool: ran.tool(tool)["outcome"] for tool in tools or STEPS}


def found(ran: Any, *tools: str) -> list[tuple[str, str, str | None, int | None]]:
    """Return the findings of the four tools that decide: tool, rule, path, line."""
    return [
        (tool, one["rule"], one["path"], one["line"]) for tool in tools or STEPS for one in ran.findings(tool)
    ]


def good(ran: Any, revisions: int = 3) -> None:
    """Assert that every step looked at its revisions and found nothing."""
    assert (ran.code, ran.report["conclusion"]) == (0, "passed"), ran.out
    assert outcomes(ran) == dict.fromkeys(STEPS, "report")
    assert not found(ran)
    assert ran.report["outputs"]["migrations"] == str(revisions)
    assert ran.report["outputs"]["database"].startswith("postgresql 1")


def test_a_good_history(stage):
    ran = stage(sample())
    good(ran)
    assert ran.report["outputs"]["migration-heads"] == "a0003"
    assert "embedded" in ran.report["outputs"]["database"]


@pytest.mark.parametrize(
    ("files", "words", "env", "revisions"),
    [
        pytest.param(sample(samples.env(samples.ASYNC_ENV)), (), {}, 3, id="asyncpg"),
        pytest.param(sample(samples.TOML, without=("alembic.ini",)), (), {}, 3, id="toml"),
        pytest.param(dict(samples.FLASK), (), {}, 1, id="flask-migrate"),
        pytest.param(
            sample(samples.env(samples.X_ENV)), ("--alembic-args=-x schema=harbour",), {}, 3, id="x"
        ),
        pytest.param(
            sample(samples.env(samples.SETTINGS_ENV), {"settings.py": samples.SETTINGS}),
            (),
            {"HARBOUR_DATABASE": "postgresql://a:b@127.0.0.1:9/live", "HARBOUR_SECRET_KEY": "k"},
            3,
            id="settings",
        ),
        pytest.param(sample(samples.env(samples.PASSED_CONNECTION_ENV)), (), {}, 3, id="connection"),
        pytest.param(
            {f"backend/{name}": text for name, text in sample().items()},
            ("--working-directory=backend",),
            {},
            3,
            id="working-directory",
        ),
    ],
)
def test_ways_to_configure(
    stage, files: dict[str, str], words: tuple[str, ...], env: dict[str, str], revisions: int
):
    good(stage(files, *words, env=env), revisions)


@pytest.mark.parametrize(
    ("change", "expected", "skipped"),
    [
        pytest.param(
            samples.BROKEN_DOWNGRADE,
            [("downgrade", "downgrade-failed", FOURTH, 15)],
            ("drift",),
            id="broken-downgrade",
        ),
        pytest.param(
            samples.UNNAMED_DOWNGRADE,
            [("downgrade", "downgrade-failed", FOURTH, 15)],
            ("drift",),
            id="unnamed-constraint",
        ),
        pytest.param(
            samples.PASSING_DOWNGRADE, [("downgrade", "irreversible", FOURTH, 14)], ("drift",), id="pass"
        ),
        pytest.param(
            samples.REFUSED_DOWNGRADE, [("downgrade", "irreversible", FOURTH, 15)], ("drift",), id="refused"
        ),
        pytest.param(samples.KEPT_ENUM, [("downgrade", "schema-differs", FOURTH, 15)], ("drift",), id="enum"),
        pytest.param(
            samples.LOST_INDEX, [("downgrade", "schema-differs", FOURTH, 14)], ("drift",), id="lost-index"
        ),
        pytest.param(
            samples.env(samples.EACH_ENV) | samples.LOST_INDEX,
            [("downgrade", "schema-differs", FOURTH, 14)],
            ("drift",),
            id="transaction-per-migration",
        ),
        pytest.param(
            samples.ALIKE,
            [("downgrade", "schema-differs", "migrations/versions/a0005.py", 16)],
            ("drift",),
            id="alike",
        ),
        pytest.param(
            samples.FAILING_UPGRADE,
            [("upgrade", "upgrade-failed", FOURTH, 12)],
            ("downgrade", "drift"),
            id="upgrade",
        ),
        pytest.param(
            samples.SYNTAX_ERROR,
            [("heads", "syntax", FOURTH, 12)],
            ("upgrade", "downgrade", "drift"),
            id="syntax",
        ),
        pytest.param(samples.DRIFT, [("drift", "drift", "models.py", samples.DRIFT_LINE)], (), id="drift"),
    ],
)
def test_bad_histories(stage, change: dict[str, str], expected: list[Any], skipped: tuple[str, ...]):
    ran = stage(sample(change))
    assert (ran.code, ran.report["conclusion"]) == (1, "failed"), ran.out
    assert found(ran) == expected
    assert {tool for tool, outcome in outcomes(ran).items() if outcome == "skipped"} == set(skipped)


def test_settings_that_are_not_set(stage):
    ran = stage(sample(samples.env(samples.SETTINGS_ENV), {"settings.py": samples.SETTINGS}))
    assert (ran.code, ran.report["conclusion"]) == (3, "broken"), ran.out
    assert ran.tool("heads")["outcome"] == "report"
    assert ran.tool("upgrade")["outcome"] == "broken"
    assert "harbour_database" in ran.out.lower()
    assert "harbour_secret_key" in ran.out.lower()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (samples.EXTENSION, "uuid-ossp"),
        (samples.COLLATION, "de-x-icu"),
        (samples.UNKNOWN_LOCALE, "xx_XX.utf8"),
    ],
)
def test_what_the_server_lacks_is_named_without_docker(stage, change: dict[str, str], name: str):
    ran = stage(sample(change), env={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    assert (ran.code, ran.tool("upgrade")["outcome"], ran.findings("upgrade")) == (3, "broken", [])
    assert name in ran.tool("upgrade")["reason"]
    assert "database-url" in ran.tool("upgrade")["reason"]


def test_an_env_that_runs_no_migration_is_not_a_pass(stage):
    ran = stage(sample(samples.env(samples.IDLE_ENV)))
    assert ran.code in {1, 3}, ran.out


def test_a_wait_for_a_lock_ends_with_the_time_limit(stage):
    ran = stage(sample(samples.LONG_WAIT), "--timeout=15")
    assert (ran.code, ran.tool("upgrade")["outcome"]) == (3, "broken"), ran.out
    assert "15 s" in ran.out


@pytest.mark.parametrize("text", [samples.ENV, samples.ASYNC_ENV], ids=["psycopg", "asyncpg"])
def test_the_server_of_the_settings_is_never_contacted(stage, text: str):
    with listening() as (port, seen):
        live = samples.LIVE.replace(":9/", f":{port}/")
        good(stage(sample(samples.env(text, live=live))))
    assert not seen


def merged(folder: Path, change: dict[str, str], moved: dict[str, str]) -> None:
    """Commit a change on a branch, and another one to the main branch of `origin`."""

    def committed(branch: str, files: dict[str, str]) -> None:
        git(folder, "checkout", "--quiet", "-B", branch, *(["main"] if branch != "main" else []))
        for name, text in files.items():
            (folder / name).write_text(text)
        commit(folder, {})

    committed("main", {})
    committed("theirs", moved)
    git(folder, "update-ref", BRANCHES[1], "HEAD")
    committed("topic", change)


def test_two_heads_after_the_merge_alone(standing, ci_action, kept):
    mine = {"migrations/versions/b0004.py": samples.revision("b0004", "a0003", *samples.FLAG)}
    folder = standing(sample())
    merged(folder, mine, samples.fourth(*samples.FLAG))
    ran = ci_action(folder, "run", "migrations", f"--cache-dir={kept}")
    assert (ran.code, ran.report["conclusion"]) == (1, "failed"), ran.out
    assert {(rule, path) for _, rule, path, _ in found(ran, "heads")} == {
        ("multiple-heads", "migrations/versions/b0004.py")
    }
    assert outcomes(ran) == {"heads": "report", **dict.fromkeys(STEPS[1:], "skipped")}
    assert set(ran.report["outputs"]["migration-heads"].split(",")) == {"a0004", "b0004"}


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        ((), 0, []),
        (("--migration-depth=all",), 1, [("irreversible", "migrations/versions/a0002.py", 14)]),
        (("--migration-depth=all", "--downgrade-from=a0003"), 0, []),
    ],
    ids=["new", "all", "downgrade-from"],
)
def test_how_far_revisions_are_downgraded(standing, ci_action, kept, words, code, expected):
    last = "migrations/versions/a0003.py"
    folder = standing({name: text for name, text in samples.OLD_FAULT.items() if name != last})
    merged(folder, {last: samples.OLD_FAULT[last]}, {})
    ran = ci_action(folder, "run", "migrations", f"--cache-dir={kept}", *words)
    assert ran.code == code, ran.out
    assert [one[1:] for one in found(ran)] == expected
    assert ran.report["outputs"]["migrations"] == "1"


def test_a_project_with_sqlite(stage):
    """Its own file is not made."""
    ran = stage(sample(samples.env(live=samples.SQLITE)))
    assert (ran.code, outcomes(ran)) == (0, dict.fromkeys(STEPS, "report")), ran.out
    assert ran.report["outputs"]["database"].startswith("sqlite 3")


def test_a_project_without_alembic(stage):
    ran = stage({"pyproject.toml": "[project]\nname = 'small'\nversion = '0'\n"})
    assert (ran.code, ran.report["conclusion"]) == (2, "empty"), ran.out


def test_the_password_of_a_server_that_refuses_us_is_on_no_channel(stage, tmp_path):
    secret = "p%40ss-w0rd-of-the-server"
    with listening() as (port, seen):
        ran = stage(sample(), f"--database-url=postgresql://app:{secret}@127.0.0.1:{port}")
    assert seen
    assert (ran.code, ran.tool("upgrade")["outcome"]) == (3, "broken"), ran.out
    written = "".join(file.read_text() for file in (tmp_path / "reports").rglob("*") if file.is_file())
    for form in (secret, secret.replace("%40", "@")):
        assert form not in ran.out + written
