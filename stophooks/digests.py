"""SHA-256 and BLAKE2 without waiting for OpenSSL to be loaded, where Python has its own."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import blake2b, sha256
else:
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    try:
        from _sha2 import sha256  # Python 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:
            from hashlib import sha256

# For more than this, OpenSSL's is worth its import; bytes.
LARGE_BYTES = 1 << 20


__all__ = ["LARGE_BYTES", "blake2b", "sha256"]
