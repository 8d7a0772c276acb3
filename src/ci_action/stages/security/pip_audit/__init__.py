"""Known vulnerabilities of the dependencies, by pip-audit and an OSV service.

The packages of the project are audited at the versions of its lock file or its resolution, without those of ci-action. A
resolution is kept for a day; advisories are fetched in every run.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from ci_action.engine.advisories.lookup import look_up, program
from ci_action.engine.advisories.osv_client import host_of
from ci_action.engine.advisories.result import NAME, Judgement
from ci_action.engine.context import Context
from ci_action.engine.environment import NONE, builder_of
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.result import Skipped
from ci_action.project.dependencies.inventory import Inventory, sound
from ci_action.project.environment import FILE, Environment
from ci_action.project.file_kinds import PYTHON_LOCKS, is_requirements
from ci_action.project.programs import Program
from ci_action.stages.security.pip_audit.collect import at_base, from_files, take
from ci_action.stages.security.pip_audit.resolution import MOST, Resolver
from ci_action.system.cache import Results
from ci_action.system.errors import UNDONE
from ci_action.system.text import quoted

# Files that list dependencies in an unsupported format.
_UNREAD: Final = re.compile(
    r"pylock\.[^/]+\.toml|Pipfile|hatch\.toml|pixi\.(?:toml|lock)|(?:environment|conda)[^/]*\.ya?ml"
)


def check(ctx: Context, program: Program) -> Checked:
    """Audit all packages of the project; those that could not be audited are findings as well."""
    inventory = sound(_inventory(ctx))
    if not inventory.packages and not inventory.unauditable:
        warnings = (*inventory.notes, *_elsewhere(ctx))
        return Checked(outcome=Skipped("the project names no dependencies"), warnings=warnings)
    base = _base(ctx, inventory)
    keys = [needed.key for needed in (*inventory.packages, *(base.packages if base else ()))]
    answers = look_up(ctx, program, ctx.tempdir / NAME, keys)
    judgement = Judgement(
        inventory=inventory,
        audit=answers.audit,
        records=answers.records,
        base=base,
        acceptances=ctx.settings.ignore_vulnerabilities,
        today=ctx.today,
    )
    asked = f"advisories from {host_of(ctx.settings.advisory_url)}, {answers.audit.runs:,} runs of pip-audit"
    return Checked(
        outcome=judgement.outcome(answers.detail),
        warnings=(*inventory.notes, *judgement.warnings()),
        log=f"{judgement.summary()}\n{asked}",
    )


def plan(ctx: Context) -> str:
    """Describe what would be audited, without resolving it."""
    version = ctx.bundled.version(NAME)
    host = host_of(ctx.settings.advisory_url)
    known = None if ctx.settings.install else from_files(ctx.layout)
    if known is None:
        what = "the environment" if ctx.settings.install else "what uv resolves"
        return f"{version} from bundled, {what}, advisories from {host}"
    return f"{version} from bundled, {len(known.packages):,} packages from {known.source}, advisories from {host}"


def argument_mistakes(words: Sequence[str]) -> list[str]:
    """Return the mistakes in `pip-audit-args`: every option that changes what is audited, or the output, is refused."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--timeout")
    parser.add_argument("-v", "--verbose", action="store_true")
    try:
        refused = parser.parse_known_args([*words])[1]
    except argparse.ArgumentError as error:
        return [f"pip-audit-args: {error}"]
    ignored = "; use ignore-vulnerabilities instead"
    return [
        f"pip-audit-args: {word!r} cannot be given{ignored if word.startswith('--ig') else ''}; only --timeout,"
        " --verbose and -v are supported"
        for word in refused
    ]


def _runs_code(ctx: Context) -> bool:
    """Whether packages may be built to get their dependencies: not with a lock file or the current environment."""
    return ctx.settings.install != (NONE,) and from_files(ctx.layout) is None


def _turn(ctx: Context) -> Turn:
    if ctx.settings.install not in {(), (NONE,)}:
        return Turn.INSPECTS  # the commands of `install` decide what is installed
    return Turn.RESOLVES if _runs_code(ctx) else Turn.READS


def _inventory(ctx: Context) -> Inventory:
    # Not the environment that another tool may be creating. In the container the project's code may have written to the
    # cache in an earlier step.
    builder = builder_of(ctx, ctx.tempdir / "inventory", keep=not ctx.container)
    builder.tempdir.mkdir(exist_ok=True)
    made = Environment.load(ctx.tempdir) if (ctx.tempdir / FILE).is_file() else None
    resolver = Resolver(
        builder=builder,
        kept=Results(ctx.kept, "resolutions", MOST) if ctx.kept and not ctx.kept.why_not else None,
        facts=(ctx.bundled.uv_version, ctx.today.isoformat()),
    )
    try:
        inventory = take(
            resolver,
            install=ctx.settings.install,
            made=made,
            python_version=ctx.settings.python_version,
        )
        notes = filter(None, [*builder.notes, resolver.save()])
        return replace(inventory, notes=(*inventory.notes, *notes))
    finally:
        builder.forget()


def _elsewhere(ctx: Context) -> Iterator[str]:
    """Yield a warning about files that list dependencies in another folder or in an unsupported format."""
    names = frozenset(ctx.tracked.names)
    listing = sorted(name for name in names if _is_elsewhere(name) and f"{name}.lock" not in names)
    found = [ctx.layout.relative(name) for name in listing]
    if found:
        yield (
            f"not audited, although these files list dependencies: {quoted(found)}; `working-directory` selects the folder"
            " whose lock file, requirements files or pyproject.toml are read"
        )


def _is_elsewhere(name: str) -> bool:
    folder, _, last = name.rpartition("/")
    is_read = not folder or folder.partition("/")[0] == "requirements"
    return _UNREAD.fullmatch(last) is not None or (
        not is_read and (last in PYTHON_LOCKS or is_requirements(last))
    )


def _base(ctx: Context, inventory: Inventory) -> Inventory | None:
    """Return the packages of the project before the change; None if they are unknown."""
    changes = ctx.changes
    if changes is None or not changes.known or not inventory.files:
        return None
    if not any(changes.file(ctx.layout.relative(file)) for file in inventory.files):
        return inventory
    with suppress(*UNDONE):
        repository = ctx.repository

        def text_of(file: Path) -> str | None:
            with suppress(ValueError):
                name = file.resolve().relative_to(repository.top.resolve()).as_posix()
                return repository.text_at(changes.base, name)
            return None

        return at_base(inventory, ctx.layout, text_of)
    return None


TOOL: Final = Tool(
    name=NAME,
    summary="Known vulnerabilities of dependencies, by pip-audit.",
    url="https://github.com/pypa/pip-audit",
    check=check,
    program=program,
    by_lines=True,
    runs_code=_runs_code,
    turn=_turn,
    plan=plan,
)
