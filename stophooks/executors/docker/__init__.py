"""Commands in throwaway containers; a module of this takes milliseconds to import."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stophooks.executors.docker.executor import DockerExecutor

__all__ = ["DockerExecutor"]


def __getattr__(name: str) -> Any:
    """The executor, imported when it is asked for: the engine can be asked before (`preflight`)."""
    if name not in __all__:
        raise AttributeError(name)
    from stophooks.executors.docker.executor import DockerExecutor  # noqa: PLC0415 -- see above

    return DockerExecutor
