"""Titles by Conventional Commits and by the rules of a project: every mistake at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import resolved
from support.hostile_text import FOREIGN, TEXTS

from ci_action.stages.pr.title.grammar import LONGEST, Parts, is_breaking, quoted, without_marks
from ci_action.stages.pr.title.rules import (
    PLACEHOLDERS,
    TYPES,
    Rules,
    filled,
    judge,
    rules_of,
    title_mistakes,
)
from ci_action.system.errors import TimedOutError
from ci_action.system.patterns import Expressions

FORM, TYPE, SCOPE, SUBJECT, DRAFT = "title-form", "title-type", "title-scope", "title-subject", "title-draft"


def rules_broken(title: str, **rules: Any) -> list[str]:
    return [mistake.rule for mistake in judge(title, Rules(**rules)).mistakes]


def messages(title: str, **rules: Any) -> str:
    return "\n".join(mistake.text for mistake in judge(title, Rules(**rules)).mistakes)


# What commitizen 4.19.3 (`cz check`) and conventional-pre-commit 4.4.0 judge titles, beside ours.
AGREEMENT = [
    ("feat: add x", True, True, True),
    ("fix(api): mend y", True, True, True),
    ("feat!: drop z", True, True, True),
    ("feat(api)!: drop z", True, True, True),
    ("docs(a,b): say more", True, True, True),
    ("revert: feat: add x", True, True, True),
    ("chore(deps-dev): bump a from 1 to 2", True, True, True),
    ("ci: x", True, True, True),
    ("feature: add x", False, False, False),
    ("feat:add x", False, False, False),
    ("feat : add x", False, False, False),
    ("feat add x", False, False, False),
    ("feat(): add x", False, False, False),
    ("feat(api)add x", False, False, False),
    ("feat[api]: x", False, False, False),
    ("feat:", False, False, False),
    ("feat: ", False, False, False),
    ("feat(api): ", False, False, False),
    ("feat!!: x", False, False, False),
    ("WIP: feat: x", False, False, False),
    ("wip: x", False, False, False),
    ("unknown: x", False, False, False),
    ("Update README.md", False, False, False),
    # If they differ from each other, the words of Conventional Commits decide.
    ("Feat: add x", False, False, True),
    ("FEAT: x", False, False, True),
    ("build(a b): x", True, False, True),
    ("feat:  two spaces", True, True, True),
    (" feat: x", False, True, False),
    ("bump: version 1.0.0 → 1.1.0", False, True, False),
    ('Revert "feat: add x"', False, True, False),
    ("fixup! feat: add x", False, True, False),
    ("squash! feat: add x", False, True, False),
    ("Merge branch 'main'", False, True, False),
]


@pytest.mark.parametrize(("title", "ours", "commitizen", "pre_commit"), AGREEMENT)
def test_other_checkers_agree(title: str, ours: bool, commitizen: bool, pre_commit: bool):
    assert (not rules_broken(title)) is ours
    if commitizen == pre_commit:
        assert ours is commitizen


@pytest.mark.parametrize(
    ("title", "broken"),
    [
        ("feature(api,):add x", [FORM, SCOPE, TYPE]),
        (" feat : x", [FORM, FORM]),
        ("Feat():x", [FORM, SCOPE, TYPE]),
        ("(api): x", [TYPE]),
        (": x", [TYPE]),
        (":", [TYPE, SUBJECT]),
        ("feat: ", [SUBJECT]),
        ("feat!!: x", [FORM]),
        ("feat\uff1a x", [FORM]),
        ("feat: x\ny", [FORM]),
        ("Add a thing: that works", [FORM]),
        ("Login", [FORM]),
        ("", [FORM]),
    ],
)
def test_every_mistake_is_named(title: str, broken: list[str]):
    found = rules_broken(title)
    assert sorted(set(found)) == sorted(set(broken)), messages(title)
    assert len(found) == len(set(messages(title).splitlines()))


@pytest.mark.parametrize(
    "title",
    [
        "Feat: x",
        "feature: x",
        "hotfix: x",
        "chroe: x",
        'Revert "feat: x"',
        'Reapply "feat: x"',
        "fixup! feat: x",
        "amend! feat: x",
        "Merge pull request #1 from a/b",
        "[WIP] feat: x",
    ],
)
def test_messages(title: str, wording: Any):
    assert messages(title) == wording


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("feat(api, ui)!: add x", Parts(type="feat", scopes=("api", "ui"), breaking=True, subject="add x")),
        ("fix: a: b (c)!", Parts(type="fix", subject="a: b (c)!")),
        ("feat:x", Parts(type="feat", subject="x")),
        ("what", Parts(subject="what")),
    ],
)
def test_parts(title: str, parts: Parts):
    assert judge(title, Rules()).parts == parts


@pytest.mark.parametrize(
    ("title", "rules", "broken"),
    [
        pytest.param("task: x", {"types": ("task",)}, [], id="own types"),
        pytest.param("feat: x", {"types": ("task",)}, [TYPE], id="own types replace the default"),
        pytest.param("feat-2: x", {"types": (r"feat-\d",)}, [], id="types are expressions"),
        pytest.param("feat-22: x", {"types": (r"feat-\d",)}, [TYPE], id="for the whole type"),
        pytest.param("feat: x", {"require_scope": True}, [SCOPE], id="no scope"),
        pytest.param("feat(x): x", {"require_scope": True}, [], id="a scope"),
        pytest.param("feat: x", {"scopes": ("api",)}, [], id="scopes are no duty"),
        pytest.param("feat(api,ui): x", {"scopes": ("api", "u.")}, [], id="each scope"),
        pytest.param("feat(api,no,nor): x", {"scopes": ("api",)}, [SCOPE, SCOPE], id="each wrong scope"),
        pytest.param("feat(apis): x", {"scopes": ("api",)}, [SCOPE], id="for the whole scope"),
        pytest.param("feat(release): x", {"disallowed": ("rel.*",)}, [SCOPE], id="disallowed"),
        pytest.param(
            "feat(rel): x", {"scopes": ("rel",), "disallowed": ("rel.*",)}, [SCOPE], id="disallowed wins"
        ),
        pytest.param("feat(x): X", {"subject": "(?![A-Z]).+"}, [SUBJECT], id="subject"),
        pytest.param("feat: x y", {"subject": "x"}, [SUBJECT], id="for the whole subject"),
        pytest.param(
            "what(no): X",
            {"types": ("a",), "scopes": ("b",), "subject": "c"},
            [TYPE, SCOPE, SUBJECT],
            id="everything at once",
        ),
    ],
)
def test_rules_of_a_project(title: str, rules: dict[str, Any], broken: list[str]):
    assert rules_broken(title, **rules) == broken


PATTERN = r"(?P<type>[A-Z]+)-\d+ (?:\[(?P<scope>\w+)\] )?(?P<breaking>BREAKING )?(?P<subject>.+)"


@pytest.mark.parametrize(
    ("title", "rules", "broken", "parts"),
    [
        ("AB-12 [api] x", {}, [], Parts(type="AB", scopes=("api",), subject="x")),
        ("AB-12 BREAKING x", {}, [], Parts(type="AB", breaking=True, subject="x")),
        ("feat: x", {}, [FORM], Parts(subject="feat: x")),
        ("AB-12 x", {"types": ("CD",)}, [TYPE], Parts(type="AB", subject="x")),
        ("AB-12 [no] x", {"scopes": ("api",)}, [SCOPE], Parts(type="AB", scopes=("no",), subject="x")),
        ("AB-12 x", {"require_scope": True, "subject": "y"}, [SCOPE, SUBJECT], Parts(type="AB", subject="x")),
    ],
)
def test_an_expression_instead(title: str, rules: dict[str, Any], broken: list[str], parts: Parts):
    judged = judge(title, Rules(pattern=PATTERN, **rules))
    assert [mistake.rule for mistake in judged.mistakes] == broken
    assert judged.parts == parts


def test_an_expression_without_groups():
    assert judge("x", Rules(pattern="x")) == judge("x", Rules(pattern="(?P<breaking>!)?x"))
    assert rules_broken("y", pattern="x") == [FORM]


@pytest.mark.parametrize(
    ("title", "rest", "mark"),
    [
        ("WIP: feat: x", "feat: x", "WIP:"),
        ("wip : x", "x", "wip :"),
        ("WIP feat: x", "feat: x", "WIP"),
        ("wip", "", "wip"),
        ("wip(api): x", "wip(api): x", ""),
        ("Draft the page", "Draft the page", ""),
        ("[WIP] x", "x", "[WIP]"),
        ("[Draft]: x", "x", "[Draft]:"),
        ("Draft: x", "x", "Draft:"),
        ("\U0001f6a7 x", "x", "\U0001f6a7"),
        ("WIP: [draft] \U0001f6a7 x", "x", "WIP:"),
        ("Wipe the table", "Wipe the table", ""),
        ("Draft a plan", "Draft a plan", ""),
        ("feat: WIP: x", "feat: WIP: x", ""),
    ],
)
def test_work_in_progress(title: str, rest: str, mark: str):
    assert without_marks(title) == (rest, mark)


def test_a_mark_is_a_mistake_beside_those_of_the_title():
    assert rules_broken("WIP: feat: x") == [DRAFT]
    assert rules_broken("[WIP] x") == [DRAFT, FORM]
    assert rules_broken("wip: x", types=("wip",)) == []


@pytest.mark.parametrize(
    ("title", "body", "breaking"),
    [
        ("feat!: x", "", True),
        ("feat(a)!: x", "", True),
        ("feat: x!", "", False),
        ("feat: x", "BREAKING CHANGE: y", True),
        ("feat: x", "text\r\n\r\nBREAKING-CHANGE: y\r\n", True),
        ("feat: x", "BREAKING CHANGE #7", True),
        ("feat: x", "breaking change: y", False),
        ("feat: x", "no BREAKING CHANGE: y", False),
        ("feat: x", "BREAKING CHANGE:", False),
        ("feat: x", "<!--\nBREAKING CHANGE: say what\n-->", False),
        ("feat: x", "<!-- a -->\nBREAKING CHANGE: y", True),
        ("feat: x", "<!-- never closed\nBREAKING CHANGE: y", False),
    ],
)
def test_what_breaks_something(title: str, body: str, breaking: bool):
    assert is_breaking(judge(title, Rules()).parts, body) is breaking


def test_no_expression_meets_more_than_the_longest_title():
    assert rules_broken("feat: " + "x" * (LONGEST - 6)) == []
    assert rules_broken("feat: " + "x" * (LONGEST - 5)) == [FORM]


@pytest.mark.parametrize("text", TEXTS)
def test_messages_about_hostile_titles_are_one_line(text: str):
    for mistake in judge(text, Rules(require_scope=True, subject="y")).mistakes:
        assert mistake.text.isprintable()


@given(FOREIGN | st.text(max_size=300))
def test_any_title_is_valid_or_has_an_error(title: str):
    judged = judge(title, Rules())
    assert all(mistake.text.isprintable() for mistake in judged.mistakes)
    if not judged.mistakes:
        assert judged.parts.type in TYPES
        assert judged.parts.subject


@given(st.text())
def test_quotes_show_what_is_not_seen(text: str):
    assert quoted(text).isprintable()


@pytest.mark.parametrize("name", ["types", "scopes", "disallowed", "subject", "pattern"])
def test_the_expressions_of_a_title_share_their_time(name: str):
    endless = "(a|aa)+b"
    given = endless if name in {"subject", "pattern"} else (endless,)
    settings: dict[str, Any] = {"types": ("a+",), name: given}
    rules = Rules(**settings, expressions=Expressions(0.05))
    for _ in range(2):
        with pytest.raises(TimedOutError):
            judge(f"{'a' * 80}({'a' * 60}): {'a' * 80}", rules)


def mistakes(**settings: Any) -> list[str]:
    return list(title_mistakes(resolved(**settings).settings))


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
    assert list(title_mistakes(given_settings)) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
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
def test_errors_of_the_settings(settings: dict[str, Any], expected: list[str]):
    found = mistakes(**settings)
    assert len(found) == len(expected), found
    for mistake, words in zip(found, expected, strict=True):
        assert words in mistake


def test_placeholders_are_filled():
    template = "'{title}' {type} {scope} {subject} {proposal} {other} {{title}}"
    values = {name: name.upper() for name in PLACEHOLDERS}
    assert filled(template, values) == "'TITLE' TYPE SCOPE SUBJECT PROPOSAL {other} {TITLE}"


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_title_is_unchanged(text: str):
    values = {"title": text, "type": "T"}
    assert filled("<{title}>{type}", values) == f"<{text}>T"


@given(FOREIGN)
def test_what_is_put_in_is_never_read_again(text: str):
    shown = filled("{title}|{proposal}", {"title": text + "{proposal}", "proposal": "{title}" + text})
    assert shown == text + "{proposal}|{title}" + text
