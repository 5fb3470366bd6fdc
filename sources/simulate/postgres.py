"""The PostgreSQL agencies: 행정안전부 (database `mois`) and 국세청 (database `nts`), a register each or several.

Resident register and income certificates are written here in the agency's own names, so that connector and contract
are held against something that neither made; the other registers have the relations that their contracts name. Base
tables hold the records in the agency's own column names; views show what the exchange may read, to a role that may
read those views and nothing else. Its password lies in a file under `home/keys`; the DSN names the file.
"""

import io
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import polars as pl
import psycopg
from psycopg import sql

from hanbeon import postgres
from schemas.column import Column
from schemas.contract import Contract, sources
from sources.simulate import forms, store

READER = "hanbeon_exchange"


@dataclass(frozen=True)
class Relation:
    """A base table, the view over it, and the agency's names for official columns, in order, with SQL types."""

    table: str
    view: str
    columns: Mapping[str, tuple[str, str]]  # official or control name: (agency's name, type)
    key: tuple[str, ...]


@dataclass(frozen=True)
class Agency:
    """One register of an agency: where it lies, and its relations."""

    database: str
    schema: str
    register: str
    relations: Mapping[str, Relation]  # by register table, header first


_MOIS = Agency(
    "mois",
    "rr",
    "household_extract",
    {
        "household_extract": Relation(
            "extract",
            "household_extract",
            {
                "record_id": ("extract_no", "text not null"),
                "identifier": ("rrn", "char(13) not null"),
                "changed_at": ("changed_at", "timestamptz not null"),
                "is_deleted": ("is_deleted", "boolean not null"),
                "ISSU_NO": ("issu_no", "varchar(20) not null"),
                "ISSU_YMD": ("issu_ymd", "varchar(8) not null"),
                "ISSU_INST_CD": ("issu_inst_cd", "varchar(7) not null"),
                "HSHLDR_NM": ("head_nm", "varchar(100) not null"),
                "ROAD_NM_ADDR": ("road_addr", "varchar(200) not null"),
                "STDG_CD": ("stdg_cd", "varchar(10) not null"),
                "DONG_CD": ("dong_cd", "varchar(10)"),
                "ZIP": ("zip", "varchar(5)"),
                "MVIN_YMD": ("mvin_ymd", "varchar(8) not null"),
                "HH_CMPS_RSN_CD": ("hh_rsn_cd", "varchar(2)"),
            },
            ("extract_no",),
        ),
        "household_extract__members": Relation(
            "extract_member",
            "household_extract_member",
            {
                "record_id": ("extract_no", "text not null"),
                "line_no": ("line_no", "integer not null"),
                "is_subject": ("is_subject", "boolean not null"),
                "person_identifier": ("mbr_rrn", "char(13)"),
                "FMBR_NM": ("mbr_nm", "varchar(100) not null"),
                "HSHLDR_REL_NM": ("rel_nm", "varchar(300) not null"),
                "MVIN_YMD": ("mbr_mvin_ymd", "varchar(8)"),
                "RSDNC_STTS_CD": ("stts_cd", "varchar(2) not null"),
                "NTNLTY_NM": ("ntnlty_nm", "varchar(100)"),
            },
            ("extract_no", "line_no"),
        ),
    },
)
_NTS = Agency(
    "nts",
    "tax",
    "income_certificate",
    {
        "income_certificate": Relation(
            "certificate",
            "income_certificate",
            {
                "record_id": ("cert_no", "text not null"),
                "identifier": ("rrn", "char(13) not null"),
                "changed_at": ("changed_at", "timestamptz not null"),
                "is_deleted": ("is_deleted", "boolean not null"),
                "ISSU_NO": ("issu_no", "varchar(20) not null"),
                "ISSU_YMD": ("issu_ymd", "varchar(8) not null"),
                "ISSU_INST_CD": ("issu_inst_cd", "varchar(7) not null"),
                "INERN_NM": ("inern_nm", "varchar(100) not null"),
            },
            ("cert_no",),
        ),
        "income_certificate__lines": Relation(
            "line",
            "income_line",
            {
                "record_id": ("cert_no", "text not null"),
                "line_no": ("line_no", "integer not null"),
                "EARN_BLN_YR": ("attr_yr", "varchar(4) not null"),
                "EARN_SE_CD": ("se_cd", "varchar(2) not null"),
                "INCM_AMT": ("incm_amt", "bigint"),
                "EARN_AMT": ("earn_amt", "bigint"),
                "TXBS_AMT": ("txbs_amt", "bigint"),
                "DCSN_TXAMT": ("dcsn_txamt", "bigint"),
                "TSL_AMT": ("tsl_amt", "bigint"),
                "BPLC_NM": ("bplc_nm", "varchar(200)"),
                "BRNO": ("brno", "varchar(10)"),
            },
            ("cert_no", "line_no"),
        ),
    },
)
BY_HAND = (_MOIS, _NTS)
_TYPES = {"string": "text", "integer": "bigint", "boolean": "boolean"}


