"""Proposed titles: made from words and changed files, and never one that breaks a rule."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_text import FOREIGN, PIECES, TEXTS

from ci_action.stages.pr.title.grammar import LONGEST
from ci_action.stages.pr.title.proposal import Around, look, propose
from ci_action.stages.pr.title.rules import TYPES, Rules, judge
from ci_action.stages.pr.title.words import imperative, type_of_paths


def proposed(title: str, *paths: str, area: str = "", **rules: Any) -> str:
    return propose(title, Rules(**rules), Around(paths=paths, area=area))


@pytest.mark.parametrize(
    ("title", "proposal"),
    [
        ("feature: add x", "feat: add x"),
        ("Bugfix: mend y", "fix: mend y"),
        ("HOTFIX(api): mend y", "fix(api): mend y"),
        ("doc: say more", "docs: say more"),
        ("chores: tidy", "chore: tidy"),
        ("tests: cover x", "test: cover x"),
        ("chroe: tidy", "chore: tidy"),
        ("feat:add x", "feat: add x"),
        ("feat : add x", "feat: add x"),
        ("feat\uff1aadd x", "feat: add x"),
        ("feat!!: add x", "feat!: add x"),
        ("feat(): add x", "feat: add x"),
        ("feat(api,): add x", "feat(api): add x"),
        ("feat: add\n x", "feat: add x"),
        ("feat add x", "feat: add x"),
        ("feat - add x", "feat: add x"),
        ("feat/add x", "feat: add x"),
        ("[feat] Add x.", "feat: add x"),
        ("fix(api) mend y", "fix(api): mend y"),
        ("Feat: Add x.", "feat: add x"),
        ("Feat: README says more.", "feat: README says more"),
        ("Feat: wait...", "feat: wait..."),
        ("Add a login page.", "feat: add a login page"),
        ("Added x", "feat: added x"),
        ("Fix the crash in parser", "fix: the crash in parser"),
        ("Refactors y", "refactor: refactors y"),
        ("Update the README", "chore: update the README"),
        ("Bump requests from 1.0 to 2.0", "build: bump requests from 1.0 to 2.0"),
        ("Add x: and y", "feat: add x: and y"),
        ("parser: fix a crash", "fix(parser): a crash"),
        ('Revert "feat: add x"', "revert: feat: add x"),
        ('Reapply "feat: add x"', "feat: add x"),
        ("fixup! squash! feat: add x", "feat: add x"),
        ("Merge branch 'main' into topic", "chore: merge branch 'main' into topic"),
        ("WIP: feat: add x", "feat: add x"),
        ("WIP add x", "feat: add x"),
        ("[WIP] Add x", "feat: add x"),
        ("Login page", "feat: Login page"),
        ("zoo(a): bad", "feat(a): bad"),
        ("feat", ""),
        ("fix(core): ", ""),
        ("", ""),
    ],
)
def test_from_the_words(title: str, proposal: str):
    assert proposed(title) == proposal


@pytest.mark.parametrize(
    ("paths", "kind"),
    [
        (("docs/a.md", "README.md"), "docs"),
        (("docs/conf.py",), "docs"),
        (("LICENSE",), "docs"),
        (("tests/test_a.py", "tests/data/x.json"), "test"),
        (("src/pkg/test_a.py", "conftest.py"), "test"),
        ((".github/workflows/ci.yml", ".gitlab-ci.yml"), "ci"),
        (("pyproject.toml", "uv.lock", "requirements-dev.txt", "Dockerfile"), "build"),
        (("docs/a.md", "tests/test_a.py"), ""),
        (("src/a.py",), ""),
        ((), ""),
    ],
)
def test_the_type_of_changed_files(paths: tuple[str, ...], kind: str):
    assert type_of_paths(paths) == kind


def test_changed_files_stand_over_the_verb():
    assert proposed("Update the README", "README.md") == "docs: update the README"
    assert proposed("Login page", "tests/test_login.py") == "test: Login page"
    assert proposed("Add x", "src/a.py") == "feat: add x"


@pytest.mark.parametrize(
    ("rules", "around", "proposal"),
    [
        pytest.param({}, {"area": "api"}, "feat(api): add x", id="the only area"),
        pytest.param(
            {"scopes": ("ui",)}, {"area": "api"}, "feat: add x", id="no scope rather than a wrong one"
        ),
        pytest.param(
            {"require_scope": True},
            {"paths": ("src/pkg/a.py", "src/pkg/b/c.py")},
            "feat(pkg): add x",
            id="folder",
        ),
        pytest.param(
            {"scopes": ("src",), "require_scope": True},
            {"paths": ("src/pkg/a.py",)},
            "feat(src): add x",
            id="outer",
        ),
        pytest.param({"require_scope": True}, {"paths": ("a.py", "b/c.py")}, "", id="nothing in common"),
        pytest.param(
            {"require_scope": True, "scopes": ("core",)}, {}, "feat(core): add x", id="the only scope"
        ),
        pytest.param({"types": ("feature", "bug")}, {}, "feature: add x", id="the project's word"),
        pytest.param({"types": ("task",)}, {}, "task: add x", id="the only type that there is"),
        pytest.param({"types": ("[A-Z]+-1",)}, {}, "", id="a type without a guess"),
        pytest.param({"subject": "[A-Z].*"}, {}, "feat: Add x", id="the project's capital letter"),
        pytest.param({"subject": ".*[.]"}, {}, "feat: Add x.", id="the project's full stop"),
        pytest.param({"subject": "no"}, {}, "", id="a subject without a guess"),
        pytest.param({"pattern": "[a-z ]+"}, {}, "add x", id="an expression for the whole title"),
        pytest.param({"pattern": "AB-1 .*"}, {}, "", id="an expression without a guess"),
    ],
)
def test_by_the_rules_of_a_project(rules: dict[str, Any], around: dict[str, Any], proposal: str):
    assert propose("Add x.", Rules(**rules), Around(**around)) == proposal


@pytest.mark.parametrize(
    ("title", "rules", "proposal"),
    [
        ("feat(API): x", {"scopes": ("api",)}, "feat(api): x"),
        ("feat(apy,ui): x", {"scopes": ("api", "ui")}, "feat(api,ui): x"),
        ("feat(api,what): x", {"scopes": ("api", "ui")}, "feat(api): x"),
        ("feat(secret,api): x", {"disallowed": ("secret",)}, "feat(api): x"),
        ("feat(what): x", {"scopes": ("api", "ui")}, "feat: x"),
    ],
)
def test_scopes_are_mended(title: str, rules: dict[str, Any], proposal: str):
    assert proposed(title, **rules) == proposal


@pytest.mark.parametrize(
    ("word", "verb"),
    [
        ("Adds", "add"), ("added", "add"), ("adding", "add"), ("fixes", "fix"), ("Removed", "remove"), ("removing", "remove"),
        ("dropped", "drop"), ("Update", "update"), ("page", "page"), ("", ""),
    ],
)  # fmt: skip
def test_verbs(word: str, verb: str):
    assert imperative(word) == verb


TITLES = (
    FOREIGN
    | st.sampled_from(TEXTS)
    | st.builds(
        "{}{}{}{}{}".format,
        st.sampled_from(["", "WIP: ", "[wip]", "fixup! ", 'Revert "', *PIECES]),
        st.sampled_from(["feat", "Feature", "fix", "DOC", "add", "Fixes", "x", ""]),
        st.sampled_from(["", "(api)", "(API,ui)", "()", "(", "[x]"]),
        st.sampled_from([": ", ":", " : ", " - ", " ", "!: ", "!!:", "\uff1a"]),
        st.sampled_from(["add x", "Add x.", "x", "", "\u202ex", "x\ny", *PIECES]),
    )
)
RULES = st.builds(
    Rules,
    types=st.sampled_from([(), ("feature", "bug"), ("f.*",), ("[A-Z]+",)]),
    scopes=st.sampled_from([(), ("api", "ui"), ("a.*",)]),
    disallowed=st.sampled_from([(), ("ui",)]),
    require_scope=st.booleans(),
    subject=st.sampled_from(["", "[A-Z].*", "(?![A-Z]).*", ".*[.]"]),
    pattern=st.sampled_from(["", "", "[a-z: ]+", "(?P<type>x)(?P<scope>y)?(?P<subject>z)"]),
)
PATHS = st.lists(st.sampled_from(["docs/a.md", "tests/a.py", "src/api/x.py", "uv.lock", "a", ""]), max_size=3)
AROUND = st.builds(Around, paths=PATHS.map(tuple), area=st.sampled_from(["", "api", "x y", ")("]))


@given(TITLES, RULES, AROUND)
def test_a_proposal_keeps_every_rule_or_is_none(title: str, rules: Rules, around: Around):
    looked = look(title, rules, around)
    assert looked.parts == judge(title, rules).parts
    if not looked.mistakes:
        assert looked.proposal == ""
    if looked.proposal:
        assert looked.proposal.isprintable()
        assert len(looked.proposal) <= LONGEST
        assert judge(looked.proposal, rules).mistakes == ()


@pytest.mark.parametrize("kind", TYPES)
def test_right_titles_get_no_proposal(kind: str):
    assert look(f"{kind}: x", Rules(), Around()).proposal == ""
