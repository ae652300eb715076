"""The reference for people, ``docs/configuration.md``, made of the schema.

``python -m stophooks.config.reference > docs/configuration.md`` writes it.
"""

from __future__ import annotations

import json
import sys

from stophooks.config.schema import schema_text
from stophooks.config.search import NAMES
from stophooks.events import EVENTS, EventKind
from stophooks.models import Severity
from stophooks.typed import Any

_INTRO = f"""\
# Configuration

<!-- Written by `python -m stophooks.config.reference > docs/configuration.md`. -->

A project's checks stand in one file:

```yaml
stop:
  commands:
    - name: tests
      run: make test
```

## Where the file is

The file has one of these names: {", ".join(f"`{name}`" for name in NAMES)}.
It is looked for in the working directory and in each one above it, and the nearest is read; two
of them in one directory are an error. The search ends at the root of the git repository; outside
of one, at the home directory or the root of the file system.

The file is UTF-8 text of at most 256 KiB. Relative paths in it are relative to its directory, which
is the *project*. YAML numbers and texts are read as in YAML 1.2 (`010` is ten, `12:30` is a text);
`yes`, `no`, `on` and `off` are booleans, so quote them where a text is meant.

Your own file, `~/.config/stophooks/stophooks.yaml` or the same with another of these names, has a
part in every project: [sessions](sessions.md#your-own-configuration) says which.

Every key is checked each time the file is read: an unknown one is an error, never skipped.

## How values are written

* **Durations** are a number with one unit, `s`, `m` or `h`: `30s`, `5m`, `1.5h`; at most `24h`.
  `5m30s` is written `5.5m` or `330s`. `null` is no limit, where the table says so.
* **Sizes** are a number with a unit of 1024: `512k`, `512m`, `2g` (`512MB` and `512MiB` mean the
  same), or a number of bytes.
* **Environment variables** are an object, or a list of `KEY=VALUE`. `${{NAME}}` is this machine's
  variable, `${{NAME:-default}}` has a default for one that is unset or empty, `$$` is a dollar
  sign, and `$NAME` stays as it is. A variable that is not set is an error. Numbers and booleans
  keep the form they are written in: `1.10` stays `1.10`. Later ones win: `default_env`, then
  `env_file`, then `env`.

## Choices that may surprise

* **`workdir` is `/workspace`**, not the image's own directory: the project is mounted there, and
  a check with relative paths means the project.
* **`capabilities.drop` is `[ALL]`**: checks seldom need a right of root. A list given there
  replaces the default.
* **A user whom the image does not know** gets a writable `HOME` in memory, so that `npm`, `pip`,
  `go` and `cargo` work.
* **`network` is `bridge`** when nothing is said. What `stophooks init` writes says `none`: a check
  that needs the network should say so.
* **`pids_limit` is `4096`**, so that a runaway command cannot exhaust the machine.
* **Some paths are never mounted**, whatever the file says: an engine's socket or directory, `/`,
  `/proc` and `/sys`. There is no `privileged`.
* **Everything that widens isolation is a warning** of `stophooks validate`, and an error with
  `--strict`: `unconfined` profiles, `network: host` or another container's, added capabilities,
  capabilities not all dropped, root, `no_new_privileges: false`, `pids_limit: null`, mounts from
  outside the project, a `shared` or `slave` propagation, and a `seccomp` profile that allows what
  it does not name.
"""
_EVENTS = """\
## Events

| section | when | a failure |
|---|---|---|
"""
_PARTS = (
    ("", "The file", "At least one of these keys must be there, `$schema` aside."),
    ("StopSection", "A section of checks: `stop` or `subagent_stop`", ""),
    ("Section", "A section of any other event", ""),
    ("CleanupSection", "`cleanup`", "See [cleanup](cleanup.md)."),
    ("Task", "`task`", "See [tasks](tasks.md)."),
    ("Resource", "A resource of `task.resources`", ""),
    ("Workspace", "`workspace`", "See [workspaces](workspaces.md)."),
    ("ServiceEvents", "`service`", "See [services](services.md)."),
    ("Service", "A service of `services`", ""),
    ("ServiceHooks", "`hooks` of a service", ""),
    (
        "StopCommand",
        "A command",
        (
            "Exactly one of `run` and `command`. Keys marked *container* need `image`; keys marked "
            "*host* exclude it."
        ),
    ),
    ("Secret", "A secret", "Or only its name. See [secrets](secrets.md)."),
    ("Report", "A report", "See [output](secrets.md#failing-cases)."),
    ("Mount", "A mount", ""),
    ("Capabilities", "`capabilities`", ""),
    ("UlimitRange", "A limit of `ulimits` as an object", ""),
)
_BLOCKS = {
    "stop": "keeps the agent working",
    "subagent_stop": "keeps the helper working",
    "task": "fails the task",
    "workspace": "keeps the workspace",
    "service": "keeps the service from starting",
}
_TYPES = {"array": "list", "string": "text", "integer": "whole number", "null": "`null`"}


def text() -> str:
    """The whole reference as Markdown."""
    schema = json.loads(schema_text())
    parts = [_INTRO, _EVENTS + "\n".join(map(_event, EVENTS.values())) + "\n"]
    for name, title, note in _PARTS:
        definition = schema["$defs"][name] if name else schema
        parts.append("\n".join([f"## {title}", "", *([note, ""] if note else [])]))
        parts.append(_table(definition) + "\n")
    return "\n".join(parts)


def _event(kind: EventKind) -> str:
    blocks = kind.on_failure is Severity.BLOCK
    return f"| `{kind.name}` | {kind.summary} | {_BLOCKS[kind.area] if blocks else 'is told'} |"


def _table(definition: dict[str, Any]) -> str:
    places = dict.fromkeys(definition.get("dependentRequired", ()), " *container*")
    image = definition.get("dependentSchemas", {}).get("image", {})
    places |= dict.fromkeys(image.get("properties", ()), " *host*")
    rows = [
        f"| `{key}`{places.get(key, '')} | {_type(field)} | {_default(field)} | {_meaning(field)} |"
        for key, field in definition["properties"].items()
    ]
    return "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows])


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{name}`" for name in field["enum"])
    if "$ref" in field:
        return "object"
    alternatives = [_type(item) for item in field.get("anyOf", ())]
    types = field.get("type", [])
    names = [types] if isinstance(types, str) else types
    return " or ".join(alternatives or [_TYPES.get(name, name) for name in names])


def _default(field: dict[str, Any]) -> str:
    """What a description says behind ``Default:``, up to the end of that sentence or colon."""
    said = str(field["description"])
    if "Default: " not in said:
        return "required" if "Required." in said else "none"
    return said.partition("Default: ")[2].rstrip(".")


def _meaning(field: dict[str, Any]) -> str:
    said = str(field["description"]).partition(" Default: ")[0]
    return said.removesuffix(" Required.").replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(text())
