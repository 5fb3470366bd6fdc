"""P3: a consent is recorded when a trusted provider signed that this person saw this notice, and on no other word."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from consent import evidence, ledger, owners, sealing, vault
from consent.history import history
from consent.model import Event, Grant, Kind, Mode, Reason, Sealed
from consent.secrets import Secrets
from consent.trust import Trust, read_trust
from hanbeon.errors import DependencyDown, GateRefused, IntegrityError, SettingsError, UsageError
from schemas import notices
from schemas.services import service
from sources.simulate import identity
from tests.consent.making import AT, DAY, SECOND, grant, scope, trusted

ONE, TWO = "9023014000001", "9023024000002"
Sign = Callable[..., str]


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return trusted(tmp_path)


@pytest.fixture
def wanted(ledger_conn: psycopg.Connection, secrets: Secrets) -> Grant:
    """What `ONE` consents to, not yet proven."""
    key = vault.keys(ledger_conn, secrets, "RRN", [ONE], AT).to_pylist()[0]
    return unproven(key)


def unproven(key: int, **changes: Any) -> Grant:
    return grant(scope(subject_key=key), grantor_key=key, grounds=notices.NEEDED, evidence=None, **changes)


def token(home: Path, given: Grant, number: str = ONE, **changes: Any) -> str:
    """The provider's token for this grant, one or some of its claims changed."""
    own = identity.provider(home)
    body = own.authenticate(number, evidence.notice_of(given).digest, AT).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return identity.signed(own.key, {k: v for k, v in (claims | changes).items() if v is not None}, "JWT")


def record(conn: psycopg.Connection, secrets: Secrets, trust: Trust, given: Grant, signed: str | None) -> str:
    with conn.transaction():
        return ledger.grant(conn, evidence.attach(conn, secrets, trust, [(given, signed)], AT), AT)[0]


def test_a_signed_consent_is_recorded_and_its_evidence_opens(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path
) -> None:
    signed = token(tmp_path, wanted)
    key = record(ledger_conn, secrets, trust, wanted, signed)
    found = evidence.open_evidence(ledger_conn, secrets, key)
    digest = evidence.notice_of(wanted).digest
    assert found == {"kind": "authentication", "token": signed, "notice": {"version": "1", "hash": digest}}
    (event,) = history(ledger_conn, key)
    assert event.payload is not None
    assert event.payload["evidence_digest"] == sealing.digest(found)
    assert signed not in json.dumps(event.payload)
    (row,) = ledger.authorisations(ledger_conn, authorisation_id=key).to_pylist()
    assert (row["notice_version"], row["notice_hash"]) == ("1", digest)
    assert row["proof_digest"] == event.payload["evidence_digest"]
    assert json.loads(evidence.shown(ledger_conn, digest) or "")["title_ko"].startswith("행정정보")


def forged(home: Path, given: Grant) -> str:
    head, body, _ = token(home, given).split(".")
    return f"{head}.{body}.{b64(bytes(64))}"


def by_another_key(home: Path, given: Grant) -> str:
    signed = token(home, given)
    body = signed.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return identity.signed(OKPKey.import_key(Ed25519PrivateKey.generate()), claims, "JWT")


def unsigned(home: Path, given: Grant) -> str:
    return f"{b64(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())}.{token(home, given).split('.')[1]}."


def with_the_public_key_as_a_secret(home: Path, given: Grant) -> str:
    """HS256 keyed with what everybody knows: the confusion that a lenient reader falls for."""
    public = identity.jwks(identity.provider(home).key)["keys"][0]["x"]
    text = f"{b64(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{token(home, given).split('.')[1]}"
    secret = base64.urlsafe_b64decode(public + "=")
    return f"{text}.{b64(hmac.digest(secret, text.encode(), 'sha256'))}"


def of_an_agency(home: Path, given: Grant) -> str:
    """Agencies are trusted too, but not to say who a citizen is."""
    body = token(home, given).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return identity.signed(identity.agency_key(home), claims, "JWT")


