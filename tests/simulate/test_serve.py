"""The agencies answer over real PostgreSQL and real HTTP, and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest
from lxml import etree

from hanbeon.errors import DependencyDown
from sources import endpoints
from sources.simulate import names
from sources.simulate.serve import serve
from sources.simulate.truth import truth
from tests.simulate.conftest import Served, ask_court, ask_mohw, post, token

FIELDS = ["name", "mainType", "degree", "registeredOn"]


def disabled(served: Served) -> list[str]:
    return [str(i) for i in truth(served.home, "DISB")["disability_certificate"]["identifier"].to_pylist()]


def test_the_endpoints_file_names_every_holder_and_no_secret(served: Served) -> None:
    path = served.home / "agencies" / "endpoints.json"
    assert endpoints.read(path) == served.endpoints
    assert set(served.endpoints.postgres) == {"mois", "molit", "nts"}
    text = path.read_text()
    for secret in (served.home / "keys").iterdir():
        assert secret.stat().st_mode & 0o077 == 0
        assert secret.read_text().strip().rpartition(":")[2] not in text


def test_the_exchange_reads_the_views_and_nothing_else(served: Served) -> None:
    with psycopg.connect(served.endpoints.postgres["mois"]) as conn:
        assert conn.execute("select count(*) from rr.household_extract").fetchone() == (600,)
        conn.execute("create temporary table requested (identifier text)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select * from rr.extract")


def test_only_fields_asked_for_leave_the_holder(served: Served) -> None:
    """P2: subjects and columns that were not asked for are not sent."""
    asked = disabled(served)[:5]
    page = ask_mohw(served, [*asked, "0000000000000"], FIELDS).json
    assert (page["page"], page["totalPages"], page["total"]) == (1, 1, 5)
    control = {"rrn", "registrationId", "updatedAt", "deleted"}
    assert all(set(r) == control | set(FIELDS) for r in page["records"])
    assert [r["rrn"] for r in page["records"]] == asked


def test_pages_cut_the_answer_without_gap_or_repeat(served: Served) -> None:
    asked = disabled(served)[:7]
    pages = [ask_mohw(served, asked, FIELDS, size=3, page=n).json for n in (1, 2, 3)]
    assert [len(p["records"]) for p in pages] == [3, 3, 1]
    assert {(p["totalPages"], p["total"]) for p in pages} == {(3, 7)}
    assert [r["rrn"] for p in pages for r in p["records"]] == asked


def test_a_change_is_sent_to_those_who_ask_since_that_instant(served: Served) -> None:
    subject = disabled(served)[0]
    endpoint = served.endpoints.rest["mohw"]
    record = ask_mohw(served, [subject], ["name"]).json["records"][0]
    bearer = f"Bearer {token(endpoint)}"

    def total(since: str) -> int:
        body = {"subjects": [{"id": subject, "fields": ["name"], "changedSince": since}], "page": 1, "pageSize": 9}
        url = f"{endpoint.url}/v1/disability/query"
        return int(post(url, json.dumps(body).encode(), Authorization=bearer).json["total"])

    assert total(record["updatedAt"]) == 1
    assert total("2026-06-01T00:00:01Z") == 0


def test_no_token_no_answer(served: Served) -> None:
    for endpoint, path in (
        (served.endpoints.rest["mohw"], "/v1/disability/query"),
        (served.endpoints.court_xml["scourt"], "/registers/family"),
    ):
        assert post(endpoint.url + path, b"{}").status == 401
        assert post(endpoint.url + path, b"{}", Authorization="Bearer nonsense").status == 401
        wrong = post(f"{endpoint.url}/oauth2/token", b"grant_type=client_credentials", Authorization="Basic eDp5")
        assert wrong.status == 401
        good = f"Bearer {token(endpoint)}"
        assert post(endpoint.url + path, b"no question", Authorization=good).status == 400
        assert post(endpoint.url + "/elsewhere", b"{}", Authorization=good).status == 404


def test_a_token_of_one_holder_opens_no_other(served: Served) -> None:
    court = served.endpoints.court_xml["scourt"]
    foreign = f"Bearer {token(served.endpoints.rest['mohw'])}"
    assert post(f"{court.url}/registers/family", b"<x/>", Authorization=foreign).status == 401


def test_the_corporate_register_declares_euc_kr_and_sends_cp949(served: Served) -> None:
    """domain/notes.md, 7: XML that declares EUC-KR but is CP949."""
    firms = truth(served.home, "CORR")["corporate_registration"]["identifier"].to_pylist()
    body = ask_court(served, "corporate", firms, "상호|임원사항/임원/성명").body
    assert body.startswith(b'<?xml version="1.0" encoding="EUC-KR"?>')
    text = body.decode("cp949")
    assert "법인등기사항증명서" in text
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")


def test_a_rare_syllable_travels_in_cp949_bytes_that_euc_kr_lacks(served: Served) -> None:
    tables = truth(served.home, "CORR")
    firms = tables["corporate_registration"]["identifier"].to_pylist()
    held = [*tables["corporate_registration"]["CONM"].to_pylist()]
    held += tables["corporate_registration__officers"]["EXC_NM"].to_pylist()
    rare = {s for s in names.RARE if any(s in name for name in held)}
    assert rare, "the seed of the served world must show a rare syllable"
    body = ask_court(served, "corporate", firms, "상호|임원사항/임원/성명").body
    for syllable in rare:
        assert syllable.encode("cp949") in body
        with pytest.raises(UnicodeDecodeError):
            syllable.encode("cp949").decode("euc_kr")


def test_a_certificate_shows_the_items_asked_for_and_the_lines_of_its_variant(served: Served) -> None:
    """P2: the narrowest variant is decided at the holder."""
    lines = truth(served.home, "FAMR")["family_relation_certificate__relatives"].to_pylist()
    subject = next(r["identifier"] for r in lines if r["_variant"] == "general" and r["_line_no"] == 4)
    items = "본인/성명|가족사항/가족/관계/@코드|가족사항/가족/성명"
    for variant in ("specific", "general", "detailed"):
        root = etree.fromstring(ask_court(served, "family", [subject], items, variant).body)
        (certificate,) = root
        assert (root.get("쪽"), root.get("전체쪽"), root.get("건수")) == ("1", "1", "1")
        assert certificate.findtext("본인/주민등록번호") == subject
        assert certificate.find("등록기준지") is None
        assert certificate.find("가족사항/가족/주민등록번호") is None
        shown = [
            (int(e.get("순번", "0")), e.find("관계").get("코드"), e.findtext("성명"))  # type: ignore[union-attr]
            for e in certificate.iterfind("가족사항/가족")
        ]
        held = [r for r in lines if r["identifier"] == subject and r["_variant"] == variant]
        assert shown == [(r["_line_no"], r["FAM_REL_CD"], r["FAM_NM"]) for r in held]


def test_a_token_expires_and_a_holder_asked_too_often_says_so(served: Served) -> None:
    """F28: 401 once the token is over, 429 with Retry-After past the limit."""
    command = [sys.executable, "-m", "sources.simulate.server", "--home", str(served.home)]
    command += ["--token-seconds=0.3", "--requests-per-second=2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["mohw"]
        url, one = f"http://127.0.0.1:{port}", served.endpoints.rest["mohw"]
        short = endpoints.HttpEndpoint(url, one.client_id, one.client_secret_file)
        question = b'{"subjects": [], "page": 1, "pageSize": 1}'
        bearer = f"Bearer {token(short)}"
        replies = [post(f"{url}/v1/disability/query", question, Authorization=bearer) for _ in range(6)]
        assert [r.status for r in replies][:4] == [200] * 4
        assert (replies[-1].status, replies[-1].headers["retry-after"]) == (429, "1")
        time.sleep(0.4)
        assert post(f"{url}/v1/disability/query", question, Authorization=bearer).status == 401
        process.stdin.close()
        assert process.wait(10) == 0


def test_agencies_that_answer_already_are_used_and_left_running(served: Served) -> None:
    with serve(served.home) as again:
        assert again == served.endpoints
    assert ask_mohw(served, disabled(served)[:1], FIELDS).status == 200


def test_nothing_can_be_served_without_a_world(tmp_path: Path) -> None:
    with pytest.raises(DependencyDown, match="No world is built"), serve(tmp_path):
        pass


_PARENT = """
import sys, time
from pathlib import Path
from sources.simulate import world
from sources.simulate.serve import serve
home = Path(sys.argv[1])
world.build(home, 60, 1)
with serve(home):
    print("up", flush=True)
    time.sleep(60)
"""


def of_home(home: Path) -> list[psutil.Process]:
    """Processes that work in or for a home folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if process.pid != os.getpid() and any(str(home) in part for part in process.info["cmdline"] or []):
            found.append(process)
    return found


def test_a_killed_parent_leaves_no_process(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with subprocess.Popen([sys.executable, "-c", _PARENT, str(home)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        assert len(of_home(home)) >= 3
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(10)
    gone = psutil.wait_procs(of_home(home), timeout=20)[1]
    assert gone == []


def test_ending_in_good_order_takes_down_servers_and_endpoints(tmp_path: Path) -> None:
    script = _PARENT.replace("time.sleep(60)", "pass")
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"up\n", b"")
    assert of_home(tmp_path) == []
    assert not (tmp_path / "agencies" / "endpoints.json").exists()
