"""An exception as data: what the parent needs to say what failed, where, and whose fault it is."""

import os
import traceback

from .channel import cut

_LONGEST = 4000
_FRAMES = 40
_CAUSES = 8


def described(error):
    """Return an exception as data."""
    chain = list(_chain(error))
    database = next((one for one in chain if getattr(one, "orig", None) is not None), None)
    original = database.orig if database is not None else None
    origins = [one for one in (original, *_chain(original)) if one is not None] or chain
    return {
        "type": _name(error),
        "bases": [_name_of(one) for one in type(error).__mro__ if one is not object],
        "text": cut(_text(error), _LONGEST),
        "database": cut(_words(original), _LONGEST) if original is not None else "",
        "state": next(filter(None, map(_state, origins)), ""),
        "lost": bool(getattr(database, "connection_invalidated", False)),
        "statement": cut(str(getattr(database, "statement", None) or ""), _LONGEST),
        "fields": _fields(chain),
        "module": next((str(one.name) for one in chain if isinstance(one, ImportError) and one.name), ""),
        "key": next(
            (cut(str(one.args[0]), 200) for one in chain if isinstance(one, KeyError) and one.args), ""
        ),
        "syntax": _syntax(chain),
        "frames": _frames(error),
        "traceback": cut(
            "".join(traceback.format_exception(type(error), error, error.__traceback__))[-20000:]
        ),
    }


def is_fatal(error):
    """Return whether the server ended, or has no room: nothing more can be done."""
    found = described(error)
    return found["lost"] or found["state"].startswith(("08", "53", "57P", "58"))


def _chain(error):
    """Yield an exception and those that caused it, the outermost first."""
    seen = 0
    while error is not None and seen < _CAUSES:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        seen += 1


def _name(error):
    return _name_of(type(error))


def _name_of(kind):
    return (
        "%s.%s" % (kind.__module__, kind.__qualname__) if kind.__module__ != "builtins" else kind.__qualname__
    )


def _text(error):
    try:
        return str(error)
    except Exception:  # a `__str__` of the project
        return ""


def _state(error):
    """Return PostgreSQL's code of an error: each driver keeps it in another place."""
    for name in ("sqlstate", "pgcode"):
        if isinstance(getattr(error, name, None), str):
            return getattr(error, name)
    first = error.args[0] if getattr(error, "args", None) else None
    return str(first.get("C", "")) if isinstance(first, dict) else ""


def _words(error):
    """Return the message of the database, without what the driver adds."""
    first = error.args[0] if getattr(error, "args", None) else None
    if isinstance(first, dict):  # pg8000
        return ". ".join(str(first[key]) for key in ("M", "D", "H") if first.get(key))
    return _text(error)


def _fields(chain):
    """Return the settings that pydantic misses or refuses."""
    for error in chain:
        if type(error).__name__ == "ValidationError" and callable(getattr(error, "errors", None)):
            try:
                return [[".".join(map(str, one["loc"])), str(one["type"])] for one in error.errors()][:40]
            except Exception:  # another library with an error of this name
                return []
    return []


def _syntax(chain):
    for error in chain:
        if isinstance(error, SyntaxError) and error.filename:
            return [os.path.realpath(str(error.filename)), error.lineno or 1, str(error.msg)]
    return None


def _frames(error):
    """Return the files and lines of the traceback, the innermost last."""
    found = traceback.extract_tb(error.__traceback__)
    return [[os.path.realpath(one.filename), one.lineno or 1] for one in found][-_FRAMES:]
