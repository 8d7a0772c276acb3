"""The models against the database, as `alembic check` compares them: with the options of env.py."""

import os
import sys

from alembic.autogenerate import RevisionContext
from sqlalchemy import Table

from .channel import cut

_LONGEST = 1000
# The length of the tuples of Alembic, without their kind.
_MODIFIED = 6
_COLUMN = 3
_ENUMS = "SELECT n.nspname || '.' || t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e' ORDER BY 1"


def compare(walk):
    """Report each operation that would bring the database to the models; return the number of tables in the models."""
    arguments = {
        "message": None,
        "autogenerate": True,
        "sql": False,
        "head": "head",
        "splice": False,
        "branch_label": None,
        "version_path": None,
        "rev_id": None,
        "depends_on": None,
    }
    revisions = RevisionContext(walk.config, walk.script, arguments)
    metadata = []
    enums = set()

    def work(heads, context):
        target = context.opts.get("target_metadata")
        if target is None:
            return []
        several = target if isinstance(target, (list, tuple)) else [target]
        metadata.extend(one for one in several if one not in metadata)
        if context.connection.dialect.name == "postgresql":
            enums.update(row[0] for row in context.connection.exec_driver_sql(_ENUMS))
        revisions.run_autogenerate(heads, context)
        return []

    walk.recorder.quietly(
        lambda: walk.environment(work, template_args=revisions.template_args, revision_context=revisions)
    )
    if not metadata:
        walk.send("no-metadata")
        return 0
    scripts = revisions.generated_revisions
    places = _Places(metadata)
    # A hook of env.py takes an empty revision away.
    for operations in scripts[-1].upgrade_ops_list if scripts else ():
        for operation in _leaves(operations):
            _report(walk.send, operation, places)
    if enums and "alembic_postgresql_enum" not in sys.modules:
        walk.send("enums", names=sorted(enums)[:20], number=len(enums))
    return sum(len(one.tables) for one in metadata)


def _leaves(operation):
    if hasattr(operation, "ops"):
        for one in operation.ops:
            yield from _leaves(one)
    else:
        yield operation


def _report(send, operation, places):
    try:
        found = operation.to_diff_tuple()
    except Exception:  # an operation of another package
        found = None
    rows = found if isinstance(found, list) else [found]
    for row in rows:
        kind = str(row[0]) if isinstance(row, (tuple, list)) and row else type(operation).__name__
        schema, table, item, detail = _parts(row, operation)
        send(
            "drift",
            kind=kind,
            table="%s.%s" % (schema, table) if schema else table,
            item=item,
            detail=cut(detail, _LONGEST),
            model=places.of(schema, table, item),
        )


def _parts(row, operation):
    """Return the schema, table, column or constraint and details of an operation."""
    kind, *rest = row if isinstance(row, (tuple, list)) and row else [""]
    thing = rest[0] if rest else None
    if isinstance(thing, Table):
        return thing.schema or "", thing.name, "", ""
    if str(kind).startswith("modify_") and len(rest) >= _MODIFIED:
        schema, table, column, _, before, after = rest[:_MODIFIED]
        return schema or "", table, column, "%s -> %s" % (_shown(before), _shown(after))
    if kind in ("add_column", "remove_column") and len(rest) >= _COLUMN:
        schema, table, column = rest[:_COLUMN]
        return schema or "", table, column.name, _shown(column.type)
    table = getattr(thing, "table", None)
    if isinstance(table, Table):
        columns = [getattr(one, "name", str(one)) for one in getattr(thing, "columns", ())]
        return (
            table.schema or "",
            table.name,
            str(getattr(thing, "name", None) or ""),
            ", ".join(map(str, columns)),
        )
    return "", str(getattr(operation, "table_name", "") or ""), "", cut(repr(row or operation), _LONGEST)


def _shown(value):
    """Return a type, a default or a flag as text."""
    argument = getattr(value, "arg", value)
    return cut(str(getattr(argument, "text", argument)), 200)


class _Places:
    """Where the models are defined."""

    def __init__(self, metadata):
        self._tables = {}
        for one in metadata:
            for table in one.tables.values():
                self._tables[table.schema or "", table.name] = table
        self._classes = _mapped()
        self._variables = None

    def of(self, schema, table, item):
        """Return the file, the name of the class or variable and the attribute of a table or its column; or None."""
        model = self._tables.get((schema, table))
        if model is None:
            return None
        for mapper in self._classes.get(model, ()):
            module = sys.modules.get(mapper.class_.__module__)
            file = getattr(module, "__file__", None)
            if file:
                return [
                    os.path.realpath(file),
                    mapper.class_.__qualname__,
                    _attribute(mapper, model, item),
                    item,
                ]
        return self._variable(model, item)

    def _variable(self, model, item):
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if not file or name.partition(".")[0] in ("sqlalchemy", "alembic", "ciaction_migrations"):
                continue
            for variable, value in list(getattr(module, "__dict__", {}).items()):
                if value is model:
                    return [os.path.realpath(file), variable, "", item]
        return None


def _mapped():
    """Return the mapped classes by their tables."""
    found = {}
    try:
        from sqlalchemy.orm import mapperlib
    except ImportError:
        from sqlalchemy.orm import mapper as mapperlib
    try:
        mappers = [one for registry in mapperlib._all_registries() for one in registry.mappers]
    except Exception:  # SQLAlchemy may move what is not public
        return {}
    for mapper in mappers:
        found.setdefault(mapper.local_table, []).append(mapper)
    # The class that is nearest to the table comes first.
    return {table: sorted(some, key=lambda one: len(one.class_.__mro__)) for table, some in found.items()}


def _attribute(mapper, table, item):
    """Return the attribute of a class that is a column."""
    column = table.columns.get(item) if item else None
    if column is None:
        return ""
    try:
        return mapper.get_property_by_column(column).key
    except Exception:  # the class has no attribute for it
        return ""
