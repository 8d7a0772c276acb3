"""The commands of a project, read as text from tox, nox, make, just, scripts, tasks and the continuous integration."""

import ast
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ci_action.project.config_files import from_yaml, tool_table
from ci_action.project.evidence.calls import Call, Exists, call_of
from ci_action.project.evidence.shell import lines_in

if TYPE_CHECKING:
    from ci_action.project.tox import Tox
    from ci_action.project.workflows import Step


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command of the project that runs a tool."""

    call: Call
    place: str = ""
    """The target, environment, session, job or task."""
    folder: str = "."
    """Where it runs, relative to the folder of its file."""
    advisory: bool = False


@dataclass(frozen=True)
class Script:
    """A text with commands of a shell, and its place."""

    text: str
    place: str = ""
    folder: str = "."
    advisory: bool = False


def commands_of(
    scripts: Iterator[Script], exists: Exists, variables: Mapping[str, str] | None = None
) -> Iterator[Command]:
    """Yield the commands in texts that run a tool; `cd` is followed inside a text."""
    for script in scripts:
        folder = script.folder
        for line in lines_in(script.text, variables):
            if line.words[0] == "cd" and len(line.words) > 1:
                folder = os.path.normpath(os.path.join(folder, line.words[1]))
            elif call := call_of(line.words, exists):
                yield Command(
                    call=call, place=script.place, folder=folder, advisory=script.advisory or line.advisory
                )


# --- tox --------------------------------------------------------------------------------------------------------------


def in_tox(conf: "Tox") -> Iterator[Script]:
    """Yield the commands of the environments of tox."""
    for section in conf.environments:
        folder = next(iter(conf.every_line(section, "change_dir")), ".")
        for key in ("commands_pre", "commands", "commands_post"):
            for line in conf.every_line(section, key):
                yield Script(line.lstrip("-! "), section.title, folder, advisory=line.startswith("-"))


def tox_requirements(conf: "Tox") -> Iterator[tuple[str, str]]:
    """Yield what the environments of tox install, and the place."""
    for section in conf.environments:
        text = "\n".join(line.text for line in section.keys.get("deps", ()))
        yield text, f"{section.title}: deps"


# --- Python files -----------------------------------------------------------------------------------------------------

_RUNS: Final = frozenset(
    {"run", "run_always", "check_call", "check_output", "call", "Popen", "sudo", "system", "sh"}
)


def in_python(text: str, exists: Exists) -> Iterator[Command]:
    """Yield the commands that a noxfile or another script starts, as far as they are literal. Raises `SyntaxError`."""
    tree = ast.parse(text)
    names = _literals(tree.body)
    for place, node in _calls(tree, ""):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in _RUNS or not node.args:
            continue
        words = [word for argument in node.args for word in _words(argument, names)]
        lists = isinstance(node.args[0], ast.List | ast.Tuple)
        if not lists and len(words) == 1:
            yield from commands_of(iter([Script(words[0], place)]), exists)
        elif call := call_of(words, exists):
            yield Command(call=call, place=place, advisory=_may_fail(node))


def _calls(tree: ast.AST, place: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.iter_child_nodes(tree):
        inside = (
            node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not place else place
        )
        if isinstance(node, ast.Call):
            yield place, node
        yield from _calls(node, inside)


def _literals(body: Sequence[ast.stmt]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                found[target.id] = [word for word in _words(value, found) if word]
    return found


def _words(node: ast.expr, names: Mapping[str, list[str]]) -> list[str]:
    """Return the words of an argument; one that is not literal is `$`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [word for one in node.elts for word in _words(one, names)]
    if isinstance(node, ast.Starred):
        return _words(node.value, names)
    if isinstance(node, ast.Name):
        return names.get(node.id, ["$"])
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "$" for part in node.values)
        return ["".join(map(str, parts))]
    return ["$"]


def _may_fail(node: ast.Call) -> bool:
    return any(word.arg == "success_codes" for word in node.keywords)


# --- make and just ----------------------------------------------------------------------------------------------------

_MAKE_SET: Final = re.compile(r"^(?:export\s+)?([A-Za-z_]\w*)\s*[:?+]{0,2}=\s*(.*)$")
_JUST_SET: Final = re.compile(r"""^(?:export\s+)?([A-Za-z_][\w-]*)\s*:=\s*["']?([^"'\n]*)["']?\s*$""")
_TARGET: Final = re.compile(r"^@?([A-Za-z0-9_.%/$(){}-]+)[^=\n]*?:(?!=)")


def in_makefile(text: str) -> tuple[list[Script], dict[str, str]]:
    """Return the recipes of a Makefile line by line, and its variables."""
    scripts, variables, target = [], {}, ""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if line.startswith("\t"):
            command = line.strip()
            marks = command[: len(command) - len(command.lstrip("@-+"))]
            scripts.append(Script(command.lstrip("@-+ ").replace("$$", "$"), target, advisory="-" in marks))
        elif found := _MAKE_SET.match(line):
            variables[found[1]] = found[2].partition(" #")[0].strip()
        elif found := _TARGET.match(line):
            target = found[1]
            inline = line.partition(";")[2]
            scripts += [Script(inline.strip(), target)] if inline else []
    return scripts, variables


