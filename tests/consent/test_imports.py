"""Many authorisations from a file: once each, and a bad row is refused by number and reason (P6, P8, F26, F43, F45)."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rfc8785

from consent import applications, evidence, import_rows, imports, ledger, manifests, merkle, vault
from consent.imports import ImportReport, RefusedRow, import_file
from consent.manifests import TYP, manifest
from consent.trust import signed_by_agency
from hanbeon.errors import IntegrityError, UsageError
from schemas.contract import source
from schemas.services import service
from sources.simulate import identity
from tests.consent.making import AT, DAY, application, manifest_of, trusted

ONE, TWO = "9023014000001", "9023024000002"
GOOD = {
    "external_id": "x-1",
    "origin": "gov24",
    "salt": "5a" * 32,
    "service": "HOUSING_SUBSCRIPTION",
    "identifier_kind": "RRN",
    "subject_identifier": ONE,
    "valid_from": "2026-06-01T00:00:00+09:00",
    "valid_until": "2027-06-01",
}


def imported(conn: psycopg.Connection, secrets: vault.Secrets, file: Path) -> ImportReport:
    """Import a file that its origin has signed."""
    home = file.parent
    trust = trusted(home)
    signed = manifest_of(home, file) if file.exists() else None
    return import_file(conn, secrets, file, AT, trust, signed)


def csv_file(path: Path, *rows: dict[str, str], name: str = "given.csv") -> Path:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [",".join(columns)] + [",".join(f'"{row.get(c, "")}"' for c in columns) for row in rows]
    (path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path / name


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_row_becomes_an_authorisation_of_all_that_the_service_needs(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path, form: str
) -> None:
    row = {**GOOD, "grantor_identifier": TWO, "grantor_capacity": "guardian_of_ward", "notice_version": "3"}
    row |= {"notice_hash": "ab" * 32, "cycle": "monthly", "frequency_cap": "12", "retain_until": "2027-07-01"}
    if form == "csv":
        file = csv_file(tmp_path, row)
    else:
        file = tmp_path / "given.parquet"
        pq.write_table(pa.Table.from_pylist([row]), file)
    report = imported(ledger_conn, secrets, file)
    assert (report.rows, report.granted, report.already, report.refused) == (1, 1, 0, ())
    subject, grantor = vault.find(ledger_conn, secrets, "RRN", [ONE, TWO]).to_pylist()
    chosen = service("HOUSING_SUBSCRIPTION")
    needed = {r.document_type: r for r in chosen.data_requirements if r.authorisation == chosen.authorisation}
    rows = ledger.authorisations(ledger_conn).to_pylist()
    assert {r["document_type"] for r in rows} == set(needed)
    for found in rows:
        requirement = needed[found["document_type"]]
        assert (found["_subject_key"], found["_grantor_key"]) == (subject, grantor)
        assert (found["variant"], tuple(found["columns"])) == (requirement.variant, requirement.columns)
        assert found["holder"] == source(found["document_type"]).holder
        assert (found["kind"], found["mode"], found["recipient"]) == ("demand", "standing", "reb")
        assert (found["grantor_capacity"], found["frequency_cap"], found["cycle"]) == (
            "guardian_of_ward",
            12,
            "monthly",
        )
        assert found["valid_from"].isoformat() == "2026-05-31T15:00:00+00:00"
        assert found["valid_until"].isoformat() == "2027-05-31T15:00:00+00:00"


def test_p6_a_file_read_twice_adds_nothing(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    rows = [{**GOOD, "external_id": f"x-{n}", "subject_identifier": f"9023014{n:06d}"} for n in range(30)]
    imported(ledger_conn, secrets, csv_file(tmp_path, *rows[:20]))
    before = ledger.events(ledger_conn, 0)
    report = imported(ledger_conn, secrets, csv_file(tmp_path, *rows))
    assert (report.granted, report.already) == (10, 20)
    report = imported(ledger_conn, secrets, csv_file(tmp_path, *rows))
    assert (report.granted, report.already, report.refused) == (0, 30, ())
    assert ledger.events(ledger_conn, 0).slice(0, 20).equals(before)
    assert ledger.position(ledger_conn) == 30


def test_p6_an_import_that_broke_off_is_finished_by_the_next(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "AT_ONCE", 7)
    rows = [{**GOOD, "external_id": f"x-{n}", "subject_identifier": f"9023014{n:06d}"} for n in range(20)]
    file = csv_file(tmp_path, *rows)
    real, calls = ledger.grant_missing, []

    def breaks_off(*args: Any, **kwargs: Any) -> frozenset[str]:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(ledger, "grant_missing", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        imported(ledger_conn, secrets, file)
    assert ledger.position(ledger_conn) == 14
    report = imported(ledger_conn, secrets, file)
    assert (report.granted, report.already) == (6, 14)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"external_id": ""}, "external_id is missing"),
        ({"subject_identifier": ""}, "subject_identifier is missing"),
        ({"service": "NO_SUCH"}, "service is not known"),
        ({"recipient": "mohw"}, "recipient is not the service's (F43)"),
        ({"documents": "RRT|CORR"}, "documents names what the service does not take as data (F43)"),
        ({"documents": "REGR"}, "documents names what the service does not take as data (F43)"),
        ({"identifier_kind": "CRN"}, "identifier_kind is not what the service names its applicants by"),
        ({"subject_identifier": "902301-4000001"}, "subject_identifier does not have the form of its kind"),
        ({"grantor_identifier": "90230"}, "grantor_identifier does not have the form of its kind"),
        ({"valid_until": "soon"}, "valid_from, valid_until or retain_until is not an ISO 8601 instant"),
        ({"retain_until": "9" * 12}, "valid_from, valid_until or retain_until is not an ISO 8601 instant"),
        ({"valid_until": "2026-06-01T00:00:00+09:00"}, "valid_until does not lie after valid_from"),
        ({"frequency_cap": "0"}, "frequency_cap is not a whole number of at least 1"),
        ({"frequency_cap": "1e3"}, "frequency_cap is not a whole number of at least 1"),
        ({"salt": ""}, "salt is missing"),
        ({"salt": ONE}, "salt is not a SHA-256 digest in lower-case hexadecimal"),
        ({"grounds": "collection"}, "grounds does not name collection and provision, or names what is no ground"),
        (
            {"grounds": "collection|provision|all"},
            "grounds does not name collection and provision, or names what is no ground",
        ),
        ({"notice_hash": ONE}, "notice_hash is not a SHA-256 digest in lower-case hexadecimal"),
        (
            {"grantor_capacity": ONE},
            "grantor_capacity is none of self, guardian_of_child, guardian_of_ward, heir, representative, owner",
        ),
        (
            {"grantor_identifier": TWO},
            "grantor_capacity does not say why the grantor may consent for somebody else (F42)",
        ),
        ({"subject_identifier": "1523013000001"}, "the grantor is under 14, and a guardian consents for her (F42)"),
        ({"cycle": "P1M"}, "cycle is none of daily, weekly, monthly"),
        ({"identifier_statute": f"법 {ONE}"}, "identifier_statute holds what may be a person's number (F45)"),
        ({"application_id": "902301-4000001"}, "application_id holds what may be a person's number (F45)"),
        ({"cycle": "\x07"}, "cycle is longer than 200 characters or holds control characters"),
        ({"cycle": "월" * 201}, "cycle is longer than 200 characters or holds control characters"),
        (
            {"service": "SINGLE_PARENT"},
            "application_id is missing, and the service's authorisations are for one application",
        ),
    ],
)
def test_a_bad_row_is_refused_by_number_and_reason_and_the_others_go_on(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    good = {**GOOD, "external_id": "x-2"}
    report = imported(ledger_conn, secrets, csv_file(tmp_path, {**GOOD, **change}, good))
    assert report.refused == (RefusedRow(1, reason),)
    assert (report.rows, report.granted, report.reasons) == (2, 1, {reason: 1})
    assert ONE not in str(report)


def test_a_row_with_too_few_or_too_many_fields_is_refused_and_numbers_stay_right(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_rows, "BLOCK_BYTES", 2_000)
    rows = [{**GOOD, "external_id": f"x-{n}"} for n in range(1, 101)]
    file = csv_file(tmp_path, *rows)
    lines = file.read_text().splitlines()
    lines[3] += ",more"  # data row 3
    lines[50] = "less"  # data row 50
    lines[70] = lines[70].replace("2027-06-01", "never")  # data row 70
    lines[100] = "less,than"  # the last
    file.write_text("\n".join(lines) + "\n")
    report = imported(ledger_conn, secrets, file)
    fields = "the row does not have as many fields as the header"
    instant = "valid_from, valid_until or retain_until is not an ISO 8601 instant"
    assert [(r.row, r.reason) for r in report.refused] == [(3, fields), (50, fields), (70, instant), (100, fields)]
    assert (report.rows, report.granted) == (100, 96)


def test_an_external_id_counts_once_in_a_file_and_only_its_origin_may_sign_for_it(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    file = csv_file(tmp_path, GOOD, {**GOOD, "subject_identifier": TWO}, {**GOOD, "origin": "mohw"})
    report = imported(ledger_conn, secrets, file)
    assert report.refused == (
        RefusedRow(2, "external_id stands in an earlier row of this file"),
        RefusedRow(3, "origin is not the agency that signed the manifest"),
    )
    assert report.granted == 1


def test_an_external_id_is_its_origin_s_own_even_where_the_row_does_not_name_it(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    imported(ledger_conn, secrets, csv_file(tmp_path, {k: v for k, v in GOOD.items() if k != "origin"}))
    own, of_nobody = imports.authorisation_ids(secrets, [("gov24", "x-1"), ("None", "x-1")])
    assert set(ledger.authorisations(ledger_conn).column("authorisation_id").to_pylist()) == {own}
    assert own != of_nobody


def test_a_statutory_ground_has_no_grantor(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    row = {**GOOD, "service": "NHIS_WORKPLACE", "identifier_kind": "CRN", "application_id": "A-9"}
    imported(ledger_conn, secrets, csv_file(tmp_path, {**row, "grantor_identifier": ONE}))
    (found,) = ledger.authorisations(ledger_conn).to_pylist()
    assert (found["kind"], found["_grantor_key"], found["document_type"]) == ("statute", None, "CORR")
    assert found["application_id"] == "A-9"


def test_a_corporation_consents_through_a_person_and_its_documents_of_one_ground_a_row(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    firm = {**GOOD, "service": "NHIS_WORKPLACE", "identifier_kind": "CRN", "application_id": "A-9", "documents": "BIZR"}
    own = {**firm, "external_id": "x-2", "grantor_identifier": ONE}
    two = {**firm, "external_id": "x-3", "documents": "BIZR|CORR"}
    good = {**firm, "external_id": "x-4", "grantor_identifier": TWO, "grantor_capacity": "representative"}
    report = imported(ledger_conn, secrets, csv_file(tmp_path, firm, own, two, good))
    assert [r.row for r in report.refused] == [1, 2, 3]
    assert "through its representative" in report.refused[0].reason
    assert "different grounds" in report.refused[2].reason
    (found,) = ledger.authorisations(ledger_conn).to_pylist()
    assert (found["kind"], found["document_type"], found["grantor_capacity"]) == ("consent", "BIZR", "representative")
    assert vault.find(ledger_conn, secrets, "RRN", [TWO]).to_pylist() == [found["_grantor_key"]]
    assert vault.find(ledger_conn, secrets, "CRN", [TWO]).to_pylist() == [None]


def test_nothing_is_imported_for_a_decided_application(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    applications.open_many(ledger_conn, [application("A-1"), application("A-2")], AT)
    row = {**GOOD, "service": "SINGLE_PARENT"}
    first = {**row, "application_id": "A-2", "external_id": "x-2"}
    imported(ledger_conn, secrets, csv_file(tmp_path, first))
    for key in ("A-1", "A-2"):
        applications.decide(ledger_conn, key, "approved", AT)
    report = imported(ledger_conn, secrets, csv_file(tmp_path, {**row, "application_id": "A-1"}, first))
    assert report.refused == (RefusedRow(1, "the application is decided"),)
    assert (report.granted, report.already) == (0, 1)


def test_f26_hostile_texts_are_refused_or_kept_as_texts(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    hostile = ["'; drop table events; --", "{{ 7 * 7 }}", "=cmd|' /C calc'!A0", "$(reboot)", "a\\tb"]
    rows = [
        {**GOOD, "external_id": f"{text}", "identifier_statute": text, "subject_identifier": f"9023014{n:06d}"}
        for n, text in enumerate(hostile)
    ]
    report = imported(ledger_conn, secrets, csv_file(tmp_path, *rows))
    assert report.granted == len(hostile)
    kept = ledger.authorisations(ledger_conn, document_type="RRT").column("identifier_statute").to_pylist()
    assert sorted(kept) == sorted(hostile)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"external_id,service\nx,y\n", "lacks the columns identifier_kind"),
        ((",".join(GOOD) + f",secret {ONE}\n").encode(), "1 columns that are not known"),
        ((",".join(GOOD) + ",origin\n").encode(), "or one twice"),
        ((",".join(GOOD) + "\n").encode() + ("한글," * 6 + "한글\n").encode("cp949"), "cannot be read as CSV in UTF-8"),
        (b"", "cannot be read as CSV"),
        (b"\x00\x01\x02", "given.csv"),
    ],
)
def test_p8_a_file_that_is_wrong_as_a_whole_is_refused_in_a_sentence(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "given.csv"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=sentence) as refused:
        imported(ledger_conn, secrets, file)
    assert ONE not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert ledger.position(ledger_conn) == 0


def test_a_file_that_is_not_there_or_no_parquet_is_refused_in_a_sentence(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        imported(ledger_conn, secrets, tmp_path / "none.csv")
    (tmp_path / "given.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="cannot be read as Parquet"):
        imported(ledger_conn, secrets, tmp_path / "given.parquet")


def test_a_file_without_rows_imports_nothing(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    file = tmp_path / "given.csv"
    file.write_text(",".join(GOOD) + "\n")
    assert imported(ledger_conn, secrets, file).rows == 0


def test_without_a_manifest_every_row_is_refused(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    file = csv_file(tmp_path, GOOD, {**GOOD, "external_id": "x-2"}, {**GOOD, "external_id": ""})
    report = import_file(ledger_conn, secrets, file, AT, trusted(tmp_path), None)
    unproven = "no manifest signed by its origin proves it"
    assert report.refused == (
        RefusedRow(1, unproven),
        RefusedRow(2, unproven),
        RefusedRow(3, "external_id is missing"),
    )
    assert (report.granted, ledger.position(ledger_conn)) == (0, 0)


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ("a row edited", "the manifest was signed over other rows than these"),
        ("a row added", "the manifest was signed over other rows than these"),
        ("rows in another order", "the manifest was signed over other rows than these"),
        ("the same rows in another file", "the manifest was signed over another file with these rows"),
        ("another signature", "the manifest is signed by no agency that is trusted"),
        ("an identity provider's signature", "the manifest is signed by no agency that is trusted"),
        ("another agency's name", "the manifest is signed by no agency that is trusted"),
        ("signed tomorrow", "the manifest does not say when it was signed, or says a later time"),
    ],
)
def test_a_manifest_that_does_not_fit_lets_no_row_in(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path, flaw: str, reason: str
) -> None:
    rows = [GOOD, {**GOOD, "external_id": "x-2", "subject_identifier": TWO}]
    trust, file = trusted(tmp_path), csv_file(tmp_path, *rows)
    signed = manifest_of(tmp_path, file)
    if flaw == "a row edited":
        csv_file(tmp_path, rows[0], {**rows[1], "valid_until": "2027-06-02"})
    elif flaw == "a row added":
        csv_file(tmp_path, *rows, {**GOOD, "external_id": "x-3"})
    elif flaw == "rows in another order":
        csv_file(tmp_path, *reversed(rows))
    elif flaw == "the same rows in another file":
        file.write_text(file.read_text() + "\n")
    elif flaw == "another signature":
        signed = signed[:-8] + ("A" * 8 if not signed.endswith("A" * 8) else "B" * 8)
    elif flaw == "an identity provider's signature":
        signed = identity.signed(identity.provider(tmp_path).key, manifest(file, identity.AGENCY, AT), TYP)
    elif flaw == "another agency's name":
        signed = manifest_of(tmp_path, file, agency="mogef")
    else:
        signed = manifest_of(tmp_path, file, AT + DAY)
    report = import_file(ledger_conn, secrets, file, AT, trust, signed)
    assert set(report.reasons) == {reason}
    assert [r.row for r in report.refused] == list(range(1, report.rows + 1))
    assert ledger.position(ledger_conn) == 0


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_each_imported_authorisation_proves_that_its_origin_signed_its_row(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path, form: str
) -> None:
    rows = [{**GOOD, "external_id": f"x-{n}", "subject_identifier": f"9023014{n:06d}"} for n in range(5)]
    rows[3] |= {"valid_until": "soon"}  # refused, and still a leaf of the tree
    file = csv_file(tmp_path, *rows)
    if form == "parquet":
        file = tmp_path / "given.parquet"
        pq.write_table(pa.Table.from_pylist(rows), file)
    assert imported(ledger_conn, secrets, file).granted == 4
    trust, seen = trusted(tmp_path), set()
    for key in {r["authorisation_id"] for r in ledger.authorisations(ledger_conn).to_pylist()}:
        found = evidence.open_evidence(ledger_conn, secrets, key)
        assert found is not None
        agency, claims = signed_by_agency(trust, found["manifest"])
        leaf, path = merkle.leaf_hash(rfc8785.dumps(found["row"])), [bytes.fromhex(h) for h in found["path"]]
        assert merkle.root_of_path(leaf, found["index"], claims["rows"], path).hex() == claims["root"]
        assert (agency, found["row"]["external_id"]) == ("gov24", f"x-{found['index']}")
        assert not any(row["subject_identifier"] in str(found) for row in rows)
        blinded = sha256((GOOD["salt"] + rows[found["index"]]["subject_identifier"]).encode()).hexdigest()
        assert found["row"]["subject_identifier"] == blinded
        seen.add(found["index"])
    assert seen == {0, 1, 2, 4}


def test_sensitive_columns_are_imported_only_with_their_own_consent(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    row = {**GOOD, "service": "DISABILITY_PENSION", "application_id": "A-9", "documents": "DISB"}
    full = {**row, "external_id": "x-2", "grounds": "collection|provision|sensitive"}
    imported(ledger_conn, secrets, csv_file(tmp_path, row, full))
    rows = ledger.authorisations(ledger_conn).to_pylist()
    assert sorted("DSBLTY_DGREE_CD" in r["columns"] for r in rows) == [False, True]
    assert all("FLNM" in r["columns"] for r in rows)


def test_a_file_that_changes_while_it_is_imported_stops_the_import(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = csv_file(tmp_path, GOOD)
    signed, real = manifest_of(tmp_path, file), manifests.read

    def then_swapped(*given: Any) -> manifests.Signed | str:
        found = real(*given)
        csv_file(tmp_path, {**GOOD, "subject_identifier": TWO})
        return found

    monkeypatch.setattr(manifests, "read", then_swapped)
    with pytest.raises(IntegrityError, match="changed while"):
        import_file(ledger_conn, secrets, file, AT, trusted(tmp_path), signed)
    assert ledger.position(ledger_conn) == 0
