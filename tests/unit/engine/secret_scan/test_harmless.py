"""Random-looking strings: which are hashes in known places, which are data, and what stays a secret."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import planted_secrets

from ci_action.engine.secret_scan.events import Scanned, Secret, Text
from ci_action.engine.secret_scan.findings import File, Standing, findings_of, hidden
from ci_action.engine.secret_scan.harmless import ENTROPY, is_data, names_credential, why_harmless
from ci_action.model.finding import Finding
from ci_action.project.file_kinds import is_lock

BASE64, HEX = sorted(ENTROPY)


def some(length: int, letters: str = "0123456789abcdef") -> str:
    return "".join(letters[(7 * place + place // 5) % len(letters)] for place in range(length))


ID, MD5, SHA1, SHA256 = some(12), some(32), some(40), some(64)
SRI = {"sha256": some(43) + "=", "sha384": some(64), "sha512": some(86) + "=="}
SRI_VALUES = [f"{name}-{value}" for name, value in SRI.items()]
HOOKS, WORKFLOW = ".pre-commit-config.yaml", ".github/workflows/ci.yml"
ALEMBIC = "migrations/versions/2b017edaa91f_add.py"
OTHER_ID = f"down_revision = '{some(12, 'fedcba9876543210')}'\n"

KNOWN = [
    (HOOKS, "    rev: {}  # frozen: v1", SHA1),
    (HOOKS, "    rev: '{}'", SHA1),
    (HOOKS, "  - {{repo: x, rev: {}}}", SHA1),
    ("backend/.pre-commit-config.yaml", "  rev: {}", SHA1),
    (WORKFLOW, "          ref: {}", SHA1),
    (WORKFLOW, "      - uses: actions/checkout@{} # v6", SHA1),
    (ALEMBIC, f"{OTHER_ID}revision = '{{}}'", ID),
    (ALEMBIC, f'{OTHER_ID}revision: str = "{{}}"', ID),
    (ALEMBIC, "revision = 'x'\ndown_revision = '{}'", ID),
    (ALEMBIC, "revision = 'x'\ndown_revision: Union[str, None] = '{}'", ID),
    (ALEMBIC, f"revision = 'x'\ndown_revision = ('{some(12, '89abcdef01234567')}', '{{}}')", ID),
    ("pylock.toml", "sdist = {{hashes = {{sha256 = '{}'}}}}", SHA256),
    ("sub/pylock.dev.toml", "hashes = {{ md5 = '{}' }}", MD5),
    ("pixi.lock", "  sha256: {}", SHA256),
    ("uv.lock", 'hash = "sha256:{}", size = 1', SHA256),
    ("Cargo.lock", 'checksum = "{}"', SHA256),
    ("flake.lock", '"rev": "{}",', SHA1),
    ("flake.lock", '"narHash": "{}",', SRI_VALUES[0]),
    ("pnpm-lock.yaml", "  resolution: {{integrity: {}}}", SRI_VALUES[2]),
    ("package-lock.json", '"integrity": "{}"', SRI_VALUES[2]),
    ("templates/base.html", '<script integrity="{}" crossorigin>', SRI_VALUES[1]),
    ("web/package-lock.copy.json", '"integrity": "{}",', SRI_VALUES[2]),
]


def found(path: str, template: str, value: str, kind: str = HEX, **overrides: Any) -> list[Finding]:
    return list(findings_of(given_file(path, template, value, kind, **overrides)))


def given_file(path: str, template: str, value: str, *kinds: str, **overrides: Any) -> File:
    content = template.format(value) + "\n"
    line = next(number for number, row in enumerate(content.split("\n"), 1) if value in row)
    secrets = tuple(Secret(kind, value, (line,)) for kind in kinds)
    scanned = Scanned(encoding="utf-8", secrets=secrets)
    return File(path=path, scanned=scanned, text=Text(content.encode(), "utf-8"), **overrides)


@pytest.mark.parametrize(("path", "template", "value"), KNOWN)
def test_a_hash_in_a_known_place_is_muted_with_the_reason_and_not_redacted(
    path: str, template: str, value: str
):
    kind = HEX if value.isalnum() and len(value) != len(SRI_VALUES[0]) else BASE64
    [one] = found(path, template, value, kind)
    assert one.muted.startswith("not a secret: ")
    assert one.bulk
    assert hidden(given_file(path, template, value, kind)) == set()


@pytest.mark.parametrize(("path", "template", "value"), KNOWN)
@pytest.mark.parametrize("kind", sorted(planted_secrets.secrets().keys() - ENTROPY - {"Private Key"}))
def test_a_token_in_the_same_place_stays_a_secret(kind: str, path: str, template: str, value: str):
    token = planted_secrets.secrets()[kind][0]
    [one] = found(path, template, token, kind)
    assert (one.muted, one.severity in {"critical", "high"}) == ("", True)
    assert token in hidden(given_file(path, template, token, kind))
    for also in ENTROPY:
        [one] = findings_of(given_file(path, template, token, kind, also))
        assert (one.muted, one.severity in {"critical", "high"}) == ("", True)
        [one] = found(path, template, token, also)
        # Without its name, a credential of Cloudant is 64 digits: the SHA-256 of a lock file has no other form.
        assert one.muted == "" or (kind, is_lock(path)) == ("Cloudant Credentials", True)


@pytest.mark.parametrize(("path", "template", "value"), KNOWN)
def test_a_value_that_a_detector_of_credentials_also_finds_is_a_secret(path: str, template: str, value: str):
    [one] = findings_of(given_file(path, template, value, HEX, "Secret Keyword"))
    assert (one.muted, one.severity) == ("", "high")


@pytest.mark.parametrize(
    ("path", "template", "value"),
    [
        pytest.param("config.yaml", "rev: {}", SHA1, id="another file"),
        pytest.param(HOOKS, "    token: {}", SHA1, id="another key of the hooks"),
        pytest.param(HOOKS, "    # prev: {}", SHA1, id="a longer key"),
        pytest.param(HOOKS, "    rev: {}", MD5, id="no commit"),
        pytest.param(HOOKS, "    rev: {}", SHA256, id="a longer hash"),
        pytest.param(HOOKS, "    rev: {}", SHA1 + "0", id="longer than a commit"),
        pytest.param(HOOKS, "    rev: {}", SHA1.upper(), id="not as git writes it"),
        pytest.param(HOOKS, "    rev: {0} {0}", SHA1, id="twice"),
        pytest.param(HOOKS, "    rev: {}abc", SHA1, id="a part of something longer"),
        pytest.param(WORKFLOW, "      token: {}", SHA1, id="a token of a workflow"),
        pytest.param(WORKFLOW, "      - run: login {}", SHA1, id="an argument in a workflow"),
        pytest.param("action.yml", "ref: {}", SHA1, id="not a workflow"),
        pytest.param("app/models.py", "revision = '{}'", ID, id="no revision of Alembic"),
        pytest.param(ALEMBIC, f"{OTHER_ID}revision = '{{}}'", SHA1, id="no id of Alembic"),
        pytest.param(ALEMBIC, f"revision = 'x'\n{OTHER_ID}key = '{{}}'", ID, id="another name in a revision"),
        pytest.param(ALEMBIC, f"revision = 'x'\n{OTHER_ID}    revision = '{{}}'", ID, id="inside a function"),
        pytest.param("uv.lock", 'token = "{}"', SHA1, id="lock file: token"),
        pytest.param("uv.lock", 'hash = "{}"', SHA1[:-1], id="the length of no hash"),
        pytest.param("package-lock.json", '"_password": "{}"', SHA256, id="lock file: password"),
        pytest.param("base.html", '<meta content="{}">', SRI_VALUES[1], id="no attribute of integrity"),
        pytest.param(
            "base.html", '<script integrity="{}">', SRI_VALUES[1][:-1], id="no whole integrity hash"
        ),
        pytest.param("base.html", '<script integrity="{}">', SHA1, id="no integrity hash"),
    ],
)
def test_what_only_resembles_a_known_place_is_a_secret(path: str, template: str, value: str):
    [one] = found(path, template, value)
    assert one.muted == ""
    assert value in hidden(given_file(path, template, value, HEX))


def test_a_value_that_is_elsewhere_in_its_file_too_is_a_secret():
    content = f"    rev: {SHA1}\n    token: {SHA1}\n"
    scanned = Scanned(encoding="utf-8", secrets=(Secret(HEX, SHA1, (1, 2)),))
    [one] = findings_of(File(path=HOOKS, scanned=scanned, text=Text(content.encode(), "utf-8")))
    assert one.muted == ""


@pytest.mark.parametrize(
    ("standing", "muted"),
    [(Standing.REAL, ""), (Standing.ACCEPTED, "accepted in b"), (Standing.OPEN, "not a secret")],
)
def test_the_baseline_decides_first(standing: Standing, muted: str):
    given_ = given_file(HOOKS, "    rev: {}", SHA1, HEX, standing=lambda *_: standing, baseline="b")
    [one] = findings_of(given_)
    assert one.muted.startswith(muted)
    assert bool(one.muted) is bool(muted)
    assert (SHA1 in hidden(given_)) is (standing is Standing.REAL)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("a.json", True),
        ("data/a.JSONL", True),
        ("a.csv", True),
        ("a.svg", True),
        ("a.ipynb", True),
        ("poetry.lock", True),
        ("any.lock", True),
        ("tests/fixtures/hashes.py", True),
        ("app/testdata/a.txt", True),
        ("tests/cassettes/a.yaml", True),
        ("tests/assets/bundle.sigstore", True),
        ("tests/keys/a.toml", True),
        ("tests/test_app.py", False),
        ("tests/conftest.py", False),
        ("app.py", False),
        ("config.yaml", False),
        ("pyproject.toml", False),
        (".env", False),
        ("tests/.env", False),
        ("tests/fixtures/.env.test", False),
        ("credentials.json", False),
        ("client_secret.json", False),
        ("service-account.json", False),
        ("tests/keys/id_rsa", False),
    ],
)
def test_data_files(path: str, data: bool):
    assert is_data(path) is data


@pytest.mark.parametrize(
    ("line", "credential"),
    [
        ('"sha256": "{}"', False),
        ('"id": "{}"', False),
        ('"author": "{}"', False),
        ("{}", False),
        ('["{}", 1]', False),
        ('"token": "{}"', True),
        ('"auth_token": "{}"', True),
        ('"apiKey": "{}"', True),
        ('"api-key" : "{}"', True),
        ('x["client_secret"] = "{}"', True),
        ("password={}", True),
        ('"private_key_id": "{}"', True),
        ("'Authorization': '{}'", True),
    ],
)
def test_in_data_files_random_strings_are_medium_unless_their_name_is_that_of_a_credential(
    line: str, credential: bool
):
    text = Text(line.format(SHA1).encode(), "utf-8")
    assert names_credential(text, SHA1, 1) is credential
    template = line if "{}" in line else f"{line}{{}}"
    [one] = found("data/a.json", template, SHA1)
    assert (one.severity, one.bulk) == (("high", False) if credential else ("medium", True))
    assert (one.muted, SHA1 in hidden(given_file("data/a.json", template, SHA1, HEX))) == ("", True)
    [one] = found("app.py", template, SHA1)
    assert (one.severity, one.bulk) == ("high", False)


def test_a_token_of_which_its_detector_takes_a_part_is_no_data():
    token = planted_secrets.secrets()["GitHub Token"][0]
    content = f'"x": "{token}"\n'
    secrets = (Secret("GitHub Token", token[:3], (1,)), Secret(BASE64, token, (1,)))
    scanned = Scanned(encoding="utf-8", secrets=secrets)
    given_ = File(path="data.json", scanned=scanned, text=Text(content.encode(), "utf-8"))
    [one] = findings_of(given_)
    assert (one.severity, one.muted, one.bulk) == ("critical", "", False)
    assert token in hidden(given_)


@pytest.mark.parametrize("kind", sorted(planted_secrets.secrets().keys() - ENTROPY))
@pytest.mark.parametrize("path", ["data.json", "tests/fixtures/a.py", "uv.lock", HOOKS])
def test_tokens_and_keys_are_as_severe_in_every_file(kind: str, path: str):
    token = planted_secrets.secrets()[kind][0]
    [one] = found(path, '"x": "{}"', token, kind)
    assert one.severity in {"critical", "high"}
    assert not one.bulk


@given(
    st.text(max_size=60),
    st.text(alphabet="0123456789abcdef-+/= '\"", min_size=1, max_size=50),
    st.text(max_size=60),
)
def test_whatever_is_beside_a_value_the_answer_is_a_reason_or_nothing(before: str, value: str, after: str):
    content = f"{before}{value}{after}".replace("\r", "").replace("\n", "")
    text = Text(content.encode("utf-8", "surrogatepass"), "utf-8") if content.isprintable() else None
    if text:
        for path in (HOOKS, WORKFLOW, "uv.lock", ALEMBIC, "a.html"):
            assert isinstance(why_harmless(path, text, value, [1]), str)
