"""The settings of titles: what cannot go together, and the user's own text for a wrong title."""

from typing import Any

import pytest
from hypothesis import given
from support.builders import resolved
from support.hostile_text import FOREIGN, TEXTS

from ci_action.stages.pr.title.rules import TYPES, Rules
from ci_action.stages.pr.title.rules_from_settings import PLACEHOLDERS, filled, rules_of, title_mistakes


def mistakes(**settings: Any) -> list[str]:
    return title_mistakes(resolved(**settings).settings)


def test_the_defaults_are_right_and_make_no_rule():
    assert mistakes() == []
    rules = rules_of(resolved().settings)
    assert rules == Rules()
    assert rules.allowed_types == TYPES


def test_settings_become_rules():
    given_settings = resolved(
        title_types="a\nb", title_scopes="c", title_disallow_scopes="d", title_require_scope="true",
        title_subject_pattern="e", title_pattern="(?P<type>f)(?P<scope>g)(?P<subject>h)",
    ).settings  # fmt: skip
    assert rules_of(given_settings) == Rules(
        types=("a", "b"),
        scopes=("c",),
        disallowed=("d",),
        require_scope=True,
        subject="e",
        pattern="(?P<type>f)(?P<scope>g)(?P<subject>h)",
    )
    assert title_mistakes(given_settings) == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"title_pattern": "(?P<typ>x)"}, ["unknown group 'typ'; did you mean 'type'?"]),
        ({"title_pattern": "x", "title_types": "feat"}, ["title-types: title-pattern has no group 'type'"]),
        ({"title_pattern": "x", "title_scopes": "a"}, ["title-scopes: title-pattern has no group 'scope'"]),
        ({"title_pattern": "x", "title_require_scope": "true"}, ["title-require-scope: title-pattern has no group"]),
        ({"title_pattern": "x", "title_subject_pattern": "y"}, ["title-subject-pattern: title-pattern has no group"]),
        ({"title_pattern": "x", "title_disallow_scopes": "y"}, ["title-disallow-scopes: title-pattern has no group"]),
        ({"title_scopes": "a\nb", "title_disallow_scopes": "b\nc"}, ["'b' is in title-scopes too"]),
        ({"title_error": "{titel}: {x}"}, ["unknown placeholder '{titel}'; did you mean 'title'?", "'{x}'"]),
        ({"title_error": "{title.__class__} {type!r} {scope[0]} {subject:>9}"}, ["write '{title}'", "write '{type}'", "write '{scope}'", "write '{subject}'"]),
        ({"title_error": '{title} {"json": 1} {} {{x y}} { } $' + "{{ github.actor }}"}, []),
    ],
)  # fmt: skip
def test_what_cannot_be(settings: dict[str, Any], told: list[str]):
    found = mistakes(**settings)
    assert len(found) == len(told), found
    for mistake, words in zip(found, told, strict=True):
        assert words in mistake


def test_placeholders_are_filled():
    template = "'{title}' {type} {scope} {subject} {proposal} {other} {{title}}"
    values = {name: name.upper() for name in PLACEHOLDERS}
    assert filled(template, values) == "'TITLE' TYPE SCOPE SUBJECT PROPOSAL {other} {TITLE}"


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_title_is_put_in_as_it_is(text: str):
    values = {"title": text, "type": "T"}
    assert filled("<{title}>{type}", values) == f"<{text}>T"


@given(FOREIGN)
def test_what_is_put_in_is_never_read_again(text: str):
    shown = filled("{title}|{proposal}", {"title": text + "{proposal}", "proposal": "{title}" + text})
    assert shown == text + "{proposal}|{title}" + text
