"""A lake of three citizens, made by the project's own write protocol without a holder and without dbt.

It is made once for a worker; `own_lake` is a copy of it, folder and database, for one test to do with as it likes.
HANBEON_TEST_LAKE names a folder that keeps it for many short processes with one server (`HANBEON_TEST_POSTGRES`).

`ONE` consents to SINGLE_PARENT and DISABILITY_PENSION, which overlap on the family register; `TWO` to SINGLE_PARENT
alone; `THREE` applies and refuses consent. Each has one family certificate in bronze, gold and shares.
"""

import os
import pickle
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from consent import applications, ledger, vault
from consent.model import Application
from hanbeon import authenticating, granting
from hanbeon.postgres import database
from hanbeon.settings import ExchangeSettings, HomeSettings, LedgerSettings, Settings
from lake import layout, tables
from pipeline.bronze import merge
from pipeline.commit import Change, Current, Plan, commit
from pipeline.coverage import covered, unite
from pipeline.gold import share_schema
from pipeline.keying import key_batch
from pipeline.operations import record
from pipeline.publish import documents, share_compute, shares
from pipeline.pull import changed
from pipeline.run import Run, open_run
from pipeline.summary import Summary
from quality.verdict import ExpectationResult, Verdict
from schemas import statutes
from schemas.contract import Contract, gold, source
from schemas.services import service

ONE, TWO, THREE = "9021152345678", "8522201234567", "7723012345671"  # month + 20: no living person's
NAMES = ("김하나", "이두리", "박세라")
RECIPIENTS = ("mogef", "mohw")
FAMR = source("FAMR")


@dataclass(frozen=True)
class Citizen:
    key: int
    name: str
    application: str | None = None
    consent: str | None = None
    second_application: str | None = None
    second_consent: str | None = None


@dataclass(frozen=True)
class SmallLake:
    run: Run
    one: Citizen
    two: Citizen
    three: Citizen


def settings_of(home: Path, dsn: str) -> Settings:
    return Settings(
        home=HomeSettings(str(home)), ledger=LedgerSettings(dsn), exchange=ExchangeSettings(query_seconds=5.0)
    )


@dataclass(frozen=True)
class Template:
    home: Path
    database: str
    citizens: tuple[Citizen, Citizen, Citizen]


