"""What a contract cannot say about one column: how columns, lines and documents hang together.

One entry for each document type and frame. An expectation that needs a fact over several rows gets it as a helper
column (`_householders`), computed here; a helper is empty where consent does not cover what it counts.
"""

from collections.abc import Callable, Mapping

import pandas as pd

from quality import regions
from quality.frames import Covered, Frame
from schemas.contract import Contract
from schemas.expectations import ROW, Expectation

SEOUL = "Asia/Seoul"
OBSERVED_DAY = "_observed_day"
HOUSEHOLDERS = "_householders"
SPOUSES = "_spouses"
HOUSEHOLDER = ("본인",)
SPOUSE = ("002", "003")


def expectations(contract: Contract, group: str | None) -> tuple[Expectation, ...]:
    """The hand-written expectations of one frame. Counts over lines need a source contract, where lines are inside.

    They speak of today's columns; a former version is held to those whose columns it has.
    """
    found = _WITHIN_ROW.get((contract.properties.get("documentType", ""), group), ())
    if contract.is_former:
        names = {c.name for c in contract.columns}
        found = tuple(e for e in found if names.issuperset(n for n in _columns_of(e) if not n.startswith("_")))
    if contract.kind == "source" and group is None:
        found = (*found, *_OVER_LINES.get(contract.document_type, ()))
    return (*found, *regions.expectations(contract, group))


def _columns_of(expectation: Expectation) -> set[str]:
    return {str(v) for k, v in expectation.kwargs.items() if k in ("column", "column_A", "column_B")}


def add_helpers(contract: Contract, found: tuple[Frame, ...], covered: Covered) -> None:
    """Add the helper columns that the expectations of this contract name."""
    regions.add_helpers(contract, found)
    by_group = {f.group: f.data for f in found}
    for frame in found:
        if "MVIN_YMD" in frame.data:
            frame.data[OBSERVED_DAY] = _observed_day(by_group, frame, contract)
    if contract.kind == "source":
        for name, (group, column, wanted, applies) in _COUNTS.get(contract.document_type, {}).items():
            path = f"{group}.{column}"
            documents, lines = by_group[None], by_group[group]
            counts = lines.loc[lines[column].isin(wanted), ROW].value_counts()
            counted = documents[ROW].map(counts).fillna(0).astype("Int64")
            is_counted = applies(documents)
            if "_is_deleted" in documents:
                is_counted &= documents["_is_deleted"] != True  # noqa: E712 - a column, compared value by value
            if covered is not None:
                is_counted &= pd.Series([path in paths for paths in covered], dtype=bool)
            documents[name] = counted.where(is_counted.astype(bool))


def _observed_day(by_group: Mapping[str | None, pd.DataFrame], frame: Frame, contract: Contract) -> pd.Series:
    """The day in Seoul on which the holder last changed the record, as YYYYMMDD."""
    has_own = "_observed_at" in frame.data
    instants = (frame.data if has_own else by_group[None])["_observed_at"]
    days = pd.to_datetime(instants, utc=True).dt.tz_convert(SEOUL).dt.strftime("%Y%m%d").astype(object)
    days = days.where(days.notna(), None)
    return days if has_own else frame.data[ROW].map(days)


def _not_before(later: str, earlier: str, sentence: str, group: str | None = None) -> Expectation:
    """Judged where both values are there."""
    kwargs = {"column_A": later, "column_B": earlier, "or_equal": True, "ignore_row_if": "either_value_is_missing"}
    column = earlier if later.startswith("_") else later
    return Expectation("expect_column_pair_values_a_to_be_greater_than_b", kwargs, sentence, column, group)


def _count_between(helper: str, low: int, high: int, sentence: str, column: str) -> Expectation:
    kwargs = {"column": helper, "min_value": low, "max_value": high}
    return Expectation("expect_column_values_to_be_between", kwargs, sentence, column)


_WITHIN_ROW: Mapping[tuple[str, str | None], tuple[Expectation, ...]] = {
    ("RRT", None): (_not_before(OBSERVED_DAY, "MVIN_YMD", "is not after the day on which the holder recorded it"),),
    ("RRT", "members"): (
        _not_before(OBSERVED_DAY, "MVIN_YMD", "is not after the day on which the holder recorded it", "members"),
    ),
    ("INCM", "lines"): (_not_before("INCM_AMT", "EARN_AMT", "is at least EARN_AMT", "lines"),),
    ("DISB", None): (_not_before("REXM_YMD", "DSBLTY_REG_YMD", "is not before DSBLTY_REG_YMD"),),
    ("HINQ", "history"): (
        _not_before("HLTH_INSRNC_LOSE_YMD", "HLTH_INSRNC_ACQS_YMD", "is not before HLTH_INSRNC_ACQS_YMD", "history"),
    ),
    ("CORR", None): (_not_before("ISSU_YMD", "FNDN_YMD", "is not before FNDN_YMD"),),
}

_OVER_LINES: Mapping[str, tuple[Expectation, ...]] = {
    "RRT": (_count_between(HOUSEHOLDERS, 1, 1, "names exactly one householder", "members.HSHLDR_REL_NM"),),
    "FAMR": (_count_between(SPOUSES, 0, 1, "names at most one spouse", "relatives.FAM_REL_CD"),),
}

Applies = Callable[[pd.DataFrame], pd.Series]
# Helper column of a document: which lines are counted (group, column, values), and for which documents.
_COUNTS: Mapping[str, Mapping[str, tuple[str, str, tuple[str, ...], Applies]]] = {
    "RRT": {HOUSEHOLDERS: ("members", "HSHLDR_REL_NM", HOUSEHOLDER, lambda d: d["_variant"] != "head_only")},
    "FAMR": {SPOUSES: ("relatives", "FAM_REL_CD", SPOUSE, lambda d: d["_variant"].notna())},
}
