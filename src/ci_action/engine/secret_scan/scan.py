"""One scan for secrets: what is kept of unchanged files, the script over the rest, what was found against the baseline."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.secret_scan.baseline import COMMAND, Baseline, Key, is_whole
from ci_action.engine.secret_scan.events import (
    BINARY,
    EXCLUDED,
    FAILED,
    SCANNED,
    UNREADABLE,
    Scanned,
    Secret,
    Text,
    Told,
    kept,
    parse,
    restored,
)
from ci_action.engine.secret_scan.findings import TOOL as NAME
from ci_action.engine.secret_scan.findings import File, Standing, findings_of, hidden, tokens_of
from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Counted, Outcome, Report, Skipped
from ci_action.project.environment import environment_of_project
from ci_action.project.programs import Program
from ci_action.system.cache import Results, key_of
from ci_action.system.child_environ import Sees
from ci_action.system.errors import ENDED, ProjectFileError, ToolError
from ci_action.system.parallel import divided, processors
from ci_action.system.process import Command, Completed, last_lines
from ci_action.system.project_files import LARGEST_SOURCE, read_project_file

# Bytes that take longer to scan than a process takes to start: below that a further one is no gain.
_LEAST_SHARE: Final = 600_000
# Changed where what the script finds changes: results of the script before do not count any more.
_GENERATION: Final = "1"
_OWN_FILTERS: Final = "detect_secrets.filters."
# Filters that read further files.
_READING: Final = ("detect_secrets.filters.wordlist.", "detect_secrets.filters.gibberish.")


@dataclass(kw_only=True)
class Scan:
    """One scan of the files of a project."""

    ctx: Context
    program: Program
    baseline: Baseline
    results: Results
    seen: dict[str, Scanned] = field(default_factory=dict)
    texts: dict[str, Text] = field(default_factory=dict)
    configuration: Mapping[str, object] = field(default_factory=dict)
    problem: str = ""
    """Why not every file was scanned."""
    detail: str = ""
    unsaved: str = ""
    """Why the results were not kept."""

    def look(self, names: Sequence[str], *, always: bool = False) -> None:
        """Answer from the kept results what did not change, and let the script scan the rest: `always` starts it."""
        keys = self._known(names)
        sizes = {name: _size(self._file(name)) for name in names if name not in self.seen}
        shards = divided(sizes, processors(), _LEAST_SHARE) or ([[]] if always else [])
        with ThreadPoolExecutor(max_workers=len(shards) or 1) as pool:
            for told, problem, detail in pool.map(self._scan, shards):
                self.configuration = told.configuration or self.configuration
                if problem and not self.problem:
                    self.problem, self.detail = problem, detail
                for name in told.files.keys() & keys.keys():
                    entry = kept(told.files[name], self.texts.get(name))
                    if entry is not None:
                        self.results.put(keys[name], entry)

    def outcome(self) -> Outcome:
        """Return what was found, and what was looked at."""
        states = Counter(scanned.state for scanned in self.seen.values())
        examined = {Counted.FILES: states[SCANNED], Counted.UNREADABLE: states[UNREADABLE] + states[FAILED]}
        examined |= {what: states[what] for what in (Counted.BINARY, Counted.EXCLUDED) if states[what]}
        findings = tuple(self._findings())
        if self.problem:
            return Broken(self.problem, self.detail, findings=findings, examined=examined)
        if not examined[Counted.FILES] and not examined[Counted.UNREADABLE]:
            left = f"{states[BINARY]:,} binary, {states[EXCLUDED]:,} left out by the filters of {NAME}"
            return Skipped(f"no file holds text to scan ({left})", rightly=self.ctx.narrowed is not None)
        return Report(findings=findings, examined=examined)

    def notice(self) -> str:
        """Say how many entries of the baseline are found no more."""
        lost = (self.baseline.entries.keys() & self.answered()) - self.found()
        gone = sum(not is_whole(key) for key in lost) or len(lost)
        if not gone or self.problem:
            return ""
        shown = self.ctx.layout.relative(self.baseline.file)
        what = "1 entry is" if gone == 1 else f"{gone:,} entries are"
        return f"{what} in {shown} and found no more: `{COMMAND}` takes out what is gone"

    def found(self) -> set[Key]:
        """Return the keys in the baseline of all that was found."""
        values = {
            self.baseline.key(self._file(name), secret.type, secret.value)
            for name, scanned in self.seen.items()
            for secret in scanned.secrets
        }
        return values | {
            self.baseline.token_key(self._file(name), kind, token)
            for name, scanned in self.seen.items()
            if scanned.secrets
            for kind, token in tokens_of(self._described(name))
        }

    def answered(self) -> set[Key]:
        """Return the entries of the baseline about files that were looked at, or that are no more."""
        looked = {
            self.baseline.name(self._file(name)) for name, scanned in self.seen.items() if not scanned.problem
        }
        return {
            key
            for key in self.baseline.entries
            if key[0] in looked or not os.path.lexists(self.baseline.root / key[0])
        }

    def _file(self, name: str) -> Path:
        return self.ctx.layout.root / name

    def _content(self, file: Path) -> bytes:
        return read_project_file(file, self.ctx.layout.workspace, largest=LARGEST_SOURCE)

    def _known(self, names: Iterable[str]) -> dict[str, str]:
        """See what is kept of files that did not change; return the keys of those whose results may be kept."""
        if self.ctx.settings.secrets_verify or not is_lasting(self.baseline.configuration):
            return {}
        configuration = json.dumps(self.baseline.configuration, sort_keys=True)
        same = key_of(self.program.version, _GENERATION, configuration, self.baseline.file.name)
        keys, known = {}, {}
        for name in names:
            file = self._file(name)
            try:
                keys[name] = key_of(
                    same, os.fsencode(name), self.ctx.digests.of(file, self.ctx.layout.workspace)
                )
                entry = self.results.get(keys[name])
                scanned = restored(entry, self._content(file)) if entry else None
            except ProjectFileError as error:
                scanned = Scanned(state=UNREADABLE, problem=error.problem)
            if scanned is not None:
                known[name] = scanned
        self._see(known)
        return keys

    def _scan(self, names: Sequence[str]) -> tuple[Told, str, str]:
        """Let the script scan some files; return what it told, why it did not come to its end, and its last lines."""
        try:
            done = self.ctx.run(self._command(names))
            told = parse(done.stdout, names)
            problem, detail = self._why(told, done), last_lines(done.stderr)
        except ENDED as error:
            told = parse(error.stdout, names)
            problem = error.reason.replace(Path(self.program.argv[0]).name, NAME, 1)
            detail = last_lines(error.stderr)
        except ToolError as error:
            told, problem, detail = Told(), error.reason, error.detail
        self._see(told.files)
        return told, problem, detail

    def _command(self, names: Sequence[str]) -> Command:
        job = {
            "files": names,
            "baseline": self.baseline.configuration,
            "name": self.baseline.file.name if self.baseline.exists else "",
            "verify": self.ctx.settings.secrets_verify,
        }
        command = Command(
            argv=self.program.argv,
            cwd=self.ctx.layout.root,
            stdin=json.dumps(job).encode(),
            timeout=float(self.ctx.settings.timeout),
            sees=Sees.NETWORK if self.ctx.settings.secrets_verify else Sees.LITTLE,
            background=True,
        )
        # A baseline may name plugins and filters of the project.
        command = environment_of_project(self.ctx.reading(command), self.ctx.environ)
        return replace(command, supervised=loads_code(self.baseline.configuration))

    def _why(self, told: Told, done: Completed) -> str:
        if done.killed_by:
            return f"{NAME} was ended by {done.killed_by}"
        if told.problem:
            where = f" as {self.ctx.layout.relative(self.baseline.file)} says" if self.baseline.exists else ""
            return f"{NAME} cannot be set up{where}: {told.problem}"
        if told.unreadable:
            return f"{NAME} printed something that none of its events is"
        if done.returncode != 0:
            return f"{NAME} ended with exit code {done.returncode} before it came to its end"
        return "" if told.finished else f"{NAME} came to its end without a word of some of the files"

    def _see(self, files: Mapping[str, Scanned]) -> None:
        """Note what became of files; from here on nobody is shown a value that was found in them."""
        self.seen.update(files)
        found: set[str] = set()
        for name in (name for name, scanned in files.items() if scanned.secrets):
            with suppress(
                ProjectFileError, ValueError, LookupError
            ):  # then its values are hidden all the same
                self.texts[name] = Text(self._content(self._file(name)), files[name].encoding)
            found |= hidden(self._described(name))
        self.ctx.redact.add(found)  # all at once: it makes one expression of them

    def _described(self, name: str) -> File:
        file = self._file(name)

        def standing(secret: Secret, token: str) -> Standing:
            entry = self.baseline.entry(file, secret.type, secret.value, token)
            real = entry is not None and entry.get("is_secret") is True
            return Standing(accepted=entry is not None and not real, real=real)

        return File(
            path=self.ctx.layout.relative(name),
            scanned=self.seen[name],
            text=self.texts.get(name),
            changes=self.ctx.changes,
            standing=standing,
            baseline=self.ctx.layout.relative(self.baseline.file),
        )

    def _findings(self) -> Iterator[Finding]:
        for name in sorted(self.seen):
            yield from findings_of(self._described(name))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def is_lasting(configuration: Mapping[str, object]) -> bool:
    """Whether the content of a file decides alone what is found in it: not where code or lists of the project do."""
    return not loads_code(configuration) and not any(
        path.startswith(_READING) for path in _paths(configuration)
    )


def loads_code(configuration: Mapping[str, object]) -> bool:
    """Whether a baseline names plugins or filters of the project."""
    if str(configuration.get("version", "1")).startswith("0."):  # older releases say it in other places
        return True
    return not all(path.startswith(_OWN_FILTERS) for path in _paths(configuration))


def _paths(configuration: Mapping[str, object]) -> Iterator[str]:
    """Yield where the plugins and filters of a baseline come from; empty for what cannot be read."""
    for key in ("plugins_used", "filters_used"):
        entries = configuration.get(key, [])
        for entry in entries if isinstance(entries, list) else [None]:
            path = entry.get("path", _OWN_FILTERS) if isinstance(entry, dict) else ""
            yield path if isinstance(path, str) else ""
