"""Projects that work against the migrations stage, by intention or by accident: never a pass, and nothing is left."""

import json
import os
import re
import time
import unicodedata
from pathlib import Path
from typing import Final

import pytest
from support import migration_samples as samples
from support.listening import listening
from support.migration_samples import ENV, revision, sample
from support.renderers import rendered
from support.runner_model import commands, key_values

OURS: Final = {"group", "endgroup", "stop-commands", "error", "warning", "notice", "add-mask"}
STEPS: Final = ("upgrade", "downgrade", "drift")


@pytest.fixture
def stage(standing, ci_action, kept):
    def run(files, *words, **more):
        return ci_action(standing(files), "run", "migrations", f"--cache-dir={kept}", *words, **more)

    return run


def starting(*lines: str) -> dict[str, str]:
    """Return an env.py that does something first."""
    return samples.env("\n".join(lines) + "\n" + ENV)


def migrating(*lines: str) -> dict[str, str]:
    """Return a fourth revision that does something, and whose downgrade is sound."""
    return samples.fourth("\n    ".join(lines), 'op.execute("SELECT 1")')


def running(word: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(starting("import os", "os._exit(0)"), id="exit-at-import"),
        pytest.param(migrating("import os", "os._exit(0)"), id="exit-in-a-migration"),
        pytest.param(migrating("import sys", "sys.exit(0)"), id="sys-exit-in-a-migration"),
        pytest.param(starting("import sys", "sys.exit(0)"), id="sys-exit-at-import"),
        pytest.param(migrating('op.execute("DROP SCHEMA public CASCADE")'), id="drop-schema"),
        pytest.param(migrating('op.execute("DROP DATABASE postgres")'), id="drop-database"),
        pytest.param(
            migrating("op.execute(\"UPDATE alembic_version SET version_num = 'zzz'\")"), id="other-version"
        ),
        pytest.param(migrating('op.execute("DELETE FROM alembic_version")'), id="no-version"),
        pytest.param(migrating('op.execute("ROLLBACK")'), id="rollback"),
        pytest.param(
            samples.env(ENV.replace("\n\nrun()\n", "\n\ntry:\n    run()\nexcept Exception:\n    pass\n"))
            | samples.FAILING_UPGRADE,
            id="errors-caught",
        ),
        pytest.param(
            samples.env(
                ENV.replace(
                    "with context.begin_transaction():\n            context.run_migrations()",
                    "context.run_migrations()\n        connection.rollback()",
                )
            ),
            id="never-committed",
        ),
        pytest.param(samples.env("import models\n"), id="no-connection"),
        pytest.param(samples.env("raise SystemExit(0)\n"), id="only-exit"),
        pytest.param(samples.env(""), id="empty-env"),
        pytest.param(
            starting("import os", "import signal", "os.kill(os.getpid(), signal.SIGKILL)"), id="killed"
        ),
        pytest.param(
            starting(
                "import os",
                "for number in range(3, 64):",
                "    try:",
                "        os.close(number)",
                "    except OSError:",
                "        pass",
            ),
            id="closes-all-files",
        ),
    ],
)
def test_it_is_never_a_pass(stage, change: dict[str, str]):
    ran = stage(sample(change), "--timeout=60")
    assert ran.code in {1, 3}, ran.out
    assert [tool for tool in STEPS if ran.tool(tool)["outcome"] == "broken" or ran.findings(tool)]


def test_a_commit_in_a_migration_is_no_fault(stage):
    files = sample(samples.fourth('op.execute("COMMIT")', 'op.execute("SELECT 1")'))
    assert stage(files).code in {0, 3}


def test_rubbish_on_every_stream_and_descriptor(stage, tmp_path):
    noise = [
        "import os, sys",
        'print("::error::owned")',
        'print("::add-mask::a")',
        'print("::stop-commands::owned", file=sys.stderr)',
        'print("##[error]owned")',
        "for number in range(3, 32):",
        "    try:",
        '        os.write(number, b\'\\n{"event": "end"}\\n{"event": "done", "phase": "upgrade"}\\n[]\\nrubbish \\xff\\n\')',
        "    except OSError:",
        "        pass",
    ]
    output, summary = tmp_path / "output", tmp_path / "summary"
    output.touch()
    summary.touch()
    env = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    ran = stage(sample(starting(*noise), samples.FAILING_UPGRADE), "--verbose", env=env)
    assert ran.code in {1, 3}, ran.out
    assert {command.name for command in commands(ran.out)} <= OURS
    assert not [one for one in commands(ran.out) if one.data == "owned"]
    assert key_values(output.read_text())["result"] in {"failed", "broken"}


def test_a_process_that_stays_is_ended(stage):
    word = f"stays-{os.getpid()}"
    lines = [
        "import subprocess, sys",
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)', '{word}'], start_new_session=True)",
    ]
    ran = stage(sample(starting(*lines)))
    assert ran.code == 0, ran.out
    end = time.monotonic() + 10
    while running(word) and time.monotonic() < end:
        time.sleep(0.1)
    assert not running(word)


