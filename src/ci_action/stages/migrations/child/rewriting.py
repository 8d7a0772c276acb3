"""Which tables PostgreSQL really rewrites: an event trigger notes them, and each statement's are read after it.

Runs in the project's interpreter, any CPython from 3.8 on, with its driver for PostgreSQL. What the trigger notes is in a
setting of the session: no table is made, a rollback takes it back, and other connections do not mix with it.
"""

import json

# Has no `%`, `:` and `?`, which drivers take for parameters, and no names that a `search_path` decides.
# PostgreSQL runs the trigger as the user that changes the table: it needs no privileges of its own.
_FUNCTION = """
CREATE FUNCTION ci_action.note_rewrite() RETURNS event_trigger LANGUAGE plpgsql AS '
DECLARE
    found text;
BEGIN
    SELECT pg_catalog.json_build_array(n.nspname, c.relname, pg_catalog.pg_event_trigger_table_rewrite_reason())
        INTO found
        FROM pg_catalog.pg_class AS c INNER JOIN pg_catalog.pg_namespace AS n
            ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.pg_event_trigger_table_rewrite_oid();
    PERFORM pg_catalog.set_config(
        ''ci_action.rewrites'',
        pg_catalog.concat(pg_catalog.current_setting(''ci_action.rewrites'', true), found, pg_catalog.chr(10)),
        false
    );
END'
"""
# ALWAYS: data migrations set `session_replication_role` to `replica`, which switches usual triggers off.
_INSTALL = (
    "CREATE SCHEMA ci_action",
    _FUNCTION,
    "CREATE EVENT TRIGGER ci_action_rewrites ON table_rewrite EXECUTE PROCEDURE ci_action.note_rewrite()",
    "ALTER EVENT TRIGGER ci_action_rewrites ENABLE ALWAYS",
)
# A table that has to be rewritten: without a note of it nothing is measured, whatever the reason.
_TRY = (
    "CREATE TABLE ci_action.tried (number integer)",
    "ALTER TABLE ci_action.tried ALTER COLUMN number TYPE bigint",
)
_UNTRY = "DROP TABLE ci_action.tried"
_SAVE = "SAVEPOINT ci_action"
_UNDO = "ROLLBACK TO SAVEPOINT ci_action"
_MAY = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
_READ = "SELECT pg_catalog.current_setting('ci_action.rewrites', true)"
_FORGET = "SELECT pg_catalog.set_config('ci_action.rewrites', '', false)"


def install(connection):
    """Install the trigger in the database of a connection; return whether rewrites are measured from now on.

    Takes a connection of SQLAlchemy or of a driver, and leaves the commit to the caller. Only a superuser may make event
    triggers: without that right, or if anything else fails, nothing is changed in a transaction.
    """
    cursor = _driver(connection).cursor()
    try:
        cursor.execute(_MAY)
        if not (cursor.fetchone() or [False])[0]:
            return False
        saved = _works(cursor, _SAVE)  # not where each statement is committed
        works = (
            _works(cursor, *_INSTALL, *_TRY)
            and [table for table, _ in taken(connection)] == ["ci_action.tried"]
            and _works(cursor, _UNTRY)
        )
        if not works and saved:
            cursor.execute(_UNDO)
        return works
    finally:
        cursor.close()


def _works(cursor, *statements):
    """Execute statements; return whether all succeeded."""
    try:
        for statement in statements:
            cursor.execute(statement)
    except Exception:  # each driver has its own errors
        return False
    return True


def taken(connection):
    """Return each table that was rewritten on a connection since the last call, with PostgreSQL's reason as a number.

    It starts nothing that SQLAlchemy's events see. In a transaction that has failed nothing can be read: then none is known.
    """
    try:
        cursor = _driver(connection).cursor()
        try:
            cursor.execute(_READ)
            noted = (cursor.fetchone() or [""])[0]
            if noted:
                cursor.execute(_FORGET)
                cursor.fetchone()
        finally:
            cursor.close()
    except Exception:  # each driver has its own errors
        return []
    rows = [json.loads(line) for line in (noted or "").splitlines()]
    return [("%s.%s" % (schema, table), reason) for schema, table, reason in rows]


def _driver(connection):
    """Return the connection of the driver, to which SQLAlchemy gives the cursors of async drivers too."""
    return getattr(connection, "connection", connection)
