"""Record anew what builds and containers print in the situations that hints are for: `python tests/golden/capture_docker_hints.py`.

Needs a Docker Engine with buildx, an image `python:3.13-slim-trixie` and a package index.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent / "docker-hints"
BASE = "python:3.13-slim-trixie"
LONGEST = 4_000
# More than a program needs to start and to fail, and to be removed.
SECONDS = 6
INDEX = "application/vnd.oci.image.index.v1+json"
PACKAGES = "uvicorn gunicorn hypercorn flask pydantic-settings environs psycopg[binary] asyncpg redis"
SCRIPT = f'FROM {BASE}\nCOPY run.sh /run.sh\nENTRYPOINT ["/run.sh"]\n'
# The header of a program for ARM64.
PROGRAM = bytes.fromhex("7f454c46020101000000000000000000 0200b70001000000").ljust(120, b"\0")


@dataclass(frozen=True)
class Case:
    """A build context, and whether its build fails or its container."""

    files: dict[str, str | bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    builds: bool = True


def app(command: list[str], text: str = "") -> Case:
    """Return a case that starts a program of Python with some packages."""
    lines = (
        f"FROM {BASE}",
        f"RUN pip install --no-cache-dir --quiet {PACKAGES}",
        "WORKDIR /app",
        "COPY app.py .",
        f"CMD {json.dumps(command)}",
    )
    return Case({"Dockerfile": "\n".join(lines) + "\n", "app.py": text})


def python(text: str) -> Case:
    """Return a case that runs a script."""
    return app(["python", "app.py"], text)


def failing(*lines: str, **files: str) -> Case:
    """Return a case whose build fails."""
    named = {name.replace("_", "."): text for name, text in files.items()}
    return Case({"Dockerfile": "\n".join(lines) + "\n", **named}, builds=False)


ASGI = "async def app(scope, receive, send): ...\n\ndef wsgi(environ, start): ...\n"
CASES = {
    "compiler": failing(f"FROM {BASE}", "RUN pip install --no-cache-dir --no-binary psutil psutil==7.0.0"),
    "compiler-pg": failing(
        f"FROM {BASE}", "RUN pip install --no-cache-dir --no-binary psycopg2 psycopg2==2.9.11"
    ),
    "compiler-rust": failing(
        f"FROM {BASE}", "RUN pip install --no-cache-dir --no-binary rpds-py rpds-py==0.27.1"
    ),
    "context-absent": failing(f"FROM {BASE}", "COPY requirement.txt /app/", requirements_txt="x\n"),
    "context-ignored": failing(
        f"FROM {BASE}", "COPY requirements.txt /app/", requirements_txt="x\n", _dockerignore="*.txt\n"
    ),
    "platform": failing("FROM {registry}/armonly:1", "RUN true"),
    "limit": failing("FROM {registry}/limited:1", "RUN true"),
    "private": failing("FROM {registry}/private:1", "RUN true"),
    "permission-in-build": failing(
        f"FROM {BASE}", "COPY run.sh /run.sh", "RUN chmod 644 /run.sh && /run.sh", run_sh="#!/bin/sh\n"
    ),
    "disk-full": failing(f"FROM {BASE}", "RUN head -c 90M /dev/zero > /dev/shm/zeros"),
    "crlf": Case({"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\r\necho x\r\n"}, {"run.sh": 0o755}),
    "interpreter": Case({"Dockerfile": SCRIPT, "run.sh": "#!/usr/bin/bash5\necho x\n"}, {"run.sh": 0o755}),
    "permission": Case({"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\necho x\n"}, {"run.sh": 0o644}),
    "no-first-line": Case({"Dockerfile": SCRIPT, "run.sh": "echo x\n"}, {"run.sh": 0o755}),
    "other-processor": Case({"Dockerfile": SCRIPT, "run.sh": PROGRAM}, {"run.sh": 0o755}),
    "absent": Case({"Dockerfile": f'FROM {BASE}\nCMD ["gunicorn", "shop"]\n'}),
    "absent-path": Case({"Dockerfile": f'FROM {BASE}\nENTRYPOINT ["/app/start.sh"]\n'}),
    "variable": python("import os\n\nURL = os.environ['DATABASE_URL']\n"),
    "variable-pydantic": python(
        "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n    database_url: str\n"
        "    secret_key: str\n\n\nSettings()\n"
    ),
    "variable-environs": python("from environs import Env\n\nEnv().str('SECRET_KEY')\n"),
    "service-refused": python("import psycopg\n\npsycopg.connect('postgresql://app@127.0.0.1:5432/app')\n"),
    "service-unknown": python("import psycopg\n\npsycopg.connect('postgresql://app@db:5432/app')\n"),
    "service-asyncpg": python(
        "import asyncio\n\nimport asyncpg\n\nasyncio.run(asyncpg.connect('postgresql://app@127.0.0.1:5432/app'))\n"
    ),
    "service-redis": python("import redis\n\nredis.Redis(host='cache').ping()\n"),
    "loopback-uvicorn": app(["uvicorn", "app:app"], ASGI),
    "loopback-gunicorn": app(["gunicorn", "app:wsgi"], ASGI),
    "loopback-hypercorn": app(["hypercorn", "app:app"], ASGI),
    "loopback-flask": app(["flask", "run"], "from flask import Flask\n\napp = Flask(__name__)\n"),
    # Nothing to recognise in these.
    "red-test": failing(f"FROM {BASE}", "RUN python -c 'assert 1 == 2'"),
    "red-program": python("raise ValueError('no harbour')\n"),
    "green": app(["uvicorn", "--host=0.0.0.0", "app:app"], ASGI),
}


class Registry(BaseHTTPRequestHandler):
    """Answers as registries do that refuse an image."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            self._answer(200, {"token": "x"})
        elif "/limited/" in self.path:
            self._answer(429, {"errors": [{"code": "TOOMANYREQUESTS", "message": "pull rate limit"}]})
        elif "/private/" in self.path:
            error = ',error="insufficient_scope"' if self.headers.get("Authorization") else ""
            address = f"http://127.0.0.1:{self.connection.getsockname()[1]}/token"
            realm = f'Bearer realm="{address}",service="x",scope="repository:private:pull"{error}'
            self._answer(401, {"errors": [{"code": "UNAUTHORIZED"}]}, {"WWW-Authenticate": realm})
        else:
            platform = {"os": "linux", "architecture": "arm64"}
            one = {"mediaType": INDEX, "digest": f"sha256:{'a' * 64}", "size": 2, "platform": platform}
            self._answer(
                200, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [one]}, {"Content-Type": INDEX}
            )

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        known = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Docker-Content-Digest": digest,
        }
        for name, value in (known | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def registry() -> Iterator[str]:
    """Serve the registry on loopback; yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


def docker(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run the client, both streams as one."""
    argv = ["docker", *words]
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def record(name: str, case: Case, folder: Path, address: str) -> None:
    """Build the image, start its container, and write down what was printed."""
    for path, text in case.files.items():
        content = text if isinstance(text, bytes) else text.replace("{registry}", address).encode()
        (folder / path).write_bytes(content)
        (folder / path).chmod(case.modes.get(path, 0o644))
    tag = f"ci-action-hints/{name}"
    built = docker(
        "buildx", "build", "--progress=plain", "--network=host", "--load", f"--tag={tag}", str(folder)
    )
    assert (built.returncode == 0) is case.builds, built.stdout.decode()
    raw = built.stdout
    if case.builds:
        created = (
            docker("create", f"--name=ci-action-hints-{name}", "--pull=never", tag).stdout.decode().strip()
        )
        started = docker("start", created)
        threading.Event().wait(SECONDS)
        raw = (started.stdout if started.returncode else b"") + docker("logs", created).stdout
        docker("rm", "--force", created)
        docker("rmi", tag)
    text = raw.decode("utf-8", "replace").replace(address, "registry.example.org")
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)[-LONGEST:]
    (HERE / f"{name}.log").write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    print(f"{name}: {len(text)} characters")


def main(names: list[str]) -> None:
    """Record these cases, or all."""
    HERE.mkdir(exist_ok=True)
    with registry() as address:
        for name in names or CASES:
            with tempfile.TemporaryDirectory() as folder:
                record(name, CASES[name], Path(folder), address)


if __name__ == "__main__":
    main(sys.argv[1:])
