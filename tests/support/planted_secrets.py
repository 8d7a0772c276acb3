"""Secrets for tests, one of every type that detect-secrets reports: put together here, so that none is in our files.

It has one more type, public addresses, and then excludes values without letters.
"""

import base64
import json
import random
import string
from pathlib import Path

_LETTERS = string.ascii_letters + string.digits
_SMALL = string.ascii_lowercase + string.digits
_HEX = "0123456789abcdef"


def _some(count: int, letters: str = _LETTERS, *, seed: int = 7) -> str:
    return "".join(random.Random(f"{seed}-{letters}-{count}").choices(letters, k=count))


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def key_lines() -> list[str]:
    """Return the lines of the body of a private key."""
    return [_some(64, seed=number) for number in range(5)]


def _private_key() -> str:
    kind = "RSA " + "PRIVATE KEY"
    return "\n".join([f"-----BEGIN {kind}-----", *key_lines(), f"-----END {kind}-----"])


def secrets() -> dict[str, tuple[str, str]]:
    """Return by type: the secret value, and the line of a Python file that holds it."""
    values = {
        "Artifactory Credentials": "AKC" + _some(40),
        "AWS Access Key": "AKIA" + _some(16, string.ascii_uppercase + string.digits),
        "Azure Storage Account access key": "AccountKey" + "=" + _some(86) + "==",
        "Discord Bot Token": "M" + _some(24) + "." + _some(6) + "." + _some(27),
        "GitHub Token": "ghp" + "_" + _some(36),
        "GitLab Token": "glpat" + "-" + _some(22),
        "JSON Web Token": f"{_part({'alg': 'HS256'})}.{_part({'sub': _some(9)})}.{_some(43)}",
        "Mailchimp Access Key": _some(32, _HEX) + "-us" + "12",
        "OpenAI Token": "sk" + "-" + _some(20) + "T3Blbk" + "FJ" + _some(20, seed=8),
        "PyPI Token": "pypi-" + "AgEIcHlwaS5vcmc" + _some(80),
        "SendGrid API Key": "SG" + "." + _some(22) + "." + _some(43),
        "Slack Token": "xoxb" + "-" + _some(12, string.digits) + "-" + _some(24, _SMALL),
        "Square OAuth Secret": "sq0csp" + "-" + _some(43),  # pragma: allowlist secret
        "Stripe Access Key": "sk_" + "live_" + _some(24),
        "Telegram Bot Token": _some(9, "123456789") + ":" + _some(35),
        "Twilio API Key": "AC" + _some(32, _SMALL),
    }
    found = {kind: (value, f'it = " {value} "') for kind, value in values.items()}
    plain = {
        "Base64 High Entropy String": (_some(60), 'blob = "{}"'),
        "Hex High Entropy String": (_some(40, _HEX), 'digest = "{}"'),
        "Secret Keyword": ("Tr0ub4dor & " + _some(5), "db_pass" + 'word = "{}"'),
        "Basic Auth Credentials": (_some(14), 'url = "https://admin:' + "{}@" + 'db.example.org/"'),
        "Cloudant Credentials": (_some(64, _HEX, seed=3), "# cloudant_" + "password={}"),
        "IBM Cloud IAM Key": (_some(44), "# ibm_cloud_iam_" + "apikey = {}"),
        "IBM COS HMAC Credentials": (_some(48, _HEX), "# cos_hmac_" + "secret_key = {}"),
        "NPM tokens": ("npm_" + _some(36), "# //registry.npmjs.org/" + ":_auth" + "Token={}"),
        "SoftLayer Credentials": (_some(64, _SMALL), "# softlayer_" + "api_key={}"),
    }
    found |= {kind: (value, line.format(value)) for kind, (value, line) in plain.items()}
    found["Private Key"] = (key_lines()[1], f'key = """{_private_key()}"""')
    return found


def everything() -> dict[str, str]:
    """Return a file for every type, by its name: `aws_access_key.py`."""
    names = {kind: "".join(c if c.isalnum() else "_" for c in kind.lower()).strip("_") for kind in secrets()}
    return {f"{names[kind]}.py": f"{line}\n" for kind, (_, line) in secrets().items()}


def readable_in(folder: Path, *also: str) -> set[str]:
    """Return the types whose value can be read in a file below a folder, or in one of these texts."""
    texts = [file.read_bytes().decode("utf-8", "replace") for file in folder.rglob("*") if file.is_file()]
    return {kind for kind, (value, _) in secrets().items() for text in [*texts, *also] if value in text}
