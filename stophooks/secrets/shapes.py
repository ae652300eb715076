"""How well-known tokens look, whoever owns them.

Sources: the documentation of the tokens of GitHub, GitLab, AWS, Slack, npm, PyPI, Hugging Face,
Google and OpenAI (read 2026-11-21), RFC 7519 (JWT), RFC 6750 (Bearer), RFC 7468 (PEM).
"""

from __future__ import annotations

from stophooks import patterns
from stophooks.models import KIB
from stophooks.values import dataclass

# No match is longer, so that what is held back of a stream is bounded; bytes.
LONGEST_BYTES = 16 * KIB
_MOST = LONGEST_BYTES // 4
# Not inside a longer word: `task-…` is no token.
ALONE = rb"(?<![A-Za-z0-9_])"
_WORD = rb"[A-Za-z0-9_-]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One kind of token: what it is in plain words, how it may begin, and its pattern.

    ``rare`` is a byte that is in each. The pattern begins with fixed bytes, but for `ALONE`: so
    it is quickly not found. Its group is what stays to be seen of a match, which is never longer
    than `LONGEST_BYTES` and has no end of line in it.
    """

    title: str
    starts: tuple[bytes, ...]
    rare: bytes
    pattern: bytes


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
        pattern=rb"github_pat_[A-Za-z0-9_]{20,255}",
    ),
    Shape(
        title="GitLab tokens (`glpat-…`)",
        starts=(b"glpat-",),
        rare=b"-",
        pattern=rb"glpat-[A-Za-z0-9_.-]{20,255}",
    ),
    Shape(
        title="AWS access key ids (`AKIA…`)",
        starts=(b"AKIA",),
        rare=b"K",
        pattern=ALONE + rb"AKIA[A-Z0-9]{16}(?![A-Za-z0-9])",
    ),
    Shape(
        title="AWS access key ids for a while (`ASIA…`)",
        starts=(b"ASIA",),
        rare=b"S",
        pattern=ALONE + rb"ASIA[A-Z0-9]{16}(?![A-Za-z0-9])",
    ),
    Shape(
        title="keys of AI services (`sk-…`)",
        starts=(b"sk-",),
        rare=b"-",
        pattern=ALONE + rb"sk-" + _WORD + rb"{20,512}",
    ),
    Shape(
        title="Slack tokens (`xoxb-…`, `xoxp-…` …)",
        starts=(b"xox",),
        rare=b"x",
        pattern=ALONE + rb"xox[abeoprs]-[A-Za-z0-9-]{10,512}",
    ),
    Shape(
        title="Google API keys (`AIza…`)",
        starts=(b"AIza",),
        rare=b"z",
        pattern=ALONE + rb"AIza" + _WORD + rb"{35}",
    ),
    Shape(
        title="npm tokens (`npm_…`)",
        starts=(b"npm_",),
        rare=b"_",
        pattern=rb"npm_[A-Za-z0-9]{36}",
    ),
    Shape(
        title="Hugging Face tokens (`hf_…`)",
        starts=(b"hf_",),
        rare=b"_",
        pattern=ALONE + rb"hf_[A-Za-z0-9]{30,255}",
    ),
    Shape(
        title="PyPI tokens (`pypi-AgE…`)",
        starts=(b"pypi-AgE",),
        rare=b"-",
        pattern=rb"pypi-AgE[A-Za-z0-9_-]{16,1024}",
    ),
    Shape(
        title="JSON web tokens (`eyJ….eyJ….…`)",
        starts=(b"eyJ",),
        rare=b"J",
        pattern=rb"eyJ%b{6,%d}\.eyJ%b{6,%d}\.%b{6,%d}" % ((_WORD, _MOST) * 3),
    ),
    Shape(
        title="what follows `Bearer`",
        starts=(b"earer ",),
        rare=b" ",
        pattern=rb"(earer )[A-Za-z0-9._~+/=-]{16,%d}" % _MOST,
    ),
    Shape(
        title="what follows `Authorization: Basic`",
        starts=(b"uthorization: Basic ",),
        rare=b"B",
        pattern=rb"(uthorization: Basic )[A-Za-z0-9+/=]{8,%d}" % _MOST,
    ),
    Shape(
        title="passwords in URLs (`https://user:…@host`)",
        starts=(b"://",),
        rare=b"@",
        pattern=rb"(://[^\s/@:\"']{0,128}:)[^\s/@\"']{1,512}(?=@)",
    ),
    Shape(
        title="private keys (`-----BEGIN … PRIVATE KEY-----`, to the end of the key)",
        starts=(b"-----BEGIN ",),
        rare=b"K",
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
