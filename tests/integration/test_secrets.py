"""Secrets by the real detect-secrets: what is planted is found and read nowhere; the same as the bare scan; faults."""

import json
import os
import random
import shutil
import stat
import string
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import planted_secrets

from ci_action.engine.secret_scan.baseline import hash_of
from ci_action.engine.secret_scan.events import parse
from ci_action.engine.secret_scan.scan import SCRIPT
from ci_action.project.file_kinds import SECRETS_BASELINE

BIN = Path(sys.prefix) / "bin"
KEYWORD_LINE = "pass" + 'word = "{}"\n'


def track(folder: Path) -> None:
    subprocess.run(["git", "add", "--all", "--force"], cwd=folder, check=True)


def bare(folder: Path, *words: str) -> dict[str, Any]:
    """Return what `detect-secrets scan` without verification prints."""
    argv: list[str | Path] = [BIN / "detect-secrets", "scan", "--no-verify", *words]
    done = subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    return dict(json.loads(done.stdout)) if done.stdout else {}


def rules(findings: list[dict[str, Any]]) -> set[tuple[str, int, str]]:
    """Return every type that findings name, as path, line and rule."""
    own = "detect-secrets:"
    names = (
        (one, [one["rule"], *(name.removeprefix(own) for name in one["also"] if name.startswith(own))])
        for one in findings
    )
    return {(one["path"], one["line"], rule) for one, many in names for rule in many}


def expected(document: dict[str, Any]) -> set[tuple[str, int, str]]:
    slug = {kind: kind.lower().replace(" ", "-") for kind in planted_secrets.secrets()}
    return {
        (name, one["line_number"], slug[one["type"]])
        for name, many in document["results"].items()
        for one in many
    }


def digits(length: int, seed: int, letters: str = "0123456789abcdef") -> str:
    return "".join(random.Random(seed).choices(letters, k=length))


def test_known_hashes_are_muted_and_tokens_in_their_places_are_not(project, ci_action):
    token = planted_secrets.secrets()["GitHub Token"][0]
    sri = "sha384-" + digits(64, 1, string.ascii_letters + string.digits)
    folder = project(
        {
            ".pre-commit-config.yaml": f"repos:\n  - repo: https://x/a\n    rev: {digits(40, 7)}  # frozen: v1\n"
            f"  - repo: https://x/b\n    rev: '{token}'\n",
            ".github/workflows/a.yml": "on: push\njobs:\n  a:\n    steps:\n"
            f"      - uses: actions/checkout@{digits(40, 5)}\n        with:\n          ref: {digits(40, 3)}\n"
            f'          token: "{digits(40, 11)}"\n',
            "alembic/versions/a.py": f'revision = "{digits(12, 3)}"\ndown_revision = "{digits(12, 5)}"\n'
            f'other = "{digits(40, 9)}"\n',
            "pylock.toml": f"hashes = {{sha256 = '{digits(64, 7)}'}}\ntoken = '{digits(40, 13)}'\n",
            "pnpm-lock.yaml": f"a:\n  resolution: {{integrity: {sri}}}\n",
            "base.html": f'<script integrity="{sri}"></script>\n',
            "data.json": json.dumps([{"sha256": digits(64, seed)} for seed in (3, 5, 7)], indent=1)
            + f'\n{{"a": "{token}"}}\n',
        }
    )
    track(folder)
    found = ci_action(folder, "run", "security").findings("detect-secrets")
    muted = {(one["path"], one["line"]) for one in found if one["muted"]}
    assert muted == {
        (".pre-commit-config.yaml", 3),
        (".github/workflows/a.yml", 7),
        ("alembic/versions/a.py", 1),
        ("alembic/versions/a.py", 2),
        ("pylock.toml", 1),
        ("pnpm-lock.yaml", 2),
        ("base.html", 1),
    }
    assert all(one["muted"].startswith("not a secret: ") for one in found if one["muted"])
    counting = {(one["path"], one["line"]): one["severity"] for one in found if not one["muted"]}
    assert counting == {
        (".pre-commit-config.yaml", 5): "critical",
        (".github/workflows/a.yml", 8): "high",
        ("alembic/versions/a.py", 3): "high",
        ("pylock.toml", 2): "high",
        ("data.json", 3): "medium",
        ("data.json", 6): "medium",
        ("data.json", 9): "medium",
        ("data.json", 12): "critical",
    }


