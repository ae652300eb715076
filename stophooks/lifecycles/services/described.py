"""A Compose file: where it is, what its project is called, and what it says about each service."""

from __future__ import annotations

import os

from stophooks.composefile import given_name, normalised
from stophooks.lifecycles.services.base import ServicesUnavailableError
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a file says about a service; ``env`` is the service's environment as it will be."""

    name: str
    env: tuple[tuple[str, str], ...] = ()
    after: tuple[str, ...] = ()
    restarts: bool = False


def project_name(path: str, whole: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """What Compose calls the project of a file where nobody names it on the command line.

    Args:
        path: The (first) file.
        whole: What Compose says that the file means; Compose 2 says its own choice in it.
        environ: Of which ``COMPOSE_PROJECT_NAME`` counts, before the file ``.env``.

    Raises:
        ServicesUnavailableError: Nothing is left of the directory's name.
    """
    directory = os.path.dirname(os.path.abspath(path))
    named = given_name(directory, environ) or whole.get("name")
    name = normalised(str(named or os.path.basename(directory)))
    if not name:
        raise ServicesUnavailableError(
            f"No project name can be made of the directory {directory}. "
            "Give it one in stophooks.yaml: service.project_name."
        )
    return name


def describe(whole: Any, order: list[str]) -> tuple[Described, ...]:
    """Every service of what Compose says that the file means.

    Args:
        whole: Its answer to ``config``.
        order: The services as they stand in the file; those that are not among them come last.

    Raises:
        ValueError: The answer has another shape.
    """
    services = whole.get("services") if isinstance(whole, dict) else None
    if not isinstance(services, dict):
        raise ValueError("the answer has no services")  # noqa: TRY004 -- callers ask for one error
    names = [*(name for name in order if name in services), *services]
    return tuple(_described(name, services[name] or {}) for name in dict.fromkeys(map(str, names)))


def order_in(paths: tuple[str, ...], read: Callable[[str], Any]) -> list[str]:
    """The services of these files as they stand in them, as far as they can be read."""
    names: list[str] = []
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                found = read(file.read())
        except (OSError, ValueError):
            continue
        services = found.get("services") if isinstance(found, dict) else None
        names += services if isinstance(services, dict) else ()
    return names


def _described(name: str, service: Mapping[str, Any]) -> Described:
    policy = service.get("restart") or "no"
    deploy = service.get("deploy") or {}
    if "restart" not in service and isinstance(deploy, dict) and deploy.get("restart_policy"):
        policy = deploy["restart_policy"].get("condition", "any").replace("none", "no")
    return Described(
        name=name,
        env=_environment(service.get("environment")),
        after=tuple(str(one) for one in service.get("depends_on") or ()),
        restarts=policy not in {"no", False},
    )


def _environment(found: Any) -> tuple[tuple[str, str], ...]:
    """The variables; Compose doubles ``$`` where it answers, and null is one that is not set."""
    if isinstance(found, list):
        found = dict(str(item).split("=", 1) for item in found if "=" in str(item))
    if not isinstance(found, dict):
        return ()
    return tuple(
        (str(name), _text(value).replace("$$", "$"))
        for name, value in found.items()
        if value is not None
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
