"""A quick look at a batch that is most likely good: everything holds for certain, or Great Expectations is asked.

In: a suite and its frame. Out: whether every expectation certainly holds. False is no verdict: something does not hold,
or this look cannot tell; then Great Expectations evaluates the whole suite, decides, and names the failing rows. So a
batch can only be passed here, never refused, and a property test holds that whatever passes here passes there
(`tests/quality/test_screen.py`).

Most of what Great Expectations spends on a suite is the same whatever the number of rows, and a main job has more than
a hundred suites of a few rows each.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from quality.frames import COVERS
from schemas.expectations import Expectation, Suite

Kwargs = Mapping[str, Any]


def holds(suite: Suite, frame: pd.DataFrame) -> bool:
    """Whether every expectation of the suite certainly holds for every row that it judges."""
    try:
        return all(_KINDS[e.type](frame, e.kwargs, e) for e in suite.expectations)
    except (KeyError, TypeError, ValueError):  # a column that is not there, values that do not compare: not for certain
        return False


def judged(expectation: Expectation, frame: pd.DataFrame) -> int:
    """How many rows the expectation looks at."""
    mask = mask_of(expectation, frame)
    return len(frame) if mask is None else int(frame[mask].sum())


def mask_of(expectation: Expectation, frame: pd.DataFrame | None) -> str | None:
    """The column that says in which rows consent covers what is expected; None where it does in all."""
    name = COVERS + expectation.column
    return name if expectation.covers and frame is not None and name in frame else None


def _values(frame: pd.DataFrame, kwargs: Kwargs) -> Iterable[Any]:
    """The distinct values of the column that are there; most expectations say nothing about a missing one."""
    yield from frame[kwargs["column"]].dropna().unique()


def _is_filled(frame: pd.DataFrame, kwargs: Kwargs, expectation: Expectation) -> bool:
    mask = mask_of(expectation, frame)
    column = frame[kwargs["column"]]
    return bool((column if mask is None else column[frame[mask]]).notna().all())


def _matches(frame: pd.DataFrame, kwargs: Kwargs, _: Expectation) -> bool:
    find = re.compile(kwargs["regex"]).search
    return all(find(value) is not None for value in _values(frame, kwargs))


def _matches_nowhere(frame: pd.DataFrame, kwargs: Kwargs, _: Expectation) -> bool:
    find = re.compile(kwargs["regex"]).search
    return all(find(value) is None for value in _values(frame, kwargs))


def _is_in_set(frame: pd.DataFrame, kwargs: Kwargs, _: Expectation) -> bool:
    known = frozenset(kwargs["value_set"])
    return bool(known) and all(value in known for value in _values(frame, kwargs))


def _is_between(frame: pd.DataFrame, kwargs: Kwargs, _: Expectation) -> bool:
    within = _bounds(kwargs)
    return all(within(value) for value in _values(frame, kwargs))


def _is_as_long(frame: pd.DataFrame, kwargs: Kwargs, _: Expectation) -> bool:
    within = _bounds(kwargs)
    return all(within(len(value)) for value in _values(frame, kwargs))


def _bounds(kwargs: Kwargs) -> Callable[[Any], bool]:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    is_above, is_below = bool(kwargs.get("strict_min")), bool(kwargs.get("strict_max"))

    def within(value: Any) -> bool:
        if low is not None and (value < low or (is_above and value == low)):
            return False
        return high is None or not (value > high or (is_below and value == high))

    return within


def _is_unique(frame: pd.DataFrame, kwargs: Kwargs, _: Expectation) -> bool:
    return not frame[kwargs["column"]].dropna().duplicated().any()


def _are_unique_together(frame: pd.DataFrame, kwargs: Kwargs, _: Expectation) -> bool:
    return not frame[list(kwargs["column_list"])].duplicated().any()


def _is_not_before(frame: pd.DataFrame, kwargs: Kwargs, _: Expectation) -> bool:
    """Judged where both values are there."""
    both = frame[[kwargs["column_A"], kwargs["column_B"]]].dropna()
    return all(a >= b for a, b in zip(both[kwargs["column_A"]], both[kwargs["column_B"]], strict=True))


_KINDS: Mapping[str, Callable[[pd.DataFrame, Kwargs, Expectation], bool]] = {
    "expect_column_values_to_not_be_null": _is_filled,
    "expect_column_values_to_match_regex": _matches,
    "expect_column_values_to_not_match_regex": _matches_nowhere,
    "expect_column_values_to_be_in_set": _is_in_set,
    "expect_column_values_to_be_between": _is_between,
    "expect_column_value_lengths_to_be_between": _is_as_long,
    "expect_column_values_to_be_unique": _is_unique,
    "expect_compound_columns_to_be_unique": _are_unique_together,
    "expect_column_pair_values_a_to_be_greater_than_b": _is_not_before,
}
