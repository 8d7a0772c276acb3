"""pip-audit as a program: one process that answers for a list of packages with fixed versions.

It reads neither an environment nor the project and starts no pip (`--no-deps --disable-pip`): what is to be audited is
our list. Advisories are asked for anew each time; nothing is kept.
"""

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ci_action.engine.advisories.address import base_of, host_of
from ci_action.engine.advisories.audit import Failure, Key
from ci_action.engine.advisories.errors import Cause, cause_of
from ci_action.engine.advisories.output import (
    Answer,
    audited_before_it_failed,
    failure_of,
    parse,
    passed_over,
)
from ci_action.engine.context import Context
from ci_action.project.programs import Program
from ci_action.system.child_environ import Sees
from ci_action.system.errors import TimedOutError, ToolError
from ci_action.system.process import Command, Completed
from ci_action.system.redaction import HIDDEN, redactor, service_passwords

# Seconds that the service may let us wait; pip-audit's own default.
_SOCKET_SECONDS: Final = 15
# pip-api, which pip-audit imports, asks pip for its version when it is imported: a third of the start-up for nothing,
# because pip takes no part here. It lets one name another interpreter for that.
_STAND_IN: Final = '#!/bin/sh\necho "pip 26.0 from ci-action (python 3)"\n'


@dataclass(kw_only=True)
class PipAudit:
    """Asks the service through pip-audit; remembers what it wrote where it failed."""

    ctx: Context
    program: Program
    folder: Path
    details: list[str] = field(default_factory=list)
    """What it wrote where it failed."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        """Make the folder, and what stands in for pip in it."""
        # Whoever has the same user may read the environment of a program: then a password stays with us.
        self._closed = bool(service_passwords([self.ctx.settings.advisory_url]))
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._closed:
            self.ctx.hand_over(self.folder / "http")
        self._pip = self.folder / "pip-version"
        self._pip.write_text(_STAND_IN, encoding="ascii")
        self._pip.chmod(0o755)

    def __call__(self, packages: Sequence[Key], seconds: float, /) -> Answer | Failure:
        """Ask for these packages; every failure becomes a value, but for an interruption."""
        file = self.folder / f"packages-{next(self._numbers)}.txt"
        file.write_text("".join(f"{name}=={version}\n" for name, version in packages), encoding="utf-8")
        try:
            done = self.ctx.run(self._command(file, seconds))
        except TimedOutError as error:
            return Failure(Cause(text="the time limit was reached"), self._done(error.stderr), late=True)
        return self._judged(done, packages)

    def _judged(self, done: Completed, packages: Sequence[Key]) -> Answer | Failure:
        stderr = self._without_password(done.stderr)
        try:
            answer = parse(done.stdout)
        except ToolError as error:
            self.details.append(failure_of(stderr))
            return Failure(self._cause(done, stderr, error), self._done(stderr))
        found = any(answer.audited.values())
        if done.returncode not in {0, 1} or bool(done.returncode) is not found:
            text = f"pip-audit ended with exit code {done.returncode}, which contradicts what it printed"
            return Failure(Cause(text=text, final=True))
        doubts = {
            packages[place]: f"pip-audit left out an advisory that it cannot read ({text})"
            for place, text in passed_over(stderr).items()
            if place < len(packages)
        }
        return replace(answer, doubts=doubts)

    def _cause(self, done: Completed, stderr: str, error: ToolError) -> Cause:
        if done.killed_by:
            return Cause(text=f"pip-audit was ended by {done.killed_by}")
        if done.returncode == 0:
            return Cause(text=error.reason, final=True)
        known = cause_of(stderr, host_of(self.ctx.settings.advisory_url))
        return known or Cause(
            text=f"pip-audit ended with exit code {done.returncode}: {failure_of(stderr)}",
            unreachable="usage: pip-audit" in stderr,
            final=True,
        )

    def _done(self, stderr: str) -> int:
        return audited_before_it_failed(stderr)

    def _command(self, file: Path, seconds: float) -> Command:
        ctx = self.ctx
        environ = {"PIP_AUDIT_OSV_URL": f"{base_of(ctx.settings.advisory_url)}/v1/query"}
        if os.access(self._pip, os.X_OK):  # a folder for temporary files may forbid programs in it
            environ["PIPAPI_PYTHON_LOCATION"] = str(self._pip)
        words = (
            f"--requirement={file}", "--no-deps", "--disable-pip", "--format=json", "--output=stdout", "--desc=on", "--aliases=on",
            "--progress-spinner=off", "--vulnerability-service=osv", f"--timeout={_SOCKET_SECONDS}", "--verbose",
            f"--cache-dir={self.folder / 'http'}",
        )  # fmt: skip
        command = Command(
            argv=(*self.program.argv, *words, *ctx.settings.pip_audit_args),
            cwd=self.folder,
            # The address may hold a password, and every user of the machine can read arguments.
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
