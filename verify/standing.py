"""What may stand in a lake at a ledger position and an instant: P1, worked out once more.

In: the lives that the ledger's events tell of (`verify.events`). Out: for each authorisation that is open, the
subjects, documents, variants and columns with which an approval goes and against which no death, no disclosure block
and no missing representation stands. That a grantor is under 14, and what a service needs, no event says. Shares no
code with the gate.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from verify.events import Life, Lives

Key = tuple[int, str, str]  # subject key, document type, variant
Agreement = tuple[str, str, str, str]  # holder, recipient, document type, purpose
NEVER_SHAREABLE = "INSV"  # court trial data


@dataclass(frozen=True)
class Scope:
    """What one authorisation names of one subject and document, and whether nothing stands against it."""

    key: Key
    columns: frozenset[str]  # official paths
    recipient: str
    kept_out: frozenset[int]  # persons about whom no line may stand
    stands: bool = True


@dataclass
class Standing:
    """What stands at a position. An id that is missing in `scopes` is of no open authorisation."""

    scopes: dict[str, list[Scope]]
    _united: dict[tuple[Key, str | None], frozenset[str]] = field(default_factory=dict)
    _by_key: dict[Key, list[Scope]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for scopes in self.scopes.values():
            for scope in (scope for scope in scopes if scope.stands):
                self._by_key[scope.key].append(scope)

    def columns(self, key: Key, recipient: str | None) -> frozenset[str]:
        """All that the authorisations of everybody, or of one recipient, let stand together."""
        if (key, recipient) not in self._united:
            own = [s.columns for s in self._by_key.get(key, ()) if recipient in (None, s.recipient)]
            self._united[key, recipient] = frozenset().union(*own)
        return self._united[key, recipient]

    def kept_out(self, key: Key) -> frozenset[int]:
        return frozenset().union(*(s.kept_out for s in self._by_key.get(key, ())))


def standing(lives: Lives, at: datetime) -> Standing:
    """What may stand at this instant."""
    by_name: dict[str, list[Life]] = defaultdict(list)
    for one in lives.values():
        if not one.emptied:
            by_name[one.life].append(one)
    agreed = {
        (a["holder"], a["recipient"], a["document_type"], a["purpose"])
        for a in (one.said for one in by_name["approval"] if one.state == "active")
        if instant(a["valid_from"]) <= at < instant(a["valid_until"])
    }
    facts = _facts(by_name, at)
    found = {}
    for one in by_name["authorisation"]:
        a = one.said
        is_open = one.state == "granted" and instant(a["valid_from"]) <= at < instant(a["valid_until"])
        if is_open and at < instant(a["retain_until"]):
            found[a["authorisation_id"]] = list(_scopes(a, agreed, facts))
    return Standing(found)


def turns(lives: Lives) -> list[datetime]:
    """The instants, in order, at which something that these lives tell of begins or ends by its own term."""
    named = ("valid_from", "valid_until", "retain_until")
    said = {one.said.get(name) for one in lives.values() for name in named}
    return sorted(instant(text) for text in said if text is not None)


@dataclass(frozen=True)
class _Facts:
    dead: set[int]
    blocked: dict[int, set[int]]  # restricted person -> victims
    acting: set[tuple[int, int, str]]  # (represented, representative, capacity) in force


def _facts(by_name: Mapping[str, list[Life]], at: datetime) -> _Facts:
    blocked: dict[int, set[int]] = defaultdict(set)
    for one in by_name["block"]:
        if one.state == "blocked":
            blocked[int(one.said["restricted_key"])].add(int(one.said["victim_key"]))
    acting = set()
    for one in by_name["representation"]:
        r, until = one.said, one.said["valid_until"]
        is_over = one.state == "ended" or (until is not None and instant(until) <= at)
        if not is_over and instant(r["valid_from"]) <= at:
            acting.add((int(r["represented_key"]), int(r["representative_key"]), r["capacity"]))
    return _Facts({int(d.said["subject_key"]) for d in by_name["death"] if d.state == "recorded"}, blocked, acting)


def _scopes(a: Mapping[str, Any], agreed: set[Agreement], facts: _Facts) -> Iterator[Scope]:
    grantor = None if a["grantor_key"] is None else int(a["grantor_key"])
    capacity = a["grantor_capacity"] or "self"
    is_statute = a["kind"] == "statute"
    is_proven = is_statute or (grantor is not None and grantor not in facts.dead and a["evidence_digest"] is not None)
    for scope in a["scopes"]:
        subject, document = int(scope["subject_key"]), scope["document_type"]
        acts = (subject, grantor, capacity) in facts.acting and (capacity == "heir") == (subject in facts.dead)
        may_say = is_statute or grantor == subject or acts
        victims = facts.blocked.get(subject, set()) | facts.blocked.get(grantor or 0, set())
        is_blocked = grantor is not None and subject in facts.blocked.get(grantor, set())
        is_agreed = (scope["holder"], a["recipient"], document, a["purpose"]) in agreed
        stands = is_proven and may_say and is_agreed and not is_blocked and document != NEVER_SHAREABLE
        key = (subject, document, scope["variant"])
        yield Scope(key, frozenset(scope["columns"]), a["recipient"], frozenset(victims), stands)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
