"""Which environment variables hold a secret, told by their names."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A shorter value stands in output for many other things; bytes.
LEAST_BYTES = 6
# One of these words, between underscores, makes a name that of a secret …
KEY_WORDS = frozenset(
    {
        "APIKEY",
        "AUTH",
        "CREDENTIAL",
        "CREDENTIALS",
        "KEY",
        "KEYS",
        "PASS",
        "PASSPHRASE",
        "PASSWD",
        "PASSWORD",
        "PASSWORDS",
        "PAT",
        "SECRET",
        "SECRETS",
        "TOKEN",
        "TOKENS",
    }
)
# … and so does such an end (PGPASSWORD, GHTOKEN) …
KEY_ENDS = ("APIKEY", "PASSWD", "PASSWORD", "SECRET", "TOKEN")
# … unless one of these says that the value is about the secret, and not the secret.
ABOUT_WORDS = frozenset(
    {
        "COUNT",
        "DIR",
        "DIRECTORY",
        "ENABLED",
        "FILE",
        "HEADER",
        "HELPER",
        "HOST",
        "LENGTH",
        "LIMIT",
        "MAX",
        "METHOD",
        "MIN",
        "MODE",
        "NAME",
        "PATH",
        "SOCK",
        "SOCKET",
        "TIMEOUT",
        "TTL",
        "TYPE",
    }
)
# Values that are words of a configuration; nobody's secret.
_PLAIN = frozenset({"always", "default", "disabled", "enabled", "optional", "required"})


# By name; the same few dozen are asked about for every command.
_known: dict[str, bool] = {}


def is_key(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    known = _known.get(name)
    if known is None:
        known = _known[name] = _is_key(name)
    return known


def _is_key(name: str) -> bool:
    words = set(_words(name.upper()))
    if words & ABOUT_WORDS:
        return False
    return bool(words & KEY_WORDS) or any(word.endswith(KEY_ENDS) for word in words)


def _words(upper: str) -> list[str]:
    plain = upper.replace("_", " ")
    if not (plain.isascii() and plain.replace(" ", "").isalnum()):
        plain = "".join(one if one.isascii() and one.isalnum() else " " for one in upper)
    return plain.split()


def keys_in(environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """The values in an environment that are secrets by their names, and long enough to be told."""
    return keys_among(environ.items())


def keys_among(variables: Iterable[tuple[str, str]]) -> tuple[bytes, ...]:
    """The same of variables that need not be of one environment."""
    found = (value for name, value in variables if is_key(name))
    return tuple(
        value.encode("utf-8", "surrogateescape")
        for value in found
        if len(value) >= LEAST_BYTES and value.lower() not in _PLAIN
    )
