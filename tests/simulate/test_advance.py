"""The world moves: the same for everybody who asks, and the past stays what it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from hanbeon import postgres as servers
from hanbeon.errors import UsageError
from sources.simulate import nightly, postgres, store, world
from sources.simulate.rates import BASE_INSTANT
from sources.simulate.truth import truth

PEOPLE, SEED, DAYS = 400, 5, 3
Truths = dict[str, dict[str, pa.Table]]


EVENTFUL = {"RRT", "INCM", "DISB", "HINQ", "FAMR", "CORR", "RRA", "LTAXC", "NTAXC", "SI4", "EMPI", "MARR", "BASC"}


def everything(home: Path, at: object = None) -> Truths:
    return {d: truth(home, d, at) for d in store.DOCUMENTS}  # type: ignore[arg-type]


def rows(table: pa.Table) -> list[str]:
    return sorted(map(repr, table.to_pylist()))


def undated(truths: Truths) -> Truths:
    """Without the days of certificates that are issued when somebody asks: they bear the day of today."""
    days = {"ISSU_YMD", "VLD_PRD_EXPRY_YMD"}
    return {
        d: {
            n: t.select([c for c in t.column_names if n not in store.ISSUED_WHEN_ASKED or c not in days])
            for n, t in tables.items()
        }
        for d, tables in truths.items()
    }


def same(one: Truths, other: Truths) -> bool:
    return all(rows(one[d][t]) == rows(other[d][t]) for d in one for t in one[d])


@dataclass(frozen=True)
class Moved:
    home: Path
    before: Truths
    after: Truths
    dsn: str


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """A small world, moved on by three days at once; its PostgreSQL is up."""
    home = tmp_path_factory.mktemp("moved")
    with postgres.server(home) as dsn:
        world.build(home, PEOPLE, SEED)
        before = everything(home)
        world.advance(home, DAYS)
        yield Moved(home, before, everything(home), dsn)


def test_the_state_says_where_the_world_stands(moved: Moved) -> None:
    state = world.state(moved.home)
    assert (state.people, state.seed, state.day) == (PEOPLE, SEED, DAYS)
    assert state.base_instant == "2026-06-01T00:00:00+00:00"


def test_a_world_does_not_go_back(moved: Moved) -> None:
    with pytest.raises(UsageError, match="one day or more"):
        world.advance(moved.home, 0)


def test_the_truth_at_an_earlier_instant_is_what_it_was_then(moved: Moved) -> None:
    assert not same(moved.before, moved.after)
    assert same(undated(moved.before), undated(everything(moved.home, BASE_INSTANT)))


def test_day_by_day_comes_to_the_same_as_all_at_once(moved: Moved, tmp_path: Path) -> None:
    with postgres.server(tmp_path):
        world.build(tmp_path, PEOPLE, SEED)
        for _ in range(DAYS):
            world.advance(tmp_path, 1)
    assert same(moved.after, everything(tmp_path))
    names = [sorted(nightly.outbox(h).glob("ELIG_*.dat"))[-1] for h in (moved.home, tmp_path)]
    assert names[0].name == names[1].name == "ELIG_20260604.dat"
    assert names[0].read_bytes() == names[1].read_bytes()


def test_registers_gain_versions_that_are_newer_than_the_base_instant(moved: Moved) -> None:
    """Those that events reach within days; a qualification changes with its holder's name alone."""
    for document, tables in moved.after.items():
        name = store.DOCUMENTS[document]
        observed = tables[name]["_observed_at"].to_pylist()
        newer = {o for o in observed if o > BASE_INSTANT}
        assert newer or document not in EVENTFUL, document
        assert max(newer, default=BASE_INSTANT) <= BASE_INSTANT.replace(day=1 + DAYS)


def test_what_did_not_change_keeps_its_instant(moved: Moved) -> None:
    for document, tables in moved.before.items():
        name = store.DOCUMENTS[document]
        before = {(r["identifier"], r["_variant"]): r for r in tables[name].to_pylist()}
        for row in moved.after[document][name].to_pylist():
            if row["_observed_at"] <= BASE_INSTANT:
                assert before[(row["identifier"], row["_variant"])] == row


