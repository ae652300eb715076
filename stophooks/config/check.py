"""Hold a document against the schema and say in plain words, all at once, what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice

from jsonschema import validators
from jsonschema.exceptions import ValidationError

from stophooks.config.document import MAX_FOUND, MAX_PROBLEMS, Document, Path, either, quoted
from stophooks.config.schema import schema_text
from stophooks.config.suggestions import (
    key_hint,
    key_meant,
    keys_intended,
    value_hint,
    word_meant,
)
from stophooks.events import EVENTS
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stophooks.models import Problem

# A finished ValidationError; its stubs cannot say that nothing in it is left unset.
_Fault = Any
_Rule = Callable[[Document, Path, _Fault], Iterator["Problem"]]


def check(document: Document) -> list[Problem]:
    """Every problem of the document's shape, one per cause, up to 1000."""
    found: dict[tuple[str, str], Problem] = {}
    for problem in islice(_problems(document), MAX_FOUND):
        found.setdefault((problem.where, problem.message), problem)
    return list(found.values())


def faults(value: Any) -> Iterator[_Fault]:
    """What a document's shape breaks of the schema, each at its place; alternatives resolved."""
    for error in _validator().iter_errors(value):
        yield from _causes(error)


def _problems(document: Document) -> Iterator[Problem]:
    for cause in faults(document.value):
        yield from _rule(cause)(document, tuple(cause.absolute_path), cause)


@cache
def _validator() -> Any:
    """The schema's validator: whole numbers without a point, ``$`` only at the very end."""
    library: Any = validators
    draft = library.Draft202012Validator
    types = draft.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    return library.extend(draft, {"pattern": _pattern}, type_checker=types)(
        json.loads(schema_text())
    )


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    # Python's `$` also matches before a newline at the end; JSON Schema's does not.
    exact = pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern
    if isinstance(value, str) and not re.search(exact, value):
        yield ValidationError("pattern")


def _causes(error: _Fault) -> Iterator[_Fault]:
    """The errors to tell: of alternatives, those inside the one that was clearly meant."""
    if error.validator in {"anyOf", "oneOf"} and _required_only(error.validator_value):
        # A choice between keys has nothing to say about a value that is no object.
        if isinstance(error.instance, dict):
            yield error
        return
    branches: dict[Any, list[_Fault]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [inner for inner in branches.values() if not any(map(_of_wrong_type, inner))]
    if len(meant) != 1:
        yield error
        return
    for inner in meant[0]:
        yield from _causes(inner)


def _of_wrong_type(error: _Fault) -> bool:
    return error.validator == "type" and not error.relative_path


def _required_only(branches: Any) -> bool:
    return all(set(branch) == {"required"} for branch in branches)


def _rule(error: _Fault) -> _Rule:
    if "propertyNames" in error.absolute_schema_path:
        return _unknown_name
    if error.validator == "anyOf" and _required_only(error.validator_value):
        return _no_section
    return _RULES.get(str(error.validator), _wrong_value)


def _wrong_value(document: Document, where: Path, error: _Fault) -> Iterator[Problem]:
    value = error.instance
    scalar = isinstance(value, (bool, int, float))
    shown = document.raw(where, value) if scalar else quoted(value)
    names = error.schema.get("enum", [])
    # Quoting, or a list, makes no wrong word a right one.
    types = [] if names else error.schema.get("type", [])
    described = _described(error)
    yield document.problem(
        where,
        f"expected {described['x-expects']}; got {shown}" + word_meant(value, names),
        hint=value_hint(
            value,
            shown=shown,
            types={types} if isinstance(types, str) else set(types),
            kind=described.get("x-kind"),
        ),
    )


def _described(error: _Fault) -> dict[str, Any]:
    """The nearest schema, at the error or above it, that says in words what it expects."""
    root: dict[str, Any] = _validator().schema
    schema: Any = root
    nearest = root
    for step in error.absolute_schema_path:
        # The library leaves `$ref` out of the path.
        if isinstance(schema, dict) and "$ref" in schema and step not in schema:
            schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        if isinstance(schema, dict) and isinstance(schema.get("x-expects"), str):
            nearest = schema
        schema = schema[step]
    return nearest


def _unknown_name(document: Document, where: Path, error: _Fault) -> Iterator[Problem]:
    names = error.schema["enum"]
    meant = word_meant(error.instance, names)
    yield document.problem(
        where,
        f"unknown limit {quoted(error.instance)}{meant}",
        at=(*where, error.instance),
        key=True,
        hint=None if meant else f"known: {either(names)}",
    )


def _unknown_keys(document: Document, where: Path, error: _Fault) -> Iterator[Problem]:
    known = list(error.schema["properties"])
    unknown = (key for key in error.instance if key not in known)
    for key in islice(unknown, MAX_PROBLEMS):
        meant = key_meant(key, known)
        yield document.problem(
            where,
            f"unknown key {quoted(key)}" + (f'; did you mean "{meant}"?' if meant else ""),
            at=(*where, key),
            key=True,
            hint=None if meant else key_hint(key, known, _validator().schema),
        )


def _intended(error: _Fault) -> set[str]:
    # Of the whole object: the rule that fails may be one of a part that names no other key.
    return keys_intended(error.instance, _described(error), _validator().schema)


def _missing(document: Document, where: Path, error: _Fault) -> Iterator[Problem]:
    for key in error.validator_value:
        if key not in _intended(error):
            expected = _described(error)["x-expects"]
            yield document.problem(where, f"{quoted(key)} is missing", hint=f"expected {expected}")


def _not_exactly_one(document: Document, where: Path, error: _Fault) -> Iterator[Problem]:
    keys = [branch["required"][0] for branch in error.validator_value]
    given = [key for key in error.instance if key in keys]
    if given:
        message = f"{' and '.join(given)} exclude each other; keep one"
        yield document.problem(where, message, at=(*where, given[-1]), key=True)
    elif not set(keys) & _intended(error):
        yield document.problem(
            where,
            f"nothing to run: {either(keys)} is missing",
            hint="run is a script for a shell, command a list of program and arguments",
        )


def _no_section(document: Document, where: Path, error: _Fault) -> Iterator[Problem]:
    keys = {branch["required"][0] for branch in error.validator_value}
    if not keys & _intended(error):
        yield document.problem(where, f"nothing to run: {either(_areas())} is missing")


def _areas() -> list[str]:
    return list(dict.fromkeys(kind.area for kind in EVENTS.values()))


def _needs_other(document: Document, where: Path, error: _Fault) -> Iterator[Problem]:
    """Keys that mean something only beside another one: one problem for all of them."""
    needs = error.validator_value
    keys = [key for key in error.instance if key in needs]
    if not keys or "image" in _intended(error):
        return
    listed = " and ".join(filter(None, [", ".join(keys[:-1]), keys[-1]]))
    yield document.problem(
        where,
        f"{listed} {'needs' if len(keys) == 1 else 'need'} {quoted('image')}: "
        "without it the command runs on the host",
        at=(*where, keys[0]),
        key=True,
    )


def _forbidden(document: Document, where: Path, error: _Fault) -> Iterator[Problem]:
    yield document.problem(where, f"{where[-1]} {error.schema['x-forbids']}", key=True)


_RULES: dict[str, _Rule] = {
    "additionalProperties": _unknown_keys,
    "dependentRequired": _needs_other,
    "not": _forbidden,
    "oneOf": _not_exactly_one,
    "required": _missing,
}
