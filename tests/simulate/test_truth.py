"""What the holders truly hold, as tables in published form."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from hanbeon.errors import UsageError
from schemas.contract import gold, source
from schemas.services import DECEASED, THING, Requirement, service, services
from sources.simulate import store
from sources.simulate.candidates import candidates
from sources.simulate.truth import truth, write_truth
from tests.simulate.conftest import PEOPLE, Served


@pytest.mark.parametrize("document", store.DOCUMENTS)
def test_tables_and_types_are_those_of_the_published_contract(served: Served, document: str) -> None:
    for name, table in truth(served.home, document).items():
        contract = gold(name)
        lines = ["_line_no", "person_identifier"] if contract.properties.get("group") else []
        control = ["identifier", "_variant", "_observed_at", *lines]
        assert table.schema.names == [*control, *(c.name for c in contract.columns)]
        assert [table.schema.field(c.name).type for c in contract.columns] == [
            c.arrow_field.type for c in contract.columns
        ]
        assert table.schema.field("_observed_at").type == pa.timestamp("us", tz="UTC")
        assert set(table["_variant"].to_pylist()) <= set(source(document).variants)


def test_every_variant_of_the_extract_has_its_rows(served: Served) -> None:
    tables = truth(served.home, "RRT")
    lines = tables["household_extract__members"].to_pylist()
    own = [r for r in lines if r["_variant"] == "head_only"]
    assert tables["household_extract"].num_rows == 2 * PEOPLE
    assert len(own) == PEOPLE
    assert all(r["identifier"] == r["person_identifier"] for r in own)
    assert len(lines) - len(own) > PEOPLE


def test_the_specific_certificate_names_the_subject_alone(served: Served) -> None:
    lines = truth(served.home, "FAMR")["family_relation_certificate__relatives"].to_pylist()
    counts = {v: sum(r["_variant"] == v for r in lines) for v in ("specific", "general", "detailed")}
    assert counts["specific"] < counts["general"] < counts["detailed"]
    assert {r["FAM_REL_CD"] for r in lines if r["_variant"] == "specific"} == {"001"}


def test_an_unknown_document_is_said_in_a_sentence(served: Served) -> None:
    with pytest.raises(UsageError, match="It holds ARCF, BASC"):
        truth(served.home, "NONE")


def test_the_truth_is_written_as_parquet_or_csv(served: Served, tmp_path: Path) -> None:
    tables = truth(served.home, "INCM")
    for path in write_truth(served.home, "INCM", tmp_path / "p", "parquet"):
        assert pyarrow.parquet.read_table(path).equals(tables[path.stem])
    written = write_truth(served.home, "INCM", tmp_path / "c", "csv")
    assert [p.name for p in written] == ["income_certificate.csv", "income_certificate__lines.csv"]
    assert pyarrow.csv.read_csv(written[1]).num_rows == tables["income_certificate__lines"].num_rows
    with pytest.raises(UsageError, match="parquet or csv"):
        write_truth(served.home, "INCM", tmp_path, "xlsx")


def test_candidates_find_their_documents(served: Served) -> None:
    rows = candidates(served.home).to_pylist()
    by_service = {s: [r["identifier"] for r in rows if r["service"] == s] for s in {r["service"] for r in rows}}
    needs = {
        "SINGLE_PARENT": ("FAMR", "RRT", "INCM"),
        "DISABILITY_PENSION": ("FAMR", "DISB"),
        "HOUSING_SUBSCRIPTION": ("RRT", "FAMR", "INCM", "HINQ"),
        "NHIS_WORKPLACE": ("CORR",),
    }
    assert {s.id for s in services()} == set(by_service)
    for name, documents in needs.items():
        assert len(by_service[name]) >= 10, name
        for document in documents:
            held = truth(served.home, document)[store.DOCUMENTS[document]]["identifier"].to_pylist()
            assert set(by_service[name]) <= set(held)
    assert candidates(served.home).to_pylist() == rows


def test_single_parents_live_with_a_minor_and_no_spouse(served: Served) -> None:
    chosen = {r["identifier"] for r in candidates(served.home).to_pylist() if r["service"] == "SINGLE_PARENT"}
    lines = truth(served.home, "RRT")["household_extract__members"].to_pylist()
    for parent in chosen:
        home = [r for r in lines if r["identifier"] == parent and r["_variant"] == "members_included"]
        relations = [r["HSHLDR_REL_NM"] for r in home]
        assert "배우자" not in relations
        assert "자녀" in relations


def test_who_is_complete_is_held_of_under_one_of_her_numbers(served: Served) -> None:
    """For every service somebody, but where a document is held of hardly anybody, or of those who are not well.

    Of documents of which one is enough one is held; one that only some bring may be lacking.
    """
    rows = candidates(served.home).to_pylist()
    held = {d: set(truth(served.home, d)[t]["identifier"].to_pylist()) for d, t in store.DOCUMENTS.items()}
    complete = [r for r in rows if r["is_complete"]]
    for row in complete:
        numbers = {one["identifier"] for one in row["also"]}
        assert row["identifier"] in numbers
        about = {one["identifier"] for one in row["about"]}
        alternatives: dict[str, list[Requirement]] = {}
        for need in service(row["service"]).needed_of(row["identifier_kind"]):
            alternatives.setdefault(need.one_of or need.document_type, []).append(need)
        for name, needs in alternatives.items():
            is_due = all(need.is_available and not need.is_if_held for need in needs)
            is_held = any(
                held[n.document_type] & (about if n.about in (THING, DECEASED) else numbers)
                for n in needs
                if n.is_available
            )
            assert not is_due or is_held, (row["service"], name)
    assert len({r["service"] for r in complete}) >= 20