@pytest.mark.parametrize("where", ["shell", "actions"])
def test_what_is_planted_is_found_and_can_be_read_nowhere(where: str, project, ci_action, tmp_path):
    files = planted_secrets.everything()
    folder = project({**files, "app.yaml": "pass" + "word: >-\n  abc-" + "def-ghi\n  jkl-mno\n"})
    track(folder)
    commands = tmp_path / "commands"
    commands.mkdir()
    actions = {
        "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(folder), "RUNNER_DEBUG": "1",
        "GITHUB_OUTPUT": str(commands / "output"), "GITHUB_STEP_SUMMARY": str(commands / "summary"),
    }  # fmt: skip
    env = actions if where == "actions" else {}
    theirs = expected(bare(folder))
    assert {Path(name).stem for name, _, _ in theirs} >= {Path(name).stem for name in files}
    for _ in range(2):  # the second is answered from what was kept
        ran = ci_action(folder, "run", "security", "--verbose", f"--cache-dir={tmp_path / 'cache'}", env=env)
        found = ran.findings("detect-secrets")
        assert rules(found) == theirs
        assert all(one["column"] for one in found if one["path"] != "app.yaml")
        spoken = "\n".join(line for line in ran.out.splitlines() if not line.startswith("::add-mask::"))
        for place in ("cache", "reports", "commands"):
            assert planted_secrets.readable_in(tmp_path / place, spoken) == set(), place
        hashes = {hash_of(value) for value, _ in planted_secrets.secrets().values()}
        assert not [
            digest
            for digest in hashes
            for file in tmp_path.glob("[cr]*/**/*")
            if file.is_file() and digest in file.read_text("utf-8", "replace")
        ]
        if where == "actions":
            assert (
                planted_secrets.readable_in(commands, ran.out) == planted_secrets.secrets().keys()
            )  # all of them are masked


def test_hostile_files_are_all_accounted_for(project, ci_action, tmp_path):
    plain = KEYWORD_LINE.format("hunter2-" + "hunter2")
    names = [
        "-n.py",
        "new\nline.py",
        "ünï \u202e.py",
        "x" * 200 + ".py",
        os.fsdecode(b"caf\xe9.py"),
        "back\\slash.py",
        "q'\".py",
    ]
    odd: dict[str, str | bytes] = {
        "latin.py": "# caf\xe9\n".encode("latin-1") + plain.encode(),
        "wide.txt": plain.encode("utf-16"),
        "mark.py": b"\xef\xbb\xbf" + plain.encode(),
        "crlf.py": b"x = 1\r\n" + plain.replace("\n", "\r\n").encode(),
        "cr.txt": b"x = 1\r" + plain.replace("\n", "\r").encode(),
        "long.py": "x = '" + "a b " * 1_250_000 + "'\n" + plain,
        "empty.py": b"",
        "nul.dat": b"\0\xff\xfe" + plain.encode(),
        "poetry.lock": plain,
    }
    folder = project({**dict.fromkeys(names, plain), **odd})
    track(folder)
    (folder / "dangling.py").symlink_to("nowhere")
    subprocess.run(["git", "add", "dangling.py"], cwd=folder, check=True)
    subprocess.run(
        ["git", "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module"], cwd=folder, check=True
    )
    (folder / "module").mkdir()
    (folder / "empty.py").unlink()
    os.mkfifo(folder / "empty.py")
    ran = ci_action(folder, "run", "security", f"--cache-dir={tmp_path / 'cache'}")
    with_secret = [*names, "latin.py", "wide.txt", "mark.py", "crlf.py", "cr.txt", "long.py"]
    assert ran.tool("detect-secrets")["outcome"] == "report"
    assert ran.tool("detect-secrets")["examined"] == {
        "files": len(with_secret),
        "unreadable": 0,
        "binary": 1,
        "excluded": 1,
    }
    lines = {one["path"]: one["line"] for one in ran.findings("detect-secrets")}
    assert len(lines) == len(with_secret)
    assert {name: lines[name] for name in ("latin.py", "wide.txt", "crlf.py", "cr.txt", "long.py")} == {
        "latin.py": 2,
        "wide.txt": 1,
        "crlf.py": 2,
        "cr.txt": 1,
        "long.py": 2,
    }


