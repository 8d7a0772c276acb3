"""What we ask of GitHub, held against its own published description: without that, the stand-in proves nothing."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from support.github_description import SEEN, VARIABLE, Description, read
from support.paths import ROOT

pytestmark = pytest.mark.npm

PACKAGE, VERSION = "@octokit/openapi", "23.0.2"
FILE = "package/generated/api.github.com.json"
# Fetched once; git ignores the folder.
CACHE = ROOT / ".ci-action-cache" / f"openapi-{VERSION}"
COMMENT = "/repos/o/r/issues/7/comments"


@pytest.fixture(scope="session")
def published() -> Path:
    """Return GitHub's description, from the package index of Node."""
    file = CACHE / FILE
    if not file.is_file():
        assert shutil.which("npm"), "npm fetches GitHub's description: install Node.js"
        CACHE.mkdir(parents=True, exist_ok=True)
        packed = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}", f"--pack-destination={CACHE}"]
        done = subprocess.run(packed, capture_output=True, text=True, check=False, cwd=CACHE)
        assert done.returncode == 0, done.stderr
        archive = CACHE / done.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as tar:
            tar.extract(FILE, CACHE, filter="data")
        archive.unlink()
    return file


@pytest.fixture(scope="session")
def known(published: Path) -> Description:
    return read(str(published))


def test_every_request_and_every_answer_is_as_github_describes_it(published: Path, tmp_path: Path):
    """Run all tests that use the stand-in; each fails where a request or an answer is not as described."""
    folder = ROOT / "tests" / "integration"
    uses = re.compile(r"^from support\.github_service import", re.MULTILINE)
    files = [str(file) for file in sorted(folder.glob("test_*.py")) if uses.search(file.read_text("utf-8"))]
    assert any("test_github_api" in file for file in files)
    seen = tmp_path / "seen"
    variables = {**os.environ, VARIABLE: str(published), SEEN: str(seen)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-5_000:]
    asked = set(seen.read_text().splitlines())
    repository = "/repos/{owner}/{repo}"
    assert asked == {
        "GET /user",
        f"GET {repository}/pulls/{{pull_number}}",
        f"GET {repository}/pulls/{{pull_number}}/files",
        f"GET {repository}/pulls/{{pull_number}}/comments",
        f"POST {repository}/pulls/{{pull_number}}/reviews",
        f"GET {repository}/commits/{{commit_sha}}/pulls",
        f"GET {repository}/compare/{{basehead}}",
        f"GET {repository}/issues/{{issue_number}}/comments",
        f"POST {repository}/issues/{{issue_number}}/comments",
        f"PATCH {repository}/issues/comments/{{comment_id}}",
        f"DELETE {repository}/issues/comments/{{comment_id}}",
        f"POST {repository}/issues/{{issue_number}}/labels",
        f"DELETE {repository}/issues/{{issue_number}}/labels/{{name}}",
        f"POST {repository}/check-runs",
        f"PATCH {repository}/check-runs/{{check_run_id}}",
    }


@pytest.mark.parametrize(
    ("verb", "path", "query", "body", "said"),
    [
        ("GET", "/repos/o/r/nothing/of/the/kind", "", None, "is described nowhere"),
        ("PUT", COMMENT, "", {"body": "x"}, "is described nowhere"),
        ("GET", COMMENT, "perpage=100", None, "has no parameter 'perpage'"),
        ("GET", COMMENT, "page=first", None, "'first' is not of type 'integer'"),
        ("POST", COMMENT, "", {"boddy": "x"}, "'body' is a required property"),
        ("POST", COMMENT, "", {"body": 1}, "1 is not of type 'string'"),
        (
            "POST",
            "/repos/o/r/check-runs",
            "",
            {"name": "x", "head_sha": "y", "conclusion": "grand"},
            "'grand'",
        ),
        ("DELETE", "/repos/o/r/issues/comments/1", "", {"body": "x"}, "takes no body"),
    ],
)
def test_a_request_that_github_does_not_describe_is_seen(
    known: Description, verb: str, path: str, query: str, body: object, said: str
):
    assert said in " ".join(known.request(verb, path, query, body))


@pytest.mark.parametrize(
    ("verb", "path", "status", "body", "said"),
    [
        ("GET", COMMENT, 200, {}, "is not of type 'array'"),
        ("GET", COMMENT, 200, [{"id": 1}], "'node_id' is a required property"),
        ("GET", COMMENT, 202, [], "is described nowhere"),
        ("POST", COMMENT, 403, {"message": 1}, "1 is not of type 'string'"),
        ("DELETE", "/repos/o/r/issues/comments/1", 204, {}, "has a body"),
    ],
)
def test_an_answer_that_github_does_not_describe_is_seen(
    known: Description, verb: str, path: str, status: int, body: object, said: str
):
    assert said in " ".join(known.answer(verb, path, status, body))
