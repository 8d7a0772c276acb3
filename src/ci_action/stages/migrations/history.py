"""The history of a project as its report lists it. Pure."""

from collections.abc import Sequence

from ci_action.model.migrations import Ancestor, History, Migration, newest_first
from ci_action.stages.migrations.model import Revision


def history_of(
    revisions: Sequence[Revision], heads: Sequence[str], base_heads: Sequence[str] | None, source: str = ""
) -> History:
    """Return what a report lists of the revisions after the merge; the heads of the base branch are None if it is unknown."""
    by_name = {one.name: one for one in revisions}
    order = newest_first({name: one.down for name, one in by_name.items()})
    listed = (_migration(by_name[name]) for name in order)
    history = History(
        revisions=tuple(listed),
        total=len(by_name),
        heads=tuple(heads),
        base_heads=tuple(base_heads or ()),
        base_known=base_heads is not None,
        source=source,
    )
    new = {one.name for one in revisions if one.new}
    below = {name for one in revisions if one.new for name in one.down}
    return history.only(new | below | set(heads) | set(history.base_heads))


def _migration(revision: Revision) -> Migration:
    return Migration(
        name=revision.name,
        parents=tuple(Ancestor(name) for name in dict.fromkeys(revision.down)),
        message=revision.message,
        path=revision.place.path if revision.path else "",
        line=revision.place.line,
        new=revision.new,
    )
