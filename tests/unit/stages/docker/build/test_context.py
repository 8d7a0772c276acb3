"""Our own folders in the build context."""

from pathlib import Path

import pytest
from support.builders import write

from ci_action.stages.docker.build.command import Request
from ci_action.stages.docker.build.context import copied
from ci_action.stages.docker.dockerfile import parse

OURS = "ci-action-report"


def found(workspace: Path, dockerfile: str, ignored: dict[str, str] | None = None, context: str = ".") -> list[str]:
    write(workspace, {f"{OURS}/quality/report.json": "{}", "app/x": "", **(ignored or {})})
    request = Request(
        context=workspace / context, dockerfile=workspace / "Dockerfile", tag="x:1", metadata=workspace / "m"
    )
    folders = [workspace / OURS, workspace / "absent", workspace]
    return list(copied(folders, request, parse(dockerfile.encode(), "Dockerfile"), workspace))


@pytest.mark.parametrize(
    ("instruction", "is_copied"),
    [
        ("COPY . .", True),
        ("COPY --chown=1:1 ./ /app", True),
        ('COPY [".", "/app"]', True),
        ("ADD x . /app/", True),
        ("COPY * ./", True),
        ("COPY app .", False),
        ("COPY --from=base . .", False),
        ('COPY ["app", "."]', False),
        ("COPY [", False),
        ("RUN cp . x", False),
    ],
)
def test_what_copies_everything(tmp_path: Path, instruction: str, is_copied: bool):
    assert found(tmp_path, f"FROM a\n{instruction}\n") == ([OURS] if is_copied else [])


@pytest.mark.parametrize(
    ("ignored", "is_copied"),
    [
        ({".dockerignore": f"# ours\n{OURS}\n"}, False),
        ({".dockerignore": f"/{OURS}/\n"}, False),
        ({".dockerignore": "*\n!app\n"}, False),
        ({".dockerignore": "**/*-report\n"}, False),
        ({".dockerignore": "*.md\n"}, True),
        ({".dockerignore": OURS, "Dockerfile.dockerignore": "*.md"}, True),
        ({".dockerignore": "*.md", "Dockerfile.dockerignore": OURS}, False),
    ],
)
def test_what_is_excluded(tmp_path: Path, ignored: dict[str, str], is_copied: bool):
    assert found(tmp_path, "FROM a\nCOPY . .\n", ignored) == ([OURS] if is_copied else [])


def test_a_folder_outside_of_the_context(tmp_path: Path):
    assert found(tmp_path, "FROM a\nCOPY . .\n", context="app") == []