BAD: dict[str, tuple[Callable[[Path, Grant], str], str]] = {
    "a forged signature": (forged, "nobody who is trusted"),
    "another key": (by_another_key, "nobody who is trusted"),
    "no signature": (unsigned, "nobody who is trusted"),
    "a public key used as a secret": (with_the_public_key_as_a_secret, "nobody who is trusted"),
    "an agency's signature": (of_an_agency, "nobody who is trusted"),
    "no token at all": (lambda *_: "x", "nobody who is trusted"),
    "another issuer's name": (lambda h, g: token(h, g, iss="https://else.example"), "nobody who is trusted"),
    "another audience": (lambda h, g: token(h, g, aud="else"), "somebody else"),
    "another nonce": (lambda h, g: token(h, g, nonce="00" * 32), "another notice"),
    "another person": (lambda h, g: token(h, g, TWO), "another person's"),
    "no person": (lambda h, g: token(h, g, sub=None), "names nobody"),
    "no id of its own": (lambda h, g: token(h, g, jti=None), "id of its own"),
    "a weak means": (lambda h, g: token(h, g, acr="1"), "level of assurance"),
    "no level": (lambda h, g: token(h, g, acr=None), "level of assurance"),
    "no end": (lambda h, g: token(h, g, exp=None), "until when"),
    "an instant that is none": (lambda h, g: token(h, g, iat=True), "until when"),
    "a life of a day": (lambda h, g: token(h, g, exp=int((AT + DAY).timestamp())), "valid for too long"),
}


@pytest.mark.parametrize("flaw", BAD)
def test_a_token_that_proves_nothing_is_refused_and_nothing_is_recorded(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path, flaw: str
) -> None:
    vault.keys(ledger_conn, secrets, "RRN", [TWO], AT)
    make, sentence = BAD[flaw]
    with pytest.raises(IntegrityError, match=sentence) as refused:
        record(ledger_conn, secrets, trust, wanted, make(tmp_path, wanted))
    assert ONE not in str(refused.value)
    assert ledger.position(ledger_conn) == 0
    record(ledger_conn, secrets, trust, wanted, token(tmp_path, wanted))  # the right one still counts


@pytest.mark.parametrize(
    ("seconds", "is_good"), [(-61, False), (-60, True), (0, True), (300 + 59, True), (300 + 60, False)]
)
def test_a_token_counts_from_when_it_was_made_until_it_ends_give_or_take_a_minute(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path,
    seconds: int, is_good: bool,
) -> None:  # fmt: skip
    signed = token(tmp_path, wanted)
    if is_good:
        evidence.attach(ledger_conn, secrets, trust, [(wanted, signed)], AT + seconds * SECOND)
        return
    with pytest.raises(IntegrityError, match="expired"):
        evidence.attach(ledger_conn, secrets, trust, [(wanted, signed)], AT + seconds * SECOND)


def test_a_token_is_spent_once_and_comes_back_when_the_grant_fails(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path
) -> None:
    signed = token(tmp_path, wanted)
    taken = replace(wanted, authorisation_id="auth-1")
    with pytest.raises(IntegrityError, match="used before"):
        evidence.attach(ledger_conn, secrets, trust, [(wanted, signed), (wanted, signed)], AT)
    record(ledger_conn, secrets, trust, taken, signed)
    with pytest.raises(IntegrityError, match="used before"):
        record(ledger_conn, secrets, trust, wanted, signed)
    again = token(tmp_path, wanted)
    with pytest.raises(UsageError):
        record(ledger_conn, secrets, trust, taken, again)  # the id is taken
    record(ledger_conn, secrets, trust, wanted, again)


def test_a_notice_that_was_never_shown_is_none(ledger_conn: psycopg.Connection) -> None:
    assert evidence.shown(ledger_conn, "0" * 64) is None


def test_terms_other_than_those_shown_are_refused(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path
) -> None:
    signed = token(tmp_path, wanted)
    for other in (
        replace(wanted, valid_until=wanted.valid_until + DAY, retain_until=wanted.retain_until + DAY),
        replace(wanted, retain_until=wanted.retain_until + DAY),
        replace(wanted, scopes=(*wanted.scopes, scope("FAMR", wanted.scopes[0].subject_key))),
    ):
        with pytest.raises(IntegrityError, match="another notice"):
            record(ledger_conn, secrets, trust, other, signed)


def test_a_key_for_encrypting_signs_nothing(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path
) -> None:
    signed, (issuer, keys) = token(tmp_path, wanted), next(iter(trust.identity_providers.items()))
    closed = replace(trust, identity_providers={issuer: tuple({**key, "use": "enc"} for key in keys)})
    with pytest.raises(IntegrityError, match="nobody who is trusted"):
        record(ledger_conn, secrets, closed, wanted, signed)
    record(ledger_conn, secrets, trust, wanted, signed)


