"""How well-known tokens look, whoever owns them, and where they are.

Sources: the documentation of the tokens of GitHub, GitLab, AWS, Slack, npm, PyPI, Hugging Face,
Google and OpenAI (read 2026-11-21), RFC 7519 (JWT), RFC 6750 (Bearer), RFC 7468 (PEM).
"""

from __future__ import annotations

from stophooks import patterns
from stophooks.models import KIB
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable

    # Where the next one begins and ends in some bytes, from a place on, and what stays of it.
    Find = Callable[[bytes, int], "tuple[int, int, bytes] | None"]

# No match is longer, so that what is held back of a stream is bounded; bytes.
LONGEST_BYTES = 16 * KIB
_MOST = LONGEST_BYTES // 4
_WORD = rb"[A-Za-z0-9_-]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One kind of token: what it is in plain words, how it may begin, and its pattern.

    ``rare`` is a byte and ``sign`` a text that are in each match, and quicker to look for. The
    pattern begins with fixed bytes, so that it is quickly not found; where these are not always the
    same, there is no sign. Its group is what stays to be seen of a match, which is never longer
    than `LONGEST_BYTES` and has no end of line in it.
    """

    title: str
    starts: tuple[bytes, ...]
    rare: bytes
    sign: bytes = b""
    pattern: bytes


def _alone(start: bytes) -> bytes:
    """A pattern of a token's start where it is not inside a longer word: `task-…` is no token."""
    # A pattern that begins with what must not be before it is ten times slower.
    return start + rb"(?<![A-Za-z0-9_]" + start + rb")"