def test_births_marriages_deaths_and_moves_happened(moved: Moved) -> None:
    base = store.base(moved.home)
    people = base["persons"]
    fresh = people.filter(people["changed_at"] > BASE_INSTANT)
    assert (fresh["born"] >= BASE_INSTANT.date()).any()
    assert (fresh["died"] >= BASE_INSTANT.date()).any()
    assert fresh["former_name"].is_not_null().any()
    assert (base["households"]["moved_in"] >= BASE_INSTANT.date()).any()
    assert base["disabilities"]["is_cancelled"].any()
    assert people["rrn"].is_unique().all()


def test_a_grown_child_who_moved_out_is_a_householder_of_her_own(moved: Moved) -> None:
    def relations(truths: Truths) -> dict[str, str]:
        lines = truths["RRT"]["household_extract__members"].to_pylist()
        own = [r for r in lines if r["_variant"] == "head_only" and r["identifier"] == r["person_identifier"]]
        return {r["identifier"]: r["HSHLDR_REL_NM"] for r in own}

    before, after = relations(moved.before), relations(moved.after)
    left = [rrn for rrn, relation in before.items() if relation == "자녀" and after.get(rrn) == "본인"]
    assert left
    at_home = {r["identifier"]: 0 for r in moved.after["RRT"]["household_extract"].to_pylist()}
    for row in moved.after["RRT"]["household_extract__members"].to_pylist():
        at_home[row["identifier"]] += row["_variant"] == "members_included"
    assert {at_home[rrn] for rrn in left} == {1}
    assert all(at_home[rrn] >= 1 for rrn in at_home)


def test_postgres_holds_what_the_holder_truly_holds_with_tombstones(moved: Moved) -> None:
    held = {
        (r["identifier"], r["_observed_at"])
        for r in moved.after["RRT"]["household_extract"].to_pylist()
        if r["_variant"] == "members_included"
    }
    with psycopg.connect(servers.database(moved.dsn, "mois")) as conn:
        shown = conn.execute("select rrn, changed_at, is_deleted from rr.household_extract").fetchall()
        members = conn.execute(
            "select count(*) from rr.household_extract_member join rr.household_extract using (extract_no)"
        ).fetchone()
    assert {(rrn, at) for rrn, at, gone in shown if not gone} == held
    dead = {rrn for rrn, _, gone in shown if gone}
    assert dead
    assert dead & {r["identifier"] for r in moved.before["RRT"]["household_extract"].to_pylist()} == dead
    whole = [v for v in moved.after["RRT"]["household_extract__members"]["_variant"].to_pylist() if v != "head_only"]
    assert members == (len(whole),)


def test_the_dead_are_absent_from_the_newest_file_and_named_as_dead_in_the_register(moved: Moved) -> None:
    people = store.base(moved.home)["persons"]
    dead = people.filter(people["died"] >= BASE_INSTANT.date())["rrn"].to_list()
    body = sorted(nightly.outbox(moved.home).glob("ELIG_*.dat"))[-1].read_bytes()
    lines = moved.after["FAMR"]["family_relation_certificate__relatives"].to_pylist()
    for rrn in dead:
        assert b"\nH" + rrn.encode() not in body
        assert {r["DTH_YN"] for r in lines if r["person_identifier"] == rrn} <= {"Y"}


def test_an_advance_killed_before_its_end_is_done_again_with_the_same_result(moved: Moved) -> None:
    """The state file moves last: files of a day that was not finished count for nothing."""
    path = store.folder(moved.home) / "state.json"
    finished = path.read_text()
    store.write_state(moved.home, store.State(PEOPLE, SEED, 0))
    assert same(moved.before, everything(moved.home))
    world.advance(moved.home, DAYS)
    assert path.read_text() == finished
    assert same(moved.after, everything(moved.home))
