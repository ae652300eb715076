"""The executor for commands without an image: processes of this machine."""

from stophooks.executors.host.executor import HostExecutor

__all__ = ["HostExecutor"]
