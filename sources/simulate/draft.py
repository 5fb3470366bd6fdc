"""One day of the world while it is being changed: the base tables, and the rows that events have touched so far.

Row ids are dense, so that a row is found by its place; new rows are appended. `touch` marks whose records an event may
have changed, and when; `closure` widens that to everybody whose record names them.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl

from sources.simulate.store import BASE_KEYS, Frames

Row = dict[str, Any]


class Draft:
    """Base tables with an overlay of changed rows; `settle` merges the overlay and gives it back."""

    def __init__(self, tables: Frames) -> None:
        self.tables = tables
        self._changed: dict[str, dict[int, Row]] = {name: {} for name in BASE_KEYS}
        self._touched: dict[int, datetime] = {}
        self._firms: dict[int, datetime] = {}

    def size(self, table: str) -> int:
        return len(self.tables[table]) + sum(i >= len(self.tables[table]) for i in self._changed[table])

    def row(self, table: str, key: int) -> Row:
        """A copy of the row as it is now."""
        changed = self._changed[table].get(key)
        return dict(changed) if changed is not None else self.tables[table].row(key, named=True)

    def find(self, table: str, **equal: Any) -> list[Row]:
        """Rows whose columns equal the values given, as they are now, in the order of their ids."""
        key, changed = BASE_KEYS[table], self._changed[table]
        condition = [pl.col(c) == v for c, v in equal.items()]
        found = {
            r[key]: r for r in self.tables[table].filter(*condition).iter_rows(named=True) if r[key] not in changed
        }
        found |= {i: dict(r) for i, r in changed.items() if all(r[c] == v for c, v in equal.items())}
        return [found[i] for i in sorted(found)]

    def put(self, table: str, row: Row, at: datetime) -> None:
        self._changed[table][row[BASE_KEYS[table]]] = row | {"changed_at": at}

    def change(self, table: str, key: int, at: datetime, **values: Any) -> Row:
        row = self.row(table, key) | values
        self.put(table, row, at)
        return row

    def add(self, table: str, at: datetime, **values: Any) -> Row:
        row = {BASE_KEYS[table]: self.size(table)} | values
        self.put(table, row, at)
        return row

    def members(self, household_id: int) -> list[Row]:
        return self.find("persons", household_id=household_id)

    def touch(self, people: Iterable[int], at: datetime) -> None:
        """Call before and after an event, so that those who were named and those who are named now are reached."""
        for person in people:
            for one in self.related(person):
                self._touched[one] = max(at, self._touched.get(one, at))
            for period in self.find("insurance", person_id=person, kind="1"):
                if period["lost"] is None:  # the employer's roster names its workers
                    self.touch_firm(period["corporation_id"], at)

    def touch_firm(self, corporation_id: int, at: datetime) -> None:
        self._firms[corporation_id] = max(at, self._firms.get(corporation_id, at))

    def related(self, person: int) -> set[int]:
        """The person, the household, the family of first degree, and those who insure or are insured."""
        row = self.row("persons", person)
        found = {person, *(row[c] for c in ("father_id", "mother_id", "spouse_id"))}
        for column in ("father_id", "mother_id", "spouse_id"):
            found |= {r["person_id"] for r in self.find("persons", **{column: person})}
        if row["household_id"] is not None:
            found |= {r["person_id"] for r in self.members(row["household_id"])}
        found |= {r["subscriber_id"] for r in self.find("insurance", person_id=person)}
        found |= {r["person_id"] for r in self.find("insurance", subscriber_id=person)}
        found |= {r["person_id"] for r in self.find("disabilities", guardian_id=person)}
        return found - {None}

    @property
    def touched(self) -> dict[int, datetime]:
        return self._touched

    @property
    def touched_firms(self) -> dict[int, datetime]:
        return self._firms

    def settle(self) -> Frames:
        """Merge the overlay into the tables. The changed rows of each table."""
        made = {}
        for name, rows in self._changed.items():
            table, key = self.tables[name], BASE_KEYS[name]
            changed = pl.DataFrame([rows[i] for i in sorted(rows)], schema=table.schema, orient="row")
            kept = table.filter(~pl.col(key).is_in(changed[key].implode()))
            self.tables[name] = pl.concat([kept, changed]).sort(key) if rows else table
            made[name] = changed
        return made
