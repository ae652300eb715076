"""Commands in throwaway containers; imports docker-py, so import this only when one is needed."""

from stophooks.executors.docker.executor import DockerExecutor

__all__ = ["DockerExecutor"]
