"""The hook in the agents' settings: there, whole, and with time enough."""

from __future__ import annotations

from stophooks import invocation
from stophooks.agents import INSTALLABLE, settings
from stophooks.cli import found
from stophooks.cli.health import hooks, problem, warn
from stophooks.cli.scope import target
from stophooks.errors import StophooksError
from stophooks.store import textfile
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.plan import Plan
    from stophooks.proofs import Finding


def findings(plan: Plan | None, *, directory: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Every agent's settings files in every scope; of an agent that is nowhere, nothing."""
    everything: list[Finding] = []
    for sign in found.signs(invocation.environ(), invocation.home()):
        everything += _Agent(sign, plan, directory, environ).findings()
    yield from everything
    if not everything:
        text = "no agent was found on this machine, and no settings file here has the hook"
        yield warn("agents", text, f"Install it: stophooks install {'|'.join(INSTALLABLE)}")


class _Agent:
    """What is found about one agent."""

    def __init__(
        self, sign: found.Sign, plan: Plan | None, directory: str, environ: Mapping[str, str]
    ) -> None:
        self._name = sign.agent
        self._sign = sign
        self._plan = plan
        self._directory = directory
        self._environ = environ
        self._installed: dict[str, str] = {}
        self._unclear = False

    def findings(self) -> Iterator[Finding]:
        for scope in INSTALLABLE[self._name].settings().files:
            try:
                yield from self._scope(scope)
            except settings.SettingsError as err:
                self._unclear = True
                path = target(self._name, scope, directory=self._directory).path
                text = f"the settings are not as {self._name} or stophooks reads them: {err}"
                remedy = "Mend the file; not every agent reads comments, and stophooks reads none."
                yield problem(self._about, text, remedy, where=path)
            except StophooksError as err:
                self._unclear = True
                remedy = f"See `stophooks install {self._name} --{scope}`."
                yield warn(self._about, str(err), remedy)
        yield from self._altogether()

    @property
    def _about(self) -> str:
        return f"agent {self._name}"

    def _scope(self, scope: str) -> Iterator[Finding]:
        meant = target(self._name, scope, directory=self._directory)
        text = textfile.read(meant.path).text
        if text is None or meant.path in self._installed.values():
            return
        hook = hooks.Hook(meant, text, self._plan, self._environ)
        if hook.switch_text:
            remedy = "Remove it, or set it to false."
            yield problem(self._about, hook.switch_text, remedy, where=meant.path)
        if hook.entries:
            self._installed[scope] = meant.path
            yield from hook.findings()

    def _altogether(self) -> Iterator[Finding]:
        if not self._installed and not self._unclear and self._sign.found:
            text = (
                f"it is on this machine ({self._sign.because}), and the hook is in none of its "
                "settings files, so it stops without asking"
            )
            yield warn(self._about, text, f"Install it: stophooks install {self._name}")
        if len(self._installed) > 1:
            text = f"the hook is installed more than once ({', '.join(self._installed)})"
            remedy = f"Leave one: stophooks uninstall {self._name} --{list(self._installed)[-1]}"
            yield warn(self._about, text, remedy)
