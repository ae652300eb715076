"""SHA-256 and BLAKE2 without waiting for OpenSSL to be loaded, where Python has its own."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # Python 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:
            from hashlib import sha256

# For more than this, OpenSSL's is worth its import; bytes.
LARGE_BYTES = 1 << 20


def checksum(data: bytes) -> int:
    """A number by which data that was changed, not on purpose, is told from what was written."""
    return int.from_bytes(sha256(data).digest()[:4], "big")


def is_checksum(told: object, data: bytes) -> bool:
    """Whether this is the checksum of the data, by this version or by one of before."""
    if told == checksum(data):
        return True
    import zlib  # noqa: PLC0415 -- only for what is damaged, or old

    return told == zlib.crc32(data)


def keyed(data: bytes, key: bytes, size: int) -> str:
    """A digest of so many bytes, in hexadecimal, that nobody can make who has not the key."""
    try:
        from _blake2 import blake2b  # noqa: PLC0415 -- most stops need none
    except ImportError:
        from hashlib import blake2b  # noqa: PLC0415 -- the same

    return blake2b(data, key=key, digest_size=size).hexdigest()


__all__ = ["LARGE_BYTES", "checksum", "is_checksum", "keyed", "sha256"]
