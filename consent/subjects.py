"""One subject under many numbers: a person's resident, passport, licence and business number, a firm's two.

In: a connection, the secrets, and what each subject is known by. Out: one key a subject, under which every number is
found from then on. Who says that numbers are one subject's is the identity provider, or whoever opens the application.
"""

from collections.abc import Sequence
from datetime import datetime

import psycopg

from consent import vault
from consent.secrets import Secrets
from hanbeon.errors import UsageError

Number = tuple[str, str]  # kind of identifier, identifier


def meet(conn: psycopg.Connection, secrets: Secrets, subjects: Sequence[Sequence[Number]], at: datetime) -> list[int]:
    """The key of each subject, in order; all its numbers stand for it afterwards. One transaction.

    A number that is known gives the key, else the first one assigns it. Raises UsageError when numbers of one subject
    stand for two keys already: two identities are never joined.
    """
    if any(not numbers for numbers in subjects):
        raise UsageError("A subject is named by one number at least. Leave out who has none.")
    every = [n for numbers in subjects for n in dict.fromkeys(numbers)]
    if len(set(every)) < len(every):
        raise UsageError("One number stands for two of these subjects. Two identities are never joined.")
    with conn.transaction():
        known = _known(conn, secrets, subjects)
        keys: list[int | None] = []
        for numbers in subjects:
            found = {known[n] for n in numbers if n in known}
            if len(found) > 1:
                raise UsageError(
                    "Numbers of one subject stand for two subjects already. Two identities are never joined."
                )
            keys.append(found.pop() if found else None)
        firsts = [numbers[0] for numbers, key in zip(subjects, keys, strict=True) if key is None]
        known |= _assigned(conn, secrets, firsts, at)
        assigned = [known[numbers[0]] if key is None else key for numbers, key in zip(subjects, keys, strict=True)]
        _link(conn, secrets, subjects, assigned, known, at)
    return assigned


def _of_kinds(numbers: Sequence[Number]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kind, identifier in numbers:
        found.setdefault(kind, []).append(identifier)
    return found


def _known(conn: psycopg.Connection, secrets: Secrets, subjects: Sequence[Sequence[Number]]) -> dict[Number, int]:
    known: dict[Number, int] = {}
    for kind, given in _of_kinds([n for numbers in subjects for n in numbers]).items():
        keys = vault.find(conn, secrets, kind, given).to_pylist()
        known |= {(kind, i): key for i, key in zip(given, keys, strict=True) if key is not None}
    return known


def _assigned(conn: psycopg.Connection, secrets: Secrets, firsts: Sequence[Number], at: datetime) -> dict[Number, int]:
    known: dict[Number, int] = {}
    for kind, given in _of_kinds(firsts).items():
        keys = vault.keys(conn, secrets, kind, given, at).to_pylist()
        known |= {(kind, i): key for i, key in zip(given, keys, strict=True)}
    return known


def _link(
    conn: psycopg.Connection,
    secrets: Secrets,
    subjects: Sequence[Sequence[Number]],
    keys: Sequence[int],
    known: dict[Number, int],
    at: datetime,
) -> None:
    new: dict[str, dict[int, str]] = {}
    for numbers, key in zip(subjects, keys, strict=True):
        for kind, identifier in numbers:
            if (kind, identifier) not in known:
                new.setdefault(kind, {})[key] = identifier
    for kind, given in new.items():
        vault.link_many(conn, secrets, kind, given, at)
