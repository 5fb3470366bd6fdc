"""One real dbt run over one small world serves most tests of this room; it takes about two seconds."""

from datetime import timedelta

import pyarrow as pa
import pytest

from pipeline.standardise import standardise
from schemas.contract import source, sources
from tests.standardise.tables import SEEN, bronze, bronze_row, context

DECISIONS = """
decision_id service law article recipient holder document_type satisfied_by is_shared_already sheets decided_on
d1          PARENT  법  제1조   mogef     mois   RRT           data         no                .      2026-06-01
d1          PARENT  법  제1조   mogef     nts    INCM          paper        no                .      2026-06-01
d2          PARENT  법  제1조   mogef     mois   RRT           data         no                3      2026-06-01
d2          PARENT  법  제1조   mogef     mois   RRT           data         no                3      2026-06-01
d3          PARENT  법  제1조   mogef     mois   RRT           data         no                .      2026-06-02
d3          PARENT  법  제1조   mogef     .      REGR          paper        no                .      2026-06-02
d4          LOAN    법  .       bank      mois   RRT           data         .                 .      2026-06-03
d5          LOAN    법  .       bank      mois   RRT           .            .                 .      2026-06-03
d6          PENSION 법  제7조   mohw      mois   RRT           data         yes               .      2026-06-04
"""
CONTEXT = context(decisions=DECISIONS)


HOSTILE = "'); drop table bronze.nts__income; -- {{ env_var('HOME') }} =1+1"


def a_small_world() -> dict[str, pa.Table]:
    """Each document once with good examples for subject 1, and rows named after their flaw or condition."""
    head = source("RRT").variants[0]
    register, corporation = source("RRT"), source("CORR")
    blank = bronze_row(register, "blank", 2) | {"head_nm": " \u3000", "dong_cd": "해당없음", "zip": " - "}
    padded = bronze_row(register, "padded", 3) | {"head_nm": "\t김하나\u00a0"}
    lines = bronze_row(register, "lines", 4)
    lines["members"] = [
        lines["members"][0] | {"_line_no": n, "_person_key": k} for n, k in ((1, 4), (2, 41), (3, None))
    ]
    uncovered = bronze_row(register, "uncovered-group", 5) | {"members": None, "road_addr": None}
    deleted = bronze_row(register, "deleted", 6) | {"_is_deleted": True}
    unsaid = bronze_row(register, "unsaid", 6) | {"_is_deleted": None}
    head_only = bronze_row(register, "head-only", 8, head)
    hostile = bronze_row(register, "hostile", 10) | {"head_nm": HOSTILE}
    former = bronze_row(register, "former", 11) | {"_observed_at": SEEN - timedelta(days=1), "_valid_to": SEEN}
    present = bronze_row(register, "present", 11) | {"_source_record_id": former["_source_record_id"]}
    amounts = bronze_row(corporation, "no-amounts", 9) | {"cptl": "", "stck_cnt": " 12 ", "shr_par_amt": "해당없음"}
    special = {
        "RRT": (blank, padded, lines, uncovered, deleted, unsaid, head_only, hostile, former, present),
        "CORR": (amounts,),
    }
    world: dict[str, pa.Table] = {}
    for contract in sources():
        document_type = contract.document_type
        if document_type != "HINQ":
            good = bronze_row(contract, document_type.lower(), 1, "general" if document_type == "FAMR" else None)
            world |= bronze(document_type, good, *special.get(document_type, ()))
    return world


@pytest.fixture(scope="session")
def gold(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """What standardising the small world gives. HINQ is missing on purpose: a dataset without rows."""
    return standardise(a_small_world(), CONTEXT, tmp_path_factory.mktemp("work"))
