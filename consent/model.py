"""The words of consent as types: what an authorisation, an approval and an application are.

In: nothing. Out: enums and frozen dataclasses that check their own form when made (UsageError with a sentence).
`TRANSITIONS` is the life of an authorisation as data; the diagram in the docs and the tests read it from here.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar
from unicodedata import category

from hanbeon.errors import UsageError

Member = TypeVar("Member", bound=StrEnum)


class Kind(StrEnum):
    """Why a record may flow."""

    CONSENT = "consent"  # e-Gov Act 42
    DEMAND = "demand"  # e-Gov Act 43-2
    STATUTE = "statute"  # Decree 49


class Mode(StrEnum):
    ONE_TIME = "one_time"
    STANDING = "standing"


class Capacity(StrEnum):
    """As whom a grantor consents. All but `self` rest on a recorded representation (`consent.representations`)."""

    SELF = "self"
    GUARDIAN_OF_CHILD = "guardian_of_child"  # of a child under 14 (PIPA 22-2), until its birthday
    GUARDIAN_OF_WARD = "guardian_of_ward"  # as the guardianship register (GRDN) says
    HEIR = "heir"  # of a person who has died
    REPRESENTATIVE = "representative"  # of a business or corporation
    OWNER = "owner"  # of a parcel, building or vehicle


class Cycle(StrEnum):
    """How often a standing authorisation lets a holder be asked (Decree 51-2 (3)); without one, at each run."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class State(StrEnum):
    """Of an authorisation. Only a granted one lets anything flow."""

    GRANTED = "granted"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CONSUMED = "consumed"


class ApprovalState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"  # e-Gov Act 41
    ENDED = "ended"


class ApplicationState(StrEnum):
    OPEN = "open"
    DECIDED = "decided"


class Decision(StrEnum):
    """How an application ended. `withdrawn` is the citizen's own."""

    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Event(StrEnum):
    """What can happen to an authorisation. A standing one is `used`, a one-time one `consumed`."""

    GRANTED = "granted"
    PAUSED = "paused"
    RESUMED = "resumed"
    RENEWED = "renewed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CONSUMED = "consumed"
    USED = "used"


# (state before, event) -> state after. A pair that is missing is refused; None is "not there yet".
TRANSITIONS: dict[tuple[State | None, Event], State] = {
    (None, Event.GRANTED): State.GRANTED,
    (State.GRANTED, Event.PAUSED): State.PAUSED,
    (State.GRANTED, Event.RENEWED): State.GRANTED,
    (State.GRANTED, Event.USED): State.GRANTED,
    (State.GRANTED, Event.CONSUMED): State.CONSUMED,
    (State.GRANTED, Event.WITHDRAWN): State.WITHDRAWN,
    (State.GRANTED, Event.EXPIRED): State.EXPIRED,
    (State.PAUSED, Event.RESUMED): State.GRANTED,
    (State.PAUSED, Event.RENEWED): State.PAUSED,
    (State.PAUSED, Event.CONSUMED): State.CONSUMED,
    (State.PAUSED, Event.WITHDRAWN): State.WITHDRAWN,
    (State.PAUSED, Event.EXPIRED): State.EXPIRED,
    # A citizen may always withdraw: of what has ended by itself this also ends the keeping of what it let in.
    (State.EXPIRED, Event.WITHDRAWN): State.WITHDRAWN,
    (State.CONSUMED, Event.WITHDRAWN): State.WITHDRAWN,
}

# Said again, these change nothing and are no error: a retry of a withdrawal must not fail (F40).
IDEMPOTENT: frozenset[tuple[State, Event]] = frozenset(
    {(State.WITHDRAWN, Event.WITHDRAWN), (State.CONSUMED, Event.CONSUMED), (State.EXPIRED, Event.EXPIRED)}
)

APPROVAL_TRANSITIONS: dict[tuple[ApprovalState | None, str], ApprovalState] = {
    (None, "approval_granted"): ApprovalState.ACTIVE,
    (ApprovalState.ACTIVE, "approval_suspended"): ApprovalState.SUSPENDED,
    (ApprovalState.SUSPENDED, "approval_resumed"): ApprovalState.ACTIVE,
    (ApprovalState.ACTIVE, "approval_ended"): ApprovalState.ENDED,
    (ApprovalState.SUSPENDED, "approval_ended"): ApprovalState.ENDED,
}


