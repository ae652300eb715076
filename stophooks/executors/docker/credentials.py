"""The caller's credentials for a registry, found in bounded time.

docker-py starts credential helpers without any bound, in its own environment; here they run
like commands: with the caller's environment, a time limit, and nothing left behind.
"""

from __future__ import annotations

import json
import os

import docker.auth
import docker.credentials
import docker.errors
from docker.credentials.constants import PROGRAM_PREFIX

from stophooks import process
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker.answers import NOT_UNDERSTOOD
from stophooks.models import MIB, Stream
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.executors.base import Cancellation

# A helper asks a keychain, or a cloud for a token; seconds.
HELPER_BOUND_S = 30.0
HELPER_GRACE_S = 0.5
# No credentials are larger; bytes.
ANSWER_LIMIT = MIB
# Helpers read the registry from their input ("docker-credential-helpers", README).
SCRIPT = 'printf %s "$2" | "$1" get'


def find(
    image: str, *, config_dir: str, environ: Mapping[str, str], cancel: Cancellation
) -> dict[str, Any]:
    """The credentials for an image's registry, as the engine takes them; empty when none.

    Raises:
        ExecutorUnavailableError: A helper does not answer, or the file is broken.
    """
    path = os.path.join(config_dir, "config.json")
    # docker-py would look for another one, in its own environment.
    if not os.path.isfile(path):
        return {}
    try:
        registry, _ = docker.auth.resolve_repository_name(image)
        config = _Config.load_config(path, None)
        config.environ, config.cancel = environ, cancel
        return dict(config.resolve_authconfig(registry) or {})
    except (docker.errors.DockerException, *NOT_UNDERSTOOD) as err:
        raise ExecutorUnavailableError(
            f"The credentials in {path} cannot be used: {err}.",
            remedy="Mend the file, or log in again with `docker login`.",
            fault="auth",
        ) from err


class _Config(docker.auth.AuthConfig):
    """docker-py's reading of the client's configuration, with helpers of our own."""

    environ: Mapping[str, str]
    cancel: Cancellation

    def _get_store_instance(self, name: str) -> _Helper:
        return _Helper(name, self.environ, self.cancel)


class _Helper:
    """One credential helper."""

    def __init__(self, name: str, environ: Mapping[str, str], cancel: Cancellation) -> None:
        self._program = PROGRAM_PREFIX + name
        self._environ = environ
        self._cancel = cancel

    def get(self, registry: str) -> dict[str, str]:
        """What it knows of a registry.

        Raises:
            docker.credentials.CredentialsNotFound: Nothing.
            ExecutorUnavailableError: It does not answer.
        """
        said = bytearray()

        def take(stream: Stream, data: bytes) -> None:
            if stream is Stream.STDOUT and len(said) < ANSWER_LIMIT:
                said.extend(data)

        ended = process.run(
            ["/bin/sh", "-c", SCRIPT, "sh", self._program, registry],
            cwd="/",
            env=self._environ,
            timeout_s=HELPER_BOUND_S,
            grace_s=HELPER_GRACE_S,
            stop=self._cancel,
            output=take,
        )
        if ended.cause is not process.Cause.EXITED:
            raise self._mute()
        return self._understood(bytes(said))

    def _understood(self, said: bytes) -> dict[str, str]:
        """Its answer; one that fails counts as one that knows nothing, as for Docker's client."""
        try:
            answer = json.loads(said)
            found = {"Username": str(answer["Username"]), "Secret": str(answer["Secret"])}
        except (ValueError, TypeError, KeyError, RecursionError):
            found = {}
        if not any(found.values()):
            raise docker.credentials.CredentialsNotFound(f"{self._program} knows nothing")
        return found

    def _mute(self) -> ExecutorUnavailableError:
        return ExecutorUnavailableError(
            f"The credential helper {self._program} did not answer.",
            remedy="Run it by hand (`echo REGISTRY | PROGRAM get`), or remove it from Docker's "
            "config.json.",
            fault="auth",
        )
