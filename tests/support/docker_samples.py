"""Projects with a Dockerfile: a program of one file that answers HTTP, and what can be wrong with its image."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from support.container.image import BASE
from support.planted_secrets import secrets

PORT: Final = 8000
URL: Final = f"http://localhost:{PORT}/health"
_APP: Final = '''
"""Answers every request; its environment decides how, and from when on."""

import http.server
import os
import signal
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(os.environ.get("STATUS", "200"))
        body = f"{self.headers['Host']} {self.path}\\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if os.environ.get("IGNORES_SIGTERM"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("starting", flush=True)
time.sleep(float(os.environ.get("DELAY", "0")))
if code := int(os.environ.get("EXIT", "0")):
    sys.exit(f"cannot start: {os.environ.get('REASON', 'no reason')}" if code == 1 else code)
place = os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8000"))
http.server.ThreadingHTTPServer(place, Handler).serve_forever()
'''
_ASKED: Final = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{PORT}/health')"
HEALTHCHECK: Final = (
    f'HEALTHCHECK --interval=2s --timeout=3s --start-period=20s --retries=2 CMD ["python", "-c", "{_ASKED}"]'
)
NEVER_HEALTHY: Final = 'HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD ["python", "-c", "exit(1)"]'


def dockerfile(
    *lines: str, env: Mapping[str, str] | None = None, user: str = "10001", start: str = ""
) -> str:
    """Return a Dockerfile of the program, with further instructions before those that start it."""
    variables = [f'ENV {name}="{value}"' for name, value in (env or {}).items()]
    return "\n".join(
        [
            f"FROM {BASE}",
            "WORKDIR /app",
            "COPY app.py ./",
            *variables,
            *lines,
            *([f"USER {user}"] if user else []),
            f"EXPOSE {PORT}",
            start or 'CMD ["python", "app.py"]',
            "",
        ]
    )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A project, how it is checked, and what has to come out."""

    dockerfile: str
    files: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    code: int = 0
    result: str = "passed"
    rules: Mapping[str, str] = field(default_factory=dict)
    """The findings: the rules, and the instruction in whose line they are, empty for a finding without a line."""

    @property
    def project(self) -> dict[str, str]:
        """All files of the project."""
        return {"app.py": _APP, "Dockerfile": self.dockerfile, **self.files}

    def line(self, instruction: str) -> int:
        """Return the line of the Dockerfile that begins with a text."""
        lines = self.dockerfile.splitlines()
        return next(number for number, line in enumerate(lines, 1) if line.startswith(instruction))


def distribution(name: str, version: str) -> dict[str, str]:
    """Return an installed package, as a wheel leaves it, below the folder `site`."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f'__version__ = "{version}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/INSTALLER": "pip\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: sample\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{one},,\n" for one in [*files, f"{info}/RECORD"])
    return {f"site/{one}": text for one, text in {**files, f"{info}/RECORD": record}.items()}


def copied(site: str) -> str:
    """Return the instruction that puts packages of the folder `site` into the image."""
    return f"COPY {site} /usr/local/lib/python3.13/site-packages/"


def key() -> str:
    """Return a secret that every scan knows."""
    return secrets()["GitHub Token"][0]


def failing(rule: str, place: str, dockerfile: str, **inputs: str) -> Sample:
    """Return a sample that fails by one rule."""
    return Sample(dockerfile=dockerfile, inputs=inputs, code=1, result="failed", rules={rule: place})


def warned(rule: str, place: str, dockerfile: str, files: Mapping[str, str] | None = None) -> Sample:
    """Return a sample with one warning."""
    return Sample(dockerfile=dockerfile, files=files or {}, result="warned", rules={rule: place})


SAMPLES: Final[Mapping[str, Sample]] = {
    "good": Sample(dockerfile=dockerfile(HEALTHCHECK), inputs={"smoke-url": URL}),
    "slow": Sample(dockerfile=dockerfile(HEALTHCHECK, env={"DELAY": "5"}), inputs={"smoke-url": URL}),
    "silent": Sample(dockerfile=dockerfile()),
    "failing-step": failing("build-failed", "RUN", dockerfile("RUN python -c 'import nothing_of_the_kind'")),
    "crash": failing("exited", "CMD", dockerfile(env={"EXIT": "1", "REASON": "no database"})),
    "unhealthy": failing("unhealthy", "HEALTHCHECK", dockerfile(NEVER_HEALTHY)),
    "status-500": failing(
        "wrong-status", "CMD", dockerfile(env={"STATUS": "500"}), **{"smoke-url": URL, "smoke-timeout": "6"}
    ),
    "status-404": failing("wrong-status", "CMD", dockerfile(env={"STATUS": "404"}), **{"smoke-url": URL}),
    "wrong-port": failing(
        "no-answer", "EXPOSE", dockerfile(env={"PORT": "9000"}), **{"smoke-url": URL, "smoke-timeout": "6"}
    ),
    "loopback": failing(
        "no-answer",
        "EXPOSE",
        dockerfile(env={"HOST": "127.0.0.1"}),
        **{"smoke-url": URL, "smoke-timeout": "6"},
    ),
    "command": failing(
        "command-failed", "CMD", dockerfile(), **{"smoke-command": "python -c 'raise SystemExit(7)'"}
    ),
    "too-large": failing("too-large", "FROM", dockerfile(), **{"max-image-size": "100MB"}),
    "root": warned("runs-as-root", "FROM", dockerfile(user="")),
    "named-root": warned("runs-as-root", "USER", dockerfile(user="root")),
    "secret-in-layer": warned(
        "secret-in-layer", "COPY .env", dockerfile("COPY .env ./"), {".env": f"GITHUB_TOKEN={key()}\n"}
    ),
    "secret-in-env": warned("secret-in-env", "ENV", dockerfile(env={"GITHUB_TOKEN": key()})),
    "secret-in-history": warned("secret-in-history", "RUN", dockerfile(f"RUN echo {key()} >/dev/null")),
    "vulnerable": warned(
        "vulnerable-package", "COPY site", dockerfile(copied("site")), distribution("urllib3", "1.25.8")
    ),
}
