"""Record anew what tools print in the situations that hints are for: `python tests/golden/capture_hints.py [NAME...]`.

Needs a package index and git; some cases need root (another owner of a repository, a read-only mount).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

HERE = Path(__file__).parent / "hints"
UV = Path(sys.prefix) / "bin" / "uv"
LONGEST = 6_000
PYTEST = "python -m pytest -q"
SRC_PROJECT = "[project]\nname = 'tally'\nversion = '1'\n"
GIT = "git init -q . && git add . && git -c user.name=a -c user.email=a@b commit -qm one"
SCM = "[build-system]\nrequires = ['{0}', 'setuptools']\nbuild-backend = 'setuptools.build_meta'\n[project]\nname = 'tally'\ndynamic = ['version']\n"
BUILD = "uv build --wheel ."
NEEDS = {"requirements.txt": "iniconfig==2.1.0\n"}
BARE = "| grep -v '^hint: '"
AUDIT = "ci-action run security --color=never --cache-dir=none"


@dataclass(frozen=True)
class Case:
    """A project, what is installed, and what is started in a shell there."""

    files: dict[str, str] = field(default_factory=dict)
    run: str = PYTEST
    needs: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)


def refusing() -> str:
    """Serve 401 for everything on loopback and return the address."""

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/simple"


def redis() -> int:
    """Serve a Redis that wants a password and return its port."""

    class Wanting(StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline():
                self.wfile.write(b"-NOAUTH Authentication required.\r\n")

    server = ThreadingTCPServer(("127.0.0.1", 0), Wanting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port: int = server.server_address[1]
    return port


def one_test(body: str, imports: str = "") -> dict[str, str]:
    """Return a project with one test of these lines."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return {"tests/test_it.py": f"{imports}\n\ndef test_it():\n{lines}\n"}