def test_a_swapped_text_is_found(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path
) -> None:
    text = evidence.notice_of(wanted)
    swapped = replace(text, items=(replace(text.items[0], ko="이용목적: 없음"), *text.items[1:]))
    assert swapped.digest != text.digest
    with pytest.raises(IntegrityError, match="another notice"):
        record(ledger_conn, secrets, trust, wanted, token(tmp_path, wanted, nonce=swapped.digest))


def test_a_pseudonym_that_is_linked_stays_with_its_person(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path
) -> None:
    record(ledger_conn, secrets, trust, wanted, token(tmp_path, wanted))
    name = json.loads(base64.urlsafe_b64decode(token(tmp_path, wanted).split(".")[1] + "=="))["sub"]
    assert vault.find(ledger_conn, secrets, "CI", [name]).to_pylist() == [wanted.grantor_key]
    assert ONE not in name
    two = unproven(vault.keys(ledger_conn, secrets, "RRN", [TWO], AT).to_pylist()[0])
    both = [(two, token(tmp_path, two, TWO)), (two, token(tmp_path, two, ONE))]
    with pytest.raises(IntegrityError, match="another person's"):
        evidence.attach(ledger_conn, secrets, trust, both, AT)
    assert vault.find(ledger_conn, secrets, "CI", [trust_name(trust, TWO)]).to_pylist() == [None]


def trust_name(trust: Trust, number: str) -> str:
    return hmac.digest(trust.linking, number.encode(), "sha256").hex()


def test_sensitive_columns_need_a_consent_of_their_own(ledger_conn: psycopg.Connection, secrets: Secrets) -> None:
    chosen = service("DISABILITY_PENSION")
    needed = next(r for r in chosen.data_requirements if r.document_type == "DISB")
    terms = grant(
        replace(scope(), document_type="DISB", variant="standard", columns=needed.columns, holder="mohw"),
        service=chosen.id, recipient=chosen.recipient, purpose=chosen.purpose, grounds=notices.NEEDED,
    )  # fmt: skip
    with pytest.raises(UsageError, match="separate consent"):
        evidence.notice_of(terms)
    assert "sensitive" in evidence.notice_of(replace(terms, grounds=(*notices.NEEDED, "sensitive"))).grounds
    narrow = replace(terms.scopes[0], columns=notices.narrowed(needed, notices.NEEDED))
    assert evidence.notice_of(replace(terms, scopes=(narrow,))).grounds == notices.NEEDED


@pytest.mark.parametrize("kind", [Kind.CONSENT, Kind.DEMAND])
def test_without_evidence_nothing_is_recorded(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, kind: Kind
) -> None:
    bare = replace(wanted, kind=kind)
    for attempt in (
        lambda: ledger.grant(ledger_conn, [bare], AT),
        lambda: record(ledger_conn, secrets, trust, wanted, None),
    ):
        with pytest.raises(GateRefused) as refused:
            attempt()
        assert refused.value.reason == Reason.NO_EVIDENCE
    assert ledger.position(ledger_conn) == 0


def test_a_statutory_ground_names_its_article_and_nobody_signs(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust
) -> None:
    ground = grant(kind=Kind.STATUTE, grantor_key=None, legal_basis="전자정부법 시행령 제49조", evidence=None)
    key = record(ledger_conn, secrets, trust, ground, None)
    assert evidence.open_evidence(ledger_conn, secrets, key) == {
        "kind": "statute",
        "article": "전자정부법 시행령 제49조",
    }


def test_p4_the_owners_key_destroyed_nobody_reads_the_evidence_and_the_event_still_verifies(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path
) -> None:
    key = record(ledger_conn, secrets, trust, wanted, token(tmp_path, wanted))
    owner = owners.owner_of_key(wanted.grantor_key or 0)
    assert owners.destroy(ledger_conn, [owner], AT) == 0  # what is in force keeps its evidence
    assert evidence.open_evidence(ledger_conn, secrets, key) is not None
    ledger.withdraw(ledger_conn, key, AT)
    assert owners.destroy(ledger_conn, [owner], AT) == 1
    assert evidence.open_evidence(ledger_conn, secrets, key) is None
    event, _ = history(ledger_conn, key)
    assert event.is_intact
    ledger.erase_payloads(ledger_conn, [event.position])
    assert evidence.open_evidence(ledger_conn, secrets, key) is None


