"""docs/add-a-document-type.md and docs/change-a-contract.md, done as they say: files, commands, a real agency, rows.

The second page goes on where the first ends, in the same copy of the project.
"""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from hanbeon.clock import now, seoul_date
from hanbeon.postgres import database
from hanbeon.settings import PROJECT
from lake import tables
from sources import endpoints
from sources.endpoints import Endpoints
from sources.simulate.identity import ISSUER, introduce
from sources.simulate.identity_server import serve_identity
from tests.pages import Block, Place, blocks, copy_project
from tests.postgres_fixtures import TEMPLATE

# A page runs `make check`, which takes minutes beside another worker.
pytestmark = pytest.mark.timeout(2_700)

ADD, CHANGE = "add-a-document-type.md", "change-a-contract.md"
CITIZEN, COLLEAGUE = "9023014000001", "9023024000002"
REGISTER = """
create schema bar;
create table bar.lawyer (
    rrn char(13) not null, record_no text primary key, changed_at timestamptz not null, is_deleted boolean not null,
    issu_no varchar(20), flnm varchar(100), reg_ymd varchar(8), stts_cd char(1)
);
insert into bar.lawyer values
    ('9023014000001', 'R-1', '2026-06-01+09', false, 'LAWR-2026-0000001', '김하나', '20200301', '1'),
    ('9023024000002', 'R-2', '2026-06-01+09', false, 'LAWR-2026-0000002', '김두나', '20210301', '2');
"""
LAST_DAY = "2027-03-31"  # as the page says; the test takes another, lest it end one day


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgres_dsn: str) -> Iterator[Place]:
    """A copy of the project in which the first page is done."""
    folder = tmp_path_factory.mktemp("pages")
    copy, home = folder / "project", folder / "home"
    copy_project(copy)
    introduce(home)
    server = serve_identity(home, "127.0.0.1", 0)
    dsn, name = database(postgres_dsn, "kba"), f"ledger_{uuid4().hex[:12]}"
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(REGISTER)
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute(f"create database {name} template {TEMPLATE}")
    identity = {ISSUER: f"http://127.0.0.1:{server.server_address[1]}"}
    (entry,) = (b for b in blocks(ADD) if b.target.strip() == "endpoints")
    own = endpoints.parse(json.loads(entry.text.replace("<dsn>", dsn)))
    endpoints.write(home / "agencies" / endpoints.FILE_NAME, Endpoints(postgres=own.postgres, identity=identity))
    (copy / "number.txt").write_text(CITIZEN)
    environment = {
        **os.environ,
        "PATH": f"{PROJECT / '.venv' / 'bin'}:{os.environ['PATH']}",
        "HANBEON_HOME__PATH": str(home),
        "HANBEON_LEDGER__DSN": database(postgres_dsn, name),
    }
    found = Place(copy, home, environment)
    found.follow(blocks(ADD))
    found.run("git add -A && git -c user.name=test -c user.email=test@localhost commit -qm 'Add lawyers'")
    yield found
    server.shutdown()
    server.server_close()
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute("drop database kba with (force)")
        conn.execute(f"drop database {name} with (force)")


def held(place: Place, table: str) -> list[dict[str, Any]]:
    handle = tables.open_table(place.home / "lake", table)
    assert handle is not None, table
    rows = tables.read(place.home / "lake", table, schema=tables.schema_of(handle)).to_pylist()
    return [{n: v for n, v in row.items() if not n.startswith("_")} for row in rows]


