"""The baseline of detect-secrets: what is read, what is refused, what is written."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import layout, resolved, write

from ci_action.engine.secret_scan.baseline import Baseline, baseline_mistakes, hash_of, load, render
from ci_action.engine.secret_scan.baseline import write as write_baseline
from ci_action.project.file_kinds import SECRETS_BASELINE
from ci_action.system.errors import ToolError

VALUE = "hunter2-" + "hunter2"
ENTRY = {"type": "Secret Keyword", "filename": "a.py", "hashed_secret": hash_of(VALUE)}


def document(*entries: dict[str, Any], **overrides: Any) -> str:
    return json.dumps({"version": "1.5.0", "results": {"a.py": list(entries)}, **overrides})


def loaded(root: Path, text: str | bytes, **settings: str) -> Baseline:
    write(root, {settings.get("secrets_baseline", SECRETS_BASELINE): text})
    return load(layout(root), resolved(**settings).settings)


def test_the_hash_is_that_of_detect_secrets():
    from detect_secrets.core.potential_secret import PotentialSecret

    assert hash_of("ünïcode") == PotentialSecret.hash_secret("ünïcode")


def test_entries_are_known_by_file_type_and_hash(tmp_path: Path):
    baseline = loaded(tmp_path, document({**ENTRY, "line_number": 7}))
    assert baseline.exists
    assert baseline.key(tmp_path / "a.py", "Secret Keyword", VALUE) in baseline.entries
    assert baseline.key(tmp_path / "b.py", "Secret Keyword", VALUE) not in baseline.entries
    assert baseline.key(tmp_path / "a.py", "Basic Auth Credentials", VALUE) not in baseline.entries
    assert baseline.configuration == {"version": "1.5.0"}


@pytest.mark.parametrize(
    ("hashes", "token", "accepted"),
    [
        pytest.param(["gh"], "", True, id="not a part of a token"),
        pytest.param(["gh"], "gh-one", True, id="as detect-secrets writes it"),
        pytest.param(["gh", "gh-one"], "gh-one", True, id="as we write it"),
        pytest.param(["gh", "gh-one"], "gh-two", False, id="another token with the same beginning"),
        pytest.param(["gh-one"], "gh-one", False, id="the beginning is gone"),
        pytest.param([], "gh-one", False, id="none"),
    ],
)
def test_accepting_one_token_accepts_no_other_with_the_same_beginning(
    hashes: list[str], token: str, accepted: bool, tmp_path: Path
):
    entries = [{"type": "GitHub Token", "hashed_secret": hash_of(value)} for value in hashes]
    apart = [one for one, value in zip(entries, hashes, strict=True) if "-" in value]
    baseline = loaded(
        tmp_path, document(*[one for one in entries if one not in apart], whole_tokens={"a.py": apart})
    )
    found = baseline.entry(tmp_path / "a.py", "GitHub Token", "gh", token)
    assert (found is not None) is accepted
    assert baseline.configuration == {"version": "1.5.0"}
    written = json.loads(render(baseline, "1.5.0", {}, baseline.entries))
    # detect-secrets would remove an entry that it cannot find itself, and write its file again.
    assert [one["hashed_secret"] for one in written["results"].get("a.py", [])] == [
        hash_of(value) for value in hashes if "-" not in value
    ]
    assert loaded(tmp_path, json.dumps(written)).entries.keys() == baseline.entries.keys()


def test_none_is_none(tmp_path: Path):
    baseline = load(layout(tmp_path), resolved().settings)
    assert (baseline.exists, baseline.entries, baseline.configuration) == (False, {}, {})


def test_one_above_the_project_speaks_of_files_below_its_own_folder(tmp_path: Path):
    write(tmp_path, {SECRETS_BASELINE: document(ENTRY), "part/a.py": ""})
    place = layout(tmp_path, root=tmp_path / "part")
    baseline = load(place, resolved(secrets_baseline=f"../{SECRETS_BASELINE}").settings)
    assert baseline.name(tmp_path / "part" / "a.py") == "part/a.py"


def test_one_in_a_folder_of_the_project_speaks_of_files_below_the_project(tmp_path: Path):
    baseline = loaded(tmp_path, document(ENTRY), secrets_baseline=".ci/secrets.json")
    assert baseline.name(tmp_path / "a.py") == "a.py"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field `version`"),
        (b'{"version": 1, "results": {}}', r"Expected `str`, got `int` - at `\$.version`"),
        (b'{"version": "1.5.0"}', "missing required field `results`"),
        (b'{"version": "1.5.0", "results": {"a.py": {}}}', "Expected `array`"),
        (
            b'{"version": "1.5.0", "results": {"a.py": [{"type": "x"}]}}',
            "missing required field `hashed_secret`",
        ),
    ],
)
def test_what_is_no_baseline_is_broken_with_advice(text: bytes, expected: str, tmp_path: Path):
    with pytest.raises(ToolError, match=f"{expected}.*ci-action secrets baseline"):
        loaded(tmp_path, text)


def test_what_is_no_file_is_broken(tmp_path: Path, wording: Any):
    (tmp_path / SECRETS_BASELINE).mkdir()
    with pytest.raises(ToolError) as caught:
        load(layout(tmp_path), resolved().settings)
    assert str(caught.value) == wording


def test_a_link_that_leads_out_is_broken_and_one_inside_is_followed(tmp_path: Path):
    root = write(tmp_path / "w", {"real.json": document(ENTRY)})
    write(tmp_path, {"outside.json": document(ENTRY)})
    (root / SECRETS_BASELINE).symlink_to("real.json")
    baseline = load(layout(root), resolved().settings)
    assert len(baseline.entries) == 1
    write_baseline(baseline, b"{}\n")
    assert (root / SECRETS_BASELINE).is_symlink()
    assert (root / "real.json").read_bytes() == b"{}\n"
    (root / SECRETS_BASELINE).unlink()
    (root / SECRETS_BASELINE).symlink_to("../outside.json")
    with pytest.raises(ToolError, match="outside the workspace"):
        load(layout(root), resolved().settings)


@pytest.mark.parametrize(
    ("given", "written", "expected"),
    [
        ("", False, ""),
        ("there.json", False, ""),
        ("there.json", True, ""),
        ("new.json", True, ""),
        (
            "new.json",
            False,
            "file not found; create it with `ci-action secrets baseline --secrets-baseline=new.json`",
        ),
        ("../out.json", False, "outside the workspace"),
        ("../out.json", True, "outside the workspace"),
        ("/etc/passwd", True, "outside the workspace"),
        ("folder", True, "must be a file"),
        ("absent/new.json", True, "must be a file in an existing folder"),
    ],
)
def test_mistakes_in_the_setting(given: str, written: bool, expected: str, tmp_path: Path):
    root = write(tmp_path / "w", {"there.json": "{}", "folder/a": ""})
    mistakes = baseline_mistakes(resolved(secrets_baseline=given).settings, root, written=written)
    assert expected in mistakes[0] if expected else mistakes == []


def test_what_is_written_keeps_marks_and_holds_neither_lines_nor_time(tmp_path: Path):
    marked = {**ENTRY, "is_secret": False, "is_verified": True, "line_number": 3}
    baseline = loaded(tmp_path, document(marked, generated_at="2026-01-01T00:00:00Z"))
    new = ("b.py", "Secret Keyword", hash_of("other"))
    configuration = {"plugins_used": [{"name": "X"}], "filters_used": []}
    text = render(baseline, "1.5.0", configuration, [new, *baseline.entries])
    assert json.loads(text) == {
        "version": "1.5.0",
        **configuration,
        "results": {
            "a.py": [{**ENTRY, "is_verified": True, "is_secret": False}],
            "b.py": [
                {"type": new[1], "filename": "b.py", "hashed_secret": new[2], "is_verified": False},
            ],
        },
    }


KEYS = st.tuples(st.text(max_size=5), st.sampled_from(["A", "B"]), st.sampled_from(["00", "11"]))


@given(keys=st.lists(KEYS, max_size=8), other=st.randoms())
def test_the_order_in_which_secrets_are_found_does_not_show(keys: list[tuple[str, str, str]], other: Any):
    baseline = Baseline(file=Path("b"), root=Path())
    mixed = other.sample(keys, len(keys)) + keys
    assert render(baseline, "1", {}, keys) == render(baseline, "1", {}, mixed)
