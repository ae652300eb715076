"""Failing cases out of what a command writes for machines; nothing is guessed from prose."""

from stophooks.results.read import Read, read

__all__ = ["Read", "read"]
