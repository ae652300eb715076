"""Errors a person can meet: each says what, where, and the remedy, in that order."""


class StophooksError(Exception):
    """An expected failure; its text is shown to a person as it is, without a traceback."""


class UsageError(StophooksError):
    """The command line or its surroundings ask for something that cannot be done."""


class ProjectBusyError(StophooksError):
    """Another run has this project's turn, and this one does not wait for it (any longer)."""


class ExecutorUnavailableError(StophooksError):
    """This machine cannot run the command; the command itself has not failed.

    Args:
        reason: What is missing and where it was looked for.
        remedy: What a person does about it.
        fault: Short class of the fault, for machines (``daemon-unreachable``, ``image-missing`` …).
    """

    def __init__(self, reason: str, *, remedy: str, fault: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy
        self.fault = fault


class StoreError(StophooksError):
    """What has to be remembered between two runs could not be read or written."""


def last_resort(error: BaseException) -> str:
    """The reason of a block when nothing else works: plain ASCII without quotes.

    It needs no import, because what is broken may be the import of a module.
    """
    return (
        "stophooks could not run the checks, by a fault of its own or of this machine "
        f"({type(error).__name__}). They did not pass. Tell the person: `stophooks run` in the "
        "project shows more."
    )
