"""Which revisions are downgraded and upgraded again. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ci_action.settings.types import MigrationDepth
from ci_action.stages.migrations.model import Revision


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The revisions to check, and those whose statements are recorded."""

    checked: tuple[str, ...]
    new: tuple[str, ...]
    absent: bool = False
    """Whether `downgrade-from` is not in the history: then it is about another one."""


def chosen(revisions: Sequence[Revision], depth: MigrationDepth, oldest: str) -> Chosen:
    """Return the revisions of the change, or all; without those that need not be reversible.

    `oldest` is the oldest that must be reversible, by its name or the beginning of it.
    """
    present = [one for one in revisions if one.path is not None]
    new = tuple(one.name for one in present if one.new)
    wanted = [one.name for one in present if one.new or depth is MigrationDepth.ALL]
    if not oldest:
        return Chosen(checked=tuple(wanted), new=new)
    start = next((one.name for one in revisions if one.name == oldest), "") or next(
        (one.name for one in revisions if one.name.startswith(oldest)), ""
    )
    if not start:
        return Chosen(checked=tuple(wanted), new=new, absent=True)
    after = _following(revisions, start)
    return Chosen(checked=tuple(name for name in wanted if name in after), new=new)


def _following(revisions: Sequence[Revision], start: str) -> set[str]:
    """Return a revision and all that follow it."""
    children: dict[str, list[str]] = {}
    for one in revisions:
        for below in (*one.down, *one.depends_on):
            children.setdefault(below, []).append(one.name)
    found = {start}
    open_ = [start]
    while open_:
        for name in children.get(open_.pop(), ()):
            if name not in found:
                found.add(name)
                open_.append(name)
    return found
