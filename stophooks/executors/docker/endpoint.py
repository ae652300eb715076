"""Which engine is meant, and who says so: DOCKER_HOST, then the Docker context, then the socket.

The same order as Docker's own command line (its documentation, read 2026-11-21), with one
difference from docker-py: a context that does not exist is an error and never another engine.
"""

from __future__ import annotations

import os

from stophooks.digests import sha256
from stophooks.errors import ExecutorUnavailableError
from stophooks.jsonvalues import loads
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_URL = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where an engine listens; ``source`` says who named it, ``tls_dir`` holds its key files.

    ``config_dir`` is where Docker's client keeps the credentials of registries.
    """

    url: str
    source: str
    config_dir: str
    tls_dir: str | None = None
    tls_verify: bool = True

    @property
    def socket(self) -> str | None:
        """The Unix socket's path, or None for an engine reached by TCP."""
        return self.url.removeprefix("unix://") if self.url.startswith("unix://") else None


def resolve(environ: Mapping[str, str], home: str) -> Endpoint:
    """The engine that the environment means.

    Raises:
        ExecutorUnavailableError: The context does not exist, or the address cannot be used.
    """
    config_dir = environ.get("DOCKER_CONFIG") or os.path.join(home, ".docker")
    if host := environ.get("DOCKER_HOST"):
        return _checked(_from_host(host, environ, config_dir))
    if name := environ.get("DOCKER_CONTEXT"):
        return _checked(_from_context(name, "DOCKER_CONTEXT", config_dir))
    if name := _current_context(config_dir):
        return _checked(
            _from_context(name, f"currentContext in {config_dir}/config.json", config_dir)
        )
    return Endpoint(url=DEFAULT_URL, source="the default", config_dir=config_dir)


def _from_host(host: str, environ: Mapping[str, str], config_dir: str) -> Endpoint:
    verify = environ.get("DOCKER_TLS_VERIFY", "")
    cert_path = environ.get("DOCKER_CERT_PATH")
    uses_tls = bool(verify or cert_path)
    return Endpoint(
        url=host,
        source="DOCKER_HOST",
        config_dir=config_dir,
        tls_dir=(cert_path or config_dir) if uses_tls else None,
        tls_verify=bool(verify),
    )


def _current_context(config_dir: str) -> str | None:
    name = _read_object(os.path.join(config_dir, "config.json")).get("currentContext")
    return name if isinstance(name, str) and name != "default" else None


def _from_context(name: str, source: str, config_dir: str) -> Endpoint:
    if name == "default":
        place = f"the context default ({source})"
        return Endpoint(url=DEFAULT_URL, source=place, config_dir=config_dir)
    folder = sha256(name.encode()).hexdigest()
    meta = _read_object(os.path.join(config_dir, "contexts", "meta", folder, "meta.json"))
    endpoints = meta.get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    if not isinstance(docker, dict) or not isinstance(docker.get("Host"), str):
        raise ExecutorUnavailableError(
            f'The Docker context "{name}", named by {source}, does not exist.',
            remedy="Choose one of `docker context ls` with `docker context use NAME`.",
            fault="daemon-unreachable",
        )
    tls_dir = os.path.join(config_dir, "contexts", "tls", folder, "docker")
    return Endpoint(
        url=docker["Host"],
        source=f'the context "{name}" ({source})',
        config_dir=config_dir,
        tls_dir=tls_dir if os.path.isdir(tls_dir) else None,
        tls_verify=not docker.get("SkipTLSVerify", False),
    )


def _checked(endpoint: Endpoint) -> Endpoint:
    if endpoint.url.startswith(("unix:///", "tcp://", "http://", "https://")):
        return endpoint
    raise ExecutorUnavailableError(
        f"The engine address {endpoint.url}, from {endpoint.source}, cannot be used.",
        remedy=(
            "Use unix:///PATH or tcp://HOST:PORT; for an engine behind ssh, forward its socket "
            "with `ssh -L` and name that socket."
        ),
        fault="daemon-unreachable",
    )


def _read_object(path: str) -> dict[str, Any]:
    """The JSON object in a file; empty when there is none (Docker ignores a broken one too)."""
    try:
        with open(path, encoding="utf-8") as file:
            data = loads(file.read())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