def test_the_baseline_is_that_of_detect_secrets_and_both_agree(project, ci_action, tmp_path):
    folder = project(planted_secrets.everything())
    track(folder)
    file = folder / SECRETS_BASELINE
    first = ci_action(folder, "secrets", "baseline")
    assert first.code == 0
    text = file.read_bytes()
    assert b"line_number" not in text
    assert b"generated_at" not in text
    (folder / "aws_access_key.py").write_text("\n\n" + (folder / "aws_access_key.py").read_text())
    ci_action(folder, "secrets", "baseline")
    assert file.read_bytes() == text
    track(folder)
    argv: list[str | Path] = [
        BIN / "detect-secrets-hook",
        "--no-verify",
        "--baseline",
        SECRETS_BASELINE,
        *planted_secrets.everything(),
    ]
    assert subprocess.run(argv, cwd=folder, check=False).returncode == 0
    assert file.read_bytes() == text
    entries = {
        kind: [{**one, "line_number": 0} for one in many]
        for kind, many in bare(folder)["results"].items()
        if kind != SECRETS_BASELINE
    }
    assert {name: len(many) for name, many in json.loads(text)["results"].items()} == {
        name: len(many) for name, many in entries.items()
    }
    ran = ci_action(folder, "run", "security", "--fail-on=low", "--ignore=bandit")
    assert {one["muted"] for one in ran.findings("detect-secrets")} == {"accepted in .secrets.baseline"}
    bare(folder, "--baseline", SECRETS_BASELINE)  # writes line numbers and a time
    assert b"generated_at" in file.read_bytes()
    assert ci_action(folder, "secrets", "baseline").code == 0
    assert json.loads(file.read_bytes())["results"] == json.loads(text)["results"]


CUSTOM = """
import os, re, sys
from detect_secrets.plugins.base import RegexBasedDetector

class Ours(RegexBasedDetector):
    secret_type = "Our Token"  # pragma: allowlist secret
    denylist = [re.compile("our-[a-z]+")]

def is_example(secret):
    print("our-noise")
    os.write(2, b"our-noise")
    return "example" in secret
"""


def test_plugins_and_filters_of_the_project_are_honoured(project, ci_action):
    plugins = [{"name": "Ours", "path": "file://custom.py"}]
    filters = [
        {"path": "file://custom.py::is_example"},
        {"path": "detect_secrets.filters.regex.should_exclude_file", "pattern": ["^docs/"]},
    ]
    document = {"version": "1.5.0", "plugins_used": plugins, "filters_used": filters, "results": {}}
    files = {
        "custom.py": CUSTOM,
        "a.txt": "our-token\nour-example\n",
        "docs/a.txt": "our-token\n",
        SECRETS_BASELINE: json.dumps(document),
    }
    folder = project(files)
    track(folder)
    ran = ci_action(folder, "run", "security")
    assert {
        (one["path"], one["line"], one["rule"], one["severity"]) for one in ran.findings("detect-secrets")
    } >= {("a.txt", 1, "our-token", "unknown")}
    assert {(one["path"], one["line"]) for one in ran.findings("detect-secrets")} & {
        ("a.txt", 2),
        ("docs/a.txt", 1),
    } == set()
    assert "our-noise" not in ran.out
    assert not (folder / "__pycache__").exists()
    assert ci_action(folder, "secrets", "baseline").code == 0
    written = json.loads((folder / SECRETS_BASELINE).read_text())
    assert (written["plugins_used"], written["filters_used"]) == (plugins, filters)
    (folder / "custom.py").write_text("")
    ran = ci_action(folder, "run", "security")
    assert "it has an unknown plugin" in ran.tool("detect-secrets")["reason"]
    assert ci_action(folder, "secrets", "baseline").code == 3


def test_a_baseline_of_an_old_release_is_understood(project, ci_action):
    entry = {
        "type": "Secret Keyword",
        "hashed_secret": hash_of("hunter2-" + "hunter2"),
        "line_number": 1,
        "is_secret": False,
    }
    document = {
        "version": "0.14.3", "exclude": {"files": "^docs/", "lines": None}, "word_list": {"file": None, "hash": None},
        "plugins_used": [{"name": "KeywordDetector"}, {"name": "HexHighEntropyString", "hex_limit": 3}],
        "custom_plugin_paths": [], "results": {"a.py": [entry]}, "generated_at": "2020-01-01T00:00:00Z",
    }  # fmt: skip
    line = KEYWORD_LINE.format("hunter2-" + "hunter2")
    folder = project({"a.py": line, "docs/a.py": line, SECRETS_BASELINE: json.dumps(document)})
    track(folder)
    ran = ci_action(folder, "run", "security")
    assert [(one["path"], one["muted"]) for one in ran.findings("detect-secrets")] == [
        ("a.py", "accepted in .secrets.baseline")
    ]
    assert ci_action(folder, "secrets", "baseline").code == 0
    written = json.loads((folder / SECRETS_BASELINE).read_text())
    assert (written["version"], written["results"]["a.py"][0]["is_secret"]) == ("1.5.0", False)
    assert {"pattern": ["^docs/"], "path": "detect_secrets.filters.regex.should_exclude_file"} in written[
        "filters_used"
    ]
    assert bare(folder, "--baseline", SECRETS_BASELINE) == {}


