"""Mistakes in the settings of the docker stage."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import layout, resolved, write

from ci_action.engine.stage import Configuration
from ci_action.stages.docker.stage import STAGE

SAMPLE = {
    "Dockerfile": "FROM debian:13 AS Build\nFROM build AS run\nFROM run\n",
    "app/Dockerfile": "FROM debian:13\n",
    "other.Dockerfile": "# syntax=example.org/other\nFROM debian:13\n",
    "own.Dockerfile": "# syntax=docker/dockerfile:1.7\nFROM debian:13\n",
}


def mistakes_of(workspace: Path, root: str = ".", **settings: Any) -> list[str]:
    places = layout(workspace, root=workspace / root)
    return list(STAGE.mistakes(Configuration(settings=resolved(**settings).settings, layout=places)))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"context": "app"},
        {"context": "app", "dockerfile": "other.Dockerfile"},
        {"context": "empty"},
        {"dockerfile": "inside"},
        {"target": "build"},
        {"target": "RUN"},
        {"target": "2"},
        {"target": "x", "dockerfile": "other.Dockerfile"},
        {"target": "x", "context": "empty"},
        {"image_tag": "quay.io/team/shop:1"},
        {"cache_from": "type=gha\ntype=registry,ref=a/b\ntype=local,src=c", "cache_to": "mode=max, type=local ,dest=d"},
        {"cache_to": "type=inline\ntype=s3,region=x,bucket=y"},
    ],
)  # fmt: skip
def test_no_mistake(tmp_path: Path, settings: Any):
    workspace = write(tmp_path / "w", SAMPLE)
    (workspace / "empty").mkdir()
    (workspace / "inside").symlink_to("Dockerfile")
    assert mistakes_of(workspace, **settings) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"context": "absent"},
        {"context": "Dockerfile"},
        {"context": ".."},
        {"context": "/"},
        {"context": "out"},
        {"context": ".git"},
        {"context": "https://github.com/org/app.git"},
        {"context": "git@github.com:org/app.git"},
        {"context": "github.com/org/app"},
        {"dockerfile": "absent"},
        {"dockerfile": "app"},
        {"dockerfile": "../Dockerfile"},
        {"dockerfile": "leads/Dockerfile"},
        {"context": "leads"},
        {"target": "x"},
        {"target": "3"},
        {"target": "x", "context": "app"},
        {"target": "x", "dockerfile": "own.Dockerfile"},
        {"image_tag": "Org/App"},
        {"image_tag": "app@sha256:00"},
        {"cache_from": "org/app:cache"},
        {"cache_from": "type=ghaa"},
        {"cache_from": "type=local,dest=x"},
        {"cache_to": "type=local,src=x"},
        {"cache_to": "type=registry"},
    ],
)
def test_a_mistake(tmp_path: Path, settings: Any, wording: Any):
    workspace = write(tmp_path / "w", {**SAMPLE, ".git/Dockerfile": "", "leads/x": ""})
    write(tmp_path, {"Dockerfile": "FROM debian:13\n"})
    (workspace / "out").symlink_to(tmp_path)
    (workspace / "leads" / "Dockerfile").symlink_to(tmp_path / "Dockerfile")
    (mistake,) = mistakes_of(workspace, **settings)
    assert mistake.replace(str(tmp_path), "") == wording


def test_all_mistakes_are_reported_at_once_and_places_are_those_of_the_project(tmp_path: Path):
    workspace = write(tmp_path / "w", SAMPLE)
    assert mistakes_of(workspace, "app", dockerfile="Dockerfile") == []
    assert mistakes_of(workspace, "app", dockerfile="../Dockerfile", context="..") == []
    assert len(mistakes_of(workspace, "app", dockerfile="x", image_tag="A", cache_to="x\ny")) == 4
