"""Scans the project's files for secrets, and compares what is found with the baseline."""

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
from ci_action.engine.secret_scan.baseline import COMMAND, Baseline, Key, is_whole, load
from ci_action.engine.secret_scan.events import (
    BINARY,
    EXCLUDED,
    FAILED,
    SCANNED,
    UNREADABLE,
    Events,
    Scanned,
    Secret,
    Text,
    kept,
    parse,
    restored,
)
from ci_action.engine.secret_scan.findings import TOOL as NAME
from ci_action.engine.secret_scan.findings import File, Standing, findings_of, hidden, with_tokens, words_of
from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Counted, Outcome, Report, Skipped
from ci_action.project.environment import environment_of_project
from ci_action.project.files import tracked
from ci_action.project.programs import Program
from ci_action.settings import Settings
from ci_action.settings.general import ALL
from ci_action.system.cache import Results, key_of
from ci_action.system.child_environ import Sees
from ci_action.system.errors import ENDED, UNDONE, ProjectFileError, ToolError
from ci_action.system.parallel import shares
from ci_action.system.process import Command, Completed, last_lines
from ci_action.system.project_files import LARGEST_SOURCE, read_project_file

SCRIPT: Final = Path(__file__).parent / "scanner" / "ciaction_secrets.py"
_DISTRIBUTION: Final = "detect_secrets"
# Bytes that take longer to scan than a process takes to start: below that another process does not pay.
_LEAST_SHARE: Final = 600_000
# Changed whenever the script finds something else: cached results of the script before are then ignored.
_GENERATION: Final = "1"
_OWN_FILTERS: Final = "detect_secrets.filters."
# Filters that read further files.
_READING: Final = ("detect_secrets.filters.wordlist.", "detect_secrets.filters.gibberish.")


