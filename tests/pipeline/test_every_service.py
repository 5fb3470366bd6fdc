"""Every service of the catalogue, each kind of applicant: a bundle with nothing attached, and one that lacks something.

On the real candidates of a world of 2,000 people, with the demonstration's own applications and consents in a real
ledger. What holders hold comes from the world's truth instead of a lake, as if each had been asked for all that flows.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from consent import gate, ledger
from consent.vault import find
from hanbeon import demo
from hanbeon.clock import seoul_date
from hanbeon.contrary import TURNS
from hanbeon.postgres import database
from pipeline.bundles import requirements, stated
from pipeline.evidence import ASKED_SCHEMA, EVIDENCE_SCHEMA
from pipeline.run import Run, open_run
from pipeline.tallies import tallies
from schemas.contract import gold, source
from schemas.services import service, services
from sources.simulate import store, world
from sources.simulate.candidates import candidates
from sources.simulate.identities import holders
from tests.small_lake import settings_of

PEOPLE, SEED = 2_000, 1
MOST = {True: 8, False: 2}  # of each service and kind so many apply who are complete, and who are not
DATA, NOT_NEEDED = "satisfied_by_data", "not_needed"
# What a bundle that is not complete may lack, each as the citizens of the demonstration bring it about.
CITIZENS = {"no_authorisation", "withdrawn", "paused", "expired", "not_yet_valid"}
HOLDERS = {"not_held", "nothing_named"}
TOLD = {"refused": "no_authorisation", "later": "not_yet_valid"}  # what a bundle says of what a citizen did


@dataclass(frozen=True)
class Bundles:
    """The rows of `gold/service_bundles` by application, and each application's service and kind of applicant."""

    of: dict[str, list[dict[str, Any]]]
    applications: dict[str, dict[str, Any]]
    renumbered: list[tuple[int | None, int | None]]  # of foreigners with a new number: the keys of both
    hidden: list[tuple[int, int]]  # victim, restricted
    gate: list[dict[str, Any]]

    def by_service(self, service_id: str, kind: str) -> list[list[dict[str, Any]]]:
        return [
            self.of[i]
            for i, a in self.applications.items()
            if (a["service"], a["applicant_kind"]) == (service_id, kind)
        ]