CASES = {
    "own-package": Case(
        {
            "pyproject.toml": SRC_PROJECT,
            "src/tally/__init__.py": "",
            "tests/test_it.py": "import tally\n\ndef test_it(): ...\n",
        }
    ),
    "missing-module": Case(one_test("...", "import yaml")),
    "missing-fixture": Case({"tests/test_it.py": "def test_it(mocker): ...\n"}),
    "missing-fixture-own": Case({"tests/test_it.py": "def test_it(database): ...\n"}),
    "no-tests": Case({"tests/smoke.py": "def test_it(): ...\n"}),
    "async-test": Case({"tests/test_it.py": "async def test_it(): ...\n"}),
    "async-mode": Case({"tests/test_it.py": "async def test_it(): ...\n"}, needs=("pytest-asyncio",)),
    "async-fixture": Case(
        {
            "tests/test_it.py": "import pytest\n\n@pytest.fixture\nasync def app(): ...\n\ndef test_it(app): ...\n"
        },
        needs=("pytest-asyncio",),
    ),
    "missing-plugin-cov": Case({"pytest.ini": "[pytest]\naddopts = --cov=tally -ra\n", **one_test("...")}),
    "missing-plugin-xdist": Case({"pytest.ini": "[pytest]\naddopts = -n 2\n", **one_test("...")}),
    "plugin-by-name": Case(
        {"pytest.ini": "[pytest]\naddopts = -p pytest_httpbin.plugin\n", **one_test("...")}
    ),
    "plugin-required": Case(
        {"pytest.ini": "[pytest]\nrequired_plugins = pytest-httpbin pytest-mock>=3\n", **one_test("...")}
    ),
    "plugin-of-coverage": Case(
        {".coveragerc": "[run]\nplugins = covdefaults\n", **one_test("...")},
        f"{PYTEST} --cov",
        needs=("pytest-cov",),
    ),
    "plugin-by-setting": Case(
        {"pytest.ini": "[pytest]\naddopts = --strict-config\nasyncio_mode = auto\n", **one_test("...")}
    ),
    "submodule": Case(
        {
            ".gitmodules": '[submodule "data"]\n\tpath = vendor/data\n\turl = https://example.org/data\n',
            "vendor/data/.keep": "",
            **one_test("open('vendor/data/words.txt').close()"),
        }
    ),
    "refused-localhost": Case(
        one_test("socket.create_connection(('localhost', 5432), 3)", "import socket"),
    ),
    "refused-localhost-psycopg": Case(
        one_test("psycopg.connect('postgresql://app@localhost:5432/app')", "import psycopg"),
        needs=("psycopg[binary]",),
    ),
    "refused-localhost-redis": Case(
        one_test("redis.Redis(host='127.0.0.1', port=6379).ping()", "import redis"), needs=("redis",)
    ),
    "unknown-host": Case(one_test("socket.create_connection(('database', 5432), 3)", "import socket")),
    "unknown-host-psycopg": Case(
        one_test("psycopg.connect('postgresql://app@database:5432/app')", "import psycopg"),
        needs=("psycopg[binary]",),
    ),
    "unknown-host-redis": Case(
        one_test("redis.Redis(host='cache').ping()", "import redis"), needs=("redis",)
    ),
    "missing-variable": Case(
        {"app.py": "import os\n\nURL = os.environ['DATABASE_URL']\n", **one_test("...", "import app")}
    ),
    "empty-variable": Case(
        one_test(
            "if not os.environ['PAYMENT_API_KEY']:\n    raise ValueError('PAYMENT_API_KEY must not be empty')",
            "import os",
        ),
        "PAYMENT_API_KEY= " + PYTEST,
    ),
    "newer-syntax": Case({"app.py": "type Pair = tuple[int, int]\n", **one_test("...", "import app")}),
    "python-version": Case(
        {"pyproject.toml": SRC_PROJECT + "requires-python = '>=3.13'\n"}, "uv sync --python python"
    ),
    "python-version-pip": Case(
        {
            "pyproject.toml": SRC_PROJECT + "requires-python = '>=3.13'\n",
            "tally.py": "",
        },
        "python -m pip install -q --disable-pip-version-check .",
        needs=("pip",),
    ),
    "python-version-package": Case({}, "uv pip install --python python 'numpy==2.6.0'"),
    "no-tags-scm": Case(
        {"pyproject.toml": SCM.format("setuptools_scm[toml]>=8") + "[tool.setuptools_scm]\n", "tally.py": ""},
        BUILD,
    ),
    "no-tags-versioningit": Case(
        {"pyproject.toml": SCM.format("versioningit") + "[tool.versioningit]\n", "tally.py": ""},
        f"{GIT} && {BUILD}",
    ),
    "dubious-ownership": Case({"a": ""}, f"{GIT} && chown -R 4242 . && git describe --tags"),
    "no-coverage-combine": Case({}, "python -m coverage combine", needs=("coverage",)),
    "no-coverage-collected": Case(one_test("..."), f"{PYTEST} --cov=tally", needs=("pytest-cov",)),
    "timezone": Case(
        one_test(
            "shown = datetime.fromtimestamp(1700000000)\nassert shown == datetime(2023, 11, 14, 22, 13, 20)",
            "from datetime import datetime",
        ),
        f"TZ=Europe/Istanbul {PYTEST}",
    ),
    "timezone-text": Case(
        one_test(
            "shown = datetime.fromtimestamp(1700000000).isoformat()\nassert shown == '2023-11-14T22:13:20'",
            "from datetime import datetime",
        ),
        f"TZ=UTC+5 {PYTEST}",
    ),
    "missing-zones": Case(
        one_test("ZoneInfo('Europe/Berlin')", "from zoneinfo import ZoneInfo"), f"PYTHONTZPATH= {PYTEST}"
    ),
    "index-credentials": Case({}, "uv pip install --python python --index-url {index} tally"),
    "index-certificate": Case(
        {},
        "uv pip install --python python --no-cache humanize",
        environ={"SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": "/var/empty"},
    ),
    "system-library-pg": Case(
        {},
        "PATH=$(dirname $(which python)):$(dirname $(which uv)) uv pip install --python python --no-binary psycopg2"
        " psycopg2==2.9.11",
    ),
    "system-library-header": Case(
        {}, "uv pip install --python python --no-binary python-ldap python-ldap==3.4.5"
    ),
    "system-library-mysql": Case(
        {}, "uv pip install --python python --no-binary mysqlclient mysqlclient==2.2.7"
    ),
    "missing-compiler": Case(
        {
            "setup.py": "from setuptools import Extension, setup\nsetup(name='tally', version='1',"
            " ext_modules=[Extension('tally', ['tally.c'])])\n",
            "tally.c": "",
        },
        "PATH=$(dirname $(which python)):$(dirname $(which uv)) " + BUILD,
    ),
    "missing-shared-library": Case(
        one_test("ctypes.CDLL('libzbar.so.0')", "import ctypes"),
    ),
    "out-of-memory": Case(one_test("b'x' * 900_000_000"), f"ulimit -v 600000; {PYTEST}"),
    "killed": Case(
        one_test("os.kill(os.getpid(), signal.SIGKILL)", "import os, signal"), f"bash -c '{PYTEST}; exit $?'"
    ),
    "read-only": Case(
        one_test("open('/mnt/ci-action-read-only/a', 'w')"),
        "mkdir -p /mnt/ci-action-read-only && mount -t tmpfs -o ro none /mnt/ci-action-read-only;"
        f" {PYTEST}; umount /mnt/ci-action-read-only; rmdir /mnt/ci-action-read-only",
    ),
    "disk-full": Case(
        one_test("with open('/dev/full', 'w') as file:\n    file.write('x')"),
    ),
    "lock-outdated-uv": Case(
        {"pyproject.toml": SRC_PROJECT + "requires-python = '>=3.9'\n"},
        "uv lock -q && sed -i \"s/^version.*/&\\ndependencies = ['iniconfig']/\" pyproject.toml && uv sync --locked",
    ),
    "lock-outdated-poetry": Case(
        {
            "pyproject.toml": "[project]\nname = 'tally'\nversion = '1'\nrequires-python = '>=3.9'\n",
        },
        "python -m poetry lock -q && sed -i \"s/^version.*/&\\ndependencies = ['iniconfig']/\" pyproject.toml"
        " && python -m poetry install --no-interaction",
        needs=("poetry",),
    ),
    "same-name": Case({"a/test_it.py": "def test_a(): ...\n", "b/test_it.py": "def test_b(): ...\n"}),
    "unknown-marker": Case(
        {
            "pytest.ini": "[pytest]\naddopts = --strict-markers\n",
            "test_it.py": "import pytest\n\n@pytest.mark.slow\ndef test_it(): ...\n",
        }
    ),
    "django-settings": Case(
        one_test("settings.DEBUG", "from django.conf import settings"), needs=("django",)
    ),
    "wrong-password": Case(
        one_test(
            "redis.Redis(port=int(os.environ['REDIS_PORT']), protocol=2).ping()", "import os\nimport redis"
        ),
        needs=("redis",),
    ),
    "all-deselected": Case(one_test("..."), f"{PYTEST} -m slow"),
    "unknown-option": Case({"pytest.ini": "[pytest]\naddopts = --frobnicate=1\n", **one_test("...")}),
    "docker-socket": Case(
        one_test("docker.from_env()", "import docker"),
        f"DOCKER_HOST=unix:///var/run/nobody.sock {PYTEST}",
        needs=("docker",),
    ),
    "different-tests": Case(
        {
            "test_it.py": "import os, pytest\n\n@pytest.mark.parametrize('a', [os.getpid()])\ndef test_it(a): ...\n"
        },
        f"{PYTEST} -n 2",
        needs=("pytest-xdist",),
    ),
    "advisories-name": Case(NEEDS, f"{AUDIT} --advisory-url=https://advisories.invalid {BARE}"),
    "advisories-refused": Case(NEEDS, f"{AUDIT} --advisory-url=http://127.0.0.1:9 {BARE}"),
    "advisories-proxy": Case(NEEDS, f"HTTPS_PROXY=http://127.0.0.1:9 {AUDIT} {BARE}"),
    # The certificate of any host that can be reached is a foreign one to an authority that was just made.
    "advisories-certificate": Case(
        NEEDS,
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out own.pem -subj /CN=own 2>/dev/null;"
        f" REQUESTS_CA_BUNDLE=$PWD/own.pem {AUDIT} --advisory-url=https://pypi.org {BARE}",
    ),
    # Nothing to recognise in these.
    "green": Case(one_test("..."), "python -m pytest -v"),
    "green-coverage": Case(one_test("..."), f"{PYTEST} --cov=tests", needs=("pytest-cov",)),
    "green-install": Case(
        {"pyproject.toml": SRC_PROJECT + "requires-python = '>=3.9'\ndependencies = ['iniconfig']\n"},
        "uv sync",
    ),
    "red-assertion": Case(
        one_test("status = 401\nprint('401 Unauthorized, password wrong')\nassert status == 200")
    ),
    "red-key": Case(one_test("{'a': 1}['b']")),
    "red-date": Case(one_test("assert date(2024, 1, 2) == date(2024, 1, 3)", "from datetime import date")),
    "red-resolution": Case({}, "uv pip install --python python 'iniconfig==99.0'"),
}


