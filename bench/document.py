"""Results as JSON, and JSON as results."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from bench.values import Results

# Raised when an older file could be misread.
VERSION = 1


class NotResultsError(Exception):
    """A file does not hold results that this version can read."""


def to_json(results: Results) -> str:
    """The document, with every goal's verdict beside it for who reads it without this program."""
    document = {"version": VERSION, **asdict(results)}
    for told, row in zip(document["rows"], results.rows, strict=True):
        for goal, value in zip(told["goals"], row.goals, strict=True):
            goal["met"] = value.met
            goal["stretched"] = value.stretched
    return json.dumps(document, indent=1) + "\n"


def from_json(text: str) -> Results:
    """The results that `to_json` wrote.

    Raises:
        NotResultsError: It is something else.
    """
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise NotResultsError(f"version {document['version']} is not {VERSION}")
        results: Results = _value(Results, document)
    except (ValueError, KeyError, TypeError) as err:
        raise NotResultsError(f"not the results of a benchmark: {err!r}") from err
    return results


def _value(kind: Any, found: Any) -> Any:
    """A value of a field's type; keys that are no fields, such as verdicts, are left out."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        names = [field.name for field in fields(kind)]
        return kind(**{name: _value(hints[name], found[name]) for name in names})
    if get_origin(kind) is list:
        return [_value(get_args(kind)[0], one) for one in found]
    if get_origin(kind) is dict:
        return {key: _value(get_args(kind)[1], one) for key, one in found.items()}
    return found
