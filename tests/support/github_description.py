"""Validates the requests to and answers of the fake GitHub by GitHub's published OpenAPI description."""

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT4

# Where the description lies; `make e2e` fetches it and runs these tests with it, so that nothing stays unchecked.
VARIABLE = "GITHUB_DESCRIPTION"
# The file with the requested operations, one a line.
SEEN = "GITHUB_DESCRIPTION_SEEN"
_ROOT = "urn:github"


class Description:
    """Returns how a request or an answer differs from the description."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = _of_json_schema(document)
        self._registry: Registry[Any] = Registry().with_resource(
            _ROOT, DRAFT4.create_resource(self._document)
        )
        self._paths = [(_pattern(path), path) for path in self._document["paths"]]
        self._seen: set[str] = set()

    def request(self, verb: str, path: str, query: str, body: object) -> list[str]:
        """Check path, query and body."""
        operation, where = self._operation(verb, path)
        if operation is None:
            return [f"{verb} {path} is described nowhere"]
        self._note(f"{verb} {where}")
        known = {
            one["name"]: one
            for one in map(self._resolved, operation.get("parameters", []))
            if one["in"] == "query"
        }
        problems = []
        for name, text in parse_qsl(query, keep_blank_values=True):
            if name not in known:
                problems.append(f"{verb} {where} has no parameter {name!r}")
                continue
            value = int(text) if text.isdecimal() else text
            problems += self._wrong(known[name]["schema"], value, f"{verb} {where}?{name}")
        described = operation.get("requestBody")
        if described is None:
            problems += [] if body is None else [f"{verb} {where} takes no body"]
        elif body is not None or described.get("required"):
            schema = described["content"]["application/json"]["schema"]
            problems += self._wrong(schema, body, f"the body of {verb} {where}")
        return problems

    def _note(self, operation: str) -> None:
        file = os.environ.get(SEEN, "")
        if file and operation not in self._seen:
            self._seen.add(operation)
            with Path(file).open("a", encoding="utf-8") as stream:
                stream.write(f"{operation}\n")

    def answer(self, verb: str, path: str, status: int, body: object) -> list[str]:
        """Check status and body; failures that are described nowhere have the shape that all of them share."""
        operation, where = self._operation(verb, path)
        described = (operation or {}).get("responses", {}).get(str(status))
        name = f"the answer {status} to {verb} {where}"
        if described is None and status < 400:
            return [f"{name} is described nowhere"]
        if described is None:
            return self._wrong({"$ref": "#/components/schemas/basic-error"}, body, name)
        content = self._resolved(described).get("content")
        if content is None:
            return [] if body is None else [f"{name} has a body"]
        return self._wrong(content["application/json"]["schema"], body, name)

    def _operation(self, verb: str, path: str) -> tuple[dict[str, Any] | None, str]:
        for pattern, where in self._paths:
            found = self._document["paths"][where].get(verb.lower())
            if found is not None and pattern.fullmatch(path):
                return found, where
        return None, path

    def _resolved(self, entry: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in entry:
            entry = self._registry.resolver(_ROOT).lookup(entry["$ref"]).contents
        return entry

    def _wrong(self, schema: Mapping[str, Any], value: object, what: str) -> list[str]:
        whole = {"id": _ROOT + ":part", "allOf": [_absolute(schema)]}
        validator = Draft4Validator(whole, registry=self._registry, format_checker=FormatChecker())
        # A fork that was deleted is null in what GitHub answers, though not in its description.
        errors = [
            one
            for one in validator.iter_errors(value)
            if not (one.instance is None and list(one.absolute_path)[-2:] == ["head", "repo"])
        ]
        return [f"{what}: {'.'.join(map(str, one.absolute_path))}: {one.message[:300]}" for one in errors]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


def _absolute(schema: Any) -> Any:
    """Return a part of the description whose references hold anywhere."""
    if isinstance(schema, dict):
        return {
            name: _ROOT + value if name == "$ref" and value.startswith("#") else _absolute(value)
            for name, value in schema.items()
        }
    return [_absolute(one) for one in schema] if isinstance(schema, list) else schema


def _of_json_schema(part: Any) -> Any:
    """Return the description with `nullable` translated to JSON Schema."""
    if isinstance(part, list):
        return [_of_json_schema(one) for one in part]
    if not isinstance(part, dict):
        return part
    made = {
        name: _of_json_schema(value) for name, value in part.items() if name not in {"example", "examples"}
    }
    if part.get("nullable") is True:
        del made["nullable"]
        return {"anyOf": [{"enum": [None]}, made]}
    return made


def description() -> Description | None:
    """Return the description in the file of the variable; None if it is not set."""
    named = os.environ.get(VARIABLE, "")
    return read(named) if named else None


@cache
def read(file: str) -> Description:
    """Return the description in a file."""
    return Description(json.loads(Path(file).read_bytes()))
