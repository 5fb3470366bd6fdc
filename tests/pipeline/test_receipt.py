"""A receipt is what a citizen keeps: signed, with its place in the log, and checked here by hand."""

import hashlib
import json
from pathlib import Path

import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey

from consent import ledger, signing
from consent.append import canonical
from exchange.receipt_pdf import render
from hanbeon.cli import main
from hanbeon.errors import UsageError
from pipeline.attest import operator
from pipeline.receipt import receipt
from tests.small_lake import ONE, SmallLake

MEMBERS = ("authorisation_id", "instant", "kind", "payload", "position", "subject")


def test_p3_a_receipt_leads_from_the_event_to_a_signed_checkpoint(still_lake: SmallLake) -> None:
    found = receipt(still_lake.run, str(still_lake.one.consent))
    key = OKPKey.import_key(signing.jwk(operator(still_lake.run.settings).documents))
    signed = jws.deserialize_compact(found.token, key, algorithms=["Ed25519"])
    claims = json.loads(signed.payload)
    assert claims == found.claims
    event, log = claims["event"], claims["log"]
    hidden = [  # docs/proof.md, section 2
        hashlib.sha256(bytes.fromhex(one["salt"]) + canonical(one["scope"])).hexdigest()
        for one in event["payload"]["scopes"]
    ]
    members = {n: event[n] for n in MEMBERS} | {"payload": event["payload"] | {"scopes": hidden}}
    digest = hashlib.sha256(bytes.fromhex(event["salt"]) + canonical(members)).digest()
    entry = bytes.fromhex(log["entry"])
    assert entry[18:] == digest
    assert int.from_bytes(entry[2:10], "big") == event["position"]
    at, last, node = log["index"], log["size"] - 1, hashlib.sha256(b"\x00" + entry).digest()
    for other in map(bytes.fromhex, log["path"]):
        is_right = at & 1 or at == last
        node = hashlib.sha256(b"\x01" + (other + node if is_right else node + other)).digest()
        while is_right and not at & 1 and at:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    import base64

    assert base64.b64encode(node).decode() == log["checkpoint"].split("\n")[2]


def test_a_changed_receipt_does_not_verify(still_lake: SmallLake) -> None:
    head, payload, signature = receipt(still_lake.run, str(still_lake.one.consent)).token.split(".")
    changed = ("A" if payload[40] != "A" else "B").join([payload[:40], payload[41:]])
    key = OKPKey.import_key(signing.jwk(operator(still_lake.run.settings).documents))
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(f"{head}.{changed}.{signature}", key, algorithms=["Ed25519"])


def test_each_event_has_its_receipt_and_an_unknown_one_none(own_lake: SmallLake) -> None:
    run, consent = own_lake.run, str(own_lake.one.consent)
    ledger.withdraw(run.conn, consent, run.at())
    assert receipt(run, consent).claims["dpv:hasConsentStatus"]["status"] == "dpv:ConsentWithdrawn"
    first = ledger.history(run.conn, consent)[0].position
    assert receipt(run, consent, first).claims["dpv:hasConsentStatus"]["event"] == "granted"
    for unknown in (("auth-unknown", None), (consent, 999)):
        with pytest.raises(UsageError, match="no such event"):
            receipt(run, *unknown)


def test_a_receipt_says_who_gets_what_for_what_and_until_when(still_lake: SmallLake) -> None:
    claims = receipt(still_lake.run, str(still_lake.one.consent)).claims
    assert claims["dct:conformsTo"] == "ISO/IEC TS 27560:2023"
    assert claims["dpv:hasRecipient"]["dct:identifier"] == "mogef"
    assert claims["dpv:hasNotice"]["hanbeon:sha256"]
    family = next(d for d in claims["dpv:hasPersonalData"] if d["dct:identifier"] == "FAMR")
    assert family["dpv:hasDataSource"] == {"dct:identifier": "scourt", "ko": "대법원"}
    assert set(family["columns"]) == {
        column
        for shown in claims["event"]["payload"]["scopes"]
        for column in shown["scope"]["columns"]
        if shown["scope"]["document_type"] == "FAMR"
    }
    assert claims["dct:valid"]["until"] > claims["dct:valid"]["from"]


def test_p8_neither_receipt_nor_page_names_a_person(still_lake: SmallLake) -> None:
    found = receipt(still_lake.run, str(still_lake.one.consent))
    page = render(found.claims, found.token)
    for value in (ONE, still_lake.one.name):
        assert value not in json.dumps(found.claims, ensure_ascii=False)
        assert value.encode() not in page
    assert page.startswith(b"%PDF-")
    assert render(found.claims, found.token) == page, "the same receipt gives the same page"


def test_the_command_prints_and_writes_receipts(
    own_lake: SmallLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HANBEON_HOME__PATH", str(own_lake.run.settings.home_path))
    monkeypatch.setenv("HANBEON_LEDGER__DSN", own_lake.run.settings.ledger.dsn)
    consent = str(own_lake.one.consent)
    assert main(["consent", "receipt", consent]) == 0
    assert capsys.readouterr().out.count(".") == 2
    assert main(["consent", "receipt", consent, "--format", "pdf", "--out", str(tmp_path / "r.pdf")]) == 0
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")
    assert main(["consent", "receipt", consent, "--format", "json"]) == 0
    assert '"ISO/IEC TS 27560:2023"' in capsys.readouterr().out
    assert main(["consent", "receipt", consent, "--format", "pdf"]) == 2
    assert main(["consent", "receipt", consent, "--format", "docx"]) == 2
