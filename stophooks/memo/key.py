"""On what the result of a command depends, part by part, so that a change can be named."""

from __future__ import annotations

import os

from stophooks import __version__, inputs, jsonvalues
from stophooks.digests import keyed, sha256
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.host import shell
from stophooks.executors.host.executor import KEPT_VARIABLES
from stophooks.inputs import UnknownError
from stophooks.memo import reach
from stophooks.memo.base import VOLATILE
from stophooks.process.family import GUARDS, TOKEN
from stophooks.store import contents
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import asdict, dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stophooks.inputs import Tree
    from stophooks.models import Command
    from stophooks.secrets.vault import Vault

# What a command is called, and how its failure is told, decides no result. Its variables and the
# configuration that it stands in are parts of their own.
_NOT_DECIDING = frozenset(
    {
        *("message", "show_command", "show_stdout", "show_stderr", "max_output_lines"),
        *("description", "severity", "pin", "skip_unchanged", "source", "env"),
    }
)
# What names a run or a session; `docs/reuse.md` says that it does not count.
_OF_A_RUN = frozenset(
    {"STOPHOOKS_RUN_ID", "STOPHOOKS_SESSION", "STOPHOOKS_SUBJECT_ID", TOKEN, GUARDS}
)
_LEFT_OUT = VOLATILE | _OF_A_RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What commands find around them; ``salt`` keeps what is hashed from being guessed."""

    environ: Mapping[str, str]
    vault: Vault
    home: str
    salt: bytes


def parts(
    command: Command, tree: Tree, around: Surroundings, *, paths: Iterable[str] | None = None
) -> dict[str, Any]:
    """Everything that decides a command's result now, in words that differ when it does.

    Args:
        command: As it would run.
        tree: The project's files now.
        around: What it finds around it.
        paths: The files that it is given, or None where it is given none.

    Raises:
        UnknownError: Something of it cannot be told.
    """
    environment = _environment(command, around.environ)
    image = reach.image(command, around.environ, around.home)
    return {
        "version": __version__,
        "definition": _hash(around, jsonvalues.dumps(_definition(command), sort_keys=True)),
        "configuration": _hash(around, contents.print_of(command.source or "")),
        "machine": _hash(around, " ".join((*os.uname()[1::3], str(os.getuid()), str(os.getgid())))),
        "program": _hash(around, _program(command, around.environ)),
        "image": image,
        "environment": {name: _hash(around, value, 8) for name, value in environment.items()},
        # In full: the ones above only name what changed.
        "variables": _hash(around, jsonvalues.dumps(environment, sort_keys=True)),
        "secrets": {name: _hash(around, value) for name, value in _secrets(command, around)},
        "files": None if paths is None else _hash(around, "\0".join(paths)),
        "inputs": _inputs(command, tree),
        "scripts": _scripts(command, around),
        "tree": tree.id,
    }


def key(found: Mapping[str, Any], around: Surroundings) -> str:
    """One word for all that decides a result, the same where all of it is."""
    deciding = {name: value for name, value in found.items() if name != "tree"}
    return _hash(around, jsonvalues.dumps(deciding, sort_keys=True))


def _hash(around: Surroundings, value: str | bytes, size: int = 32) -> str:
    data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return keyed(data, around.salt, size)


def _definition(command: Command) -> dict[str, Any]:
    return {name: value for name, value in asdict(command).items() if name not in _NOT_DECIDING}


def _environment(command: Command, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that it would get, but for those that say nothing."""
    given: dict[str, str] = {}
    if command.container is None:
        kept = environ if command.inherit_env else set(KEPT_VARIABLES) & set(environ)
        given = {name: environ[name] for name in kept}
    given.update(command.env)
    return {name: given[name] for name in sorted(given) if name not in _LEFT_OUT}


def _secrets(command: Command, around: Surroundings) -> Iterable[tuple[str, bytes]]:
    try:
        return around.vault.values(command).items()
    except ExecutorUnavailableError as err:
        raise UnknownError("one of its secrets is missing") from err


def _program(command: Command, environ: Mapping[str, str]) -> str:
    """The program of this machine that is started, as it is now."""
    if command.container is not None:
        return "of the image"
    path = environ.get("PATH", os.defpath)
    if command.argv is None:
        try:
            return _printed(shell.find_shell(path, command.shell))
        except ExecutorUnavailableError as err:
            raise UnknownError("its shell is missing") from err
    name = command.argv[0]
    if "/" in name:
        place = command.working_dir or command.project_dir
        return _printed(os.path.join(place, name))
    path = dict(command.env).get("PATH", path)
    found = (os.path.join(one, name) for one in path.split(os.pathsep))
    return _printed(next((one for one in found if os.access(one, os.X_OK)), name))


def _printed(path: str) -> str:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return f"{path} missing"
    return f"{path} {found.st_size} {found.st_mtime_ns} {found.st_ino}"


def _scripts(command: Command, around: Surroundings) -> dict[str, str]:
    """The scripts of the project that it starts, as they are now."""
    base = command.project_dir
    found = reach.scripts(command).items()
    return {os.path.relpath(path, base): _hash(around, known) for path, known in found}


def _inputs(command: Command, tree: Tree) -> str:
    """What the files hold that its result depends on."""
    if command.inputs:
        known = inputs.digest(tree, command.inputs, (), base=command.project_dir)
        return f"{known} {_summed(reach.ignored(command, tree))}"
    reach.check_mounts(command, tree.root)
    return tree.id


def _summed(found: Mapping[str, str]) -> str:
    return sha256(jsonvalues.dumps(sorted(found.items())).encode()).hexdigest()
