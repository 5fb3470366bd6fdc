"""How mutants are drawn and counted. That they run, `make mutate` shows."""

import pytest

from bench.forks import Reach
from bench.mutants import Verdict, draw, interval, report, within

NAMES = [f"consent.gate.x_f__mutmut_{n}" for n in range(500)]


def test_seed_size_and_code_name_the_sample() -> None:
    first = draw(NAMES, 50, 1)
    assert first == draw(list(reversed(NAMES)), 50, 1)
    assert len(set(first)) == 50
    assert set(first) <= set(NAMES)
    assert draw(NAMES, 50, 2) != first
    assert first == draw(NAMES, 80, 1)[:50], "what ended early is a smaller sample"
    assert set(draw(NAMES, 500, 1)) == set(draw(NAMES, 900, 1)) == set(NAMES)


def test_every_mutant_is_as_likely_as_any_other() -> None:
    drawn = [name for seed in range(2_000) for name in draw(NAMES[:10], 5, seed)]
    assert all(900 < drawn.count(name) < 1_100 for name in NAMES[:10])


@pytest.mark.parametrize(
    ("killed", "run", "low", "high"),
    [(296, 327, 0.869, 0.932), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilson_s(killed: int, run: int, low: float, high: float) -> None:
    assert interval(killed, run) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


def test_a_mutant_is_tried_by_the_tests_that_reach_it_named_ones_first_then_the_cheap() -> None:
    seconds = {"t/test_gate.py::a": 9.0, "t/test_x.py::b": 1.0, "t/test_x.py::c": 2.5, "t/test_y.py::d": 3.0}
    seconds["t/test_y.py::no"] = 0.1
    reach = Reach({test: {"consent.gate.x_f"} for test in seconds} | {"t/test_y.py::no": {"other"}}, seconds)
    tests = reach.tests("consent.gate.x_f")
    assert tests == ["t/test_gate.py::a", "t/test_x.py::b", "t/test_y.py::d", "t/test_x.py::c"]
    assert within(tests, seconds, 10) == tests[:2]
    assert within(tests, seconds, 13) == tests[:3]
    assert within(tests, seconds, 0) == tests[:1], "one at least"
    assert within([], seconds, 10) == []


def test_a_time_out_counts_as_killed_and_what_no_test_reaches_as_alive() -> None:
    outcomes = ("killed", "timeout", "survived", "no tests")
    text = report([Verdict(f"consent.log.tiles.x_f__mutmut_{n}", o, None, 1.0) for n, o in enumerate(outcomes)])
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert rows["consent.log.tiles"][1:7] == ["4", "1", "1", "1", "1", "50.0%"]
    assert rows["consent/"][1:] == rows["all"][1:]
    assert [line for line in text.splitlines() if "__mutmut_" in line] == [
        "timeout: consent.log.tiles.x_f__mutmut_1",
        "survived: consent.log.tiles.x_f__mutmut_2",
        "no tests: consent.log.tiles.x_f__mutmut_3",
    ]
