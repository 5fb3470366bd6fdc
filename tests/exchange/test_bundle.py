"""Opening a bundle: what a case worker sees, and that the read is recorded before it is answered."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from consent import accesses, applications, ledger
from consent.model import Event, Reason
from exchange import bundle as bundles
from exchange import words
from exchange.bundle import Bundle, Document, open_bundle
from exchange.document import document_name
from hanbeon import authenticating, granting
from hanbeon.errors import IntegrityError, Refused, UsageError
from pipeline.gold import share_columns
from schemas.contract import gold
from schemas.services import service
from tests.small_lake import SmallLake


def document(bundle: Bundle, document_type: str) -> Document:
    return next(d for d in bundle.documents if d.document_type == document_type)


def test_bundle_shows_data_in_korean_with_its_lines_and_says_what_is_missing(own_lake: SmallLake) -> None:
    bundle = open_bundle(own_lake.run, own_lake.one.application or "", "kim")

    family = document(bundle, "FAMR")
    assert family.state == "data"
    assert family.korean == "가족관계증명서"
    values = {v.korean: v.text for v in family.copies[0].values}
    assert values["본인성명"] == own_lake.one.name
    assert values["발급일자"] == "2026-06-01"
    assert [v.text for v in family.copies[0].groups[0].rows[0]][-1] == "아니오"
    assert document(bundle, "RRT").reason == "nothing_received"
    assert not bundle.is_complete
    assert bundle.satisfied_by == {"FAMR": "data"}


def test_columns_are_those_of_this_application_although_the_recipient_may_see_more(own_lake: SmallLake) -> None:
    """F43: the pension consent names no birthday of a relative; the single-parent consent does."""
    one = own_lake.one
    single = document(open_bundle(own_lake.run, one.application or "", "kim"), "FAMR")
    pension = document(open_bundle(own_lake.run, one.second_application or "", "lee"), "FAMR")

    def relatives(found: Document) -> set[str]:
        return {name for name, _ in found.copies[0].groups[0].columns}

    assert "FAM_BRDT" in relatives(single)
    assert "FAM_BRDT" not in relatives(pension)
    assert pension.authorisation_ids == (one.second_consent,)
    assert set(share_columns(gold("family_relation_certificate"), "mogef")) >= {v.name for v in single.copies[0].values}


def test_a_consent_to_fewer_columns_says_what_it_leaves_out(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    ledger.withdraw(run.conn, two.consent or "", run.at())
    wanted = granting.grant(service("SINGLE_PARENT"), two.key, two.application, run.at(), document_types=["FAMR"])
    scope = wanted.scopes[0]
    narrow = type(scope)(scope.subject_key, "FAMR", scope.variant, ("ISSU_NO", "ISSU_YMD"), scope.holder)
    proven = authenticating.simulated(run, [replace(wanted, scopes=(narrow,))], run.at())
    ledger.grant(run.conn, proven, run.at())

    family = document(open_bundle(run, two.application or "", "kim"), "FAMR")

    assert {v.name for v in family.copies[0].values} == {"ISSU_NO", "ISSU_YMD"}
    assert family.copies[0].groups == ()
    assert "SELF_FLNM" in family.outside
    assert (family.state, family.reason) == ("missing", "columns_outside")


def test_withdrawn_consent_closes_the_bundle_before_anything_is_erased_p4(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    assert document(open_bundle(run, two.application or "", "kim"), "FAMR").state == "data"

    ledger.withdraw(run.conn, two.consent or "", run.at())

    family = document(open_bundle(run, two.application or "", "kim"), "FAMR")
    assert (family.state, family.reason, family.copies) == ("missing", "withdrawn", ())


def test_a_withdrawal_while_the_bundle_is_read_is_obeyed_p4(
    own_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, two = own_lake.run, own_lake.two
    real = accesses.record_all

    def record_then_withdraw(*given: object) -> list[str]:
        ids = real(*given)  # type: ignore[arg-type]
        with psycopg.connect(run.settings.ledger.dsn, autocommit=True) as other:
            ledger.withdraw(other, two.consent or "", run.at())
        return ids

    monkeypatch.setattr(bundles, "record_all", record_then_withdraw)
    assert document(open_bundle(run, two.application or "", "kim"), "FAMR").reason == "withdrawn"


def test_refusing_consent_leaves_the_way_of_paper_open(own_lake: SmallLake) -> None:
    run, three = own_lake.run, own_lake.three
    assert document(open_bundle(run, three.application or "", "kim"), "FAMR").reason == "no_authorisation"
    for name in ("FAMR", "RRT", "INCM"):
        applications.paper(run.conn, three.application or "", name, run.at())

    bundle = open_bundle(run, three.application or "", "kim")

    assert bundle.is_complete
    assert bundle.satisfied_by == {"FAMR": "paper", "RRT": "paper", "INCM": "paper"}


def test_a_suspended_approval_empties_the_bundle(own_lake: SmallLake) -> None:
    run = own_lake.run
    standing = ledger.approvals(run.conn).to_pylist()
    own = next(a for a in standing if (a["recipient"], a["document_type"]) == ("mogef", "FAMR"))
    ledger.suspend_approval(run.conn, own["approval_id"], run.at())

    assert document(open_bundle(run, own_lake.one.application or "", "kim"), "FAMR").reason == "approval_suspended"


def test_a_decided_application_shows_no_data_any_more(own_lake: SmallLake) -> None:
    run, one = own_lake.run, own_lake.one
    applications.decide(run.conn, one.application or "", "approved", run.at(), {"FAMR": "data"})

    bundle = open_bundle(run, one.application or "", "kim")

    assert {d.reason for d in bundle.documents} == {"application_decided"}


def test_every_document_read_is_recorded_with_who_what_and_under_which_authorisation_p9(own_lake: SmallLake) -> None:
    one = own_lake.one
    bundle = open_bundle(own_lake.run, one.application or "", "kim")

    found = accesses.listing(own_lake.run.conn, application_id=one.application).to_pylist()

    assert [a["access_id"] for a in found] == list(bundle.access_ids)
    assert {a["document_type"] for a in found} == {"FAMR", "RRT", "INCM"}
    assert {(a["reader"], a["service"], a["_subject_key"]) for a in found} == {("kim", "SINGLE_PARENT", one.key)}
    assert {a["authorisation_id"] for a in found} == {one.consent}


def test_a_refused_read_is_recorded_as_refused_f60(own_lake: SmallLake) -> None:
    three = own_lake.three
    open_bundle(own_lake.run, three.application or "", "kim")
    with pytest.raises(UsageError):
        open_bundle(own_lake.run, "A-NOBODY", "kim")

    found = accesses.listing(own_lake.run.conn, reader="kim").to_pylist()

    assert {a["is_granted"] for a in found} == {False}
    assert found[-1]["reason"] == "unknown_application"


def test_no_record_no_answer_f62(own_lake: SmallLake) -> None:
    own_lake.run.conn.execute("alter table accesses add constraint full_disk check (reader <> 'kim')")

    with pytest.raises(Refused, match="could not be recorded"):
        open_bundle(own_lake.run, own_lake.one.application or "", "kim")


def test_an_edited_data_file_closes_the_table_to_readers_f8(own_lake: SmallLake) -> None:
    share = own_lake.run.settings.lake_root / "shares" / "mogef" / "family_relation_certificate"
    file = next(p for p in Path(share).glob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")

    with pytest.raises(IntegrityError, match="not what its leaf says"):
        open_bundle(own_lake.run, own_lake.one.application or "", "kim")


def test_a_reader_has_a_name(own_lake: SmallLake) -> None:
    with pytest.raises(UsageError, match="reader"):
        open_bundle(own_lake.run, own_lake.one.application or "", "  ")


def test_access_records_are_append_only(own_lake: SmallLake) -> None:
    run = own_lake.run
    open_bundle(run, own_lake.one.application or "", "kim")

    for edit in ("update accesses set reader = 'nobody'", "delete from accesses", "truncate accesses"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            run.conn.execute(edit)


def test_every_reason_and_event_has_words() -> None:
    assert set(Reason) <= set(words.REASONS)
    assert set(Event) <= set(words.EVENTS)
    known = {
        d.document_type for s in (service("ECREG_PROPERTY"), service("HOUSING_SUBSCRIPTION")) for d in s.requirements
    }
    assert {d for d in known if document_name(d) == d} == set()


def test_expiry_closes_at_its_instant_f41(own_lake: SmallLake) -> None:
    """F7: valid one second before the END, not at it."""
    run, two = own_lake.run, own_lake.two
    until = ledger.authorisations(run.conn, authorisation_id=two.consent).to_pylist()[0]["valid_until"]

    def at(offset: int) -> str | None:
        moved = type(run)(**{**vars(run), "at": lambda: until + timedelta(seconds=offset)})
        return document(open_bundle(moved, two.application or "", "kim"), "FAMR").reason

    assert [at(-1), at(0), at(1)] == [None, "expired", "expired"]
