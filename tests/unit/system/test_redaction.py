"""Secrets: which ones the environment holds, and that none is left in a text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.system.redaction import (
    HIDDEN,
    assigned_secrets,
    credentials,
    redactor,
    secrets_of,
    service_passwords,
    sounds_secret,
)

SECRET = "s3cr3t-value"


@pytest.mark.parametrize(
    "environ",
    [
        *({name: SECRET} for name in ("INPUT_GITHUB-TOKEN", "GITHUB_TOKEN", "GH_TOKEN")),
        {"ACTIONS_RUNTIME_TOKEN": f" {SECRET}\n"},
        {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": SECRET},
        {"UV_INDEX_PRIVATE_PASSWORD": SECRET},
        {"PIP_INDEX_URL": f"https://user:{SECRET}@pypi.example/simple"},
        {"PIP_EXTRA_INDEX_URL": f"https://a.example https://user:{SECRET}@b.example"},
        {"UV_INDEX": f"private=https://user:{SECRET}@b.example"},
        {"UV_DEFAULT_INDEX": f"https://:{SECRET}@b.example"},
        {"INPUT_DATABASE-URL": f"postgresql://user:{SECRET}@db/x"},
        {"https_proxy": f"http://user:{SECRET}@proxy:3128"},
        {"PIP_FIND_LINKS": f"https://u:{SECRET}@c.example"},
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_a_secret_is_found(environ: dict[str, str]):
    assert secrets_of(environ) == {SECRET}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"GITHUB_TOKEN": ""},
        {"GITHUB_TOKEN": "short"},
        {"PIP_INDEX_URL": "https://user@pypi.example/simple"},
        {"PIP_INDEX_URL": "https://[broken"},
        {"HOME": f"https://u:{SECRET}@c.example"},
    ],
    ids=["none", "empty", "too short", "no password", "no URL", "another variable"],
)
def test_no_secret(environ: dict[str, str]):
    assert secrets_of(environ) == frozenset()


def test_a_percent_encoded_password_is_hidden_in_both_forms():
    redact = redactor(secrets_of({"PIP_INDEX_URL": "https://user:p%40ssword@pypi.example"}))
    assert (
        redact("https://user:p%40ssword@pypi.example and p@ssword")
        == f"https://user:{HIDDEN}@pypi.example and {HIDDEN}"
    )


@pytest.mark.parametrize("written", ["pass!word-1", "pass%21word-1"])
def test_a_password_of_a_service_is_hidden_as_drivers_write_it(written: str):
    redact = redactor(service_passwords(["postgresql://u:pass!word-1@db"]))
    assert redact(f"postgresql://u:{written}@db") == "postgresql://u:***@db"


def test_without_secrets_text_is_unchanged():
    assert redactor([])("a *** b") == "a *** b"


def test_the_longer_of_two_overlapping_secrets_is_hidden_first():
    assert redactor(["secret", "secret-and-more"])("x secret-and-more secret") == "x *** ***"


def test_secrets_are_not_patterns():
    assert redactor(["a.c+(*)"])("abc a.c+(*)") == "abc ***"


SECRETS = st.lists(st.text("ab.*+é", min_size=6, max_size=9), min_size=1, max_size=3)


@given(SECRETS, st.lists(st.text("xyzé \n", max_size=5), min_size=1, max_size=4))
def test_all_secrets_are_hidden_and_the_rest_is_unchanged(secrets: list[str], between: list[str]):
    text = secrets[0].join(between)
    redacted = redactor(secrets)(text)
    assert not any(secret in redacted for secret in secrets)
    assert redacted == HIDDEN.join(between)


def test_bytes_are_unchanged_except_for_the_secret():
    raw = bytes(range(256)) + SECRET.encode() + b"\xff"
    assert redactor([SECRET])(raw.decode("latin-1")).encode("latin-1") == bytes(range(256)) + b"***\xff"


@pytest.mark.parametrize("secret", ['pass"word', "pass\\word", "passwörd", "pass\tword"])
def test_a_secret_is_hidden_in_json_too(secret: str):
    text = json.dumps({"message": f"x {secret} y"})
    assert json.loads(redactor([secret])(text)) == {"message": "x *** y"}


@pytest.mark.parametrize(("value", "found"), [("12345", False), ("123456", True)])
def test_the_minimum_length_of_a_secret(value: str, found: bool):
    assert bool(secrets_of({"GITHUB_TOKEN": value})) is found


def test_a_token_is_hidden_also_as_git_sends_it():
    header = f"AUTHORIZATION: basic {credentials(SECRET)}"
    assert redactor({SECRET})(header) == "AUTHORIZATION: basic ***"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "TOKEN",
            "GH_TOKEN",
            "npm_token",
            "DB_PASSWORD",
            "PGPASSWORD",
            "DB_PASS",
            "API_KEY",
            "APIKEY",
            "SECRET",
        ),
        *(
            "DJANGO_SECRET_KEY",
            "SECRET_KEY_BASE",
            "SSH_PRIVATE_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "CREDENTIALS_JSON",
        ),
    ],
)
def test_names_of_secrets(name: str):
    assert sounds_secret(name)


@pytest.mark.parametrize(
    "name", ["AUTHOR", "KEYCLOAK_VERSION", "MONKEY", "PASSENGERS", "TOKENIZERS_PARALLELISM", "X"]
)
def test_other_names(name: str):
    assert not sounds_secret(name)


def test_secrets_in_assignments():
    found = assigned_secrets(
        [
            ("VERSION", "1.2.3-beta"),
            ("API_KEY", SECRET),
            ("DB_PASSWORD", "short"),
            ("DATABASE_URL", "postgres://me:pa55-word@db/x"),
        ]
    )
    assert found == {SECRET, "pa55-word"}