@pytest.fixture
def with_python(tmp_path: Path) -> Callable[[str], Path]:
    """Return an environment of tools whose Python is a script of the test; it has detect-secrets and nothing else."""

    def make(body: str) -> Path:
        prefix = tmp_path / "prefix"
        shutil.rmtree(prefix, ignore_errors=True)
        series = f"python{sys.version_info.major}.{sys.version_info.minor}"
        (prefix / "lib" / series / "site-packages" / "detect_secrets-1.5.0.dist-info").mkdir(parents=True)
        python = prefix / "bin" / "python"
        python.parent.mkdir()
        python.write_text(f'#!/bin/bash\nreal="{sys.executable}"\n{body}\n')
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
        return prefix

    return make


FAULTS = {
    "killed": ("kill -9 $$", "SIGKILL", 0),
    "hangs": ('"$real" "$@"; sleep 60', "timed out", 1),
    "rubbish": ("echo rubbish", "an unknown event", 0),
    "nothing": ("exit 0", "did not report on all files", 0),
    "cut": ('"$real" "$@" | head -n 2', "did not report on all files", 1),
    "without detect-secrets": ('exec "$real" -S "$@"', "ModuleNotFoundError", 0),
    "no Python at all": ("exec /nonexistent", "exit code 127", 0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_broken_keeps_what_was_found_and_shows_no_value(
    name: str, project, ci_action, with_python, tmp_path
):
    body, reason, kept = FAULTS[name]
    value = "hunter2-" + "hunter2"
    folder = project({"a.py": KEYWORD_LINE.format(value), "b.py": "x = 1\n"})
    track(folder)
    ran = ci_action(
        folder,
        "run",
        "security",
        "--timeout=2",
        f"--cache-dir={tmp_path / 'cache'}",
        prefix=with_python(body),
    )
    tool = ran.tool("detect-secrets")
    assert (tool["outcome"], len(tool["findings"])) == ("broken", kept)
    assert reason in tool["reason"]
    assert value not in ran.out
    assert not any(
        value.encode() in file.read_bytes() for file in tmp_path.glob("[cr]*/**/*") if file.is_file()
    )
    assert ci_action(folder, "secrets", "baseline", "--timeout=2", prefix=with_python(body)).code == 3
    assert not (folder / SECRETS_BASELINE).exists()


def test_a_token_of_ours_in_a_file_is_a_finding_all_the_same(project, ci_action):
    token = "ghs_" + "0123456789" * 3 + "abcdef"
    folder = project({"a.py": f'x = "{token}"\n', f"{token}.py": "import re\n"})
    track(folder)
    ran = ci_action(folder, "run", "security", env={"INPUT_GITHUB-TOKEN": token})
    assert ("github-token", 1) in {(one["rule"], one["line"]) for one in ran.findings("detect-secrets")}
    assert token not in ran.out


def test_only_added_lines_count_where_the_scope_is_the_change(project, ci_action):
    old, new = KEYWORD_LINE.format("old-" + "hunter2"), KEYWORD_LINE.format("new-" + "hunter2")
    folder = project({"a.py": old, "b.py": old})
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    track(folder)
    subprocess.run([*git, "commit", "--quiet", "--message=1"], cwd=folder, check=True)
    subprocess.run(["git", "update-ref", "refs/remotes/origin/main", "HEAD"], cwd=folder, check=True)
    (folder / "a.py").write_text(old + new + old)
    ran = ci_action(folder, "run", "security", "--scope=changed")
    found = {(one["path"], one["line"]): one["muted"] for one in ran.findings("detect-secrets")}
    assert found == {("a.py", 2): "", ("a.py", 3): ""}  # a second occurrence was added
    assert ran.tool("detect-secrets")["examined"]["files"] == 1
    assert ci_action(folder, "secrets", "baseline", "--scope=changed").code == 0
    assert json.loads((folder / SECRETS_BASELINE).read_text())["results"].keys() == {"a.py", "b.py"}
    lone = ci_action(folder, "run", "security", "--secrets-baseline=absent.json")
    assert lone.code == 2
    assert "ci-action secrets baseline --secrets-baseline=absent.json" in lone.out


def test_what_cannot_be_read_is_told_with_its_reason(tmp_path):
    job = {"files": ["/proc/self/mem", "absent.py"], "baseline": {}, "name": "", "verify": False}
    argv: list[str | Path] = [sys.executable, "-I", "-B", "-X", "utf8", SCRIPT]
    done = subprocess.run(argv, cwd=tmp_path, input=json.dumps(job).encode(), check=True, capture_output=True)
    events = parse(done.stdout, ["/proc/self/mem", "absent.py"])
    assert events.finished
    assert [one.state for one in events.files.values()] == ["unreadable", "unreadable"]
    assert [one.problem for one in events.files.values()] == [os.strerror(5), "not a regular file"]
