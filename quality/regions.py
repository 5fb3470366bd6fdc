"""Region codes as of a day: a code that did not exist yet fails, one that nobody can translate is noted.

The contract says of which day a code is (`standardised: {by: region, asOf: …}`), `schemas.succession` what existed on
it: the same list by which the staging models standardise. A code that never existed breaks its code list already.
"""

from collections.abc import Iterator

import pandas as pd

from quality.frames import Frame
from schemas.column import Column
from schemas.contract import Contract
from schemas.expectations import Expectation
from schemas.standard import official
from schemas.succession import ended, is_left_open, since

SINCE = "_since_"
LEFT_OPEN = "_left_open_"


def dated(contract: Contract, group: str | None) -> Iterator[tuple[Column, str]]:
    """The region columns of one frame, each with the official name of the column that dates it."""
    columns = contract.columns if group is None else next(g.columns for g in contract.groups if g.name == group)
    yield from ((c, str(c.standardised["asOf"])) for c in columns if c.standardised.get("by") == "region")


def expectations(contract: Contract, group: str | None) -> tuple[Expectation, ...]:
    return tuple(_existed(official(c), as_of, group) for c, as_of in dated(contract, _inside(contract, group)))


def add_helpers(contract: Contract, found: tuple[Frame, ...]) -> None:
    """The first day of each code, and whether it is left as it was delivered although abolished."""
    for frame in found:
        for column, as_of in dated(contract, _inside(contract, frame.group)):
            name, codes = official(column), str(column.code_list)
            known = since(codes)
            values, days = frame.data[name], frame.data[as_of]
            frame.data[SINCE + name] = _texts(known.get(v) for v in values)
            frame.data[LEFT_OPEN + name] = pd.Series(
                [isinstance(v, str) and _is_open(codes, v, day) for v, day in zip(values, days, strict=True)],
                dtype=bool,
            )


def _is_open(codes: str, code: str, day: object) -> bool:
    """Without its day (consent does not cover it) a code stays as it was delivered, whatever followed it."""
    return is_left_open(codes, code, day) if isinstance(day, str) else code in ended(codes)


def _inside(contract: Contract, group: str | None) -> str | None:
    """The frame of a child table is its contract's own columns."""
    return None if group == contract.group else group


def _texts(values: Iterator[str | None]) -> pd.Series:
    return pd.Series(list(values), dtype=object)


def _existed(name: str, as_of: str, group: str | None) -> Expectation:
    kwargs = {"column_A": as_of, "column_B": SINCE + name, "or_equal": True, "ignore_row_if": "either_value_is_missing"}
    sentence = f"is a code that existed on {as_of}"
    return Expectation("expect_column_pair_values_a_to_be_greater_than_b", kwargs, sentence, name, group)
