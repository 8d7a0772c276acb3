"""Empties the scratch database, so that the revisions can start from nothing again."""

_SCHEMAS = """
SELECT nspname FROM pg_catalog.pg_namespace WHERE left(nspname, 3) <> 'pg_' AND nspname <> 'information_schema'
"""
_TABLES = "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger', 'table') AND name NOT LIKE 'sqlite^_%' ESCAPE '^'"
_ORDER = ("trigger", "view", "table")


def extensions(connection):
    """Return the extensions that the database has, which its template or env.py made."""
    if connection.dialect.name != "postgresql":
        return []
    return sorted(row[0] for row in connection.exec_driver_sql("SELECT extname FROM pg_catalog.pg_extension"))


def empty(connection, kept):
    """Drop everything in the database but these extensions."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    if connection.dialect.name == "postgresql":
        for (name,) in connection.exec_driver_sql(_SCHEMAS).fetchall():
            connection.exec_driver_sql("DROP SCHEMA %s CASCADE" % quote(name))
        connection.exec_driver_sql("CREATE SCHEMA public")
        for name in sorted(set(kept) - set(extensions(connection))):
            connection.exec_driver_sql("CREATE EXTENSION %s" % quote(name))
        return
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    found = connection.exec_driver_sql(_TABLES).fetchall()
    for kind, name in sorted(found, key=lambda row: _ORDER.index(row[0])):
        connection.exec_driver_sql("DROP %s IF EXISTS %s" % (kind.upper(), quote(name)))