# Every kind of event that the ledger can hold: those of authorisations, and these. What is new here, `verify.events`
# must know too.
OTHER_EVENTS = frozenset(
    {
        *(event for _, event in APPROVAL_TRANSITIONS),
        *("application_opened", "paper_brought", "application_decided"),
        *("representation_recorded", "representation_ended"),
        *("death_recorded", "death_corrected"),
        *("disclosure_blocked", "disclosure_block_lifted"),
        *("hold_placed", "hold_lifted"),
        *("dispute_opened", "dispute_answered", "dispute_corrected"),
    }
)
EVENT_KINDS = OTHER_EVENTS | {str(event) for event in Event}


class Reason(StrEnum):
    """Why an authorisation's row does not flow: a closed list. The first that applies, in this order, is told."""

    NEVER_SHAREABLE = "never_shareable"  # court trial data (INSV), whatever is consented (P1)
    DISCLOSURE_BLOCKED = "disclosure_blocked"  # a victim's block against the grantor wins over everything
    INCOMPLETE = "incomplete"  # a deciding value is missing or unknown: NULL means no
    NO_EVIDENCE = "no_evidence"  # nobody signed that the citizen consents or demands
    WITHDRAWN = "withdrawn"
    CONSUMED = "consumed"  # the one use of a one-time authorisation is over
    EXPIRED = "expired"
    PAUSED = "paused"
    NOT_YET_VALID = "not_yet_valid"
    DATA_LIFE_OVER = "data_life_over"  # what it let in may not be kept any longer
    GRANTOR_DECEASED = "grantor_deceased"
    UNDER_AGE = "under_age"  # a child under 14 cannot consent herself
    GUARDIANSHIP_ENDED = "guardianship_ended"  # of age, or as the register says: suspended until renewed
    NO_CAPACITY = "no_capacity"  # nothing recorded says that the grantor may consent for this subject
    UNKNOWN_DOCUMENT_TYPE = "unknown_document_type"  # no source contract
    NO_IDENTIFIER_STATUTE = "no_identifier_statute"  # found by a resident number, and no statute is named (PIPA 24-2)
    WRONG_HOLDER = "wrong_holder"  # the contract names another holder
    COLUMN_OUTSIDE_CONTRACT = "column_outside_contract"
    OUTSIDE_SERVICE = "outside_service"  # the service's recipient or purpose differs, or it does not need the document
    WRONG_GROUND = "wrong_ground"  # by statute, of what the service takes with consent alone (Decree 49)
    WIDER_VARIANT = "wider_variant"  # wider than the service needs (P2), or not a variant of the document
    NO_APPROVAL = "no_approval"
    APPROVAL_SUSPENDED = "approval_suspended"
    APPROVAL_ENDED = "approval_ended"
    APPROVAL_NOT_YET_VALID = "approval_not_yet_valid"


class Unasked(StrEnum):
    """Why a holder is not asked again, although what it gave may stand until the authorisation ends."""

    FREQUENCY_EXCEEDED = "frequency_exceeded"  # asked as often as the authorisation allows
    NOT_DUE = "not_due"  # asked already in this cycle


@dataclass(frozen=True)
class Scope:
    """What of whom: one row of the authorisation's grain. `columns` are official paths."""

    subject_key: int
    document_type: str
    variant: str
    columns: tuple[str, ...]
    holder: str

    def __post_init__(self) -> None:
        _need_texts(self, "document_type", "variant", "holder")
        _need_key(self.subject_key, "A subject key")
        object.__setattr__(self, "columns", tuple(self.columns))
        if not _are_columns(self.columns):
            raise UsageError(f"A scope for {self.document_type} names no columns. Name each column that may flow.")


