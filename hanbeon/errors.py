"""One error family, an exit code per class.

    HanbeonError                 1  a check found something
    ├── UsageError               2  wrong usage or bad input
    ├── ContractError            2  a contract, code list or service definition is wrong
    ├── SettingsError            2  a setting is missing, unknown or malformed
    ├── Refused                  1  consent, approval or quality says no
    │   ├── GateRefused          1  no authorisation covers what was asked
    │   └── BatchRefused         1  the quality gate refused a whole batch (P7)
    ├── IntegrityError           1  files and ledger disagree; nothing flows until resolved (F8, F10)
    ├── SourceError              3  a holder's system failed or sent what it must not (F20 to F29)
    │   └── SchemaDrift          1  a holder changed column, type or code (F22)
    └── DependencyDown           3  a database, server or disk is not there

A message says what happened, why, and what to do next, and never holds a personal value (P8).
"""

from typing import ClassVar


class HanbeonError(Exception):
    """Root of the family. `str(error)` is the sentence shown to the user."""

    exit_code: ClassVar[int] = 1


class UsageError(HanbeonError):
    exit_code = 2


class ContractError(HanbeonError):
    exit_code = 2


class SettingsError(HanbeonError):
    exit_code = 2


class Refused(HanbeonError):
    """Consent, approval or quality says no."""


class GateRefused(Refused):
    """No authorisation and approval cover what was asked; `reason` is from the closed list."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class BatchRefused(Refused):
    """The quality gate refused a whole batch; nothing downstream changed (P7)."""


class IntegrityError(HanbeonError):
    """Files and ledger disagree."""


class SourceError(HanbeonError):
    """A holder's system failed, or sent what it must not send."""

    exit_code = 3


class SchemaDrift(SourceError):
    """A holder's delivery no longer matches its contract (F22)."""

    exit_code = 1


class DependencyDown(HanbeonError):
    exit_code = 3