def in_justfile(text: str) -> tuple[list[Script], dict[str, str]]:
    """Return the recipes of a justfile, and its variables."""
    scripts: dict[str, list[str]] = {}
    variables, target = {}, ""
    for line in text.splitlines():
        if line[:1] in {" ", "\t"}:
            scripts.setdefault(target, []).append(line.strip().lstrip("@-"))
        elif found := _JUST_SET.match(line):
            variables[found[1]] = found[2]
        elif found := _TARGET.match(line):
            target = found[1]
    return [Script("\n".join(lines), name) for name, lines in scripts.items()], variables


# --- tables of tasks --------------------------------------------------------------------------------------------------

_PROSE: Final = frozenset({"help", "description", "desc", "env", "name", "summary"})


def in_pyproject(document: Mapping[str, Any]) -> Iterator[Script]:
    """Yield the tasks of Hatch, PDM, Poe, taskipy, Rye and Pixi."""
    tool = tool_table(document)
    yield from _hatch(_at(tool, "hatch", "envs"), "tool.hatch.envs")
    for names in (
        ("pdm", "scripts"),
        ("poe", "tasks"),
        ("taskipy", "tasks"),
        ("rye", "scripts"),
        ("pixi", "tasks"),
    ):
        yield from _tasks(_at(tool, *names), ".".join(("tool", *names)))
    for feature in _at(tool, "pixi", "feature"):
        yield from _tasks(
            _at(tool, "pixi", "feature", feature, "tasks"), f"tool.pixi.feature.{feature}.tasks"
        )


def in_hatch_toml(document: Mapping[str, Any]) -> Iterator[Script]:
    """Yield the scripts of a hatch.toml."""
    yield from _hatch(_at(document, "envs"), "envs")


def in_pixi_toml(document: Mapping[str, Any]) -> Iterator[Script]:
    """Yield the tasks of a pixi.toml."""
    yield from _tasks(_at(document, "tasks"), "tasks")
    for feature in _at(document, "feature"):
        yield from _tasks(_at(document, "feature", feature, "tasks"), f"feature.{feature}.tasks")


def _hatch(environments: Mapping[str, Any], where: str) -> Iterator[Script]:
    for name in environments:
        yield from _tasks(_at(environments, name, "scripts"), f"{where}.{name}.scripts")


def _tasks(tasks: Mapping[str, Any], where: str) -> Iterator[Script]:
    for name, task in tasks.items():
        if name != "env":
            yield from (Script(text, f"{where}.{name}") for text in _texts(task))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in _PROSE:
                yield from _texts(one)


def _at(table: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        found = table.get(name)
        table = found if isinstance(found, dict) else {}
    return table


# --- continuous integration -------------------------------------------------------------------------------------------

_ACTIONS: Final[Mapping[str, str]] = {
    "psf/black": "black",
    "rickstaa/action-black": "black",
    "lgeiger/black-action": "black",
    "reviewdog/action-black": "black",
    "astral-sh/ruff-action": "ruff",
    "chartboost/ruff-action": "ruff",
    "reviewdog/action-flake8": "flake8",
    "py-actions/flake8": "flake8",
    "suo/flake8-github-action": "flake8",
    "jakebailey/pyright-action": "pyright",
    "jpetrucciani/mypy-check": "mypy",
    "jpetrucciani/ruff-check": "ruff",
    "jpetrucciani/black-check": "black",
}
_SCRIPT_KEYS: Final = frozenset({
    "run", "script", "before_script", "after_script", "install", "before_install", "bash", "pwsh", "command", "commands",
    "cmd", "cmds", "lint_script", "check_script", "build_script", "test_script",
})  # fmt: skip
_ON_CHANGES: Final = frozenset(
    {"push", "pull_request", "pull_request_target", "merge_group", "workflow_call"}
)


def in_workflow(text: str, exists: Exists) -> Iterator[Command]:
    """Yield the commands of a workflow or composite action of GitHub. Raises `ValueError`."""
    from ci_action.project.workflows import workflow_of  # projects without one are quick

    workflow = workflow_of(text)
    advisory = bool(workflow.triggers) and _ON_CHANGES.isdisjoint(workflow.triggers)
    for step in workflow.steps:
        folder, ignored = step.folder or ".", advisory or step.tolerated
        if step.run:
            yield from commands_of(iter([Script(step.run, step.job, folder, advisory=ignored)]), exists)
        elif command := _of_action(step, exists):
            yield Command(call=command, place=step.job, folder=folder, advisory=ignored)


def _of_action(step: "Step", exists: Exists) -> Call | None:
    program = _ACTIONS.get(step.uses.partition("@")[0].lower(), "")
    if not program:
        return None
    names = ("args", "options", "black_args", "src", "path")
    given = " ".join(filter(None, (step.inputs[name].text for name in names if name in step.inputs)))
    default = {"black": "--check ." if program == "black" else "", "ruff": "check ."}.get(program, "")
    line = next(lines_in(f"{program} {given or default}"), None)
    return call_of(line.words, exists) if line else None


def in_pipeline(text: str, exists: Exists) -> Iterator[Command]:
    """Yield the commands of another service (GitLab, Travis, Azure, CircleCI), or of a Taskfile. Raises `ValueError`."""
    yield from commands_of(
        (Script(one, place) for place, one in _scripts(from_yaml(text), "", inside=False)), exists
    )


def _scripts(value: object, place: str, *, inside: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and inside:
        yield place, value
    elif isinstance(value, list):
        for one in value:
            yield from _scripts(one, place, inside=inside)
    elif isinstance(value, dict):
        for key, one in value.items():
            known = str(key) in _SCRIPT_KEYS
            yield from _scripts(one, place if known or place else str(key), inside=known)
