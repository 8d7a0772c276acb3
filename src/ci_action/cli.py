"""The command line: words in, exit code out. It wires the real collaborators and decides nothing."""

import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from ci_action import __version__
from ci_action.commands.session import Call, Options
from ci_action.settings import SETTINGS, kinds
from ci_action.settings.field import Setting
from ci_action.settings.general import ALL, MERGE, STAGES
from ci_action.settings.kinds import SWITCH_VALUES
from ci_action.system.errors import InterruptedRunError, SettingsError
from ci_action.system.signals import Interruption

_SWITCHES: Final = frozenset(f"--{name}" for name, setting in SETTINGS.items() if setting.is_switch)
_NEGATED: Final = {f"--no-{name[2:]}": name for name in _SWITCHES}
_TITLES: Final = {"": "General options", "all": "Options of every stage"}
_CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_STAGES: Final = f"[{'|'.join((*STAGES, ALL))}]..."
_COLOR: Final = click.Option(
    ["--color"], type=click.Choice(["auto", "always", "never"]), help="When to use colours.  [default: auto]"
)
_VERBOSE: Final = click.Option(
    ["--verbose"], is_flag=True, help="Show the chosen settings and their sources."
)


class _Option(click.Option):
    """The option of a setting."""

    def __init__(self, setting: Setting[Any]) -> None:
        """Describe the setting, with its default and who may set it."""
        default = setting.default_text
        shown = default and not default.startswith("${{")  # an expression is a default in workflows only
        text = setting.description + (f"  [default: {default}]" if shown else "")
        text += "" if setting.is_key else "  [not read from pyproject.toml]"
        number = setting.kind.schema.get("type") == "integer"
        words = f"[{'|'.join(setting.choices)}]" if setting.choices else "NUMBER" if number else "TEXT"
        super().__init__([f"--{setting.name}"], multiple=setting.is_list, help=text, metavar=words)
        self.setting = setting

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the two spellings of a switch, or the option with its values."""
        if self.setting.is_switch:
            return f"--{self.setting.name} / --no-{self.setting.name}", self.help or ""
        return super().get_help_record(ctx)


class _Command(click.Command):
    """A command with an option for every setting that is not an argument of it, made when the command is used."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read switches with and without a value: `--name`, `--no-name`, `--name=true`."""
        return super().parse_args(ctx, list(spelled_out(args)))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options stage by stage."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)):
                stage = param.setting.stage if isinstance(param, _Option) else ""
                groups.setdefault(_TITLES.get(stage, f"Options of the stage {stage}"), []).append(record)
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)

    @cached_property
    def _settings(self) -> list[click.Parameter]:
        arguments = {param.name for param in self.params}
        return [_Option(one) for name, one in SETTINGS.items() if name not in {"stage", *arguments}]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*self.params, *self._settings, _COLOR, _VERBOSE, *filter(None, [self.get_help_option(ctx)])]


def spelled_out(args: Iterable[str]) -> Iterator[str]:
    """Yield the arguments with the value of each switch in one word with its name."""
    rest = deque(args)
    while rest:
        word = rest.popleft()
        if word == "--":
            yield word
            break
        if word in _SWITCHES:
            valued = bool(rest) and rest[0].lower() in SWITCH_VALUES
            yield f"{word}={rest.popleft() if valued else 'true'}"
        else:
            yield f"{_NEGATED[word]}=false" if word in _NEGATED else word
    yield from rest


def _run(command: str, ctx: click.Context, given: Mapping[str, Any], **fixed: str) -> int:
    """Run the command of a module in `ci_action.commands`, which is imported now; returns the exit code."""
    group = ctx.find_root()
    flags = {
        name.replace("_", "-"): value for name, value in given.items() if name not in {"color", "verbose"}
    }
    options = Options(
        **ctx.obj,
        color=given["color"] or group.params["color"] or "auto",
        verbose=given["verbose"] or group.params["verbose"],
    )
    with Call({**_text(flags), **fixed}, options) as call:
        import_module(f"ci_action.commands.{command}").main(call)
    return call.code


