"""Which variables hold a secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.docker.image.names import is_dummy, is_secret

RANDOM = "k3J9xQ" + "27fLp0aZtW"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_TOKEN", "abcd1234"),
        ("DB_PASSWORD", "hunter2"),
        ("EMAIL_HOST_PASSWORD", "hunter2"),
        ("secretKey", RANDOM),
        ("SECRET_KEY", "django-insecurely-made"[:8] + "-x9"),
        ("AWS_SECRET_ACCESS_KEY", RANDOM),
        ("APIKEY", "x-12345"),
        ("PASSPHRASE", "correct horse"),
        ("STRIPE_KEY", RANDOM),
        ("BASIC_AUTH", RANDOM),
        ("TOKEN2", "abcd1234"),
    ],
)
def test_a_secret(name: str, value: str):
    assert is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GPG_KEY", "A035C8C19219BA821ECEA86B64E628F8D684696D"),
        ("PUBLIC_KEY", RANDOM),
        ("PASSWORD_FILE", "/run/secrets/password"),
        ("TOKEN_URL", "https://example.org/token"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "30"),
        ("PASSWORD", "/run/secrets/password"),
        ("PASSWORD", "$PASSWORD"),
        ("PASSWORD", "${PASSWORD:-x}"),
        ("PASSWORD", "$(cat /run/secrets/x)"),
        ("PASSWORD", "<password>"),
        ("PASSWORD", "changeme"),
        ("PASSWORD", ""),
        ("POSTGRES_PASSWORD", "postgres"),
        ("SECRET_KEY", "dummy-for-collectstatic"),
        ("SECRET_KEY", "not-a-secret"),
        ("API_KEY", "your-api-key"),
        ("API_TOKEN", "none"),
        ("USE_TOKEN", "true"),
        ("TOKEN", "https://example.org"),
        ("CACHE_KEY", "app"),
        ("KEY_PREFIX", RANDOM),
        ("PYTHON_VERSION", "3.13.1"),
        ("PYTHON_SHA256", "ab" * 32),
        ("PATH", "/usr/bin"),
        ("KEYBOARD", RANDOM),
        ("COMPASS", RANDOM),
        ("AUTHOR", RANDOM),
        ("", RANDOM),
    ],
)
def test_no_secret(name: str, value: str):
    assert not is_secret(name, value)


def test_an_address_with_a_password_is_not_a_reference():
    assert not is_dummy("postgres://user:" + "hunter2@db/app")
    assert is_dummy("postgres://db/app")


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_name_and_value(name: str, value: str):
    assert isinstance(is_secret(name, value), bool)
