"""The bodies of functions without the white space that means nothing: another indentation does not count."""

import re

# In the words of PostgreSQL, and in those of pg_dump. In other languages, such as Python, white space means something.
_FUNCTION = re.compile(
    r"^( +LANGUAGE (?:plpgsql|sql)\b[^\n]*\n(?: [^\n]*\n)*? *AS )(\$\w*\$)(.*?)(\2)",
    re.DOTALL | re.MULTILINE,
)
# A comment ends with its line. Texts and names are kept as they are, also those between dollars.
_PARTS = (
    r"(--[^\n]*)\s*",
    r"(/\*.*?\*/|\s+)",
    r"\b[eE]'(?:[^'\\]|\\.|'')*'",
    r"'[^']*'",
    r'"[^"]*"',
    r"(\$(?:[A-Za-z_]\w*)?\$).*?\3",
)
_PART = re.compile("|".join(_PARTS), re.DOTALL)


def collapsed(definitions):
    """Return definitions with one space for each white space in the bodies of functions in SQL and PL/pgSQL."""
    return _FUNCTION.sub(_function, definitions)


def _function(found):
    head, begin, body, end = found.groups()
    return head + begin + _PART.sub(_part, body).strip() + end


def _part(found):
    comment, space, _ = found.groups()
    if comment:
        return comment.rstrip() + "\n"
    return (" ".join(space.split()) or " ") if space else found.group()
