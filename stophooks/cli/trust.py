"""``stophooks trust``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import invocation
from stophooks.agents.around import around
from stophooks.cli import console, project
from stophooks.errors import UsageError
from stophooks.invocation.section import RUNNING
from stophooks.lifecycles.cleanup import script
from stophooks.pinning import pin_of, protected
from stophooks.process.family import TOKEN
from stophooks.reports import plan as plans
from stophooks.reports import trust as report
from stophooks.store import contents, state_dir
from stophooks.store.pins import Pins
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from stophooks import config
    from stophooks.store.pin import Pin

YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Adopt it without asking, as in a script of yours.")
]


class NotAPersonError(UsageError):
    """Whoever asks is not, or may not be, a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """What can be adopted: ``fresh`` in place of what ``held`` sessions are held to."""

    fresh: Pin
    held: tuple[Pin, ...]
    is_known: bool

    @property
    def is_new(self) -> bool:
        """Whether anything would be another after it."""
        return not self.is_known or any(not _same(pin, self.fresh) for pin in self.held)


def trust(yes: YesOption = False) -> None:
    """Show what changed in this project's checks, and adopt it where a person says so."""
    _refuse_others(asks=not yes)
    place = project.locate()
    fresh = pin_of("", place, invocation.public_environ())
    if fresh.refusal is not None:
        raise project.ConfigInvalidError(f"Nothing was adopted. {fresh.refusal}")
    with Pins(state_dir(invocation.environ())) as pins:
        offer = _offer(pins, fresh, place)
        if fresh.plan is None and not offer.held:
            raise UsageError(
                f"There is nothing to adopt: no configuration in {place.project_dir}, and no "
                "session of an agent that had one. Write one with: stophooks init"
            )
        if not offer.is_new:
            console.out(f"{_named(fresh)}: nothing to adopt, all of it is in force.")
            return
        console.out(_shown(offer))
        if not (yes or _agreed()):
            console.err("Nothing was adopted.")
            raise typer.Exit(1)
        pins.replace(*(replace(fresh, session=pin.session) for pin in offer.held))
        pins.trust(fresh.project_dir, fresh.digest)
    count = len(offer.held)
    where = f", in {count} {'session' if count == 1 else 'sessions'}" if count else ""
    console.out(f"Adopted{where}.")


def _refuse_others(*, asks: bool) -> None:
    """Refuse an agent, a check, and whoever cannot be asked.

    Raises:
        NotAPersonError: It is one of them.
    """
    environ = invocation.environ()
    found = around(environ)
    if found is not None:
        title, name = found
        raise NotAPersonError(
            f"Nothing was adopted: {title} started this ({name} is set), and an agent cannot trust "
            "for itself. Call it in a terminal of your own."
        )
    if RUNNING in environ or TOKEN in environ:
        raise NotAPersonError(
            "Nothing was adopted: a check started this, and no check can trust. Call it in a "
            "terminal of your own."
        )
    if asks and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NotAPersonError(
            "Nothing was adopted: there is no terminal to show it in and to ask on. Call it in a "
            "terminal, or add --yes where you have looked at the difference."
        )


def _offer(pins: Pins, fresh: Pin, place: config.Place) -> _Offer:
    directories = dict.fromkeys((fresh.project_dir, *_up_to(place.project_dir)))
    held = [pin for name in directories for pin in pins.of_project(name)]
    return _Offer(
        fresh=fresh,
        held=tuple(held),
        is_known=fresh.digest in pins.trusted(fresh.project_dir),
    )


def _up_to(project_dir: str) -> list[str]:
    """The directories that a session of this project may have begun in without a configuration.

    The working directory and those above it, up to the root of the repository.
    """
    found = [invocation.directory()]
    while not os.path.lexists(os.path.join(found[-1], ".git")):
        above = os.path.dirname(found[-1])
        if above == found[-1]:
            return [project_dir, found[0]]
        found.append(above)
    return found


def _shown(offer: _Offer) -> str:
    """All that differs from what is in force, or all there is where nothing is."""
    fresh = offer.fresh
    seen: list[Pin] = []
    parts = []
    for pin in offer.held:
        if _same(pin, fresh) or any(_same(pin, other) for other in seen):
            continue
        seen.append(pin)
        parts += _differences(pin, fresh)
    if not parts and fresh.plan is not None:
        parts = [plans.text(fresh.plan, invocation.mask(fresh.plan))]
    return "\n\n".join((_named(fresh), *parts))


def _differences(pin: Pin, fresh: Pin) -> list[str]:
    """What is another than when a session began; of files, of what it is held to."""
    scripts = {path: contents.print_of(path) for path in pin.scripts} | fresh.scripts
    files = (protected(pin.plan) or {}) if pin.plan else {}
    known = fresh.plan or pin.plan
    mask = invocation.mask(known) if known else None
    parts = (
        report.difference(pin.plan, fresh.plan, mask),
        report.files("Configuration", contents.differences(pin.files, fresh.files)),
        report.files("Scripts that checks start", contents.differences(pin.scripts, scripts)),
        report.files("Protected files", contents.differences(pin.protected or {}, files)),
        report.files("What cleans up behind a session", _of_cleanup(pin, fresh)),
    )
    return [part for part in parts if part]


def _of_cleanup(pin: Pin, fresh: Pin) -> dict[str, str]:
    before, now = ({script.NAME: script.print_in(one.on_cleanup)} for one in (pin, fresh))
    return contents.differences(before, now)


def _same(pin: Pin, other: Pin) -> bool:
    """Whether two sessions would be held to the same."""
    return replace(pin, session="", tree=None) == replace(other, session="", tree=None)


def _named(fresh: Pin) -> str:
    name = fresh.plan.config_path if fresh.plan else "no configuration"
    return f"{name} (project {fresh.project_dir})"


def _agreed() -> bool:
    console.raw_err("Adopt it? [y/N] ")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
