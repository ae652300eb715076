"""Errors a person can meet: each says what, where, and the remedy, in that order."""


class StophooksError(Exception):
    """An expected failure; its text is shown to a person as it is, without a traceback."""


class UsageError(StophooksError):
    """The command line or its surroundings ask for something that cannot be done."""


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
