"""What is in the file: its tables, and how a file of an older version gets them."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

# The tables as this program knows them; kept in the file as `PRAGMA user_version`.
VERSION = 3
# Every table of this version, by name: its columns, and what follows them. Version 1 had `blocks`,
# version 2 all but `passes`.
TABLES = {
    "blocks": (
        "session TEXT PRIMARY KEY",
        "count INTEGER NOT NULL",
        "updated REAL NOT NULL",
        "sum INTEGER NOT NULL",
    ),
    # What a session is held to: the plan and the content of the files that it names.
    "pins": (
        "session TEXT PRIMARY KEY",
        "project TEXT NOT NULL",
        "plan TEXT NOT NULL",
        "files TEXT NOT NULL",
        "made REAL NOT NULL",
    ),
    # Configurations that a person has approved of.
    "trusted": (
        "project TEXT NOT NULL",
        "digest TEXT NOT NULL",
        "at REAL NOT NULL",
        "PRIMARY KEY (project, digest)",
    ),
    # Everything else, as JSON: see store/facts.py.
    "facts": (
        "kind TEXT NOT NULL",
        "key TEXT NOT NULL",
        "value TEXT NOT NULL",
        "at REAL NOT NULL",
        "sum INTEGER NOT NULL",
        "PRIMARY KEY (kind, key)",
    ),
    # Commands that passed, and on what that depended: see store/passes.py.
    "passes": (
        "key TEXT PRIMARY KEY",
        "project TEXT NOT NULL",
        "command TEXT NOT NULL",
        "parts TEXT NOT NULL",
        "at REAL NOT NULL",
        "sum INTEGER NOT NULL",
    ),
}


def make(connection: sqlite3.Connection) -> None:
    """Make the tables that are not there yet, in a transaction.

    What versions 1 and 2 kept stays; what a version before them left is dropped.
    """
    found = version(connection)
    if found == VERSION:  # another process was first
        return
    if found == 0:
        connection.execute("DROP TABLE IF EXISTS blocks")
    for name, columns in TABLES.items():
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(columns)}) WITHOUT ROWID"
        )
    connection.execute(f"PRAGMA user_version = {VERSION}")


def look(connection: sqlite3.Connection) -> None:
    """Read a row of every table; a table of another shape is an error of SQLite's."""
    for name, columns in TABLES.items():
        names = [column.split()[0] for column in columns if not column.startswith("PRIMARY")]
        connection.execute(f"SELECT {', '.join(names)} FROM {name} LIMIT 1").fetchall()  # noqa: S608 -- names of ours


def version(connection: sqlite3.Connection) -> int:
    """Which version has written the file; 0 for a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
