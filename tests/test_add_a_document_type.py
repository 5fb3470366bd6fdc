"""docs/add-a-document-type.md, done as it says in a copy of the project: files, commands, a real agency, a row."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from hanbeon.postgres import database
from hanbeon.settings import PROJECT
from sources import endpoints
from sources.endpoints import Endpoints
from sources.simulate.identity import ISSUER, introduce
from sources.simulate.identity_server import serve_identity

PAGE = PROJECT / "docs" / "add-a-document-type.md"
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CITIZEN = "9023014000001"
REGISTER = """
create schema bar;
create table bar.lawyer (
    rrn char(13) not null, record_no text primary key, changed_at timestamptz not null, is_deleted boolean not null,
    issu_no varchar(20), flnm varchar(100), reg_ymd varchar(8)
);
insert into bar.lawyer values
    ('9023014000001', 'R-1', '2026-06-01+09', false, 'LAWR-2026-0000001', '김하나', '20200301'),
    ('9023024000002', 'R-2', '2026-06-01+09', false, 'LAWR-2026-0000002', '김두나', '20210301');
"""


@dataclass(frozen=True)
class Block:
    language: str
    target: str
    text: str

    def about(self, name: str) -> str | None:
        found = re.search(rf'{name}=(?:"([^"]*)"|(\S+))', self.target)
        return found and (found[1] or found[2])


def blocks() -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def put(copy: Path, block: Block) -> None:
    """Write, append or insert what a block says."""
    path, grown, into = (block.about(n) for n in ("file", "append", "insert"))
    target = copy / str(path or grown or into)
    if path:
        assert not target.exists(), path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.text, encoding="utf-8")
        return
    text, after = target.read_text(encoding="utf-8"), f"{block.about('after')}\n"
    assert not into or text.count(after) == 1
    target.write_text(text.replace(after, after + block.text) if into else text + block.text, encoding="utf-8")


@dataclass(frozen=True)
class Place:
    """A copy of the project with a home of its own."""

    folder: Path
    environment: dict[str, str]

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", command], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, (command, done.stdout[-3_000:], done.stderr[-3_000:])
        return done.stdout


@pytest.fixture
def place(tmp_path: Path, postgres_dsn: str, ledger_dsn_for_test: str) -> Iterator[Place]:
    copy, home = tmp_path / "project", tmp_path / "home"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True).stdout
    for name in filter(None, files.decode().split("\0")):
        if (PROJECT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, copy / name)
    subprocess.run(
        "git init -q && git add -A", shell=True, cwd=copy, check=True
    )  # what belongs to it is what git knows
    (copy / ".venv").symlink_to(PROJECT / ".venv")
    if (PROJECT / ".mypy_cache").is_dir():  # else types are checked from nothing, which takes minutes
        shutil.copytree(PROJECT / ".mypy_cache", copy / ".mypy_cache")
    introduce(home)
    server = serve_identity(home, "127.0.0.1", 0)
    dsn = database(postgres_dsn, "kba")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(REGISTER)
    identity = {ISSUER: f"http://127.0.0.1:{server.server_address[1]}"}
    (entry,) = (b for b in blocks() if b.target.strip() == "endpoints")
    own = endpoints.parse(json.loads(entry.text.replace("<dsn>", dsn)))
    endpoints.write(home / "agencies" / endpoints.FILE_NAME, Endpoints(postgres=own.postgres, identity=identity))
    (copy / "number.txt").write_text(CITIZEN)
    environment = {
        **os.environ,
        "PATH": f"{PROJECT / '.venv' / 'bin'}:{os.environ['PATH']}",
        "HANBEON_HOME__PATH": str(home),
        "HANBEON_LEDGER__DSN": ledger_dsn_for_test,
    }
    yield Place(copy, environment)
    server.shutdown()
    server.server_close()
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute("drop database kba with (force)")


def test_a_document_type_is_added_by_the_page_alone(place: Place) -> None:
    for block in blocks():
        if block.language == "sh":
            for command in block.text.splitlines():
                place.run(command)
        elif any(map(block.about, ("file", "append", "insert"))):
            put(place.folder, block)
    (application,) = json.loads(place.run("hanbeon application list --json"))
    shown = json.loads(place.run(f"hanbeon application show {application['application_id']} --reader kim --json"))
    (document,) = shown["documents"]
    assert (document["document_type"], document["state"], shown["is_complete"]) == ("LAWR", "data", True)
    values = {v["name"]: v["value"] for v in document["copies"][0]["values"]}
    assert values == {"ISSU_NO": "LAWR-2026-0000001", "FLNM": "김하나", "REG_YMD": "20200301"}


def test_every_block_of_the_page_is_used() -> None:
    known = [b for b in blocks() if any(map(b.about, ("file", "append", "insert"))) or b.target.strip() == "endpoints"]
    assert len(known) + sum(b.language == "sh" for b in blocks()) == len(blocks()) >= 10
