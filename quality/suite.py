"""Suites as Great Expectations objects, and the one place that runs them.

`run` gives for each expectation how many values were judged and which documents fail. Where a quick look is certain
that nothing fails (`quality.screen`), it says so; in all other cases Great Expectations decides. An expectation that
raised, or whose answer does not add up, counts as not evaluated: Great Expectations reports such a one without an
unexpected value, and only `exception_info` tells.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from quality.frames import Frame
from quality.handwritten import expectations as handwritten
from quality.screen import holds, judged, mask_of
from quality.verdict import ExpectationResult
from schemas.contract import Contract
from schemas.expectations import ROW, Expectation, Suite, suites

# Great Expectations copies a value set many times over: a longer list is narrowed to what the batch can contain.
LONG_LIST = 1_000


@dataclass(frozen=True)
class Outcome:
    expectation: Expectation
    element_count: int
    unexpected_count: int
    failing_rows: frozenset[int]
    is_evaluated: bool

    @property
    def success(self) -> bool:
        return self.is_evaluated and self.unexpected_count == 0

    def result(self, contract: Contract, suite: Suite) -> ExpectationResult:
        return ExpectationResult(
            suite=suite.name,
            contract=contract,
            expectation=self.expectation.sentence,
            column=self.expectation.column,
            group=self.expectation.group,
            element_count=self.element_count,
            unexpected_count=self.unexpected_count,
            success=self.success,
            is_evaluated=self.is_evaluated,
        )


def all_suites(contract: Contract) -> tuple[Suite, ...]:
    """The contract's suites with the hand-written expectations added."""
    return tuple(replace(s, expectations=(*s.expectations, *handwritten(contract, s.group))) for s in suites(contract))


def gx_suite(suite: Suite, frame: pd.DataFrame | None = None) -> Any:
    """A `great_expectations.ExpectationSuite`; with a frame, fitted to it (coverage, long code lists)."""
    gx = _great_expectations()
    made = [_gx(gx, number, e, frame) for number, e in enumerate(suite.expectations)]
    return gx.ExpectationSuite(name=suite.name, expectations=made)


def run(suite: Suite, frame: Frame) -> tuple[Outcome, ...]:
    """Evaluate one suite on one frame, in memory; nothing is written and no value is logged."""
    if holds(suite, frame.data):
        return tuple(Outcome(e, judged(e, frame.data), 0, frozenset(), is_evaluated=True) for e in suite.expectations)
    return evaluated(suite, frame)


def evaluated(suite: Suite, frame: Frame) -> tuple[Outcome, ...]:
    """What Great Expectations says of one suite on one frame."""
    try:
        results = _validate(suite, frame.data)
    except (
        Exception
    ):  # its message may quote values, so it goes no further: nothing was evaluated, the batch is refused
        results = {}
    return tuple(_outcome(e, results.get(number), frame.data) for number, e in enumerate(suite.expectations))


def _validate(suite: Suite, frame: pd.DataFrame) -> dict[int, Any]:
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = _no_progress_bars()
    asset = context.data_sources.add_pandas("memory").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(batch_parameters={"dataframe": frame})
    report = batch.validate(
        gx_suite(suite, frame),
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [ROW],
            "return_unexpected_index_query": False,
        },
    )
    return {r.expectation_config.meta["number"]: r for r in report.results}


def _no_progress_bars() -> Any:
    from great_expectations.data_context.types.base import ProgressBarsConfig

    return ProgressBarsConfig(globally=False)


def _outcome(expectation: Expectation, result: Any, frame: pd.DataFrame) -> Outcome:
    count = judged(expectation, frame)
    unknown = Outcome(expectation, count, count, frozenset(), is_evaluated=False)
    if result is None or _has_raised(result.exception_info):
        return unknown
    unexpected = result.result.get("unexpected_count")
    rows = result.result.get("unexpected_index_list") or []
    if unexpected is None or len(rows) != unexpected or result.success != (unexpected == 0):
        return unknown
    if result.result.get("element_count") != count:
        return unknown
    return Outcome(expectation, count, unexpected, frozenset(int(r[ROW]) for r in rows), is_evaluated=True)


def _has_raised(info: Mapping[str, Any]) -> bool:
    """`exception_info` is one record, or one for each metric."""
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(_has_raised(inner) for inner in info.values() if isinstance(inner, Mapping))


def _gx(gx: Any, number: int, expectation: Expectation, frame: pd.DataFrame | None) -> Any:
    from great_expectations.expectations.row_conditions import Column as GxColumn

    name = "".join(part.capitalize() for part in expectation.type.split("_"))
    kwargs = dict(expectation.kwargs)
    if frame is not None and len(kwargs.get("value_set", ())) > LONG_LIST:
        present = set(frame[kwargs["column"]].dropna().unique())
        # Never empty: an empty set would allow everything.
        kwargs["value_set"] = [v for v in kwargs["value_set"] if v in present] or [kwargs["value_set"][0]]
    mask = mask_of(expectation, frame)
    if mask is not None:
        kwargs["row_condition"] = GxColumn(mask) == True  # noqa: E712 - builds a condition, compares nothing
    return getattr(gx.expectations, name)(**kwargs, description=expectation.text, meta={"number": number})


def _great_expectations() -> Any:
    """Imported late (it takes seconds), quiet, and without calling home."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    import great_expectations

    # Some of its modules set levels of their own, and a debug line may quote a value: none goes further (P8).
    logger = logging.getLogger("great_expectations")
    logger.handlers, logger.propagate = [logging.NullHandler()], False
    return great_expectations