@dataclass(kw_only=True)
class Scan:
    """One scan of the files of a project, and its results."""

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
    """Why the results were not cached."""
    idle: bool = False
    """Whether other programs come first: what the scan finds may not be needed."""

    def look(self, names: Sequence[str], *, always: bool = False) -> None:
        """Take cached results for unchanged files, and let the script scan the others; with `always` it runs without files."""
        keys = self._known(names)
        files = {name: self._file(name) for name in names if name not in self.seen}
        parts = shares(files, _LEAST_SHARE) or ([[]] if always else [])
        with ThreadPoolExecutor(max_workers=len(parts) or 1) as pool:
            for events, problem, detail in pool.map(self._scan, parts):
                self.configuration = events.configuration or self.configuration
                if problem and not self.problem:
                    self.problem, self.detail = problem, detail
                for name in events.files.keys() & keys.keys():
                    entry = kept(events.files[name], self.texts.get(name))
                    if entry is not None:
                        self.results.put(keys[name], entry)

    def outcome(self) -> Outcome:
        """Return the findings and the numbers of files."""
        states = Counter(scanned.state for scanned in self.seen.values())
        examined = {Counted.FILES: states[SCANNED], Counted.UNREADABLE: states[UNREADABLE] + states[FAILED]}
        examined |= {what: states[what] for what in (Counted.BINARY, Counted.EXCLUDED) if states[what]}
        findings = tuple(self._findings())
        if self.problem:
            return Broken(self.problem, self.detail, findings=findings, examined=examined)
        if not examined[Counted.FILES] and not examined[Counted.UNREADABLE]:
            left = f"{states[BINARY]:,} binary, {states[EXCLUDED]:,} excluded by the filters of {NAME}"
            return Skipped(f"no text files to scan ({left})", rightly=self.ctx.narrowed is not None)
        return Report(findings=findings, examined=examined)

    def notice(self) -> str:
        """Return a warning about entries of the baseline that were not found; empty if there are none."""
        lost = (self.baseline.entries.keys() & self.answered()) - self.found()
        gone = sum(not is_whole(key) for key in lost) or len(lost)
        if not gone or self.problem:
            return ""
        shown = self.ctx.layout.relative(self.baseline.file)
        what = f"1 entry of {shown} was" if gone == 1 else f"{gone:,} entries of {shown} were"
        return f"{what} not found any more: run `{COMMAND}` to update it"

    def found(self) -> set[Key]:
        """Return the keys in the baseline of everything that was found."""
        keys = set()
        for name in (name for name, scanned in self.seen.items() if scanned.secrets):
            for secret, token in with_tokens(self._described(name)):
                keys.add(self.baseline.key(self._file(name), secret.type, secret.value))
                keys |= {self.baseline.token_key(self._file(name), secret.type, token)} if token else set()
        return keys

    def answered(self) -> set[Key]:
        """Return the entries of the baseline about files that were scanned, or that do not exist."""
        scanned = {self.baseline.name(self._file(name)) for name, one in self.seen.items() if not one.problem}
        root = self.baseline.root
        return {
            key for key in self.baseline.entries if key[0] in scanned or not os.path.lexists(root / key[0])
        }

    def _file(self, name: str) -> Path:
        return self.ctx.layout.root / name

    def _content(self, file: Path) -> bytes:
        return read_project_file(file, self.ctx.layout.workspace, largest=LARGEST_SOURCE)

    def _known(self, names: Iterable[str]) -> dict[str, str]:
        """Take the cached results of unchanged files; return the keys of the files whose results may be cached."""
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

    def _scan(self, names: Sequence[str]) -> tuple[Events, str, str]:
        """Let the script scan some files; return its events, why it did not scan all of them, and its last lines."""
        try:
            done = self.ctx.run(self._command(names))
            events = parse(done.stdout, names)
            problem, detail = self._why(events, done), last_lines(done.stderr)
        except ENDED as error:
            events = parse(error.stdout, names)
            problem = error.reason.replace(Path(self.program.argv[0]).name, NAME, 1)
            detail = last_lines(error.stderr)
        except ToolError as error:
            events, problem, detail = Events(), error.reason, error.detail
        self._see(events.files)
        return events, problem, detail

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
            idle=self.idle,
        )
        # A baseline may name plugins and filters of the project.
        command = environment_of_project(self.ctx.reading(command), self.ctx.environ)
        return replace(command, supervised=loads_code(self.baseline.configuration))

    def _why(self, events: Events, done: Completed) -> str:
        if done.killed_by:
            return f"{NAME} was ended by {done.killed_by}"
        if events.problem:
            source = f" from {self.ctx.layout.relative(self.baseline.file)}" if self.baseline.exists else ""
            return f"could not configure {NAME}{source}: {events.problem}"
        if events.unreadable:
            return f"{NAME} printed an unknown event"
        if done.returncode != 0:
            return f"{NAME} ended with exit code {done.returncode} before it had scanned all files"
        return "" if events.finished else f"{NAME} did not report on all files"

    def _see(self, files: Mapping[str, Scanned]) -> None:
        """Add results of files; from now on the values that were found in them are redacted."""
        self.seen.update(files)
        found: set[str] = set()
        words: set[str] = set()
        for name in (name for name, scanned in files.items() if scanned.secrets):
            with suppress(ProjectFileError, ValueError, LookupError):  # its values are redacted all the same
                self.texts[name] = Text(self._content(self._file(name)), files[name].encoding)
            described = self._described(name)
            found |= hidden(described) - (ordinary := words_of(described))
            words |= ordinary
        self.ctx.redact.add(found, words)  # all at once: the redactor compiles them to one expression

    def _described(self, name: str) -> File:
        file = self._file(name)

        def standing(secret: Secret, token: str) -> Standing:
            entry = self.baseline.entry(file, secret.type, secret.value, token)
            if entry is None:
                return Standing.OPEN
            return Standing.REAL if entry.is_secret else Standing.ACCEPTED

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


def is_lasting(configuration: Mapping[str, object]) -> bool:
    """Whether results only depend on the content of a file, not on code or word lists of the project."""
    return not loads_code(configuration) and not any(
        path.startswith(_READING) for path in _paths(configuration)
    )


def loads_code(configuration: Mapping[str, object]) -> bool:
    """Whether a baseline lists plugins or filters of the project."""
    if str(configuration.get("version", "1")).startswith("0."):  # older releases list them elsewhere
        return True
    return not all(path.startswith(_OWN_FILTERS) for path in _paths(configuration))