@pytest.fixture(scope="session")
def lake_template(postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Template:
    kept = Path(os.environ.get("HANBEON_TEST_LAKE") or tmp_path_factory.mktemp("small-lake"))
    home, name, made = kept / "home", f"small_lake_{uuid4().hex[:12]}", kept / "template.pickle"
    if not made.exists():
        kept.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(home, ignore_errors=True)
        with open_run(settings_of(home, database(postgres_dsn, name)), "small-lake") as run:
            template = Template(home, name, _make(run))
        made.write_bytes(pickle.dumps(template))
    return cast(Template, pickle.loads(made.read_bytes()))


@pytest.fixture
def own_lake(lake_template: Template, postgres_dsn: str, tmp_path: Path) -> Iterator[SmallLake]:
    with _copy(lake_template, postgres_dsn, tmp_path / "home") as lake:
        yield lake


@pytest.fixture(scope="session")
def still_lake(
    lake_template: Template, postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SmallLake]:
    """One copy for every test of a worker that changes nothing."""
    with _copy(lake_template, postgres_dsn, tmp_path_factory.mktemp("still") / "home") as lake:
        yield lake


@contextmanager
def _copy(template: Template, postgres_dsn: str, home: Path) -> Iterator[SmallLake]:
    name = f"own_lake_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute(f"create database {name} template {template.database}")
        shutil.copytree(template.home, home)
        with open_run(settings_of(home, database(postgres_dsn, name)), "reading") as run:
            yield SmallLake(run, *template.citizens)
        conn.execute(f"drop database {name} with (force)")


def _make(run: Run) -> tuple[Citizen, Citizen, Citizen]:
    at = run.at()
    for name in ("SINGLE_PARENT", "DISABILITY_PENSION"):
        for approval in granting.approvals(service(name), at):
            ledger.approve(run.conn, approval, at)
    keys = vault.keys(run.conn, run.secrets, "RRN", [ONE, TWO, THREE], at).to_pylist()
    single = [_apply(run, "SINGLE_PARENT", key, at) for key in keys]
    second = _apply(run, "DISABILITY_PENSION", keys[0], at)
    consents = [_grant(run, "SINGLE_PARENT", keys[i], single[i], at) for i in (0, 1)]
    second_consent = _grant(run, "DISABILITY_PENSION", keys[0], second, at)
    _fill(run, dict(zip(keys, NAMES, strict=True)))
    return (
        Citizen(keys[0], NAMES[0], single[0], consents[0], second, second_consent),
        Citizen(keys[1], NAMES[1], single[1], consents[1]),
        Citizen(keys[2], NAMES[2], single[2]),
    )


def _apply(run: Run, name: str, key: int, at: datetime) -> str:
    return applications.open(run.conn, Application(None, name, service(name).recipient, key, at), at)


def _grant(run: Run, name: str, key: int, application: str, at: datetime) -> str:
    wanted = [granting.grant(service(name), key, application, at)]
    return ledger.grant(run.conn, authenticating.simulated(run, wanted, at), at)[0]


def publish_again(run: Run) -> None:
    """Shares follow the gate of now, as a publication makes them follow."""
    commit(run, _share_plans(run), {})


def _share_plans(run: Run) -> list[Plan]:
    return [
        Plan(f"shares/{r}/{c.name}", share_schema(c, r), share_compute(run, c, r), partitioned=False)
        for r, c in shares()
        if c.document_type == "FAMR" and r in RECIPIENTS
    ]


def _fill(run: Run, names: dict[int, str]) -> None:
    bronze = _bronze(run, names)
    standard = _gold(bronze)
    plans = [Plan(f"bronze/{FAMR.dataset}", FAMR.bronze_schema, partial(_whole, FAMR, bronze), partitioned=True)]
    own = [c for c in documents() if c.document_type == "FAMR"]
    plans += [
        Plan(f"gold/{c.name}", c.gold_schema, partial(_whole, c, standard[c.name]), partitioned=True) for c in own
    ]
    bundles = gold("service_bundles").gold_schema
    plans.append(Plan("gold/service_bundles", bundles, lambda _: Change(_bundles(bundles), None), partitioned=False))
    replaced = gold("documents_replaced").gold_schema
    plans.append(
        Plan("gold/documents_replaced", replaced, lambda _: Change(_replaced(replaced), None), partitioned=False)
    )
    law = statutes.published_rows()
    plans.append(Plan("gold/statute_articles", law.schema, lambda _: Change(law, None), partitioned=False))
    commit(run, plans, {})
    commit(run, _share_plans(run), {})
    at = run.at()
    summary = Summary(
        run.run_id, "pull", FAMR.dataset, at, at, "passed", 1, counts={"asked": 3}, withheld={"paused": 2}
    )
    record(run, [summary], _verdict(bronze).rows(run.run_id, f"bronze/{FAMR.dataset}", at))


def _verdict(bronze: pa.Table) -> Verdict:
    """A passed batch, without the seconds that Great Expectations takes to load."""
    rows = bronze.num_rows
    result = ExpectationResult(FAMR.id, FAMR, "expect_column_values_to_not_be_null", "issu_no", None, rows, 0, True)
    return Verdict(FAMR.id, False, rows, bronze, bronze.slice(0, 0), (result,))


def _whole(contract: Contract, rows: pa.Table, current: Current) -> Change | None:
    own = current.allowed.filter(pc.equal(current.allowed.column("document_type"), contract.document_type))
    return changed(current.read(), covered(contract, rows, unite(own, contract)))


def tell_again(run: Run, names: dict[int, str], observed_at: datetime, *, is_deleted: bool = False) -> None:
    """The holder tells a further state of these certificates, and it is published."""
    incoming = _bronze(run, names, observed_at, is_deleted=is_deleted)

    def merged(current: Current) -> Change | None:
        own = current.allowed.filter(pc.equal(current.allowed.column("document_type"), "FAMR"))
        return changed(current.read(), merge(FAMR, current.read(), incoming, unite(own, FAMR)))

    name = f"bronze/{FAMR.dataset}"
    commit(run, [Plan(name, FAMR.bronze_schema, merged, partitioned=True)], {})
    held = tables.read(run.settings.lake_root, name, schema=FAMR.bronze_schema)
    standard = _gold(held.filter(pc.invert(held.column("_is_deleted"))))
    own = [c for c in documents() if c.document_type == "FAMR"]
    commit(run, [Plan(f"gold/{c.name}", c.gold_schema, partial(_whole, c, standard[c.name]), True) for c in own], {})
    publish_again(run)


def _bronze(
    run: Run, names: dict[int, str], observed_at: datetime | None = None, *, is_deleted: bool = False
) -> pa.Table:
    own = {c.name: c.good_example for c in FAMR.content}
    line = {c.name: c.good_example for c in FAMR.groups[0].content}
    rows: list[dict[str, Any]] = [
        {
            "_subject_key": key,
            "_variant": "general",
            "_record_id": f"record-{key}",
            "_observed_at": observed_at or run.at(),
            "_is_deleted": is_deleted,
            **own,
            "self_nm": name,
            FAMR.groups[0].name: [{"_line_no": 1, "fam_rrn": ONE, **line}],
        }
        for key, name in names.items()
    ]
    return key_batch(
        FAMR,
        pa.Table.from_pylist(rows, schema=FAMR.delivered_schema),
        run_id=run.run_id,
        pulled_at=run.at(),
        key_buckets=lambda keys: layout.key_bucket(keys, 1),
        keys=lambda kind, ids: vault.keys(run.conn, run.secrets, kind, ids, run.at()),
        hashes=partial(vault.keyed_hashes, run.secrets),
    )


def _gold(bronze: pa.Table) -> dict[str, pa.Table]:
    """What dbt would say: official names, and a table for the group."""
    rows = bronze.to_pylist()
    group = FAMR.groups[0]
    parents = [{**r, **{c.publishes: r[c.name] for c in FAMR.content}} for r in rows]
    lines = [
        {
            **r,
            "_line_no": n["_line_no"],
            "_person_key": n["_person_key"],
            **{c.publishes: n[c.name] for c in group.content},
        }
        for r in rows
        for n in r[group.name]
    ]
    parent = gold(FAMR.published)
    child = gold(f"{FAMR.published}__{group.name}")
    return {
        parent.name: pa.Table.from_pylist(parents, schema=parent.gold_schema),
        child.name: pa.Table.from_pylist(lines, schema=child.gold_schema),
    }


def _bundles(schema: pa.Schema) -> pa.Table:
    """Seven applications with data, two without consent: the two are a small group."""
    rows = [
        {
            "_subject_key": 1_000 + i,
            "APLY_NO": f"A-{i}",
            "SRVC_NO": "SINGLE_PARENT",
            "UTZTN_INST_CD": "mogef",
            "RQDOC_CD": "FAMR",
            "RQDOC_STTS_NM": "satisfied_by_data" if i < 7 else "no_authorisation",
        }
        for i in range(9)
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def _replaced(schema: pa.Schema) -> pa.Table:
    row = {"SRVC_NO": "SINGLE_PARENT", "STT_NM": "한부모가족지원법 시행령", "LPRVS_NM": "제12조"}
    row |= {"UTZTN_INST_CD": "mogef", "HLD_INST_CD": "scourt", "RQDOC_CD": "FAMR"}
    counts = {"RQDOC_NOCS": 9, "SBST_NOCS": 7, "NEW_SBST_NOCS": 7, "SBMSN_NOCS": 2, "RTRC_QTY": 14, "RTRC_AMT": 7000}
    return pa.Table.from_pylist([row | counts | {"DCSN_YMD": "20260601"}], schema=schema)
