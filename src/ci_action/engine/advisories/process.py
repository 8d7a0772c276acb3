"""Runs pip-audit: one process for a list of packages with fixed versions.

It reads neither an environment nor the project and does not start pip (`--no-deps --disable-pip`). Advisories are fetched
in every run and never cached.
"""

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ci_action.engine.advisories.audit import Key
from ci_action.engine.advisories.osv_client import base_of, host_of
from ci_action.engine.advisories.output import (
    Answer,
    Failure,
    audited_before_it_failed,
    failure_of,
    last_message,
    parse,
    skipped_advisories,
)
from ci_action.engine.context import Context
from ci_action.project.programs import Program
from ci_action.system.child_environ import Sees
from ci_action.system.errors import TimedOutError, ToolError
from ci_action.system.process import Command, Completed
from ci_action.system.redaction import HIDDEN, redactor, service_passwords

# The timeout of a request; pip-audit's own default.
_SOCKET_SECONDS: Final = 15
# pip-api, which pip-audit imports, runs pip for its version, a third of the start-up, although pip is not used here.
# Another interpreter for that can be set.
_STAND_IN: Final = '#!/bin/sh\necho "pip 26.0 from ci-action (python 3)"\n'


@dataclass(kw_only=True)
class PipAudit:
    """Looks up packages through pip-audit."""

    ctx: Context
    program: Program
    folder: Path
    details: list[str] = field(default_factory=list)
    """Its messages when it failed."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        """Create the folder, and the fake pip in it."""
        # Processes of the same user can read the environment of a program: with a password it is not run as another user.
        self._closed = bool(service_passwords([self.ctx.settings.advisory_url]))
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._closed:
            self.ctx.hand_over(self.folder / "http")
        self._pip = self.folder / "pip-version"
        self._pip.write_text(_STAND_IN, encoding="ascii")
        self._pip.chmod(0o755)

    def __call__(self, packages: Sequence[Key], seconds: float, /) -> Answer | Failure:
        """Look up these packages; every failure but an interruption becomes a value."""
        file = self.folder / f"packages-{next(self._numbers)}.txt"
        file.write_text("".join(f"{name}=={version}\n" for name, version in packages), encoding="utf-8")
        try:
            done = self.ctx.run(self._command(file, seconds))
        except TimedOutError as error:
            before = audited_before_it_failed(error.stderr)
            return Failure(text="the time limit was reached", late=True, done=before)
        stderr = self._without_password(done.stderr)
        try:
            answer = parse(done.stdout)
        except ToolError as error:
            self.details.append(last_message(stderr))
            return replace(self._failure(done, stderr, error), done=audited_before_it_failed(stderr))
        if done.returncode not in {0, 1} or bool(done.returncode) is not any(answer.audited.values()):
            text = f"pip-audit ended with exit code {done.returncode}, which contradicts its output"
            return Failure(text=text, final=True)
        doubts = {
            packages[index]: f"pip-audit skipped an advisory that it cannot read ({text})"
            for index, text in skipped_advisories(stderr).items()
            if index < len(packages)
        }
        return replace(answer, doubts=doubts)

    def _failure(self, done: Completed, stderr: str, error: ToolError) -> Failure:
        if done.killed_by:
            return Failure(text=f"pip-audit was ended by {done.killed_by}")
        if done.returncode == 0:
            return Failure(text=error.reason, final=True)
        return failure_of(stderr, host_of(self.ctx.settings.advisory_url)) or Failure(
            text=f"pip-audit ended with exit code {done.returncode}: {last_message(stderr)}",
            unreachable="usage: pip-audit" in stderr,
            final=True,
        )

    def _command(self, file: Path, seconds: float) -> Command:
        ctx = self.ctx
        environ = {"PIP_AUDIT_OSV_URL": f"{base_of(ctx.settings.advisory_url)}/v1/query"}
        if os.access(self._pip, os.X_OK):  # the folder may be mounted with `noexec`
            environ["PIPAPI_PYTHON_LOCATION"] = str(self._pip)
        words = (
            f"--requirement={file}", "--no-deps", "--disable-pip", "--format=json", "--output=stdout", "--desc=on", "--aliases=on",
            "--progress-spinner=off", "--vulnerability-service=osv", f"--timeout={_SOCKET_SECONDS}", "--verbose",
            f"--cache-dir={self.folder / 'http'}",
        )  # fmt: skip
        command = Command(
            argv=(*self.program.argv, *words, *ctx.settings.pip_audit_args),
            cwd=self.folder,
            # The address may hold a password, and every user can read arguments.
            environ=environ,
            timeout=max(1.0, seconds),
            sees=Sees.NETWORK,
        )
        return command if self._closed else ctx.reading(command)

    def _without_password(self, text: str) -> str:
        address = self.ctx.settings.advisory_url
        user = urlsplit(base_of(address)).netloc.rpartition("@")[0]
        if user:
            text = text.replace(f"{user}@", f"{HIDDEN}@")
        return redactor(service_passwords([address]))(text)
