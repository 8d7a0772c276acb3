"""The command line: words in, exit code out. It wires the real collaborators and decides nothing."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from ci_action import __version__
from ci_action.commands.baseline import baseline_command
from ci_action.commands.fix import fix_command
from ci_action.commands.plan import plan_command
from ci_action.commands.run import run_command
from ci_action.commands.session import Options, tell_early, tell_usage
from ci_action.settings import SETTINGS
from ci_action.settings.general import MERGE
from ci_action.system.exit_codes import ExitCode
from ci_action.system.signals import Interruption

_CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add a flag for every setting, made from its definition, and the options that all commands share."""
    for name, setting in reversed(list(SETTINGS.items())):
        if name == "stage":
            continue
        text = setting.description + (f"  [default: {setting.default_text}]" if setting.default_text else "")
        text += "" if setting.is_key else "  [not read from pyproject.toml]"
        command = click.option(f"--{name}", multiple=setting.is_list, help=text, metavar="TEXT")(command)
    color = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default=None,
        help="When to use colours.",
    )
    verbose = click.option("--verbose", is_flag=True, help="Say which settings are in force, and why.")
    return verbose(color(command))


def _flags(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags that were given, as text for the settings."""
    values = {}
    for name, value in given.items():
        if value is None or value == ():
            continue
        key = name.replace("_", "-")
        joined = " " if key.endswith("-args") else "\n"
        values[key] = joined.join(value) if isinstance(value, tuple) else value
    return values


def _options(ctx: click.Context, color: str | None, *, verbose: bool) -> Options:
    return Options(
        environ=ctx.obj["environ"],
        prefix=ctx.obj["prefix"],
        interruption=ctx.obj["interruption"],
        color=color or ctx.obj["color"],
        verbose=verbose or ctx.obj["verbose"] or ctx.obj["environ"].get("RUNNER_DEBUG") == "1",
    )


@click.group(context_settings=_CONTEXT, invoke_without_command=True)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="When to use colours.",
)
@click.option("--verbose", is_flag=True, help="Say which settings are in force, and why.")
@click.version_option(__version__, prog_name="ci-action", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, color: str, *, verbose: bool) -> int:
    """One verdict for a Python project, under GitHub Actions and in the shell."""
    ctx.obj.update(color=color, verbose=verbose)
    environ = ctx.obj["environ"]
    if ctx.invoked_subcommand is not None:
        return 0
    if environ.get("GITHUB_ACTIONS") == "true" or environ.get("INPUT_STAGE", "").strip():
        return run_command({}, _options(ctx, None, verbose=verbose))
    click.echo(ctx.get_help())
    return 0


@cli.command(context_settings=_CONTEXT)
@click.argument("stages", nargs=-1, metavar="[STAGE]...")
@_common
@click.pass_context
def run(
    ctx: click.Context,
    /,
    stages: tuple[str, ...],
    color: str | None,
    *,
    verbose: bool,
    **given: Any,
) -> int:
    """Run stages; without one, every stage that applies."""
    flags = _flags(given)
    if stages:
        flags["stage"] = list(stages)
    return run_command(flags, _options(ctx, color, verbose=verbose))


@cli.command(context_settings=_CONTEXT)
@click.argument("stages", nargs=-1, metavar="[STAGE]...")
@_common
@click.pass_context
def plan(
    ctx: click.Context,
    /,
    stages: tuple[str, ...],
    color: str | None,
    *,
    verbose: bool,
    **given: Any,
) -> int:
    """Show what would run: tools, versions and their source, files, limits. Nothing is run."""
    flags = _flags(given)
    if stages:
        flags["stage"] = list(stages)
    return plan_command(flags, _options(ctx, color, verbose=verbose))


@cli.command(context_settings=_CONTEXT)
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@_common
@click.pass_context
def merge(
    ctx: click.Context,
    /,
    folders: tuple[str, ...],
    color: str | None,
    *,
    verbose: bool,
    **given: Any,
) -> int:
    """Join the report folders of sharded runs into one result, and hold it against the minima."""
    flags = _flags(given)
    flags |= {"stage": [MERGE], "paths": [*folders, *flags.get("paths", "").splitlines()]}
    return run_command(flags, _options(ctx, color, verbose=verbose))


@cli.command(context_settings=_CONTEXT)
@_common
@click.pass_context
def fix(ctx: click.Context, /, color: str | None, *, verbose: bool, **given: Any) -> int:
    """Write the safe fixes of Ruff and the formatting of Black."""
    return fix_command(_flags(given), _options(ctx, color, verbose=verbose))


@cli.group(context_settings=_CONTEXT)
def secrets() -> None:
    """Work with what was found that looks like a secret."""


@secrets.command(context_settings=_CONTEXT)
@_common
@click.pass_context
def baseline(ctx: click.Context, /, color: str | None, *, verbose: bool, **given: Any) -> int:
    """Accept what is found today: write the baseline of detect-secrets."""
    return baseline_command(_flags(given), _options(ctx, color, verbose=verbose))


@cli.command(context_settings=_CONTEXT)
@click.argument("what", type=click.Choice(["report", "settings"]), default="report")
def schema(what: str) -> int:
    """Print the JSON schema of the report file or of the settings."""
    from ci_action.commands.schema import settings_schema  # noqa: PLC0415 - only needed here
    from ci_action.reporters.report_json.schema import json_schema  # noqa: PLC0415 - only needed here

    click.echo(json.dumps(json_schema() if what == "report" else settings_schema(), indent=2))
    return 0


def main(
    argv: Sequence[str],
    environ: Mapping[str, str],
    prefix: Path | None = None,
    *,
    interruption: Interruption | None = None,
) -> int:
    """Run the command line; returns the exit code and never raises but for what ends Python itself.

    `prefix` is the Python environment that holds the bundled tools: our own, unless a test brings another.
    `interruption` has caught the signals until now.
    """
    prefix = prefix or Path(sys.prefix)
    interruption = interruption or Interruption()
    if interruption.name:
        return tell_early(environ)
    try:
        code = cli.main(
            args=list(argv),
            prog_name="ci-action",
            standalone_mode=False,
            obj={"environ": environ, "prefix": prefix, "interruption": interruption},
        )
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "ci-action"
        return tell_usage(f"{error.format_message()} (try `{where} --help`)", environ)
    except click.Abort:
        return ExitCode.INTERRUPTED
    return int(code or 0)
