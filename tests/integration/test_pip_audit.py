"""Dependencies and their known vulnerabilities end to end: the real pip-audit, a local service with real advisories."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.advisory_service import AdvisoryService, Failing, served
from support.builders import context
from support.paths import PROJECTS, ROOT
from support.repositories import commit

from ci_action.engine.advisories.audit import Audit, Auditor
from ci_action.engine.advisories.lookup import program
from ci_action.engine.advisories.osv_client import Service
from ci_action.engine.advisories.process import PipAudit
from ci_action.project.programs import BundledTools
from ci_action.system.process import Processes

PYPROJECT = '[project]\nname = "app"\nversion = "1"\n'


def lock(**versions: str) -> str:
    """Return a uv.lock: requests needs urllib3, everything else is needed by the project itself."""
    direct = ", ".join(f'{{ name = "{name}" }}' for name in versions if name != "urllib3")
    parts = [
        f'version = 1\n[[package]]\nname = "app"\nversion = "1"\nsource = {{ virtual = "." }}\ndependencies = [{direct}]\n'
    ]
    for name, version in versions.items():
        source = (
            '{ registry = "https://pypi.org/simple" }' if version else '{ git = "https://example.org/x#abc" }'
        )
        needs = 'dependencies = [{ name = "urllib3" }]\n' if name == "requests" else ""
        parts.append(f'[[package]]\nname = "{name}"\nversion = "{version or 1}"\nsource = {source}\n{needs}')
    return "".join(parts)


def rules(findings: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return sorted(
        (one["package"]["name"] if one["package"] else "", one["rule"], one["severity"]) for one in findings
    )


def test_vulnerable_fixed_merged_withdrawn_and_passed_over(project, ci_action):
    text = lock(requests="2.19.0", urllib3="1.26.4", jinja2="3.1.6", redis="4.0.0", django="4.2.1", mine="")
    folder = project({"uv.lock": text, "pyproject.toml": PYPROJECT})
    with served() as service:
        ran = ci_action(folder, "run", "security", f"--advisory-url={service.address}/v1/")
        assert (ran.code, ran.report["conclusion"]) == (0, "warned")
        found = ran.findings("pip-audit")
        assert rules(found) == [
            ("", "not-audited", ""),
            ("django", "PYSEC-2024-70", "unknown"),
            ("requests", "PYSEC-2018-28", "high"),
            ("requests", "PYSEC-2023-74", "medium"),
            ("urllib3", "PYSEC-2021-108", "high"),
            ("urllib3", "PYSEC-2023-192", "high"),
        ]
        (slow,) = (one for one in found if one["rule"] == "PYSEC-2021-108")
        assert slow["package"]["advisories"] == ["PYSEC-2021-108", "GHSA-q2q7-5pp4-w6pg", "CVE-2021-33503"]
        assert (slow["package"]["parents"], slow["package"]["fixed_in"]) == (["requests"], ["1.26.5"])
        assert slow["package"]["upgrade"] == "uv lock --upgrade-package 'urllib3>=1.26.17'"
        assert text.splitlines()[slow["line"] - 1] == 'name = "urllib3"'
        assert ran.tool("pip-audit")["examined"] == {"packages": 5, "skipped": 1}

        again = ("run", "security", f"--advisory-url={service.address}")
        ran = ci_action(folder, *again, "--fail-on=high")
        assert (ran.code, ran.report["conclusion"]) == (1, "failed")
        ignored = "\n".join(f"{name} 2999-12-31 why" for name in ("requests CVE-2018-18074", "urllib3 ghsa-q2q7-5pp4-w6pg", "urllib3 CVE-2023-43804", "django CVE-2024-42005"))  # fmt: skip
        ran = ci_action(folder, *again, "--fail-on=high", f"--ignore-vulnerabilities={ignored}")
        assert (ran.code, ran.report["conclusion"]) == (0, "warned")


def test_the_page_of_the_stage_shows_what_is_printed(project, ci_action):
    sample = PROJECTS / "exposed"
    folder = project({name: (sample / name).read_text("utf-8") for name in ("uv.lock", "pyproject.toml")})
    page = (ROOT / "docs" / "stages" / "security.md").read_text("utf-8")
    (shown,) = re.findall(r"^```text\n(.*)\n```$", page, re.MULTILINE)
    assert shown in ci_action(folder, "run", "security").out.splitlines()


PART = '[project]\nname = "part"\nversion = "1"\ndependencies = ["requests==2.19.0"]\n'
TABLES = """[tool.poetry]
name = "app"
[tool.poetry.dependencies]
python = "^3.11"
django = [{version = "4.2.0", python = "<3.9"}, {version = "4.2.1", python = ">=3.9"}]
part = {path = "vendor/pkg"}
address = {url = "https://example.invalid/address-1.0.tar.gz"}
odd = {version = 3}
"""


@pytest.mark.parametrize(
    ("files", "packages", "unaudited"),
    [
        ({"requirements.txt": "./vendor/pkg\n"}, {"requests"}, set()),
        ({"requirements.txt": "-e vendor/pkg\n"}, {"requests"}, set()),
        ({"pyproject.toml": TABLES.replace("address", "# ")}, {"django", "requests"}, {"odd"}),
    ],
)
def test_folders_and_every_form_of_poetry(files, packages, unaudited, project, ci_action):
    folder = project({**files, "vendor/pkg/pyproject.toml": PART})
    with served() as service:
        ran = ci_action(folder, "run", "security", f"--advisory-url={service.address}")
    found = ran.findings("pip-audit")
    assert {one["package"]["name"] for one in found if one["package"]} >= packages
    missed = {one["message"].split()[0].strip("'") for one in found if one["rule"] == "not-audited"}
    assert missed == unaudited
    assert ran.report["conclusion"] == "warned"


def test_what_the_change_brought(tmp_path, ci_action):
    folder = tmp_path / "repository"
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet", "-b", "main", str(folder)], check=True)
    base = commit(folder, {"uv.lock": lock(requests="2.19.0", urllib3="1.26.3"), "pyproject.toml": PYPROJECT})
    subprocess.run(["git", "-C", str(folder), "update-ref", "refs/remotes/origin/main", base], check=True)
    commit(folder, {"uv.lock": lock(requests="2.19.1", urllib3="1.26.4", jinja2="3.1.2")})
    with served() as service:
        for option in ("--fail-on=new", "--scope=changed"):
            ran = ci_action(folder, "run", "security", option, f"--advisory-url={service.address}")
            new = {
                one["rule"]: (one["new"], one["level"], bool(one["muted"]))
                for one in ran.findings("pip-audit")
            }
            assert {rule for rule, (is_new, _, _) in new.items() if is_new} == {"GHSA-h5c8-rqwp-cp95"}
            assert len(new) == 5
            if option == "--fail-on=new":
                assert ran.code == 1
                assert {rule for rule, (_, level, _) in new.items() if level == "error"} == {
                    "GHSA-h5c8-rqwp-cp95"
                }
            else:
                assert {rule for rule, (_, _, muted) in new.items() if not muted} == {"GHSA-h5c8-rqwp-cp95"}


def test_nobody_answers(project, ci_action):
    folder = project({"uv.lock": lock(requests="2.19.0"), "pyproject.toml": PYPROJECT})
    ran = ci_action(
        folder,
        "run",
        "security",
        "--fail-on=critical",
        "--advisory-url=http://user:secret-word@127.0.0.1:9",
        "--verbose",
    )
    assert (ran.code, ran.report["conclusion"], ran.tool("pip-audit")["outcome"]) == (3, "broken", "broken")
    assert "none of the 1 packages could be audited: 127.0.0.1:9 refused the connection" in ran.out
    assert "secret-word" not in ran.out + json.dumps(ran.report)


ONE = {"uv.lock": lock(requests="2.19.0"), "pyproject.toml": PYPROJECT}
CRITICAL = ("run", "security", "--fail-on=critical")


@pytest.mark.parametrize(
    "body",
    [b"null", b'{"vulns": [], "next_page_token": "2"}', b"<html>ok</html>"],
    ids=["shape", "part", "no JSON"],
)
def test_an_answer_of_another_shape_is_no_clean_bill(project, ci_action, body: bytes):
    with served(AdvisoryService(failing=Failing(body=body))) as service:
        ran = ci_action(project(ONE), *CRITICAL, f"--advisory-url={service.address}")
    assert (ran.code, ran.tool("pip-audit")["outcome"]) == (3, "broken")


@pytest.mark.parametrize("body", [b"{}", b'{"vulns": []}', b'{"vulns": [], "next_page_token": ""}'])
def test_an_answer_without_vulnerabilities(project, ci_action, body: bytes):
    with served(AdvisoryService(failing=Failing(body=body))) as service:
        ran = ci_action(project(ONE), *CRITICAL, f"--advisory-url={service.address}")
    assert (ran.code, ran.tool("pip-audit")["examined"]) == (0, {"packages": 1, "skipped": 0})


def test_a_redirect_to_another_host_is_not_believed(project, ci_action):
    with served(AdvisoryService(known={})) as clean:
        away = Failing(location=f"{clean.address}/v1/query")
        with served(AdvisoryService(failing=away)) as service:
            ran = ci_action(project(ONE), *CRITICAL, f"--advisory-url={service.address}")
    assert (ran.code, ran.tool("pip-audit")["outcome"]) == (3, "broken")
    assert "redirects to another host" in ran.tool("pip-audit")["reason"]
    assert clean.asked == []


def test_a_redirect_on_the_same_host_is_followed(project, ci_action):
    with served(AdvisoryService(failing=Failing(location="/v1/query", times=1))) as service:
        ran = ci_action(
            project(ONE), "run", "security", "--fail-on=high", f"--advisory-url={service.address}"
        )
    assert len(service.asked) == 2
    assert (ran.code, len(ran.findings("pip-audit"))) == (1, 2)


def test_records_elsewhere_are_not_asked_for():
    with served() as other:
        away = Failing(location=f"{other.address}/v1/vulns/PYSEC-2018-28", records=True)
        with served(AdvisoryService(failing=away)) as service:
            found = Service(base=service.address, seconds=10.0, pauses=()).records(["PYSEC-2018-28"])
    assert (found, other.fetched) == ({}, [])


def test_one_package_that_the_service_rejects(project, ci_action):
    folder = project(
        {"uv.lock": lock(private="1", requests="2.19.0", six="1.16.0"), "pyproject.toml": PYPROJECT}
    )
    with served(AdvisoryService(failing=Failing(status=400, only=frozenset({"private"})))) as service:
        ran = ci_action(folder, "run", "security", "--fail-on=critical", f"--advisory-url={service.address}")
    assert (ran.code, ran.report["conclusion"]) == (0, "warned")
    (missed,) = (one for one in ran.findings("pip-audit") if one["rule"] == "not-audited")
    assert missed["message"].endswith("answered with HTTP 400")
    assert ran.tool("pip-audit")["examined"] == {"packages": 2, "skipped": 1}


def test_no_dependencies_and_wrong_settings(project, ci_action):
    folder = project({"README.md": ""})
    ran = ci_action(folder, "run", "security", "--advisory-url=http://127.0.0.1:9")
    assert ran.tool("pip-audit")["reason"] == "the project names no dependencies"
    ran = ci_action(folder, "run", "security", "--advisory-url=ftp://x", "--pip-audit-args=--ign X -o y")
    assert ran.code == 2


@pytest.fixture
def audited(tmp_path: Path):
    """Ask a service through the real pip-audit, without pauses."""

    def make(service: AdvisoryService, *packages: tuple[str, str], address: str = "") -> Audit:
        tempdir = tmp_path / "tempdir"
        tempdir.mkdir(exist_ok=True)
        environ = {**os.environ, "PIP_AUDIT_FORMAT": "columns", "PIP_AUDIT_OUTPUT": "/nowhere/else"}
        ctx = context(
            tmp_path / "w", run=Processes(environ, tempdir).run, tempdir=tempdir, environ=environ, bundled=BundledTools.of(Path(sys.prefix)),
            settings={"advisory_url": address or service.address, "pip_audit_args": "--timeout=1"},
        )  # fmt: skip
        ask = PipAudit(ctx=ctx, program=program(ctx), folder=tempdir / "pip-audit")
        return Auditor(ask=ask, seconds=60, pauses=()).audit(packages)

    (tmp_path / "w").mkdir()
    return make


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        *[(body, "returned an answer that is not OSV") for body in (b"null", b"[]", b'""', b"0", b"false")],
        *[(body, "returned an answer that is not OSV") for body in (b'{"vulns": {}}', b'{"vulns": null}')],
        *[
            (body, "returned an answer that is not OSV")
            for body in (b'{"vulns": ""}', b'{"message": "moved"}')
        ],
        (b'{"vulns": [], "next_page_token": "2"}', "returned a partial answer"),
        (b"<html>ok</html>", "returned invalid JSON"),
        (b"", "returned invalid JSON"),
    ],
)
def test_of_an_answer_of_another_shape_nothing_is_believed(audited, body: bytes, expected: str):
    with served(AdvisoryService(failing=Failing(body=body))) as service:
        audit = audited(service, ("requests", "2.19.0"))
    assert audit.audited == {}
    assert expected in audit.missed["requests", "2.19.0"]


PACKAGES = (("requests", "2.19.0"), ("six", "1.16.0"))


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (Failing(half=True), "closed the connection before the end of its answer"),
        (Failing(hang=True), "did not answer in time"),
        (
            Failing(body=b'{"vulns": [{"id": 7, "affected": [7]}]}'),
            "returned an answer that pip-audit cannot read",
        ),
    ],
)
def test_a_service_that_fails(failing, reason, audited):
    with served(AdvisoryService(failing=failing)) as service:
        audit = audited(service, *PACKAGES)
    assert audit.audited == {}
    assert {
        why.removeprefix(service.address.removeprefix("http://")).strip() for why in audit.missed.values()
    } == {reason}


def test_a_service_that_fails_in_the_middle_costs_one_package(audited):
    with served(AdvisoryService(failing=Failing(half=True, only=frozenset({"six"})))) as service:
        audit = audited(service, *PACKAGES, ("urllib3", "2.0.1"), ("urllib3", "1.26.4"))
    assert list(audit.missed) == [("six", "1.16.0")]
    assert {key: len(found) for key, found in audit.audited.items()} == {
        ("requests", "2.19.0"): 2, ("urllib3", "2.0.1"): 1, ("urllib3", "1.26.4"): 2,
    }  # fmt: skip


def test_records_have_an_end_and_what_is_none_is_left_out():
    known = {"PYSEC-2021-108", "GHSA-q2q7-5pp4-w6pg"}
    with served() as one:
        service = Service(base=one.address, seconds=10, pauses=())
        assert service.records([*known, "CVE-2021-33503", "no id at all"]).keys() == known
        assert sorted(one.fetched) == sorted([*known, "CVE-2021-33503"])
        for failing in (
            Failing(status=500, records=True, only=frozenset({"no package"})),
            Failing(half=True, records=True),
            Failing(body=b"[]", records=True),
            Failing(body=b'{"id": "PYSEC-1"}', records=True),
        ):
            one.failing = failing
            service = Service(base=one.address, seconds=10, pauses=())
            assert service.records(known) == {}
            answers = service.about([("urllib3", "1.26.4")])
            # A mirror may answer about packages alone: its answers hold the same records.
            assert answers.keys() == ({*known, "PYSEC-2023-192"} if failing.only else set())
            assert all("urllib3" in record.spans for record in answers.values())
    service = Service(base=one.address, seconds=10, pauses=())
    assert service.about([("urllib3", "1.26.4")]) == {}
    assert service.records(known) == {}


LISTS = {
    "requirements.txt": "requests==2.19.0\nurllib3==1.24.1\njinja2==2.11.2\nsix==1.16.0\npyyaml==5.3.1\ncertifi==2024.7.4\nidna==2.7\n",
}


def test_agreement_with_the_bare_tool(project, ci_action, tmp_path):
    """The same packages, vulnerabilities and fixed versions as bare pip-audit, on pins with hashes."""
    text = "".join(f"{line} --hash=sha256:{'0' * 64}\n" for line in LISTS["requirements.txt"].splitlines())
    folder = project({"requirements.txt": text})
    with served() as service:
        bare = subprocess.run(
            [str(Path(sys.prefix, "bin", "pip-audit")), "-r", str(folder / "requirements.txt"), "--disable-pip", "-f", "json", "-s", "osv",
             "--progress-spinner=off", "--osv-url", f"{service.address}/v1/query", f"--cache-dir={tmp_path / 'http'}"],
            check=False, capture_output=True,
        )  # fmt: skip
        ran = ci_action(folder, "run", "security", f"--advisory-url={service.address}")
    entries = json.loads(bare.stdout)["dependencies"]
    theirs = {
        (one["name"], frozenset([vuln["id"], *vuln["aliases"]])) for one in entries for vuln in one["vulns"]
    }
    found = ran.findings("pip-audit")
    assert {(one["package"]["name"], frozenset(one["package"]["advisories"])) for one in found} == theirs
    assert len(theirs) == 8
    assert ran.tool("pip-audit")["examined"] == {"packages": len(entries), "skipped": 0}
    for one in entries:
        for vuln in one["vulns"]:
            (same,) = (ours for ours in found if vuln["id"] in ours["package"]["advisories"])
            assert set(vuln["fix_versions"]) <= set(same["package"]["fixed_in"])
