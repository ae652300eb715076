"""Everything remembered between two runs: counts of blocks, logs, and files replaced whole."""

from __future__ import annotations

from stophooks.store.blocks import Store, open_store
from stophooks.store.place import state_dir

__all__ = ["Store", "open_store", "state_dir"]