@dataclass(frozen=True)
class Sealed:
    """Evidence that was checked: digest (hex) of the canonical evidence, and its ciphertext (`consent.sealing`)."""

    digest: str
    ciphertext: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Grant:
    """An authorisation to be recorded. Intervals are half-open: valid at `valid_from`, not at `valid_until`."""

    kind: Kind
    grantor_key: int | None
    application_id: str | None
    recipient: str
    service: str
    purpose: str
    legal_basis: str
    mode: Mode
    valid_from: datetime
    valid_until: datetime
    retain_until: datetime
    scopes: tuple[Scope, ...]
    cycle: str | None = None
    frequency_cap: int | None = None
    notice_version: str | None = None
    notice_hash: str | None = None
    grounds: tuple[str, ...] = ()  # the separate consents that were given (schemas.notices)
    evidence: Sealed | None = None
    grantor_capacity: str | None = None
    identifier_statute: str | None = None
    approval_id: str | None = None
    authorisation_id: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", member(Kind, self.kind))
        object.__setattr__(self, "mode", member(Mode, self.mode))
        object.__setattr__(self, "scopes", tuple(self.scopes))
        object.__setattr__(self, "grounds", tuple(self.grounds))
        _need_texts(self, "recipient", "service", "purpose", "legal_basis")
        _need_interval(self.valid_from, self.valid_until, "An authorisation")
        _need_instant(self.retain_until, "retain_until")
        if not self.scopes:
            raise UsageError("An authorisation without scopes authorises nothing. Name at least one document.")
        if len({(s.document_type, s.subject_key) for s in self.scopes}) < len(self.scopes):
            raise UsageError("An authorisation names each document type and subject once. Merge the repeated scopes.")
        if self.kind is not Kind.STATUTE and self.grantor_key is None:
            raise UsageError(f"A {self.kind} has a grantor. Only a statutory ground stands without one.")
        if self.grantor_key is not None:
            _need_key(self.grantor_key, "A grantor key")
        if self.frequency_cap is not None and self.frequency_cap < 1:
            raise UsageError("A frequency cap is at least 1.")
        if self.cycle is not None:
            object.__setattr__(self, "cycle", member(Cycle, self.cycle))
        if self.grantor_capacity is not None:
            object.__setattr__(self, "grantor_capacity", member(Capacity, self.grantor_capacity))


@dataclass(frozen=True)
class Approval:
    """The agreement by which a holder gives a document type to a recipient for a purpose (e-Gov Act 39)."""

    holder: str
    recipient: str
    document_type: str
    purpose: str
    legal_basis: str
    valid_from: datetime
    valid_until: datetime
    storage: str = "lake"
    approval_id: str | None = None
    reference: str | None = None  # the agreement's document; what proves it lies with the agencies

    def __post_init__(self) -> None:
        _need_texts(self, "holder", "recipient", "document_type", "purpose", "legal_basis", "storage")
        _need_interval(self.valid_from, self.valid_until, "An approval")


@dataclass(frozen=True)
class Application:
    """One request for one service. `applicant_kind` is the kind of identifier that names who applies; None: the
    service's usual one. `members` are the other persons of the household whom the service looks at too, `not_concerned`
    the document types of which who applies says that they do not concern her."""

    application_id: str | None
    service: str
    recipient: str
    applicant_key: int
    opened_at: datetime
    applicant_kind: str | None = None
    members: tuple[int, ...] = ()
    not_concerned: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _need_texts(self, "service", "recipient")
        _need_key(self.applicant_key, "An applicant key")
        for key in self.members:
            _need_key(key, "A member's key")
        _need_instant(self.opened_at, "opened_at")


@lru_cache  # the same few lists come by the hundred thousand
def _are_columns(columns: tuple[str, ...]) -> bool:
    return bool(columns) and all(isinstance(c, str) and c and is_line(c) for c in columns)


def need_instant(value: datetime, name: str) -> datetime:
    """The instant, if it is one: aware, not a local time. Raises UsageError."""
    _need_instant(value, name)
    return value


def member(kind: type[Member], value: str) -> Member:
    try:
        return kind(value)
    except ValueError:
        raise UsageError(f"{kind.__name__} must be one of {', '.join(kind)}.") from None


def _need_texts(record: object, *names: str) -> None:
    """Every text of the record is one line of valid Unicode; those named are not empty."""
    for name, value in vars(record).items():
        if isinstance(value, str) and not is_line(value):
            raise UsageError(f"{type(record).__name__}.{name} must be one line of text without control characters.")
    for name in names:
        value = getattr(record, name)
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f"{type(record).__name__}.{name} must be a text that is not empty.")


def is_line(text: str) -> bool:
    """Whether a text holds no control character and no lone surrogate."""
    return text.isprintable() or not any(category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)


def _need_key(value: int, what: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise UsageError(f"{what} must be a 64-bit integer, as the vault gives it.")


def _need_instant(value: datetime, name: str) -> None:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise UsageError(f"{name} must be an instant with its time zone.")


def _need_interval(start: datetime, end: datetime, what: str) -> None:
    _need_instant(start, "valid_from")
    _need_instant(end, "valid_until")
    if start >= end:
        raise UsageError(f"{what} must begin before it ends: valid_from lies before valid_until.")