def _of_contract(contract: Contract) -> Agency:
    """A register as its contract says that it is delivered."""
    d = contract.delivery
    schema = str(d["relation"]).partition(".")[0]
    control = {
        "record_id": (d["recordIdColumn"], "text not null"),
        "identifier": (d["identifierColumn"], "text not null"),
        "changed_at": (d["changedAtColumn"], "timestamptz not null"),
        "is_deleted": (d["deletedColumn"], "boolean not null"),
    }
    relations = {contract.table.document: _relation(d["relation"], control, contract.content, (d["recordIdColumn"],))}
    for group in contract.groups:
        g = group.delivery
        flag = g.get("subjectLineColumn")
        line = {
            "record_id": (g["parentColumn"], "text not null"),
            "line_no": (g["lineNoColumn"], "integer not null"),
            **({flag: (flag, "boolean not null")} if flag else {}),
        }
        key = (g["parentColumn"], g["lineNoColumn"])
        relations[f"{contract.table.document}__{group.name}"] = _relation(g["relation"], line, group.columns, key)
    return Agency(str(d["database"]), schema, contract.table.document, relations)


def _relation(
    place: str, control: Mapping[str, tuple[str, str]], columns: Sequence[Column], key: tuple[str, ...]
) -> Relation:
    view = place.partition(".")[2]
    own = {
        c.publishes or "person_identifier": (c.name, _TYPES.get(c.logical_type, c.physical_type))
        for c in columns
        if c.identifies != "subject"
    }
    return Relation(f"{view}_record", view, {**control, **own}, key)


AGENCIES = BY_HAND + tuple(
    _of_contract(c)
    for c in sources()
    if c.delivery["form"] == "postgres"
    and c.table.document in store.REGISTERS
    and c.table.document not in {a.register for a in BY_HAND}
)
DATABASES = tuple(dict.fromkeys(a.database for a in AGENCIES))


@contextmanager
def server(home: Path, dsn: str = "") -> Iterator[str]:
    """The agencies' own cluster, apart from the ledger's; or the server that `dsn` names."""
    if dsn:
        yield dsn
        return
    with postgres.cluster(home / "agencies" / "postgres", is_durable=False) as embedded:
        yield embedded


def clear(dsn: str, name: str) -> None:
    """Make an agency's database anew, without any register."""
    with psycopg.connect(postgres.database(dsn, name)) as conn:
        for schema in dict.fromkeys(a.schema for a in AGENCIES if a.database == name):
            conn.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
            conn.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))


def load(dsn: str, agency: Agency, tables: store.Frames) -> None:
    """Fill an agency's database with one of its registers."""
    with psycopg.connect(postgres.database(dsn, agency.database)) as conn:
        _fill(conn, agency, tables)


def _fill(conn: psycopg.Connection[Any], agency: Agency, true: store.Frames) -> None:
    tables = forms.delivered(agency.register, true)
    for table, relation in agency.relations.items():
        _create(conn, agency.schema, relation)
        _copy(conn, agency.schema, relation, tables[table])
    for relation in agency.relations.values():
        _index(conn, agency.schema, relation)
    create_views(conn, agency)
    grant_reader(conn, agency)


def upsert(dsn: str, agency: Agency, true: store.Frames) -> None:
    """Replace the records given, lines and all, in one transaction."""
    tables = forms.delivered(agency.register, true)
    records = tables[agency.register]["record_id"].to_list()
    with psycopg.connect(postgres.database(dsn, agency.database)) as conn:
        for table, relation in agency.relations.items():
            conn.execute(
                sql.SQL("delete from {} where {} = any(%s)").format(
                    sql.Identifier(agency.schema, relation.table), sql.Identifier(relation.key[0])
                ),
                [records],
            )
            if table in tables:
                _copy(conn, agency.schema, relation, tables[table])


