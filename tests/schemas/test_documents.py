"""The catalogue of document types: all of them, each fact with its mark, and what flows as data told by contracts."""

from pathlib import Path

import pytest

from hanbeon.errors import UsageError
from schemas import documents
from schemas.contract import sources
from schemas.documents import DocumentType, as_data, document_type, document_types, named_in_statutes
from schemas.errors import MalformedContract
from schemas.provenance import provenance
from schemas.services import services
from schemas.statutes import articles


def of(**wanted: object) -> list[str]:
    return [d.id for d in document_types().values() if all(getattr(d, k) == v for k, v in wanted.items())]


def test_the_catalogue_holds_forty_four_types_of_which_one_is_never_shareable() -> None:
    assert len(document_types()) == 44
    assert of(is_shareable=False) == ["INSV"]
    shareable = [d for d in document_types().values() if d.is_shareable]
    assert {b: sum(d.branch == b for d in shareable) for b in ("executive", "public-body", "court")} == {
        "executive": 30,
        "public-body": 6,
        "court": 7,
    }


def test_verified_facts_are_marked_and_nothing_else_is() -> None:
    def marked(mark: str) -> set[str]:
        return {d.id for d in document_types().values() if mark in d.verified}

    assert marked("fields") == {c.document_type for c in sources() if provenance(c).is_whole}
    assert marked("validity") == {"LTAXC", "NTAXC"}
    assert marked("holder_code") == {"RRT", "RRA", "LTAXC", "LTAXI", "DRVL", "QUAL"}
    assert marked("excluded") == {"INSV"}


def test_only_a_statutory_term_of_validity_is_a_number_of_days() -> None:
    assert {d.id: d.validity_days for d in document_types().values() if d.validity_days} == {"LTAXC": 30, "NTAXC": 30}
    assert all("validity" in document_type(d).verified for d in ("LTAXC", "NTAXC"))


def test_public_registers_flow_without_consent_and_the_rest_with_it() -> None:
    assert of(flows_by="public_register") == ["BLDR", "LAND", "IOLP", "LUSE", "REGR", "CORR"]
    assert of(flows_by="never") == ["INSV"]


def test_every_document_of_statutes_services_and_contracts_is_in_the_catalogue() -> None:
    assert {d for a in articles() for d in a.documents} <= set(named_in_statutes())
    assert {r.document_type for s in services() for r in s.requirements} <= set(document_types())
    assert {c.document_type for c in sources()} <= set(document_types())


def test_a_contract_identifies_its_subject_by_a_kind_that_the_catalogue_names() -> None:
    for contract in sources():
        kinds = {contract.subject_identifier_kind, *contract.properties.get("otherIdentifierKinds", ())}
        assert kinds <= set(document_type(contract.document_type).subject_kinds), contract.id


def test_what_comes_as_data_is_told_by_the_source_contracts_alone() -> None:
    assert as_data() == {c.document_type for c in sources()}
    assert not as_data() & set(documents.never_shareable())


@pytest.mark.parametrize("document", document_types().values(), ids=lambda d: d.id)
def test_each_type_has_names_a_holder_a_subject_and_a_legal_basis(document: DocumentType) -> None:
    texts = (document.korean, document.english, document.holder, document.cadence, document.validity, document.delivery)
    assert all(text.strip() for text in texts)
    assert document.subject_kinds
    assert document.legal_basis


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no document type XXXX\. Known: RRT, RRA"):
        document_type("XXXX")


ENTRY = documents.FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("    holder: 국세청\n", "", "is not a usable catalogue"),
        ("  - id: RRA\n", "  - id: RRT\n", "names a document type twice"),
        ("verified: [fields, validity, holder_code]", "verified: [rumour]", "LTAXC: `verified` or `flows_by`"),
        ("flows_by: never", "flows_by: consent", "INSV: `verified` or `flows_by`"),
        ("    shareable: false\n", "    shareable: true\n", "INSV: `verified` or `flows_by`"),
        (ENTRY, "documents: []\n", "lists no documents"),
        (ENTRY, "documents: {\n", "is not a usable catalogue"),
    ],
)
def test_a_broken_catalogue_is_refused_and_says_why(tmp_path: Path, old: str, new: str, finding: str) -> None:
    assert old in ENTRY
    file = tmp_path / "documents.yaml"
    file.write_text(ENTRY.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(MalformedContract, match=finding):
        document_types(file)
