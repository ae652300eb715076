"""Commands in throwaway containers; import this only when one is needed: it takes milliseconds."""

from stophooks.executors.docker.executor import DockerExecutor

__all__ = ["DockerExecutor"]
