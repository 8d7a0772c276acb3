"""The settings of titles: the rules that they make, and what is wrong with them together."""

import re
from collections.abc import Iterator
from typing import Final

from ci_action.settings import Settings
from ci_action.stages.pr.title.rules import GROUPS, Rules
from ci_action.system.patterns import SECONDS, Expressions
from ci_action.system.text import did_you_mean

PLACEHOLDERS: Final = ("title", "type", "scope", "subject", "proposal")
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_]\w*)\}")
# What a programmer may try in braces: an attribute, an entry, a conversion, a format.
_TOO_MUCH: Final = re.compile(r"\{([A-Za-z_]\w*)[.\[!:][^{}\s]*\}")


def seconds_of(settings: Settings) -> float:
    """Return how long the expressions may take together: one that is not done with a title by then never will be."""
    return min(SECONDS, float(settings.timeout))


def rules_of(settings: Settings) -> Rules:
    """Return what the settings ask of a title."""
    return Rules(
        types=settings.title_types,
        scopes=settings.title_scopes,
        disallowed=settings.title_disallow_scopes,
        require_scope=settings.title_require_scope,
        subject=settings.title_subject_pattern,
        pattern=settings.title_pattern,
        expressions=Expressions(seconds_of(settings)),
    )


def filled(template: str, values: dict[str, str]) -> str:
    """Put values into the placeholders of a text, once: what a value holds is only text."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)


def title_mistakes(settings: Settings) -> list[str]:
    """Say what is wrong with the settings of titles: unknown names, and settings that cannot go together."""
    return [*_of_pattern(settings), *_of_scopes(settings), *_of_error(settings.title_error)]


def _of_pattern(settings: Settings) -> Iterator[str]:
    if not settings.title_pattern:
        return
    groups = re.compile(settings.title_pattern).groupindex
    for name in groups:
        if name not in GROUPS:
            yield f"title-pattern: unknown group {name!r}{did_you_mean(name, GROUPS)}"
    asked = {
        "title-types": ("type", settings.title_types),
        "title-scopes": ("scope", settings.title_scopes),
        "title-disallow-scopes": ("scope", settings.title_disallow_scopes),
        "title-require-scope": ("scope", settings.title_require_scope),
        "title-subject-pattern": ("subject", settings.title_subject_pattern),
    }
    for setting, (group, given) in asked.items():
        if given and group not in groups:
            yield f"{setting}: title-pattern has no group {group!r} for it; write '(?P<{group}>…)' in it"


def _of_scopes(settings: Settings) -> Iterator[str]:
    for scope in settings.title_disallow_scopes:
        if scope in settings.title_scopes:
            yield f"title-disallow-scopes: {scope!r} is in title-scopes too; take it out of one of them"


def _of_error(template: str) -> Iterator[str]:
    for match in _PLACEHOLDER.finditer(template):
        if match[1] not in PLACEHOLDERS:
            yield f"title-error: unknown placeholder {match[0]!r}{did_you_mean(match[1], PLACEHOLDERS)}"
    for match in _TOO_MUCH.finditer(template):
        if match[1] in PLACEHOLDERS:
            yield f"title-error: {match[0]!r} is more than a name in braces; write '{{{match[1]}}}'"
