"""The schema of the scratch database at a moment, and how it differs from an earlier one.

Taken on the connection of env.py, so that it sees what its transaction has not committed yet. On PostgreSQL it is read from
the catalogs, which also have types, functions, triggers and sequences; elsewhere it is what Alembic compares.
"""

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData

from .bodies import collapsed
from .channel import cut

_LONGEST = 600
# Has no `%` and `:`, which drivers take for parameters.
_CATALOGS = """
WITH spaces AS (
    SELECT oid, CAST(nspname AS text) AS name FROM pg_catalog.pg_namespace
    WHERE left(nspname, 3) <> 'pg_' AND nspname NOT IN ('information_schema', 'ci_action')
), members AS (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
), relations AS (
    SELECT c.*, s.name AS space, s.name || '.' || c.relname AS name FROM pg_catalog.pg_class c JOIN spaces s ON s.oid = c.relnamespace
    WHERE (CAST('pg_class' AS regclass), c.oid) NOT IN (SELECT classid, objid FROM members)
    AND c.oid NOT IN (SELECT i.indexrelid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid WHERE t.relname = {versions})
    AND c.relname <> {versions} AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I', 'f', 'c')
)
SELECT 'schema', name, '' FROM spaces
WHERE (CAST('pg_namespace' AS regclass), oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index'
    WHEN 'I' THEN 'index' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END, name,
    concat_ws(' ', CASE relpersistence WHEN 'u' THEN 'UNLOGGED' WHEN 't' THEN 'TEMPORARY' END,
        CASE WHEN relkind IN ('i', 'I') THEN pg_get_indexdef(oid) WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid)
        WHEN relkind = 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(oid) END, pg_get_expr(relpartbound, oid),
        CASE WHEN relrowsecurity THEN 'ROW LEVEL SECURITY' END, CAST(reloptions AS text), CAST(relacl AS text))
FROM relations WHERE relpersistence <> 't'
UNION ALL
SELECT 'sequence', r.name || ' ', concat_ws(' ', format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcycle)
FROM pg_catalog.pg_sequence q JOIN relations r ON r.oid = q.seqrelid
UNION ALL
SELECT 'column', r.name || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || l.collname END,
    CASE WHEN a.attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
    CASE WHEN a.attidentity <> '' THEN concat('IDENTITY ', a.attidentity) END, CASE WHEN a.attgenerated <> '' THEN 'GENERATED' END)
FROM pg_catalog.pg_attribute a JOIN relations r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p', 'f', 'c')
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', coalesce(r.name, '') || '.' || c.conname, pg_get_constraintdef(c.oid)
FROM pg_catalog.pg_constraint c JOIN relations r ON r.oid = c.conrelid WHERE c.contype <> 'n'
UNION ALL
SELECT CASE t.typtype WHEN 'e' THEN 'enum type' WHEN 'd' THEN 'domain' ELSE 'type' END, s.name || '.' || t.typname,
    concat_ws(' ', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
        CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typdefault,
        CASE WHEN t.typnotnull THEN 'NOT NULL' END,
        (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid))
FROM pg_catalog.pg_type t JOIN spaces s ON s.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'r') AND (CAST('pg_type' AS regclass), t.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'function', s.name || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
    CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END
FROM pg_catalog.pg_proc p JOIN spaces s ON s.oid = p.pronamespace
WHERE (CAST('pg_proc' AS regclass), p.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'trigger', r.name || '.' || g.tgname, concat(pg_get_triggerdef(g.oid), ' ', g.tgenabled)
FROM pg_catalog.pg_trigger g JOIN relations r ON r.oid = g.tgrelid WHERE NOT g.tgisinternal
UNION ALL
SELECT 'rule', r.name || '.' || w.rulename, pg_get_ruledef(w.oid)
FROM pg_catalog.pg_rewrite w JOIN relations r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', r.name || '.' || o.polname, concat_ws(' ', o.polcmd, o.polpermissive, o.polroles, pg_get_expr(o.polqual, o.polrelid), pg_get_expr(o.polwithcheck, o.polrelid))
FROM pg_catalog.pg_policy o JOIN relations r ON r.oid = o.polrelid
UNION ALL
SELECT 'comment', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description
FROM pg_catalog.pg_description d WHERE d.objoid >= 16384 AND d.classoid <> CAST('pg_extension' AS regclass)
AND (d.classoid, d.objoid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'object', pg_describe_object(p.classid, p.objid, p.objsubid), ''
FROM pg_catalog.pg_depend p JOIN spaces s ON s.oid = p.refobjid AND p.refclassid = CAST('pg_namespace' AS regclass)
WHERE p.classid NOT IN (CAST('pg_class' AS regclass), CAST('pg_type' AS regclass), CAST('pg_proc' AS regclass), CAST('pg_extension' AS regclass),
    CAST('pg_constraint' AS regclass), CAST('pg_default_acl' AS regclass))
AND (p.classid, p.objid) NOT IN (SELECT classid, objid FROM members)
"""