def record(name: str, case: Case, folder: Path) -> None:
    """Make the project and its environment, run, and write down what was printed."""
    project, environment = folder / "project", folder / "venv"
    project.mkdir()
    for path, text in case.files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text, encoding="utf-8")
    environ = {
        **os.environ,
        "REDIS_PORT": str(redis()),
        "PATH": f"{environment}/bin:{UV.parent}:{os.environ['PATH']}",
        "GIT_CEILING_DIRECTORIES": str(folder),
        "UV_PYTHON_DOWNLOADS": "never",
        "PYTHONDONTWRITEBYTECODE": "1",
        **case.environ,
    }
    subprocess.run([UV, "venv", "-q", f"--python={sys.executable}", environment], check=True)
    argv: list[str | Path] = [
        UV,
        "pip",
        "install",
        "-q",
        f"--python={environment}/bin/python",
        "pytest==9.2.0",
        *case.needs,
    ]
    subprocess.run(argv, check=True)
    done = subprocess.run(
        case.run.replace("{index}", refusing()),
        shell=True,  # nosec B602 # the command lines stand above
        cwd=project,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = done.stdout.decode("utf-8", "replace")
    for folder_, shown in ((project, "/github/workspace"), (environment, "/venv")):
        text = text.replace(str(folder_), shown).replace(str(folder_).lstrip("/"), shown.lstrip("/"))
    text = text.replace(str(Path(sys.base_prefix)), "/usr/local").replace(os.environ["HOME"], "~")
    text = re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:8000", text)
    text = re.sub(r"/(?:usr/local|~)?[\w/.~-]*uv/(?:builds|cache)[\w.-]*/", "/cache/", text)
    lines = text[-LONGEST:].split("\n")
    text = "\n".join(lines[1:] if len(text) > LONGEST else lines)
    (HERE / f"{name}.log").write_text(text, encoding="utf-8")
    print(f"{name}: exit {done.returncode}, {len(text)} characters")


def main(names: list[str]) -> None:
    """Record these cases, or all."""
    HERE.mkdir(exist_ok=True)
    for name in names or CASES:
        folder = Path(tempfile.mkdtemp(prefix="hints-"))
        try:
            record(name, CASES[name], folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