def _paths(configuration: Mapping[str, object]) -> Iterator[str]:
    """Yield the paths of the plugins and filters of a baseline; empty for invalid ones."""
    for key in ("plugins_used", "filters_used"):
        entries = configuration.get(key, [])
        for entry in entries if isinstance(entries, list) else [None]:
            path = entry.get("path", _OWN_FILTERS) if isinstance(entry, dict) else ""
            yield path if isinstance(path, str) else ""


def program(ctx: Context) -> Program:
    """Return the script with the Python of the bundled tools. Raises `ToolError` if one is missing."""
    python = ctx.bundled.scripts / "python"
    version = ctx.bundled.version(_DISTRIBUTION)
    if not version or not python.exists():
        raise ToolError(
            f"{NAME} or its Python is missing from {str(ctx.bundled.scripts)!r}: reinstall ci-action"
        )
    # Neither variables nor the project's folder change what is imported, and no bytecode is written to the project.
    return Program(argv=(str(python), "-I", "-B", "-X", "utf8", str(SCRIPT)), version=version)


def search(ctx: Context) -> str:
    """Redact the secrets in all files of the project from now on; return why that failed, or nothing."""
    try:
        baseline = load(ctx.layout, ctx.settings)
        if _is_shared(ctx, baseline):
            return _whole(ctx, program(ctx), baseline).problem
        # Without plugins of the project and requests to services: only the tool itself starts these.
        plain = replace(ctx, settings=Settings(**{**vars(ctx.settings), "secrets_verify": False}))
        own = replace(baseline, document={}) if loads_code(baseline.configuration) else baseline
        return _looked(plain, program(ctx), own, _all_files(ctx, baseline)).problem
    except UNDONE as error:
        return error.reason


def scan_of(ctx: Context, program: Program, baseline: Baseline, names: list[str]) -> Scan:
    """Return the scan of these files: a part of that by `search` if both are configured alike."""
    if not _is_shared(ctx, baseline):
        return _looked(ctx, program, baseline, names)
    whole = _whole(ctx, program, baseline)
    return replace(whole, ctx=ctx, seen={name: whole.seen[name] for name in names if name in whole.seen})


def _is_shared(ctx: Context, baseline: Baseline) -> bool:
    return not ctx.settings.secrets_verify and not loads_code(baseline.configuration)


def _whole(ctx: Context, program: Program, baseline: Baseline) -> Scan:
    """Return the scan of all files of the project, which is shared in a run. Raises `ToolError`."""
    scan: Scan = ctx.scans.of(lambda: _looked(ctx, program, baseline, _all_files(ctx, baseline)))
    return scan


def _looked(ctx: Context, program: Program, baseline: Baseline, names: list[str]) -> Scan:
    # Without the stage the scan is for the texts that other tools may quote.
    idle = not {*(ctx.settings.stage or (ALL,))} & {ALL, "security"}
    scan = Scan(ctx=ctx, program=program, baseline=baseline, results=ctx.results(NAME), idle=idle)
    scan.look(names)
    scan.unsaved = scan.results.save()
    return scan


def _all_files(ctx: Context, baseline: Baseline) -> list[str]:
    """Return the names of all files, whatever the paths and the scope: tools may quote any of them."""
    layout = replace(ctx.layout, paths=(".",))
    names = {*ctx.tracked.names}
    if ctx.layout.paths != layout.paths:
        names |= {*tracked(lambda: ctx.repository, layout, ctx.own_folders).names}
    return _without(sorted(names), baseline, ctx)


def files_of(ctx: Context, baseline: Baseline) -> list[str]:
    """Return the names of the files to scan."""
    changes = ctx.narrowed
    names = _without(ctx.tracked.names, baseline, ctx)
    return (
        [name for name in names if changes.file(ctx.layout.relative(name))] if changes is not None else names
    )


def _without(names: Iterable[str], baseline: Baseline, ctx: Context) -> list[str]:
    own = os.path.relpath(baseline.file, ctx.layout.root)
    return [name for name in names if os.path.normpath(name) != own]
