"""Secrets of the environment: they have left the data before any reporter escapes, cuts or joins it."""

import io
import json
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import quote

import pytest
from support.builders import printed, publication, resolved
from support.builders import workflow as workflow_of
from support.page_sample import everywhere

from ci_action.engine.redact import redacted
from ci_action.github.pull_request import Pull
from ci_action.reporters import publish
from ci_action.reporters.context import Screen
from ci_action.system.redaction import Redactor


@pytest.mark.parametrize(
    "secret", ["hunter2-Xy9", "<b>&\"it's", "first-half-Q\nlater-half-Q", "back\\slash", "wörter-😀"]
)
@pytest.mark.parametrize("workflow", [False, True], ids=["shell", "Actions"])
@pytest.mark.parametrize("color", [False, True], ids=["plain", "colours"])
def test_no_reporter_shows_a_secret_however_it_escapes_text(
    tmp_path: Path, capsys, secret: str, *, workflow: bool, color: bool
):
    redact = Redactor([secret])
    where = publication(
        tmp_path,
        resolved=replace(resolved(paths=secret if "\n" not in secret else "src"), redact=redact.known),
        workflow=workflow_of(tmp_path) if workflow else None,
        screen=Screen(io.StringIO(), color=color),
        pull=Pull(number=7, title=secret, head=secret).shown(redact.known),
        redact=redact,
    )
    result = redacted(everywhere(f"x {secret} y", "name"), redact)
    publish(result, where)
    texts = [printed(where), capsys.readouterr().out]
    texts += [file.read_text("utf-8") for file in tmp_path.rglob("*") if file.is_file()]
    assert where.problems == []
    assert len(texts) > 8
    forms = {secret, escape(secret), json.dumps(secret)[1:-1], quote(secret), *secret.split("\n")}
    assert not [(form, text) for form in forms for text in texts if form in text]
