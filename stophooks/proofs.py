"""What was found out about this machine: values of `stophooks doctor`."""

from __future__ import annotations

from stophooks.values import StrEnum, dataclass


class Level(StrEnum):
    """How much a finding matters: a problem keeps checks from running or from counting."""

    OK = "ok"
    WARN = "warn"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; ``about`` groups findings, ``where`` is where it is."""

    level: Level
    about: str
    text: str
    where: str | None = None
    remedy: str | None = None


class Verdict(StrEnum):
    """What a probe of an engine showed about one promise."""

    HOLDS = "holds"
    FAILS = "fails"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One promise, whether it holds and what was seen of it; ``name`` is unique and stable."""

    theme: str
    name: str
    expects: str
    verdict: Verdict
    seen: str
    duration_s: float = 0.0
