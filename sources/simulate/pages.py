"""What both HTTP agencies do with a question: find, page, and misbehave where a fault is switched on.

A question names subjects, each with the items asked for and an instant; the answer holds each subject's record if it
changed at or after that instant, cut into pages. A record's place is its place in the whole answer, so that a fault
that hits one of every n hits some of any answer of n. Poisoned records carry a mark that is replaced in the finished
bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sources.simulate import faults
from sources.simulate.shelf import Register, Row

MARK = "@@POISON@@"
Switches = dict[str, Any]


class BadRequest(Exception):
    """The question cannot be read. Answered with 400, without an echo."""


@dataclass(frozen=True)
class Asked:
    identifier: str
    items: frozenset[str]
    variant: str
    since: datetime | None


@dataclass(frozen=True)
class Page:
    number: int
    pages: int
    total: int
    records: Sequence[tuple[Row, Asked]]


def answer(register: Register, asked: Sequence[Asked], number: int, size: int, switches: Switches) -> Page:
    """One page of the records of those asked."""
    if number < 1 or not 1 <= size <= 10_000 or len(asked) > 10_000:
        raise BadRequest
    questions: dict[str, list[Asked]] = {}
    for a in asked:
        questions.setdefault(a.identifier, []).append(a)
    found = [
        (record, a)
        for record in register.find(list(questions))
        for a in questions[record["identifier"]]
        if a.since is None or record["changed_at"] >= a.since
    ]
    if switches.get("strangers") and asked:
        found += _strangers(register, asked, int(switches["strangers"]))
    total, pages = len(found), max(1, -(-len(found) // size))
    first = 0 if switches.get("duplicate_page") or switches.get("looping_page") else (number - 1) * size
    if switches.get("duplicate_page"):
        pages, total = pages + 1, total * 2
    if switches.get("looping_page"):
        pages = number + 1
    if switches.get("wrong_count"):
        total += 1
    shown = [(record | {"place": at}, a) for at, (record, a) in enumerate(found[first : first + size], first)]
    return Page(number, pages, total, shown)


def _strangers(register: Register, asked: Sequence[Asked], count: int) -> list[tuple[Row, Asked]]:
    """Records that nobody asked for, shown with the items of the first question."""
    named = {a.identifier for a in asked}
    chosen: list[str] = []
    for identifier in register.at:
        if len(chosen) == count:
            break
        if identifier not in named:
            chosen.append(identifier)
    return [(record, asked[0]) for record in register.find(chosen)]


def is_poisoned(record: Row, switches: Switches) -> bool:
    return bool(switches.get("poison")) and faults.is_chosen(record["place"], switches)


def has_unknown_code(record: Row, switches: Switches) -> bool:
    return bool(switches.get("unknown_code")) and faults.is_chosen(record["place"], switches)