@pytest.mark.parametrize(
    "lines",
    [
        ("import os", 'os.chdir("/")'),
        ("import os", "os.environ.clear()", 'os.environ["PATH"] = "/nowhere"'),
        ("import sys", 'sys.stdout = sys.stderr = open("/dev/full", "w")'),
        ("import logging", "logging.disable()", "import sys", "sys.setrecursionlimit(150)"),
    ],
    ids=["chdir", "environ", "full", "recursion"],
)
def test_what_env_does_to_its_own_process_changes_nothing(stage, lines: tuple[str, ...]):
    ran = stage(sample(starting(*lines)))
    assert ran.code in {0, 3}, ran.out
    if ran.code == 3:
        assert ran.tool("upgrade")["outcome"] == "broken"


@pytest.mark.parametrize(
    "text",
    [
        ENV.replace(
            "poolclass=pool.NullPool", "creator=lambda: psycopg.connect(URL.replace('+psycopg', ''))"
        ).replace("import models", "import models\nimport psycopg"),
        ENV.replace(
            "    with engine.connect()",
            '    event.listen(engine, "do_connect", lambda *_: psycopg.connect(URL.replace("+psycopg", "")))\n'
            "    with engine.connect()",
        )
        .replace("create_engine, pool", "create_engine, event, pool")
        .replace("import models", "import models\nimport psycopg"),
        ENV.replace(
            "    with engine.connect()",
            '    event.listen(engine, "do_connect", lambda *_: psycopg.connect(URL.replace("+psycopg", "")), insert=True)\n'
            "    with engine.connect()",
        )
        .replace("create_engine, pool", "create_engine, event, pool")
        .replace("import models", "import models\nimport psycopg"),
    ],
    ids=["creator", "listener", "first-listener"],
)
def test_ways_around_the_redirect(stage, text: str):
    """The address has a server that answers nothing: connecting to it never gives a pass."""
    with listening() as (port, seen):
        ran = stage(sample(samples.env(text, live=samples.LIVE.replace(":9/", f":{port}/"))), "--timeout=30")
    assert ran.code == 0 if not seen else ran.code in {1, 3}, ran.out


def test_a_driver_without_sqlalchemy_is_not_redirected(stage):
    """As the documentation warns: it reaches the address, which here answers nothing."""
    with listening() as (port, seen):
        address = f"postgresql://app:pw@127.0.0.1:{port}/live"
        ran = stage(sample(starting("import psycopg", f'psycopg.connect("{address}")')))
    assert seen
    assert (ran.code, ran.tool("upgrade")["outcome"]) == (3, "broken"), ran.out


HOSTILE: Final = [
    "::error::owned",
    "##[error]owned",
    "$(touch owned)",
    "`touch owned`",
    "<script>alert(1)</script>",
    '"]; click A href "javascript:alert(1)"',
    "a\n::error::owned",
    "\x1b[31mred\x1b[0m",
    "| a | b |\n|---|---|",
    "</code></details><img src=x onerror=alert(1)>",
    "%0A::error::owned",
    "\u202eabc",
    "x" * 300,
]


def test_names_and_messages_are_only_text(standing, ci_action, kept, tmp_path):
    """The ids of revisions, their messages and the names of their files."""
    chain: list[str | None] = [None]
    files: dict[str, str] = {}
    for number, text in enumerate(HOSTILE):
        # Alembic keeps an id in a column of 32 characters, and splits it at some signs.
        name = re.sub(r"[@+:\x00]|-(?=\d)", "", text)[:32]
        body = revision("X", "Y", f'op.execute("CREATE TABLE t{number} (id int)")', "pass")
        body = body.replace("'X'", repr(name)).replace("'Y'", repr(chain[-1]))
        body = f"{text + str(number)!r}\n" + body.partition('"""\n')[2].partition('"""\n')[2]
        stem = re.sub(r"[/\0]", "", text)[:100]
        files[f"migrations/versions/{stem}{number}.py"] = body
        chain.append(name)
    folder = standing(
        sample(
            {"models.py": "from sqlalchemy import MetaData\nclass Base:\n    metadata = MetaData()\n"},
            files,
            without=("migrations/versions/a",),
        )
    )
    output, summary = tmp_path / "output", tmp_path / "summary"
    output.touch()
    summary.touch()
    env = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
    ran = ci_action(folder, "run", "migrations", f"--cache-dir={kept}", "--verbose", env=env)
    assert ran.code in {1, 3}, ran.out
    assert not (folder / "owned").exists()
    seen = commands(ran.out)
    assert {command.name for command in seen} <= OURS
    assert not [one for one in seen if one.data.startswith("owned")]
    assert not {one for one in ran.out if unicodedata.category(one) == "Cc"} - {"\n", "\t"}
    assert key_values(output.read_text())["result"] in {"failed", "broken"}
    page = rendered(summary.read_text())
    assert page.all("img", "script", "input") == []
    html = (tmp_path / "reports" / "report.html").read_text()
    assert "<script>alert" not in html
    assert "onerror=alert(1)>" not in html.replace("&lt;", "")
    assert json.loads((tmp_path / "reports" / "report.json").read_text())
