"""A register in the memory of the HTTP agencies: found by identifier, read anew when the world has moved on."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from sources.simulate import forms, store
from sources.simulate.store import Frames

Row = dict[str, Any]


@dataclass(frozen=True)
class Register:
    """`at` is the place of an identifier's record in `header`, as in its column `place`; `spans` its groups' lines."""

    header: pl.DataFrame
    groups: dict[str, pl.DataFrame]
    at: dict[str, int]
    spans: dict[str, dict[str, tuple[int, int]]]

    def find(self, identifiers: Sequence[str]) -> list[Row]:
        """Records in the order asked, each with its lines under the group's name; unknown identifiers are left out."""
        places = [p for i in identifiers if (p := self.at.get(i)) is not None]
        found: list[Row] = self.header[places].to_dicts() if places else []
        for name, lines in self.groups.items():
            spans = self.spans[name]
            wanted = [spans.get(r["record_id"], (0, 0)) for r in found]
            taken = lines[[i for first, last in wanted for i in range(first, last)]].to_dicts()
            position = 0
            for record, (first, last) in zip(found, wanted, strict=True):
                record[name] = taken[position : position + last - first]
                position += last - first
        return found


def stock(tables: Frames, name: str) -> Register:
    header = tables[name]
    groups, spans = {}, {}
    for group in store.REGISTERS[name]:
        lines = tables[f"{name}__{group}"].sort("record_id", "line_no")
        ends = lines.group_by("record_id", maintain_order=True).len().with_columns(last=pl.col("len").cum_sum())
        counted = ends.select("record_id", first=pl.col("last") - pl.col("len"), last="last")
        groups[group] = lines
        spans[group] = {r: (first, last) for r, first, last in counted.iter_rows()}
    at = {identifier: i for i, identifier in enumerate(header["identifier"])}
    return Register(header, groups, at, spans)


class Shelf:
    """The registers of one process, read when they are first asked for, and again when the state file has changed."""

    def __init__(self, home: Path) -> None:
        self._home, self._lock = home, threading.Lock()
        self._mark = 0
        self._registers: dict[str, Register] = {}

    def get(self, name: str) -> Register:
        mark = (store.folder(self._home) / "state.json").stat().st_mtime_ns
        with self._lock:
            if mark != self._mark:
                self._registers, self._mark = {}, mark
            if name not in self._registers:
                self._registers[name] = stock(forms.delivered(name, store.register(self._home, name)), name)
            return self._registers[name]