def take(context, *earlier):
    """Return the schema that a context of Alembic sees, and its differences from earlier ones."""
    connection = context.connection
    began = not connection.in_transaction()
    kind = _Catalogs if connection.dialect.name == "postgresql" else _Reflected
    try:
        found = kind(connection, context.version_table)
        return found, [found.differences(one) for one in earlier]
    finally:
        if began and connection.in_transaction():
            connection.get_transaction().rollback()


class _Catalogs:
    """A schema of PostgreSQL."""

    compared = "the catalogs of PostgreSQL"

    def __init__(self, connection, versions):
        query = _CATALOGS.format(versions="'%s'" % versions.replace("'", "''"))
        found = connection.exec_driver_sql(query).fetchall()
        self.rows = {
            (kind, name): collapsed(definition) if kind == "function" else definition or ""
            for kind, name, definition in found
        }

    def differences(self, earlier):
        """Return what was added, removed and changed since an earlier schema: a sign, the object, and its definitions."""
        rows, before = self.rows, earlier.rows
        found = [
            ["+", _named(key), "", cut(rows[key], _LONGEST)] for key in sorted(rows.keys() - before.keys())
        ]
        found += [
            ["-", _named(key), cut(before[key], _LONGEST), ""] for key in sorted(before.keys() - rows.keys())
        ]
        found += [
            ["~", _named(key), cut(before[key], _LONGEST), cut(rows[key], _LONGEST)]
            for key in sorted(rows.keys() & before.keys())
            if rows[key] != before[key]
        ]
        return found

    @property
    def enums(self):
        """The enum types."""
        return sorted(name for kind, name in self.rows if kind == "enum type")


def _named(key):
    kind, name = key
    return name.strip() if kind == "object" else "%s %s" % (kind, name.strip().replace("public.", "", 1))


class _Reflected:
    """A schema as Alembic reads it."""

    compared = "Alembic"
    enums = ()

    def __init__(self, connection, versions):
        self._connection = connection
        self._versions = versions
        self.metadata = MetaData()
        self.metadata.reflect(bind=connection)
        self.noise = self._operations(self.metadata)
        """What Alembic finds between this schema and itself."""

    def differences(self, earlier):
        """Return the operations of Alembic that lead back to an earlier schema; only while its connection is open."""
        return [["~", text, "", ""] for text in sorted(self._operations(earlier.metadata) - earlier.noise)]

    def _operations(self, metadata):
        options = {"version_table": self._versions, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(self._connection, opts=options)
        operations = produce_migrations(context, metadata).upgrade_ops
        lines = render_python_code(operations, migration_context=context).splitlines()
        statements = []
        for line in map(str.strip, lines):
            if line.startswith("op.") or not statements:
                statements.append(line)
            elif not line.startswith("#"):
                statements[-1] += " " + line
        return {cut(one, _LONGEST) for one in statements if one.startswith("op.")}
