"""Credentials of package indexes: bound to the addresses of the environment, and given to no program by name."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.system.child_environ import clean_environment
from ci_action.system.index_credentials import unbound_credentials, with_bound_credentials
from ci_action.system.redaction import secrets_of

CORP = {"UV_INDEX_CORP_USERNAME": "u", "UV_INDEX_CORP_PASSWORD": "p@ss/word"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param(
            {"UV_INDEX": "corp=https://a/s"}, {"UV_INDEX": "corp=https://u:p%40ss%2Fword@a/s"}, id="index"
        ),
        pytest.param(
            {"UV_DEFAULT_INDEX": "Corp=http://a:8/s"},
            {"UV_DEFAULT_INDEX": "Corp=http://u:p%40ss%2Fword@a:8/s"},
            id="default index",
        ),
        pytest.param(
            {"UV_INDEX": "https://x/s\n corp=https://a/s  other=https://b/s"},
            {"UV_INDEX": "https://x/s corp=https://u:p%40ss%2Fword@a/s other=https://b/s"},
            id="among others",
        ),
        pytest.param(
            {"UV_INDEX": "corp=https://me:mine@a/s"},
            {"UV_INDEX": "corp=https://u:p%40ss%2Fword@a/s"},
            id="the variables win",
        ),
        pytest.param({"UV_INDEX": "https://a/s"}, {"UV_INDEX": "https://a/s"}, id="without a name"),
        pytest.param({"UV_INDEX": "corp=./wheels"}, {"UV_INDEX": "corp=./wheels"}, id="a folder"),
        pytest.param({"UV_INDEX": "corp=https://[/s"}, {"UV_INDEX": "corp=https://[/s"}, id="no address"),
        pytest.param({}, {}, id="nowhere"),
        pytest.param(
            {"UV_INDEX_URL": "corp=https://a/s"}, {"UV_INDEX_URL": "corp=https://a/s"}, id="no names there"
        ),
    ],
)
def test_credentials_are_bound_to_urls_of_the_environment(environ: dict[str, str], expected: dict[str, str]):
    poetry = {"POETRY_HTTP_BASIC_CORP_PASSWORD": "x"}
    assert with_bound_credentials({**CORP, **poetry, **environ}) == expected


def test_a_user_or_a_password_alone():
    index = {"UV_INDEX": "corp=https://me@a/s"}
    only = {"UV_INDEX_CORP_PASSWORD": "secret"}
    assert with_bound_credentials({**index, **only}) == {"UV_INDEX": "corp=https://me:secret@a/s"}
    token = {"UV_INDEX": "corp=https://a/s", "UV_INDEX_CORP_USERNAME": "token"}
    assert with_bound_credentials(token) == {"UV_INDEX": "corp=https://token@a/s"}


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_any_password_survives(password: str):
    environ = {"UV_INDEX": "c=https://a/s", "UV_INDEX_C_PASSWORD": password}
    try:
        password.encode()
    except UnicodeEncodeError:
        return
    (entry,) = with_bound_credentials(environ)["UV_INDEX"].split()
    parts = urlsplit(entry.partition("=")[2])
    assert (parts.hostname, unquote(parts.password or "")) == ("a", password)


def test_names_that_look_alike_in_a_variable_do_not_share_credentials():
    environ = {"UV_INDEX": "co-rp=https://a/s", "UV_INDEX_CO_RP_PASSWORD": "secret"}
    assert with_bound_credentials(environ) == {"UV_INDEX": "co-rp=https://:secret@a/s"}


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        (CORP, [("UV_INDEX_CORP_PASSWORD", "UV_INDEX_CORP_USERNAME", "`UV_INDEX: corp=")]),
        ({**CORP, "UV_INDEX": "other=https://a/s"}, [("UV_INDEX_CORP_PASSWORD",)]),
        ({**CORP, "UV_INDEX": "corp=https://a/s"}, []),
        ({**CORP, "UV_DEFAULT_INDEX": "corp=https://a/s"}, []),
        ({"UV_INDEX_A_B_PASSWORD": "x", "UV_INDEX_C_USERNAME": "y"}, [("a-b=",), ("c=",)]),
        ({"POETRY_HTTP_BASIC_CORP_PASSWORD": "x"}, [("POETRY_HTTP_BASIC_CORP_PASSWORD", "netrc")]),
        ({"UV_INDEX": "https://a/s", "UV_INDEX_STRATEGY": "first-index"}, []),
    ],
)
def test_withheld_credentials_are_reported(environ: dict[str, str], named: list[tuple[str, ...]]):
    warnings = unbound_credentials(environ)
    assert len(warnings) == len(named)
    for warning, words in zip(warnings, named, strict=True):
        assert all(word in warning for word in words)
        assert "p@ss" not in warning


def test_every_child_gets_bound_credentials_and_they_are_secrets():
    environ = {**CORP, "UV_INDEX": "corp=https://a/s"}
    seen = clean_environment(environ)
    assert not CORP.keys() & seen.keys()
    assert seen["UV_INDEX"] == "corp=https://u:p%40ss%2Fword@a/s"
    assert {"p@ss/word", "p%40ss%2Fword"} <= secrets_of(environ)