@pytest.fixture(scope="module")
def bundles(postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Bundles:
    home = tmp_path_factory.mktemp("every-service")
    world.write(home, PEOPLE, SEED)
    with open_run(settings_of(home, database(postgres_dsn, "every_service")), "every-service") as run:
        applying = few_of_each(candidates(home))
        demo.consents(run, applying, run.at())
        at, snapshot = run.at(), ledger.snapshot(run.conn)
        allowed = gate.allowed(snapshot, at)
        needed = requirements(snapshot.applications, snapshot.papers, allowed, gate.explained(snapshot, at))
        rows = stated(needed, held(run, home, allowed), asked(allowed), seoul_date(at)).to_pylist()
        applications = {a["application_id"]: a for a in snapshot.applications.to_pylist()}
        renumbered = keys_of_new_numbers(run, applying)
        hidden = [(b["victim_key"], b["restricted_key"]) for b in snapshot.blocks.to_pylist()]
    found = defaultdict(list)
    for row in rows:
        found[row["APLY_NO"]].append(row)
    assert set(found) == set(applications)
    return Bundles(found, applications, renumbered, hidden, allowed.to_pylist())


def keys_of_new_numbers(run: Run, applying: pa.Table) -> list[tuple[int | None, int | None]]:
    pairs = [
        (row["identifier"], former["identifier"])
        for row in applying.to_pylist()
        for former in row["also"]
        if row["identifier_kind"] == "FRN" and former["kind"] == "RRN" and former["identifier"] != row["identifier"]
    ]
    new = find(run.conn, run.secrets, "FRN", [n for n, _ in pairs]).to_pylist()
    return list(zip(new, find(run.conn, run.secrets, "RRN", [f for _, f in pairs]).to_pylist(), strict=True))


def few_of_each(rows: pa.Table) -> pa.Table:
    """The first of each service, kind of applicant and completeness; of households some families."""
    frame = pl.DataFrame(rows).with_row_index("place")
    group = ["service", "identifier_kind", "is_complete"]
    hidden = frame.filter(pl.col("victims").list.len() > 0)
    few = pl.concat(
        [frame.filter(pl.col("is_complete") == is_complete).group_by(group).head(n) for is_complete, n in MOST.items()]
    )
    families = frame.filter(pl.col("members").list.len() > 0).group_by(group).head(3)
    chosen = pl.concat([part.select("place") for part in (few, families, hidden)])
    return rows.take(chosen["place"].unique().sort().to_arrow())


def held(run: Run, home: Path, allowed: pa.Table) -> pa.Table:
    """As evidence what the world's holders hold about the subjects that may flow."""
    rows = []
    for document in sorted(set(allowed["document_type"].to_pylist())):
        numbers = holders(home, store.DOCUMENTS[document])["identifier"].to_list()
        kinds, variants = source(document).subject_identifier_kinds, source(document).variants
        keys = {k for kind in kinds for k in find(run.conn, run.secrets, kind, numbers).to_pylist()} - {None}
        for key, variant in ((k, v) for k in keys for v in variants):
            row = {"document_type": document, "_subject_key": key, "_variant": variant, "_observed_at": run.at()}
            rows.append(row | {"_evidence_id": f"{document} {key} {variant}"})
    return pa.Table.from_pylist(rows, schema=EVIDENCE_SCHEMA)


def asked(allowed: pa.Table) -> pa.Table:
    pairs = {(r["document_type"], r["_subject_key"]) for r in allowed.to_pylist()}
    rows = [{"document_type": d, "_subject_key": k, "is_quarantined": False} for d, k in sorted(pairs)]
    return pa.Table.from_pylist(rows, schema=ASKED_SCHEMA)


def test_what_the_run_shows_has_no_service_at_nothing_on_either_side(bundles: Bundles) -> None:
    rows = [r for rows in bundles.of.values() for r in rows]
    found = tallies(pa.Table.from_pylist(rows, schema=gold("service_bundles").gold_schema))
    assert {one.service for one in found} == {s.id for s in services()}
    assert [one.service for one in found if not (one.without_paper and one.incomplete and one.reason)] == []
    assert sum(one.without_paper + one.with_paper + one.incomplete for one in found) == len(bundles.of)
    for one in found:
        own = [i for i, a in bundles.applications.items() if a["service"] == one.service]
        assert one.without_paper == sum(is_without_paper(bundles.of[i]) for i in own)


def is_without_paper(rows: list[dict[str, Any]]) -> bool:
    return all(r["RQDOC_STTS_NM"] in (DATA, NOT_NEEDED) for r in rows)


def reasons(rows: list[dict[str, Any]]) -> set[str]:
    return {r["RQDOC_STTS_RSN"] for r in rows if r["RQDOC_STTS_RSN"] and r["RQDOC_STTS_NM"] != NOT_NEEDED}


EVERY = [pytest.param(s.id, kind, id=f"{s.id}-{kind}") for s in services() for kind in s.applicants]


@pytest.mark.parametrize(("service_id", "kind"), EVERY)
def test_some_bundle_is_complete_with_nothing_attached(bundles: Bundles, service_id: str, kind: str) -> None:
    complete = [rows for rows in bundles.by_service(service_id, kind) if is_without_paper(rows)]
    assert complete, "nobody's bundle is complete without paper"
    for rows in complete:
        assert {r["BNDL_CMPTN_YN"] for r in rows} == {"Y"}
        assert {r["RQDOC_CD"] for r in rows} == {r.document_type for r in service(service_id).needed_of(kind)}
        assert any(r["RQDOC_STTS_NM"] == DATA for r in rows)


@pytest.mark.parametrize(("service_id", "kind"), EVERY)
def test_some_bundle_is_incomplete_and_says_why(bundles: Bundles, service_id: str, kind: str) -> None:
    lacking = [rows for rows in bundles.by_service(service_id, kind) if {r["BNDL_CMPTN_YN"] for r in rows} == {"N"}]
    assert lacking, "everybody's bundle is complete"
    for rows in lacking:
        assert reasons(rows) <= CITIZENS | HOLDERS | {"never_shareable"}
        assert reasons(rows)


def test_every_way_of_not_consenting_is_told_by_its_own_reason(bundles: Bundles) -> None:
    told = {reason for rows in bundles.of.values() for reason in reasons(rows)}
    assert {TOLD.get(turn, turn) for turn in TURNS} | HOLDERS <= told


@pytest.mark.parametrize(
    ("service_id", "kind", "documents"),
    [
        ("VEHICLE_NEW", "RRN", {"RRA", "DRVL"}),
        ("VEHICLE_NEW", "FRN", {"ARCF"}),
        ("VEHICLE_NEW", "CRN", {"BIZR", "CORR"}),
        ("RENTAL_BUSINESS", "PNO", {"PASP", "REGR", "BLDR"}),
        ("RENTAL_BUSINESS", "FRN", {"ARCF", "REGR", "BLDR"}),
        ("LICENCE_RENEW", "FRN", {"ARCF"}),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_each_kind_of_applicant_is_asked_for_its_own_documents(
    bundles: Bundles, service_id: str, kind: str, documents: set[str]
) -> None:
    for rows in bundles.by_service(service_id, kind):
        assert {r["RQDOC_CD"] for r in rows} == documents


def test_of_documents_of_which_one_is_enough_each_stands_for_the_others(bundles: Bundles) -> None:
    """예방접종비: near-poor, disabled or a veteran; whoever is one of them attaches nothing."""
    came = {
        r["RQDOC_CD"]
        for rows in bundles.by_service("VACCINE_AID", "RRN")
        if is_without_paper(rows)
        for r in rows
        if r["RQDOC_GROUP_NM"] and r["RQDOC_STTS_NM"] == DATA
    }
    assert len(came) > 1


def test_p1_court_records_are_said_to_be_none_or_come_on_paper(bundles: Bundles) -> None:
    """Nobody asks the court for trial data; who applies says herself that there are none."""
    found = {
        (r["RQDOC_STTS_NM"], r["RQDOC_STTS_RSN"])
        for rows in bundles.by_service("REHABILITATION", "RRN")
        for r in rows
        if r["RQDOC_CD"] == "INSV"
    }
    assert (NOT_NEEDED, "not_concerned") in found
    assert found <= {(NOT_NEEDED, "not_concerned"), ("satisfied_by_paper", None), ("needs_paper", "never_shareable")}


@pytest.mark.parametrize("service_id", [s.id for s in services() if s.household is not None])
def test_every_member_of_a_household_has_rows_of_her_own_and_one_who_has_not_consented_holds_it_up(
    bundles: Bundles, service_id: str
) -> None:
    of_household = {r.document_type for r in service(service_id).requirements if r.about == "household"}
    families = {i: a for i, a in bundles.applications.items() if a["service"] == service_id and a["member_keys"]}
    for i, a in families.items():
        for document in of_household:
            subjects = {r["_subject_key"] for r in bundles.of[i] if r["RQDOC_CD"] == document}
            assert subjects == {a["applicant_key"], *a["member_keys"]}
    assert any(is_without_paper(bundles.of[i]) for i in families), "no family is complete"
    held_up = [
        i
        for i, a in families.items()
        if {r["_subject_key"] for r in bundles.of[i] if reasons([r]) == {"no_authorisation"}} & set(a["member_keys"])
        and not reasons([r for r in bundles.of[i] if r["_subject_key"] == a["applicant_key"]])
    ]
    assert held_up, "no family waits for a member alone"


def test_a_foreigner_with_a_new_number_is_one_subject_with_her_former_one(bundles: Bundles) -> None:
    """ARCF is found under the new number, everything else under the former one (F42: re-issued numbers)."""
    assert bundles.renumbered
    assert all(new == former is not None for new, former in bundles.renumbered)


def test_p2_a_victim_s_lines_are_kept_from_whom_a_block_restricts(bundles: Bundles) -> None:
    assert bundles.hidden
    flowing = [row for row in bundles.gate if row["_grantor_key"] in {restricted for _, restricted in bundles.hidden}]
    assert flowing
    for row in flowing:
        own = {victim for victim, restricted in bundles.hidden if restricted == row["_grantor_key"]}
        assert own <= set(row["blocked"] or ())
        assert row["_subject_key"] not in own
