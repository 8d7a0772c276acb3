"""The type that people mean by other words, by a verb or by the changed files."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from ci_action.project.file_kinds import is_docs, is_test, names_dependencies

# Synonyms; the first of a row is that of Conventional Commits.
_SYNONYMS: Final = tuple(
    tuple(row.split())
    for row in (
        "feat feature features feats enhancement enhance improvement add added new",
        "fix bugfix bug bugs hotfix fixes fixed fixup patch bug-fix hot-fix quickfix",
        "docs doc document documentation documents documenting readme changelog",
        "style styles styling format formatting lint linting",
        "refactor refact refactors refactoring refac cleanup clean-up rework restructure",
        "perf performance perfs optimization optimisation optimize optimise speed",
        "test tests testing tst",
        "build builds deps dep dependency dependencies packaging bump",
        "ci cicd ci-cd workflow workflows pipeline pipelines actions",
        "chore chores choir maintenance maint misc task tasks housekeeping wip release",
        "revert reverts reverted rollback roll-back",
    )
)
# Verbs that begin a title, in the imperative.
_VERBS: Final = {
    verb: kind
    for kind, verbs in {
        "feat": "add implement introduce support allow create enable provide expose offer",
        "fix": "fix resolve correct repair prevent avoid handle ensure mend hotfix",
        "docs": "document describe explain clarify",
        "style": "format reformat reindent",
        "refactor": "refactor simplify extract rework restructure rename move split inline replace clean deduplicate",
        "perf": "optimize optimise speed accelerate cache",
        "test": "test cover",
        "build": "package compile build",
        "chore": "update bump upgrade remove delete drop merge release prepare pin deprecate downgrade configure",
        "revert": "revert undo rollback",
    }.items()
    for verb in verbs.split()
}
# At the head of a title without a colon these are a type, and not a verb of the sentence.
NO_VERBS: Final = frozenset({"feat", "feature", "bugfix", "hotfix", "docs", "doc", "perf", "ci", "chore", "chores", "refac"})  # fmt: skip
_PAPERS: Final = re.compile(r"(LICEN[SC]E|AUTHORS|CODE_OF_CONDUCT|SECURITY)(\.txt)?", re.IGNORECASE)
_CI: Final = re.compile(
    r"\.github/(workflows|actions)/.*|\.gitlab-ci\.ya?ml|\.circleci/.*|azure-pipelines.*\.ya?ml|Jenkinsfile|\.travis\.ya?ml"
    r"|\.pre-commit-config\.ya?ml|\.ci/.*|\.buildkite/.*|tox\.ini|noxfile\.py"
)
_BUILD_NAME: Final = re.compile(
    r"MANIFEST\.in|.*\.lock|(.*\.)?Dockerfile(\..*)?|\.dockerignore|docker-compose.*\.ya?ml|Makefile|hatch\.toml"
)


def near_types(word: str, known: Iterable[str]) -> Iterator[str]:
    """Yield the types that a word may mean, the nearest first: another case, a synonym, a typing error.

    `known` are the types that the project names; its expressions may allow others.
    """
    small, types = word.lower(), list(known)
    yield word
    yield small
    yield from (one for one in types if one.lower() == small)
    for row in _SYNONYMS:
        if small in row:
            yield from row
    yield from get_close_matches(small, types, n=1, cutoff=0.7)


def type_of_verb(subject: str) -> str:
    """Return the type of the first word of a sentence; empty if it is not a known verb."""
    word = re.match(r"[A-Za-z]*", subject)
    return _VERBS.get(imperative(word[0]), "") if word else ""


def imperative(word: str) -> str:
    """Return a verb as a command: `Added`, `adds` and `adding` are `add`; other words are in small letters."""
    small = word.lower()
    for ending in ("", "s", "es", "d", "ed", "ing"):
        stem = small.removesuffix(ending)
        for one in (stem, f"{stem}e", stem[:-1] if stem[-1:] == stem[-2:-1] else ""):
            if small.endswith(ending) and one in _VERBS:
                return one
    return small


def type_of_paths(paths: Iterable[str]) -> str:
    """Return the type of the changed files if all are of one kind, else an empty text."""
    kinds = {_kind(path) for path in paths}
    return kinds.pop() if len(kinds) == 1 else ""


def _kind(path: str) -> str:
    last = path.rpartition("/")[2]
    if _CI.fullmatch(path):
        return "ci"
    if names_dependencies(path) or _BUILD_NAME.fullmatch(last):
        return "build"
    if is_test(path):
        return "test"
    return "docs" if is_docs(path) or _PAPERS.fullmatch(last) else ""
