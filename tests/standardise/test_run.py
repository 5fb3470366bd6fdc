"""How a run behaves: alone in its folder, silent, and safe when it fails."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hanbeon.errors import UsageError
from pipeline.standardise import FOLDER, StandardiseFailed, docs, empty_context, standardise, unit_tests
from pipeline.workspace import workspace
from schemas.contract import source
from tests.standardise.conftest import CONTEXT, a_small_world
from tests.standardise.tables import bronze, bronze_row

PLANTED = "심어둔값카카"


def files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


def test_p6_a_second_run_over_rows_in_another_order_gives_the_same_tables_and_leaves_no_file(
    gold: dict[str, pa.Table], tmp_path: Path
) -> None:
    before = files(FOLDER)
    shuffled = {name: t.take(list(range(t.num_rows))[::-1]) for name, t in a_small_world().items()}
    again = standardise(shuffled, CONTEXT, tmp_path)
    assert all(again[name].equals(table) for name, table in gold.items())
    assert list(tmp_path.iterdir()) == []
    assert files(FOLDER) == before


def planted_amount() -> dict[str, Any]:
    return bronze_row(source("CORR"), "bad-amount", 1) | {"cptl": PLANTED}


def keyless() -> dict[str, Any]:
    flaws = {"_subject_key": None, "conm": PLANTED, "officers": None, "purposes": None}
    return bronze_row(source("CORR"), "keyless", 1) | flaws


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        pytest.param(
            [planted_amount()], "model stg_scourt__corporate_register failed (Invalid Input Error)", id="a model"
        ),
        pytest.param(
            [bronze_row(source("CORR"), "twice", 1) | {"conm": PLANTED}] * 2,
            "test unique_corporate_registration__evidence_id found 1 rows",
            id="a test",
        ),
        pytest.param(
            [keyless()],
            "model corporate_registration failed (Constraint Error)",
            id="a contract",
        ),
    ],
)
def test_f65_a_failure_names_what_failed_and_no_value_is_printed_said_or_left(
    rows: list[dict[str, Any]], named: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StandardiseFailed, match=re.escape(named)) as failure:
        standardise(bronze("CORR", *rows), empty_context(), tmp_path)
    assert PLANTED not in str(failure.value)
    assert failure.value.__cause__ is None
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_wrong_input_is_refused_before_dbt_starts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No source contract for mois__nothing"):
        standardise({"mois__nothing": pa.table({})}, empty_context(), tmp_path)
    with pytest.raises(UsageError, match="lacks decisions"):
        standardise({}, {k: v for k, v in empty_context().items() if k != "decisions"}, tmp_path)
    short = bronze("RRT")["mois__resident_register"].drop_columns(["head_nm"])
    with pytest.raises(UsageError, match="lacks head_nm"):
        standardise({"mois__resident_register": short}, empty_context(), tmp_path)


def test_decisions_need_not_say_their_sheets(tmp_path: Path) -> None:
    told = CONTEXT | {"decisions": CONTEXT["decisions"].drop_columns(["sheets"])}
    replaced = standardise({}, told, tmp_path)["documents_replaced"]
    assert sum(replaced.column("RTRC_QTY").to_pylist()) == 10


def test_f1_what_a_killed_run_left_is_removed_by_the_next_and_a_live_run_is_let_be(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from pipeline.workspace import workspace
with workspace(Path({str(tmp_path)!r}), "standardise-") as folder:
    (folder / "rows").write_text("personal")
    print(folder.name, flush=True)
    time.sleep(60)
"""
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        left = tmp_path / other.stdout.readline().strip()
        with workspace(tmp_path, "standardise-") as mine:
            assert sorted(tmp_path.iterdir()) == sorted([left, mine])
    finally:
        os.kill(other.pid, signal.SIGKILL)
        other.communicate()
    assert left.is_dir()
    with workspace(tmp_path, "standardise-") as mine:
        assert list(tmp_path.iterdir()) == [mine]


def test_the_unit_tests_of_the_models_hold(tmp_path: Path) -> None:
    unit_tests(tmp_path)


def test_the_documentation_is_one_page_that_loads_nothing_else(tmp_path: Path) -> None:
    page = docs(tmp_path / "work", tmp_path / "out").read_text(encoding="utf-8")
    assert "household_extract__members" in page
    assert str(tmp_path) not in page
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?(?:https?:)?//", page)
    assert "cloudfront.net" not in page
