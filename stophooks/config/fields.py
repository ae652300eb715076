"""The forms that values of the configuration have, and the words for one of another form."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from stophooks.config.known import CAPABILITIES
from stophooks.plan import MOST_JOBS

DURATION = (
    r"^([0-9]{0,9}[1-9][0-9]{0,9}(\.[0-9]{1,9})?|[0-9]{1,9}\.[0-9]{0,9}[1-9][0-9]{0,9})[smh]$"
)
SIZE = r"^[0-9]{1,15}(\.[0-9]{1,9})? ?([kKmMgGtT]([iI]?[bB])?|[bB])?$"
SHARE = r"^([1-9][0-9]?|100)%$"
CPUS = r"^[0-9]{1,4}(\.[0-9]{1,9})?$"
# A number takes only a number beside it: an engine looks a group's name up in the image's files,
# and then nobody outside knows who the command runs as.
USER = (
    r"^([0-9]{1,10}(:[0-9]{1,10})?"
    r"|[A-Za-z_][A-Za-z0-9_.-]*(:([0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.-]*))?)$"
)
ABSOLUTE = r"^/"
# Bytes, of memory or shared memory: more than any machine has, and still a 64-bit number.
_MAX_BYTES = 1 << 60


def expects(words: str, **more: Any) -> dict[str, Any]:
    """The words for a wrong value, beside whatever else the schema is to say."""
    return {"x-expects": words, **more}


def text(words: str, pattern: str = r"\S", *, max_length: int | None = None, **more: Any) -> Any:
    """A text that matches a pattern, by default one that is not blank."""
    return Field(pattern=pattern, max_length=max_length, json_schema_extra=expects(words, **more))


def choice(*names: str) -> dict[str, Any]:
    """The words for a value that is one of a few."""
    shown = ", ".join(names[:-1]) + " or " + names[-1]
    return expects(shown)


SecretName = Annotated[str, text("a variable's name", r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Text = Annotated[str, text("a text that is not empty")]
Flag = Annotated[bool, Field(json_schema_extra=expects("true or false"))]
Duration = Annotated[
    str, text("a duration such as 30s, 5m or 2h", DURATION, **{"x-kind": "duration"})
]
Timeout = Annotated[
    str | None,
    WithJsonSchema(
        {
            "type": ["string", "null"],
            "pattern": DURATION,
            "x-expects": "a duration such as 30s, 5m or 2h, or null",
            "x-kind": "duration",
        }
    ),
]
Size = Annotated[
    str | int | float,
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": SIZE,
            "exclusiveMinimum": 0,
            "maximum": _MAX_BYTES,
            "x-expects": "a size such as 512m or 2g, or a number of bytes",
            "x-kind": "size",
        }
    ),
]
MemoryBound = Annotated[
    str | int | float,
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": f"{SIZE[:-1]}$|{SHARE}",
            "exclusiveMinimum": 0,
            "maximum": _MAX_BYTES,
            "x-expects": "a size such as 4g, or a share of this machine's memory such as 80%",
            "x-kind": "size",
        }
    ),
]
Memory = Annotated[
    str | int | float | None,
    WithJsonSchema(
        {
            "type": ["string", "number", "null"],
            "pattern": SIZE,
            "exclusiveMinimum": 0,
            "maximum": _MAX_BYTES,
            "x-expects": "a size such as 512m or 2g, a number of bytes, or null",
            "x-kind": "size",
        }
    ),
]
Cpus = Annotated[
    str | int | float | None,
    WithJsonSchema(
        {
            "type": ["string", "number", "null"],
            "pattern": CPUS,
            "exclusiveMinimum": 0,
            "maximum": 9999,
            "x-expects": "a number of CPUs such as 2 or 1.5, or null",
            "x-kind": "cpus",
        }
    ),
]
Jobs = Annotated[
    str | int,
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "pattern": "^auto$",
            "minimum": 1,
            "maximum": MOST_JOBS,
            "x-expects": f"a whole number from 1 to {MOST_JOBS}, or auto",
        }
    ),
]
PidsLimit = Annotated[
    int | None,
    WithJsonSchema(
        {
            "type": ["integer", "null"],
            "minimum": 2,
            "maximum": 1 << 22,
            "x-expects": "a whole number from 2 to 4194304, or null",
        }
    ),
]
User = Annotated[
    str | int,
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "pattern": USER,
            "minimum": 0,
            "maximum": (1 << 31) - 1,
            "x-expects": "a user such as node, 1000 or 1000:1000",
            "x-kind": "user",
        }
    ),
]
EnvValue = Annotated[
    str | int | float | bool,
    WithJsonSchema(
        {"type": ["string", "number", "boolean"], "x-expects": "a text, a number or a boolean"}
    ),
]
EnvLine = Annotated[str, text("a text KEY=VALUE", r"^[^=]+=", **{"x-kind": "assignment"})]
Env = Annotated[
    list[EnvLine] | dict[str, EnvValue],
    Field(json_schema_extra=expects("an object of names and values, or a list of KEY=VALUE")),
]
AbsolutePath = Annotated[
    str, text("an absolute path in the container such as /workspace", ABSOLUTE)
]
Capability = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[A-Za-z_]+$",
            "examples": ["ALL", *CAPABILITIES],
            "x-expects": "a capability such as NET_BIND_SERVICE, or ALL",
        }
    ),
]
Limit = Annotated[
    int, Field(ge=-1, le=(1 << 63) - 1, json_schema_extra=expects("a number, or -1 for no limit"))
]