def _text(flags: Mapping[str, Any]) -> dict[str, str]:
    """Return the flags that were given, as text for the settings."""
    return {
        name: (
            (" " if SETTINGS[name].kind is kinds.words else "\n").join(value)
            if isinstance(value, tuple)
            else value
        )
        for name, value in flags.items()
        if value not in {None, ()}
    }


@click.group(context_settings=_CONTEXT, invoke_without_command=True, params=[_COLOR, _VERBOSE])
@click.version_option(__version__, prog_name="ci-action", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, /, **given: Any) -> int:
    """Check formatting, lint, tests, coverage, security and pull requests of Python projects."""
    environ = ctx.obj["environ"]
    if ctx.invoked_subcommand is not None:
        return 0
    if environ.get("GITHUB_ACTIONS") == "true" or environ.get("INPUT_STAGE", "").strip():
        return _run("run", ctx, given)
    click.echo(ctx.get_help())
    return 0


@cli.command(cls=_Command, context_settings=_CONTEXT)
@click.argument("stage", nargs=-1, metavar=_STAGES)
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> int:
    """Run stages, by default every one that applies. Repeat an option for a list."""
    return _run("run", ctx, given)


@cli.command(cls=_Command, context_settings=_CONTEXT)
@click.argument("stage", nargs=-1, metavar=_STAGES)
@click.pass_context
def plan(ctx: click.Context, /, **given: Any) -> int:
    """Show tools, versions, files and the base commit; runs no check."""
    return _run("plan", ctx, given)


@cli.command(cls=_Command, context_settings=_CONTEXT)
@click.argument("paths", nargs=-1, required=True, metavar="DIR...")
@click.pass_context
def merge(ctx: click.Context, /, **given: Any) -> int:
    """Join the report folders of shards into one result."""
    return _run("run", ctx, given, stage=MERGE)


@cli.command(cls=_Command, context_settings=_CONTEXT)
@click.pass_context
def fix(ctx: click.Context, /, **given: Any) -> int:
    """Write the safe fixes of Ruff and the formatting of Black."""
    return _run("fix", ctx, given)


@cli.group(context_settings=_CONTEXT)
def secrets() -> None:
    """Manage accepted secrets."""


@secrets.command(cls=_Command, context_settings=_CONTEXT)
@click.pass_context
def baseline(ctx: click.Context, /, **given: Any) -> int:
    """Accept all secrets found today: write the baseline of detect-secrets."""
    return _run("baseline", ctx, given)


@cli.command(context_settings=_CONTEXT)
@click.argument("what", type=click.Choice(["report", "settings"]), default="report")
def schema(what: str) -> int:
    """Print the JSON schema of the report file or of the settings."""
    from ci_action.commands.schema import settings_schema  # only needed here
    from ci_action.reporters.report_json.schema import json_schema  # only needed here

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

    `prefix` is the Python environment that contains the bundled tools: our own, unless a test brings another.
    `interruption` has caught the signals until now.
    """
    interruption = interruption or Interruption()
    given: dict[str, Any] = {
        "environ": environ,
        "prefix": prefix or Path(sys.prefix),
        "interruption": interruption,
    }
    mistake: Exception = InterruptedRunError("interrupted while starting")
    if not interruption.name:
        try:
            return int(
                cli.main(args=list(argv), prog_name="ci-action", standalone_mode=False, obj=given) or 0
            )
        except click.exceptions.Exit as ended:
            return ended.exit_code
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx else "ci-action"
            mistake = SettingsError([f"{error.format_message()} (try `{where} --help`)"])
        except click.Abort:
            mistake = InterruptedRunError("interrupted in a question")
    with Call({}, Options(**given)) as call:
        raise mistake
    return call.code
