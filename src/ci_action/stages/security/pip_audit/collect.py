"""Collects the packages that the project needs: lock files are read, everything else is resolved by uv.

In the order of `dependencies.find`, the first one found counts:

1. with `install`, the environment of the test stage; with `install: none` the current one
2. a lock file
3. requirements files and metadata, resolved for the project's Python (`resolve`). A file with a version and a hash in every
   line is read like a lock file. Further requirements files (`requirements-prod.txt`) are resolved one by one.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from ci_action.engine.environment import current_python
from ci_action.project.dependencies.discover import find, lock_of
from ci_action.project.dependencies.inventory import Inventory, Kind, Needed, unique
from ci_action.project.dependencies.lockfiles import Lock, direct_names, inventory_of, unlocked
from ci_action.project.dependencies.requirements_txt import of_text, read
from ci_action.project.environment import Builder, Environment, python_request
from ci_action.project.layout import Layout
from ci_action.stages.security.pip_audit.resolve import compiled_files, further_files, resolved
from ci_action.system.errors import ToolError
from ci_action.system.project_files import find_project_text


def take(
    builder: Builder, *, install: Sequence[str], made: Environment | None, python_version: str
) -> Inventory:
    """Return the packages of the project; `made` is the environment of this run, if there is one.

    Raises `ToolError` if the packages cannot be determined.
    """
    if install and made:
        return _installed(builder, made.python, made.added)
    if tuple(install) == ("none",):
        return _installed(builder, current_python(builder.environ), ())
    known = from_files(builder.layout)
    return known or resolved(builder, python_request(builder.layout, python_version)[0])


def from_files(layout: Layout) -> Inventory | None:
    """Return the packages by files alone; None if a resolver is needed."""
    file = lock_of(layout)
    if file is not None:
        lock = layout.lock(file)
        found = _of_lock(lock, layout)
        names = layout.root / ("Pipfile" if lock.kind is Kind.PIPENV else "pyproject.toml")
        text = find_project_text(names, layout.workspace)
        missing = unlocked(lock, layout.pyproject, text, layout.relative(names))
        return replace(found, files=(file,), unauditable=(*found.unauditable, *missing))
    needs, further = find(layout), further_files(layout)
    if needs.project or needs.groups or not (needs.files or further):
        return None
    listed = read(
        [layout.root / name for name in (*needs.files, *further)], layout.relative, layout.workspace
    )
    if not listed.whole:
        return None
    return Inventory(
        kind=Kind.REQUIREMENTS,
        source=", ".join(map(layout.relative, listed.files)),
        packages=tuple(listed.pinned),
        unauditable=tuple(listed.unauditable),
        files=tuple(listed.files),
        compiled=compiled_files(layout),
    )


def _of_lock(lock: Lock, layout: Layout) -> Inventory:
    pipfile = layout.root / "Pipfile"
    text = find_project_text(pipfile, layout.workspace) if lock.kind is Kind.PIPENV else ""
    found = inventory_of(lock, direct_names(layout.pyproject, text))
    own = canonicalize_name(_own_name(layout))
    return replace(found, packages=tuple(needed for needed in found.packages if needed.name != own))


def at_base(inventory: Inventory, layout: Layout, text_of: Callable[[Path], str | None]) -> Inventory | None:
    """Return the packages by the same files at another commit; None if they did not exist, or are invalid."""
    packages: list[Needed] = []
    for file in inventory.files:
        text = text_of(file)
        if text is None:
            return None
        try:
            if inventory.kind is Kind.REQUIREMENTS:
                packages += of_text(text, layout.relative(file)).pinned
            else:
                lock = Lock(inventory.kind, layout.relative(file), text.encode(), file.parent)
                packages += _of_lock(lock, layout).packages
        except ToolError:
            return None
    return replace(inventory, packages=unique(packages))


def _own_name(layout: Layout) -> str:
    project = layout.pyproject.get("project")
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) else ""


def _installed(builder: Builder, python: str, added: Collection[str]) -> Inventory:
    """Return the packages of an environment, without the project's own packages and those that ci-action added."""
    done = builder.command("pip", "list", "--format=json", "--exclude-editable", f"--python={python}")
    own = {canonicalize_name(name) for name in (_own_name(builder.layout), *added)}
    try:
        entries = [(str(one["name"]), str(one["version"])) for one in json.loads(done.stdout)]
    except (ValueError, TypeError, KeyError) as error:
        raise ToolError(f"could not list the packages of {python!r}: {error!r}") from error
    packages = [Needed(name=canonicalize_name(name), version=version) for name, version in entries]
    return Inventory(
        kind=Kind.ENVIRONMENT,
        source=f"the environment of {python}",
        packages=unique(needed for needed in packages if needed.name not in own),
    )
