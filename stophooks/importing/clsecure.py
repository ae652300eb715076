"""clsecure's ``.clsecure/on-cleanup`` and ``.clsecure/config``.

github.com/pablopda/clsecure, CLEANUP-HOOKS.md and lib/config.sh, read 2026-11-30.
"""

from __future__ import annotations

import re

from stophooks.importing import commands
from stophooks.importing.base import ForeignFileError, Importer, shown
from stophooks.importing.tree import Block, Items, Pair, Remark, note, texts
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.importing.base import Source

_SCRIPT = "on-cleanup"
_SANDBOX = "stophooks is no sandbox for the agent"
# Each key by its name in either spelling; a value that is a secret is not repeated.
_REASONS = {
    **dict.fromkeys(("mode", "isolation_mode"), _SANDBOX),
    **dict.fromkeys(("network", "allow_network"), _SANDBOX),
    **dict.fromkeys(("docker", "allow_docker"), _SANDBOX),
    **dict.fromkeys(("install_dependencies", "install_deps"), _SANDBOX),
    "setup_script": _SANDBOX,
    "provider": "the agent chooses its own",
    "kimi_api_key": "the agent has its own",
}
_SECRET = {"kimi_api_key"}
_TIMEOUT, _NO_COMPOSE = "cleanup_hook_timeout", "skip_docker_autodetect"
_KNOWN = {_TIMEOUT, _NO_COMPOSE, *_REASONS}
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# Seconds that clsecure takes; it ignores others.
_LEAST_S, _MOST_S = 5, 300
_COMPAT = Pair("compat", "clsecure")
_NOT_SET = ("CLSECURE_WORKER_USER", "CLSECURE_WORKER_HOME")
_INVALID = (
    "(it is no executable file: the command fails until it is one, and Compose does not take its "
    "place)"
)


def convert(source: Source) -> Block:
    """The configuration: a cleanup section.

    Raises:
        ForeignFileError: It is neither a script nor a configuration of clsecure's.
    """
    if source.text.startswith("#!"):
        is_hook = source.path.rpartition("/")[2] == _SCRIPT
        made = _of_script(source.path, source.text, runs=not is_hook or source.runs is not False)
        return Block((Pair("cleanup", made),))
    settings = _settings(source.text)
    if not any(key in _KNOWN for key in settings):
        raise ForeignFileError(
            "it is neither a script (its first line is no #! line) nor a configuration of "
            f"clsecure, which has lines such as {_TIMEOUT} = 30"
        )
    return _of_settings(settings, source)


def _of_script(path: str, text: str = "", *, runs: bool) -> Block:
    program = path if "/" in path else f"./{path}"
    lost = [name for name in _NOT_SET if name in text]
    why = "stophooks makes no user for a session"
    remarks = [Remark(text=f"the variable {name} ({why})") for name in lost]
    if not runs:
        remarks.append(Remark(text=f"{program} {_INVALID}"))
    command = commands.command({"name": _SCRIPT, "command": texts([program])}, remarks)
    return Block((_COMPAT, Pair("commands", Items((command,)))))


def _of_settings(settings: dict[str, str], source: Source) -> Block:
    parts: list[Pair | Remark] = [*_rules(settings)]
    rest = tuple(_others(settings))
    if source.runs is None and not any(isinstance(part, Pair) for part in parts):
        return Block((*(part for part in parts if isinstance(part, Remark)), *rest))
    folder = source.path.rpartition("/")[0]
    script = f"{folder}/{_SCRIPT}" if folder else _SCRIPT
    # Without a command Compose would be asked, which clsecure does where there is no hook alone.
    found = (_COMPAT,) if source.runs is None else _of_script(script, runs=source.runs).parts
    if source.runs is not None:
        parts.append(note(f"What clsecure runs, {script}, lies beside {source.path}."))
    # The time limit first, as in every section.
    return Block((Pair("cleanup", Block((*parts, *found))), *rest))


def _rules(settings: dict[str, str]) -> Iterator[Pair | Remark]:
    for key, value in settings.items():
        if key == _TIMEOUT:
            fits = re.fullmatch(r"[0-9]{1,4}", value) and _LEAST_S <= int(value) <= _MOST_S
            yield (
                Pair("default_timeout", commands.duration(int(value)))
                if fits
                else Remark(text=f"{key}: {shown(value)} (clsecure ignores it, too)")
            )
        elif key == _NO_COMPOSE:
            flag = _FLAGS.get(value)
            yield (
                Remark(text=f"{key}: {shown(value)} (clsecure ignores it, too)")
                if flag is None
                else Pair("compose", not flag)
            )


def _others(settings: dict[str, str]) -> Iterator[Remark]:
    for key, value in settings.items():
        if key in {_TIMEOUT, _NO_COMPOSE}:
            continue
        what = "is set" if key in _SECRET else shown(value)
        yield Remark(text=f"{key}: {what} ({_REASONS.get(key, 'unknown here')})")


def _settings(text: str) -> dict[str, str]:
    """The lines `key = value`; of a key that is given twice the last counts."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.strip() and not key.lstrip().startswith("#"):
            found[key.strip().lower()] = value.strip().strip("\"'")
    return found


IMPORTER = Importer(
    file=".clsecure/on-cleanup or .clsecure/config",
    convert=convert,
    parsed=False,
    program=_SCRIPT,
)
