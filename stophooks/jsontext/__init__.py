"""Strict JSON with the place of everything in it, and edits that leave all other bytes alone."""

from __future__ import annotations

from stophooks.jsontext.edit import insert_item, insert_member, remove, replace
from stophooks.jsontext.scanner import MAX_DEPTH, JsonTextError, Member, Node, scan

__all__ = [
    "MAX_DEPTH",
    "JsonTextError",
    "Member",
    "Node",
    "insert_item",
    "insert_member",
    "remove",
    "replace",
    "scan",
]
