"""Names of images: what the registries accept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.docker.reference import with_tag, wrong_reference


@pytest.mark.parametrize(
    ("name", "tagged"),
    [
        ("app", "app:latest"),
        ("app:1.2.3", "app:1.2.3"),
        ("org/app", "org/app:latest"),
        ("quay.io/team/shop:v1", "quay.io/team/shop:v1"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("localhost:5000/app:x", "localhost:5000/app:x"),
        ("[::1]:5000/app:x", "[::1]:5000/app:x"),
        ("Registry.Example/a/b/c", "Registry.Example/a/b/c:latest"),
        ("a__b/c--d.e_f", "a__b/c--d.e_f:latest"),
        (f"app:{'t' * 128}", f"app:{'t' * 128}"),
        ("a" * 255, f"{'a' * 255}:latest"),
    ],
)
def test_valid_names(name: str, tagged: str):
    assert wrong_reference(name) == ""
    assert with_tag(name) == tagged


@pytest.mark.parametrize(
    "name",
    [
        "", "App", "quay.io/Team/shop", "app:", "app:-x", f"app:{'t' * 129}", "a" * 256, "-app", "app-", "a//b", "/a", "a/",
        "a b", "a\nb", "app:1\n", "a..b", "a___b", "http://a/b", "app:1:2", "é", "a@sha256:00", "0" * 64, "$(id)", "--rm",
    ],
)  # fmt: skip
def test_invalid_names(name: str):
    assert wrong_reference(name)


def test_upper_case_is_named(wording: object):
    assert [
        wrong_reference("quay.io/Team/Shop:1"),
        wrong_reference("a b"),
        wrong_reference("a@sha256:0"),
    ] == wording


@given(st.text())
def test_a_valid_name_is_never_an_option_and_on_one_line(text: str):
    if not wrong_reference(text):
        assert not text.startswith("-")
        assert text.isascii()
        assert text.isprintable()
        assert " " not in text
