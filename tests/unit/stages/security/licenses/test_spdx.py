"""Licences: parsed metadata, the lists, and mistakes in the lists."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.metadata import RawMetadata

from ci_action.stages.security.licenses.names import CLASSIFIERS, KNOWN, NAMES
from ci_action.stages.security.licenses.spdx import (
    DENIED,
    NOT_ALLOWED,
    UNKNOWN,
    Licence,
    canonical,
    licence_of,
    license_mistakes,
    objection,
)

OSI = "License :: OSI Approved :: "


def metadata(expression: str = "", text: str = "", *classifiers: str) -> RawMetadata:
    found = RawMetadata(classifiers=["Programming Language :: Python", *classifiers])
    if expression:
        found["license_expression"] = expression
    if text:
        found["license"] = text
    return found


def test_every_name_in_the_tables_is_an_identifier():
    assert [name for name in KNOWN if canonical(name) != name] == []
    assert [name for name in NAMES if name != " ".join(name.casefold().split())] == []
    assert not [name for name in CLASSIFIERS if name.startswith(("License ::", "OSI Approved"))]


@pytest.mark.parametrize(
    ("given", "shown", "expression"),
    [
        pytest.param(metadata("MIT"), "MIT", "MIT", id="an expression"),
        pytest.param(metadata("mit or apache-2.0"), "MIT OR Apache-2.0", "MIT OR Apache-2.0", id="its form"),
        pytest.param(metadata("MIT", "GPL", OSI + "BSD License"), "MIT", "MIT", id="it comes first"),
        pytest.param(metadata("My own"), "My own", "", id="an expression that is none"),
        pytest.param(metadata("GPL-3.0+"), "GPL-3.0-or-later", "GPL-3.0-or-later", id="deprecated, later"),
        pytest.param(metadata("LGPL-2.1"), "LGPL-2.1-only", "LGPL-2.1-only", id="deprecated, only"),
        pytest.param(metadata("", "MIT"), "MIT", "MIT", id="text that is an expression"),
        pytest.param(metadata("", "The MIT License (MIT)"), "MIT", "MIT", id="text that is a name"),
        pytest.param(metadata("", "Apache License, Version 2.0"), "Apache-2.0", "Apache-2.0", id="Apache"),
        pytest.param(metadata("", "BSD 3-Clause License\n\nCopyright x"), "BSD-3-Clause", "BSD-3-Clause", id="title"),
        pytest.param(metadata("", "BSD"), "BSD", "BSD-2-Clause AND BSD-3-Clause", id="text in doubt"),
        pytest.param(metadata("", "Do what you like"), "Do what you like", "", id="own words"),
        pytest.param(metadata("", "x" * 500), "x" * 119 + "…", "", id="many own words"),
        pytest.param(metadata("", "", OSI + "MIT License"), "MIT", "MIT", id="classifier"),
        pytest.param(metadata("", "UNKNOWN", OSI + "MIT License"), "MIT", "MIT", id="what setuptools writes"),
        pytest.param(
            metadata("", "", OSI + "BSD License"),
            "BSD License",
            "BSD-2-Clause AND BSD-3-Clause",
            id="classifier in doubt",
        ),
        pytest.param(
            metadata("", "BSD-2-Clause", OSI + "BSD License"), "BSD-2-Clause", "BSD-2-Clause", id="text ends doubt"
        ),
        pytest.param(
            metadata("", "MIT", OSI + "ISC License (ISCL)"), "MIT AND ISC", "MIT AND ISC", id="both hold"
        ),
        pytest.param(
            metadata("", "", OSI + "MIT License", OSI + "ISC License (ISCL)"), "MIT AND ISC", "MIT AND ISC", id="two"
        ),
        pytest.param(
            metadata("", "MIT", "License :: Other/Proprietary License"),
            "Other/Proprietary License",
            "",
            id="an unknown classifier",
        ),
        pytest.param(metadata("", "", "License :: OSI Approved"), "", "", id="a kind without a licence"),
        pytest.param(metadata(), "", "", id="nothing"),
        pytest.param(metadata("", "(" * 5000), "(" * 119 + "…", "", id="hostile brackets"),
        pytest.param(metadata("(" * 30 + "MIT" + ")" * 30), "(" * 30 + "MIT" + ")" * 30, "", id="too deep"),
    ],
)  # fmt: skip
def test_what_metadata_says(given: RawMetadata, shown: str, expression: str):
    assert licence_of(given) == Licence(shown, expression)


@pytest.mark.parametrize(
    ("expression", "allow", "deny", "rule"),
    [
        ("MIT", "MIT", "", ""),
        ("MIT", "mit", "", ""),
        ("MIT", "ISC", "", NOT_ALLOWED),
        ("MIT", "", "GPL-*", ""),
        ("GPL-3.0-only", "", "GPL-*", DENIED),
        ("LGPL-3.0-only", "", "GPL-*", ""),
        ("LGPL-3.0-only", "", "LGPL-*", DENIED),
        ("GPL-3.0-only", "", "GPL-3.0", DENIED),
        ("GPL-3.0-or-later", "GPL-3.0+", "", ""),
        ("MIT OR GPL-3.0-only", "MIT", "", ""),
        ("MIT OR GPL-3.0-only", "", "GPL-*", ""),
        ("MIT AND GPL-3.0-only", "MIT", "", NOT_ALLOWED),
        ("MIT AND GPL-3.0-only", "", "GPL-*", DENIED),
        ("MIT OR GPL-3.0-only", "GPL-*", "MIT", ""),
        # One alternative is allowed, the other is free of what is denied: none is both.
        ("MIT OR GPL-3.0-only", "GPL-*", "GPL-3.0-only", NOT_ALLOWED),
        ("(MIT OR ISC) AND BSD-3-Clause", "ISC, BSD-*", "", ""),
        ("(MIT OR ISC) AND BSD-3-Clause", "ISC", "", NOT_ALLOWED),
        ("MIT AND ISC OR BSD-3-Clause", "BSD-3-Clause", "", ""),
        ("MIT AND (ISC OR BSD-3-Clause)", "BSD-3-Clause", "", NOT_ALLOWED),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", "", ""),
        (
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "",
            "",
        ),
        ("GPL-2.0-only", "GPL-2.0-only WITH Classpath-exception-2.0", "", NOT_ALLOWED),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "", "GPL-2.0-only", DENIED),
        ("MIT", "*", "", ""),
        ("LicenseRef-Own", "LicenseRef-Own", "", ""),
        ("", "MIT", "", UNKNOWN),
        ("", "", "GPL-*", UNKNOWN),
        ("", "*", "", ""),
        ("", "LicenseRef-some-package", "", ""),
        ("", "LicenseRef-other", "", UNKNOWN),
        ("", "LicenseRef-some-package", "LicenseRef-*", UNKNOWN),
    ],
)
def test_what_passes(expression: str, allow: str, deny: str, rule: str):
    lists = [[one.strip() for one in words.split(",") if one.strip()] for words in (allow, deny)]
    found = objection("Some_Package", Licence(expression, expression), *lists)
    assert (found.rule if found else "") == rule


def test_what_is_said_of_a_licence_that_does_not_pass(wording: Any):
    def text_of(licence: Licence, allow: list[str], deny: list[str]) -> str:
        found = objection("a", licence, allow, deny)
        assert found
        return found.text

    assert text_of(Licence("MIT", "MIT"), [], ["MIT"]) == "is licensed under MIT, which is in licenses-deny"
    doubt = Licence("BSD License", "BSD-2-Clause AND BSD-3-Clause")
    assert text_of(doubt, ["BSD-3-Clause"], []) == wording
    assert text_of(Licence(""), [], ["MIT"]) == wording
    assert text_of(Licence("Mine"), ["MIT"], []) == wording


LEAVES = st.sampled_from(["MIT", "ISC", "0BSD", "GPL-3.0-only"])
TREES = st.recursive(
    LEAVES, lambda inner: st.tuples(inner, st.sampled_from(["AND", "OR"]), inner), max_leaves=8
)


def written(tree: Any) -> str:
    return tree if isinstance(tree, str) else f"({written(tree[0])} {tree[1]} {written(tree[2])})"


def alternatives(tree: Any) -> list[frozenset[str]]:
    """Return the sets of licences by which one may use it."""
    if isinstance(tree, str):
        return [frozenset({tree})]
    left, right = alternatives(tree[0]), alternatives(tree[2])
    return left + right if tree[1] == "OR" else [one | other for one in left for other in right]


@given(TREES, st.sets(LEAVES), st.sets(LEAVES))
def test_an_alternative_is_enough(tree: Any, allow: set[str], deny: set[str]):
    expression = canonical(written(tree))
    assert expression
    found = objection("p", Licence(expression, expression), sorted(allow), sorted(deny))
    free = [one for one in alternatives(tree) if not one & deny]
    passing = [one for one in free if not allow or one <= allow]
    expected = "" if passing else NOT_ALLOWED if free else DENIED
    assert (found.rule if found else "") == expected


@given(st.text(max_size=60), st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
def test_no_metadata_is_an_error(expression: str, text: str, classifiers: list[str]):
    found = licence_of(metadata(expression, text, *(f"License :: {one}" for one in classifiers)))
    objection("p", found, ["MIT"], [])
    assert len(found.shown) < 600


@given(st.lists(st.sampled_from(["(", ")", "MIT", "AND", "OR", "WITH", "+", "Classpath-exception-2.0", " "])))
def test_what_is_no_expression_has_no_form(words: list[str]):
    found = canonical(" ".join(words))
    assert found == "" or canonical(found) == found
    objection("p", Licence(found, found), ["MIT"], ["ISC"])


@pytest.mark.parametrize(
    ("allow", "deny", "starts"),
    [
        (["MIT", "BSD-*", "LicenseRef-x", "GPL-2.0-only WITH Classpath-exception-2.0", "*"], ["LGPL-*"], []),
        (["Apache2"], [], ["licenses-allow = 'Apache2': not an SPDX identifier"]),
        ([], ["GPLv3"], ["licenses-deny = 'GPLv3': not an SPDX identifier"]),
        (["MIT OR ISC"], [], ["licenses-allow = 'MIT OR ISC': write one licence per entry"]),
        (["BSD *"], [], ["licenses-allow = 'BSD *': a pattern may only contain letters"]),
        (["[*"], ["MTI"], ["licenses-allow = '[*': a pattern", "licenses-deny = 'MTI': not an SPDX"]),
        (["mit"], ["MIT"], ["licenses-deny = 'MIT': also in licenses-allow"]),
    ],
)
def test_what_is_wrong_with_the_lists(allow: list[str], deny: list[str], starts: list[str]):
    found = license_mistakes(allow, deny)
    assert len(found) == len(starts)
    assert all(one.startswith(start) for one, start in zip(found, starts, strict=True))


def test_a_wrong_identifier_comes_with_the_nearest():
    assert license_mistakes(["Apache2"], [])[0].endswith("; did you mean 'Apache-2.0'?")
    assert license_mistakes(["bsd3-clause"], [])[0].endswith("; did you mean 'BSD-3-Clause'?")
