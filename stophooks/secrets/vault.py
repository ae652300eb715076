"""The values of a run's secrets: read once, when the run begins, and kept nowhere."""

from __future__ import annotations

import os
import stat

from stophooks.errors import ExecutorUnavailableError
from stophooks.models import KIB
from stophooks.secrets.mask import Mask
from stophooks.secrets.names import keys_among
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stophooks.models import Command, Secret

# More than any key; so much is read, and written into a container, of one secret.
MAX_BYTES = 64 * KIB


class Vault:
    """The secrets of some commands, and the mask for all that these say.

    Args:
        environ: The caller's environment: where secrets come from.
        commands: Those that will run.
        hides: Environments whose values are masked where their names are those of secrets.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        commands: Iterable[Command] = (),
        *,
        hides: Iterable[Mapping[str, str]] = (),
    ) -> None:
        given = tuple(commands)
        self._found: dict[Secret, bytes | ExecutorUnavailableError] = {}
        for secret in (secret for command in given for secret in command.secrets):
            if secret not in self._found:
                self._found[secret] = _found(secret, environ)
        known = [*hides, environ, *(dict(command.env) for command in given)]
        self.mask = Mask(
            declared=[value for value in self._found.values() if isinstance(value, bytes)],
            # What several of them have is looked at once.
            found=keys_among({pair for one in known for pair in one.items()}),
        )

    def values(self, command: Command) -> dict[str, bytes]:
        """The command's secrets by name.

        Raises:
            ExecutorUnavailableError: One of them is not to be had.
        """
        values = {}
        for secret in command.secrets:
            value = self._found[secret]
            if isinstance(value, ExecutorUnavailableError):
                raise value
            values[secret.name] = value
        return values


def variable(name: str, value: bytes) -> str:
    """A secret as the value of an environment variable: without the newline at a file's end.

    Raises:
        ExecutorUnavailableError: No variable can have it.
    """
    if b"\0" in value:
        raise _missing(
            f"The secret {name} contains a NUL character, which no environment variable can have.",
            "Use it as a file in a container.",
        )
    return os.fsdecode(value.removesuffix(b"\n").removesuffix(b"\r"))


def _found(secret: Secret, environ: Mapping[str, str]) -> bytes | ExecutorUnavailableError:
    if secret.from_file is not None:
        return _read(secret.name, secret.from_file)
    value = environ.get(secret.name)
    if not value:
        what = "is not set" if value is None else "is empty"
        return _missing(
            f"The secret {secret.name} is missing: the environment variable {what}.",
            f"Set {secret.name} where the agent, or stophooks, is started.",
        )
    return os.fsencode(value)


def _read(name: str, path: str) -> bytes | ExecutorUnavailableError:
    remedy = f"Write the secret into {path}, readable for you alone."
    try:
        if os.path.realpath(path) != path:
            # The configuration was read with every link followed, so this one is new.
            return _missing(f"The secret {name} is missing: {path} has become a link.", remedy)
        # Non-blocking, so that opening a FIFO without a writer returns at once.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            with open(
                descriptor if is_regular else os.devnull, "rb", closefd=not is_regular
            ) as file:
                value = file.read(MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as err:
        return _missing(
            f"The secret {name} is missing: {path} cannot be read ({err.strerror}).", remedy
        )
    if not value or len(value) > MAX_BYTES:
        what = "is larger than 64 KiB" if value else "is empty"
        what = what if is_regular else "is no regular file"
        return _missing(f"The secret {name} is missing: {path} {what}.", remedy)
    return value


def _missing(reason: str, remedy: str) -> ExecutorUnavailableError:
    return ExecutorUnavailableError(reason, remedy=remedy, fault="secret-missing")
