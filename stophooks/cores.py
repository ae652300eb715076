"""Compiled parts of the standard library, without the Python that is wrapped around them.

What `socket` makes of its constants takes longer than an engine takes to answer, and `datetime`
and `queue` have all of this in Python once more.
"""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timezone
    from queue import Empty, SimpleQueue
    from socket import AF_UNIX, SHUT_RDWR, SOCK_STREAM, socket
else:
    try:
        from _datetime import datetime, timezone
    except ImportError:
        from datetime import datetime, timezone
    try:
        from _queue import Empty, SimpleQueue
    except ImportError:
        from queue import Empty, SimpleQueue
    try:
        from _socket import AF_UNIX, SHUT_RDWR, SOCK_STREAM, socket
    except ImportError:
        from socket import AF_UNIX, SHUT_RDWR, SOCK_STREAM, socket


__all__ = [
    "AF_UNIX",
    "SHUT_RDWR",
    "SOCK_STREAM",
    "Empty",
    "SimpleQueue",
    "datetime",
    "socket",
    "timezone",
]