def shown(place: Place, application: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """One application's only document, and its values."""
    said = json.loads(place.run(f"hanbeon application show {application['application_id']} --reader kim --json"))
    (document,) = said["documents"]
    return said | document, {v["name"]: v["value"] for v in document["copies"][0]["values"]}


def test_a_document_type_is_added_by_the_page_alone(place: Place) -> None:
    (application,) = json.loads(place.run("hanbeon application list --json"))
    document, values = shown(place, application)
    assert (document["document_type"], document["state"], document["is_complete"]) == ("LAWR", "data", True)
    assert values == {"ISSU_NO": "LAWR-2026-0000001", "FLNM": "김하나", "REG_YMD": "20200301", "QLFC_STTS_CD": "1"}


def test_a_contract_changes_by_the_page_alone_and_both_versions_are_published_until_the_last_day(place: Place) -> None:
    last = f"{seoul_date(now()) + timedelta(days=20)}"
    page = [Block(b.language, b.target, b.text.replace(LAST_DAY, last)) for b in blocks(CHANGE)]
    (place.folder / "number.txt").write_text(COLLEAGUE)
    place.run("hanbeon consent grant --service LEGAL_AID_PANEL --identifier-file number.txt")
    place.run("hanbeon pull kba/lawyer_register")
    place.follow(page)

    former, newest = "lawyer_registration", "lawyer_registration_v2"
    one = {"ISSU_NO": "LAWR-2026-0000001", "FLNM": "김하나", "QLFC_STTS_CD": "1"}
    other = {"ISSU_NO": "LAWR-2026-0000002", "FLNM": "김두나", "QLFC_STTS_CD": "2"}
    for room in ("gold", "shares/scourt"):
        in_order = [sorted(held(place, f"{room}/{t}"), key=lambda r: r["ISSU_NO"]) for t in (former, newest)]
        assert in_order[0] == [one | {"REG_YMD": "20200301"}, other | {"REG_YMD": "20210301"}]
        assert in_order[1] == [one | {"QLFC_ACQS_YMD": "20200301"}, other | {"QLFC_ACQS_YMD": "20210301"}]
    said = place.run("hanbeon verify")
    assert f"gold/{newest}: QLFC_ACQS_YMD is held under consent to REG_YMD, the commit says." in said
    listed = {c["contract"]: c for c in json.loads(place.run("hanbeon contracts list --json"))}
    assert listed[f"urn:hanbeon:published:{former}"]["published_until"] == last
    assert f"{former} is published until {last}" in place.run("hanbeon contracts check")

    consents = json.loads(place.run("hanbeon consent list --json"))
    (own,) = [c for c in consents if c["authorisation_id"] in _witnesses(place, newest, "LAWR-2026-0000001")]
    place.run(f"hanbeon consent withdraw {own['authorisation_id']}")
    place.run("hanbeon erase")
    assert [[r["FLNM"] for r in held(place, f"gold/{t}")] for t in (former, newest)] == [["김두나"], ["김두나"]]

    _end(place, last)
    assert f"{former} is over since" in place.run("hanbeon contracts check")
    place.run("hanbeon publish")
    assert [held(place, f"{room}/{former}") for room in ("gold", "shares/scourt")] == [[], []]
    assert [r["FLNM"] for r in held(place, f"shares/scourt/{newest}")] == ["김두나"]
    place.run("hanbeon verify")


def _witnesses(place: Place, table: str, number: str) -> set[str]:
    handle = tables.open_table(place.home / "lake", f"gold/{table}")
    assert handle is not None
    rows = tables.read(place.home / "lake", f"gold/{table}", schema=tables.schema_of(handle)).to_pylist()
    return {row["_authorisation_id"] for row in rows if row["ISSU_NO"] == number}


def _end(place: Place, last: str) -> None:
    """The last day was yesterday: what time does of itself."""
    file = place.folder / "schemas" / "contracts" / "published" / "lawyer_registration.yaml"
    yesterday = f"{seoul_date(now()) - timedelta(days=1)}"
    file.write_text(file.read_text(encoding="utf-8").replace(last, yesterday), encoding="utf-8")
    place.run("hanbeon contracts render")


@pytest.mark.parametrize(("page", "others"), [(ADD, 1), (CHANGE, 0)])
def test_every_block_of_a_page_is_used(page: str, others: int) -> None:
    found = blocks(page)
    assert sum(not b.is_done and b.language != "sh" for b in found) == others
    assert sum(b.is_done for b in found) >= 5
