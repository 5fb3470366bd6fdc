"""Errors of the consent room, under the ground floor's family.

UsageError
└── ForbiddenTransition      2  the state machine does not allow this event now
IntegrityError
└── WrongKeys                1  the key files are not those that the vault was made with
"""

from hanbeon.errors import IntegrityError, UsageError


class ForbiddenTransition(UsageError):
    """The authorisation's, approval's or application's state does not allow this event."""


class WrongKeys(IntegrityError):
    """The key files under `home/keys` are not those that this database was filled with."""
