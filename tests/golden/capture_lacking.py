"""Capture what PostgreSQL prints for an extension, a locale or a feature that it lacks: `python capture_lacking.py URL`.

With the embedded server (17.10, built without ICU; the path of its folder is shortened) and one of another version.
"""

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pg8000.native
from pg8000.exceptions import DatabaseError

STATEMENTS = (
    'CREATE EXTENSION "uuid-ossp"',
    "CREATE EXTENSION vector",
    "CREATE COLLATION german (provider = icu, locale = 'de')",
    "CREATE COLLATION german_of_system (provider = libc, locale = 'de_DE.utf8')",
    'CREATE TABLE words (word text COLLATE "de_DE")',
    'CREATE TABLE icu_words (word text COLLATE "de-x-icu")',
)

parts = urlsplit(sys.argv[1])
found = {}
connection = pg8000.native.Connection(
    parts.username, host=parts.hostname, port=parts.port, password=parts.password, database="postgres"
)
for statement in STATEMENTS:
    try:
        connection.run(statement)
    except DatabaseError as error:
        found[statement] = "\n".join(error.args[0].get(key, "") for key in "MDH").strip()
version = connection.parameter_statuses["server_version"].partition(" ")[0]
(Path(__file__).parent / "postgresql" / f"lacking-{version}.json").write_text(
    json.dumps(found, indent=2) + "\n"
)
