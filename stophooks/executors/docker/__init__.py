"""Commands in throwaway containers.

The executor imports docker-py; what only asks which engine is meant does not need it.
"""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stophooks.executors.docker.executor import DockerExecutor

__all__ = ["DockerExecutor"]


def __getattr__(name: str) -> Any:
    """Import the executor where it is asked for."""
    if name != "DockerExecutor":
        raise AttributeError(name)
    from stophooks.executors.docker.executor import DockerExecutor  # noqa: PLC0415 -- see above

    return DockerExecutor
