"""Checks that decide when a coding agent may stop."""

__version__ = "0.1.0"