SHAPES = (
    Shape(
        title="GitHub tokens (`ghp_…`, `gho_…`, `ghu_…`, `ghs_…`, `ghr_…`)",
        starts=(b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
        rare=b"_",
        pattern=rb"gh[pousr]_[A-Za-z0-9]{20,255}",
    ),
    Shape(
        title="GitHub fine-grained tokens (`github_pat_…`)",
        starts=(b"github_pat_",),
        rare=b"_",
        sign=b"github_pat_",
        pattern=rb"github_pat_[A-Za-z0-9_]{20,255}",
    ),
    Shape(
        title="GitLab tokens (`glpat-…`)",
        starts=(b"glpat-",),
        rare=b"-",
        sign=b"glpat-",
        pattern=rb"glpat-[A-Za-z0-9_.-]{20,255}",
    ),
    Shape(
        title="AWS access key ids (`AKIA…`)",
        starts=(b"AKIA",),
        rare=b"K",
        sign=b"AKIA",
        pattern=_alone(b"AKIA") + rb"[A-Z0-9]{16}(?![A-Za-z0-9])",
    ),
    Shape(
        title="AWS access key ids for a while (`ASIA…`)",
        starts=(b"ASIA",),
        rare=b"S",
        sign=b"ASIA",
        pattern=_alone(b"ASIA") + rb"[A-Z0-9]{16}(?![A-Za-z0-9])",
    ),
    Shape(
        title="keys of AI services (`sk-…`)",
        starts=(b"sk-",),
        rare=b"-",
        sign=b"sk-",
        pattern=_alone(b"sk-") + _WORD + rb"{20,512}",
    ),
    Shape(
        title="Slack tokens (`xoxb-…`, `xoxp-…` …)",
        starts=(b"xox",),
        rare=b"x",
        sign=b"xox",
        pattern=_alone(b"xox") + rb"[abeoprs]-[A-Za-z0-9-]{10,512}",
    ),
    Shape(
        title="Google API keys (`AIza…`)",
        starts=(b"AIza",),
        rare=b"z",
        sign=b"AIza",
        pattern=_alone(b"AIza") + _WORD + rb"{35}",
    ),
    Shape(
        title="npm tokens (`npm_…`)",
        starts=(b"npm_",),
        rare=b"_",
        sign=b"npm_",
        pattern=rb"npm_[A-Za-z0-9]{36}",
    ),
    Shape(
        title="Hugging Face tokens (`hf_…`)",
        starts=(b"hf_",),
        rare=b"_",
        sign=b"hf_",
        pattern=_alone(b"hf_") + rb"[A-Za-z0-9]{30,255}",
    ),
    Shape(
        title="PyPI tokens (`pypi-AgE…`)",
        starts=(b"pypi-AgE",),
        rare=b"-",
        sign=b"-AgE",
        pattern=rb"pypi-AgE[A-Za-z0-9_-]{16,1024}",
    ),
    Shape(
        title="JSON web tokens (`eyJ….eyJ….…`)",
        starts=(b"eyJ",),
        rare=b"J",
        sign=b".eyJ",
        pattern=rb"eyJ%b{6,%d}\.eyJ%b{6,%d}\.%b{6,%d}" % ((_WORD, _MOST) * 3),
    ),
    Shape(
        title="what follows `Bearer`",
        starts=(b"earer ",),
        rare=b" ",
        sign=b"earer ",
        pattern=rb"(earer )[A-Za-z0-9._~+/=-]{16,%d}" % _MOST,
    ),
    Shape(
        title="what follows `Authorization: Basic`",
        starts=(b"uthorization: Basic ",),
        rare=b"B",
        sign=b"uthorization: Basic ",
        pattern=rb"(uthorization: Basic )[A-Za-z0-9+/=]{8,%d}" % _MOST,
    ),
    Shape(
        title="passwords in URLs (`https://user:…@host`)",
        starts=(b"://",),
        rare=b"@",
        sign=b"://",
        pattern=rb"(://[^\s/@:\"']{0,128}:)[^\s/@\"']{1,512}(?=@)",
    ),
    Shape(
        title="private keys (`-----BEGIN … PRIVATE KEY-----`, to the end of the key)",
        starts=(b"-----BEGIN ",),
        rare=b"K",
        sign=b"PRIVATE KEY",
        # The body too, where it is in the same line with its ends of line written as `\n`.
        pattern=rb"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
        rb"(?:[A-Za-z0-9+/=]|\\[nr]){0,%d}(?:-----END[A-Z0-9 ]{0,48}-----)?" % (LONGEST_BYTES // 2),
    ),
)
# The lines of a private key behind its first: its body, a header, nothing; and its end.
KEY_BEGIN = b"-----BEGIN"
KEY_OPENS = patterns.compiled(rb"[ \t\"',]{0,8}\r?\n")
KEY_BODY = patterns.compiled(rb"[ \t|>\"'+]*[A-Za-z0-9+/]{16,128}={0,2}[ \t\"',]*\r?\n?")
KEY_REST = patterns.compiled(rb"[ \t|>\"'+]*(?:[A-Za-z0-9+/]{1,64}={0,2})?[ \t\"',]*\r?\n?")
KEY_HEADER = patterns.compiled(
    rb"[ \t|>\"'+]*(?:[A-Z][A-Za-z-]{2,16}: [^\r\n]{0,100})?[ \t\"',]*\r?\n?"
)
KEY_END = patterns.compiled(rb"[^\r\n]{0,64}?-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----")
# Longer lines are none of a key.
KEY_LINE_BYTES = 256
_PATTERNS = tuple(patterns.compiled(shape.pattern) for shape in SHAPES)


# Each rare byte, with the signs and the patterns of the shapes that have it.
SIGNS = tuple(
    (
        rare,
        tuple(
            (shape.sign, pattern)
            for shape, pattern in zip(SHAPES, _PATTERNS, strict=True)
            if shape.rare == rare
        ),
    )
    for rare in dict.fromkeys(shape.rare for shape in SHAPES)
)


class Matches:
    """What is masked in some bytes, the leftmost first; of several in one place the first kind.

    Each kind is looked for by itself and only when its last match is behind: one pattern for all
    of them has no fixed beginning, and takes fifty times as long.

    Args:
        data: The bytes.
        literals: Secrets, which come before the shapes.
    """

    def __init__(self, data: bytes, literals: Iterable[bytes]) -> None:
        self._data = data
        finds = (*map(_literal, literals), *map(_shaped, _PATTERNS))
        self._next = [
            (*found, order, find)
            for order, find in enumerate(finds)
            if (found := find(data, 0)) is not None
        ]

    def after(self, place: int) -> tuple[int, int, bytes] | None:
        """Where the next one begins and ends, from a place on, and what stays of it."""
        while self._next:
            first = min(self._next, key=_leftmost)
            start, end, kept, order, find = first
            if start >= place:
                return start, end, kept
            self._next.remove(first)
            if found := find(self._data, place):
                self._next.append((*found, order, find))
        return None


def _leftmost(one: tuple[int, int, bytes, int, Find]) -> tuple[int, int]:
    return one[0], one[3]


def _literal(text: bytes) -> Find:

    def find(data: bytes, place: int) -> tuple[int, int, bytes] | None:
        start = data.find(text, place)
        return (start, start + len(text), b"") if start >= 0 else None

    return find


def _shaped(pattern: re.Pattern[bytes]) -> Find:

    def find(data: bytes, place: int) -> tuple[int, int, bytes] | None:
        match = pattern.search(data, place)
        return (*match.span(), match[1] if match.lastindex else b"") if match else None

    return find
