"""The quick look passes nothing that Great Expectations would not pass, and passes what is plainly good."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from quality import screen
from quality.frames import frames
from quality.handwritten import add_helpers
from quality.suite import Outcome, all_suites, evaluated, run
from schemas.contract import Contract, published, source, sources
from schemas.expectations import Expectation, Suite
from tests.quality.batches import batch, setting
from tests.quality.test_property import Case, spoiled

CONTRACTS = [pytest.param(c, id=c.slug) for c in sources()] + [pytest.param(c, id=c.name) for c in published()]


def passed(expectations: Suite, frame: pd.DataFrame) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(e, screen.judged(e, frame), 0, frozenset(), is_evaluated=True) for e in expectations.expectations
    )


@pytest.mark.parametrize("contract", CONTRACTS)
def test_good_examples_pass_at_a_look_and_great_expectations_says_the_same(contract: Contract) -> None:
    found = frames(batch(contract, 3), contract, None)
    add_helpers(contract, found, None)
    for suite, frame in zip(all_suites(contract), found, strict=True):
        assert screen.holds(suite, frame.data)
        assert evaluated(suite, frame) == passed(suite, frame.data) == run(suite, frame)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(spoiled())
def test_what_passes_at_a_look_passes_great_expectations(case: Case) -> None:
    """Each expectation by itself, so that most of a spoiled batch's expectations still hold."""
    contract, given_batch, covered = case
    found = frames(given_batch, contract, covered)
    add_helpers(contract, found, covered)
    for suite, frame in zip(all_suites(contract), found, strict=True):
        if not len(frame.data):
            continue
        for outcome in evaluated(suite, frame):
            one = Suite(suite.name, suite.group, (outcome.expectation,))
            assert screen.holds(one, frame.data) == outcome.success, outcome.expectation.text


FRAME = pd.DataFrame({"A": ["Y", None, "N"], "B": [1, 2, 3], "mixed": pd.Series([1, "1", None], dtype=object)})


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        ("expect_column_values_to_not_be_null", {"column": "A"}),
        ("expect_column_values_to_not_be_null", {"column": "missing"}),
        ("expect_column_values_to_be_in_set", {"column": "A", "value_set": ["Y"]}),
        ("expect_column_values_to_be_in_set", {"column": "A", "value_set": []}),
        ("expect_column_values_to_match_regex", {"column": "mixed", "regex": "1"}),
        ("expect_column_values_to_be_between", {"column": "mixed", "min_value": 0}),
        ("expect_column_values_to_be_between", {"column": "B", "max_value": 3, "strict_max": True}),
        ("expect_column_values_to_be_between", {"column": "B", "min_value": 1, "strict_min": True}),
        ("expect_column_value_lengths_to_be_between", {"column": "A", "min_value": 2}),
        ("expect_column_values_of_a_kind_that_nobody_knows", {"column": "B"}),
    ],
)
def test_what_is_wrong_or_not_for_certain_is_left_to_great_expectations(kind: str, kwargs: dict[str, object]) -> None:
    suite = Suite("one", None, (Expectation(kind, kwargs, "is so", str(kwargs["column"])),))
    assert not screen.holds(suite, FRAME)


def test_a_batch_with_a_flaw_is_evaluated_whole() -> None:
    contract = source("RRT")
    found = frames(batch(contract, 3, setting("head_nm", "가" * 101)), contract, None)
    add_helpers(contract, found, None)
    suite = all_suites(contract)[0]
    assert not screen.holds(suite, found[0].data)
    assert run(suite, found[0]) == evaluated(suite, found[0])