def reissue(dsn: str) -> None:
    """Certificates that are issued when somebody asks bear the day of today, as `store.register` tells them."""
    for agency in AGENCIES:
        if agency.register not in store.ISSUED_WHEN_ASKED:
            continue
        relation = agency.relations[agency.register]
        days = store.days_of_issue(agency.register)
        names = [sql.Identifier(relation.columns[n][0]) for n in days]
        text = sql.SQL("update {} set ({}) = row ({}) where {} <> %s").format(
            sql.Identifier(agency.schema, relation.table),
            sql.SQL(", ").join(names),
            sql.SQL(", ").join([sql.Placeholder()] * len(names)),
            names[0],
        )
        with psycopg.connect(postgres.database(dsn, agency.database)) as conn:
            conn.execute(text, [*days.values(), next(iter(days.values()))])


def _create(conn: psycopg.Connection[Any], schema: str, relation: Relation) -> None:
    columns = [sql.SQL("{} ").format(sql.Identifier(n)) + sql.SQL(t) for n, t in relation.columns.values()]
    table = sql.Identifier(schema, relation.table)
    conn.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(columns)))


def _copy(conn: psycopg.Connection[Any], schema: str, relation: Relation, frame: pl.DataFrame) -> None:
    names = sql.SQL(", ").join(sql.Identifier(n) for n, _ in relation.columns.values())
    command = sql.SQL("copy {} ({}) from stdin (format csv)").format(sql.Identifier(schema, relation.table), names)
    with conn.cursor() as cursor, cursor.copy(command) as copy:
        for part in frame.select(list(relation.columns)).iter_slices(20_000):
            buffer = io.BytesIO()
            part.write_csv(buffer, include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6f%z")
            copy.write(buffer.getbuffer())


def _index(conn: psycopg.Connection[Any], schema: str, relation: Relation) -> None:
    table = sql.Identifier(schema, relation.table)
    key = sql.SQL(", ").join(sql.Identifier(k) for k in relation.key)
    conn.execute(sql.SQL("alter table {} add primary key ({})").format(table, key))
    if "identifier" in relation.columns:
        identifier = sql.Identifier(relation.columns["identifier"][0])
        conn.execute(sql.SQL("create unique index on {} ({})").format(table, identifier))
    conn.execute(sql.SQL("analyze {}").format(table))


def create_views(conn: psycopg.Connection[Any], agency: Agency, shown: Mapping[str, str] | None = None) -> None:
    """The views of the exchange. `shown` replaces the expression of `view.column`; for faults only."""
    given = shown or {}
    for relation in agency.relations.values():
        view = sql.Identifier(agency.schema, relation.view)
        columns = [
            sql.SQL(given[f"{relation.view}.{n}"]) if f"{relation.view}.{n}" in given else sql.Identifier(n)
            for n, _ in relation.columns.values()
        ]
        columns += [sql.SQL(v) for k, v in given.items() if k == f"{relation.view}.+"]
        conn.execute(sql.SQL("drop view if exists {}").format(view))
        conn.execute(
            sql.SQL("create view {} as select {} from {}").format(
                view, sql.SQL(", ").join(columns), sql.Identifier(agency.schema, relation.table)
            )
        )


def make_reader(dsn: str, home: Path) -> None:
    """The exchange's role, with the password of its file."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        if conn.execute("select 1 from pg_roles where rolname = %s", [READER]).fetchone() is None:
            conn.execute(sql.SQL("create role {} login").format(sql.Identifier(READER)))
        secret = sql.Literal(_password(home))
        conn.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(READER), secret))


def grant_reader(conn: psycopg.Connection[Any], agency: Agency) -> None:
    """The exchange reads the views, and nothing else."""
    role = sql.Identifier(READER)
    conn.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(agency.schema), role))
    for relation in agency.relations.values():
        view = sql.Identifier(agency.schema, relation.view)
        conn.execute(sql.SQL("grant select on {} to {}").format(view, role))


def _passfile(home: Path) -> Path:
    return home / "keys" / "agencies.pgpass"


def _password(home: Path) -> str:
    """The reader's password, made at first use."""
    path = _passfile(home)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(".part")
        draft.touch(mode=0o600)
        draft.write_text(f"*:*:*:{READER}:{secrets.token_urlsafe(24)}\n", encoding="ascii")
        draft.replace(path)
    return path.read_text(encoding="ascii").strip().rpartition(":")[2]


def reader_dsn(dsn: str, home: Path, database: str) -> str:
    """The DSN that the exchange is given; it names the file of the password, not the password."""
    parts = urlsplit(dsn)
    address = f"{READER}@{parts.hostname or '127.0.0.1'}:{parts.port or 5432}"
    query = urlencode({"passfile": str(_passfile(home).resolve())}, quote_via=quote)
    return urlunsplit(("postgresql", address, f"/{database}", query, ""))