def test_a_ciphertext_moved_to_another_authorisation_does_not_open() -> None:
    secret, body = b"s" * 32, {"kind": "authentication", "token": "t"}
    sealed = sealing.seal(secret, "auth-1", body)
    assert sealing.opened(secret, "auth-1", sealed) == body
    changed = bytes([(sealed.ciphertext or b"")[0] ^ 1]) + (sealed.ciphertext or b"")[1:]
    for key, given in (
        ("auth-2", sealed),
        ("auth-1", Sealed(sealed.digest, changed)),
        ("auth-1", Sealed(sealed.digest, b"short")),
        ("auth-1", Sealed("00" * 32, sealed.ciphertext)),
        ("auth-1", sealing.seal(b"t" * 32, "auth-1", body)),
    ):
        with pytest.raises(IntegrityError, match="moved or changed"):
            sealing.opened(secret, key, given)


def test_what_opens_needs_the_citizen_and_what_closes_says_who_did_it(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path
) -> None:
    given = replace(wanted, mode=Mode.STANDING)
    key = record(ledger_conn, secrets, trust, given, token(tmp_path, given))
    until = {"valid_until": wanted.valid_until + DAY, "retain_until": wanted.retain_until + DAY}

    def signed(event: Event, number: str = ONE, ends: dict[str, datetime] | None = None) -> Sealed:
        nonce = notices.act_notice(event, key, ends).digest
        word = identity.provider(tmp_path).authenticate(number, nonce, AT)
        return evidence.for_change(ledger_conn, secrets, trust, key, event, word, AT, **(ends or {}))

    ledger.pause(ledger_conn, key, AT)
    with pytest.raises(GateRefused):
        ledger.resume(ledger_conn, key, AT)
    ledger.resume(ledger_conn, key, AT, signed(Event.RESUMED))
    with pytest.raises(GateRefused):
        ledger.renew(ledger_conn, key, until["valid_until"], AT)
    ledger.renew(ledger_conn, key, until["valid_until"], AT, until["retain_until"], signed(Event.RENEWED, ends=until))
    vault.keys(ledger_conn, secrets, "RRN", [TWO], AT)
    with pytest.raises(IntegrityError, match="another person's"):
        signed(Event.WITHDRAWN, TWO)
    ledger.withdraw(ledger_conn, key, AT, signed(Event.WITHDRAWN))
    said = [(e.kind, (e.payload or {}).get("by")) for e in history(ledger_conn, key)]
    assert said == [
        ("granted", None),
        ("paused", "operator"),
        ("resumed", "citizen"),
        ("renewed", "citizen"),
        ("withdrawn", "citizen"),
    ]


def test_a_token_for_one_act_is_none_for_another(
    ledger_conn: psycopg.Connection, secrets: Secrets, trust: Trust, wanted: Grant, tmp_path: Path
) -> None:
    key = record(ledger_conn, secrets, trust, wanted, token(tmp_path, wanted))
    word = identity.provider(tmp_path).authenticate(ONE, notices.act_notice(Event.PAUSED, key).digest, AT)
    with pytest.raises(IntegrityError, match="another notice"):
        evidence.for_change(ledger_conn, secrets, trust, key, Event.WITHDRAWN, word, AT)
    with pytest.raises(UsageError, match="No citizen"):
        evidence.for_change(ledger_conn, secrets, trust, "auth-none", Event.PAUSED, word, AT)


def test_nobody_is_trusted_until_a_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "trusted.json"
    with pytest.raises(DependencyDown, match="nobody is trusted"):
        read_trust(path, "o")
    (tmp_path / "linking.key").write_text("ab" * 32)
    for text, sentence in (("{", "not JSON"), ("{}", "must hold"), ('{"agencies": 1}', "must hold")):
        path.write_text(text)
        with pytest.raises(SettingsError, match=sentence):
            read_trust(path, "o")
    path.write_text('{"identity_providers": {}, "agencies": {}}')
    assert read_trust(path, "o").origin == "o"
    (tmp_path / "linking.key").write_text("ab")
    with pytest.raises(SettingsError, match="32 bytes"):
        read_trust(path, "o")


def test_p10_neither_trust_nor_sealed_evidence_is_printed(trust: Trust) -> None:
    assert trust.linking.hex() not in repr(trust)
    assert str(trust.linking) not in repr(trust)
    assert "secret text" not in repr(Sealed("00", b"secret text"))
