"""What rests in the database stays readable, and who comes back gets the same key: forms that no release may change.

Each is worked out here a second time, from its description alone, with fixed keys.
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent import ciphers, erasures, key_versions, owners, sealing, trust, vault
from consent.key_service import KeyService
from consent.model import Sealed
from consent.secrets import Secrets, keyed_hashes
from hanbeon.errors import IntegrityError

ONE = "9023014000001"


@dataclass
class Held:
    """Fixed keys by name and version."""

    where: str = "this test"

    def material(self, name: str, version: int) -> bytes:
        return hashlib.sha256(f"{name} {version}".encode()).digest()


KEYS = Held()
SECRETS = Secrets(b"s" * 32, b"i" * 32, cast(KeyService, KEYS))


def mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, b"".join(parts), "sha256").digest()


def test_a_column_s_ciphertext_opens_in_its_own_place_alone() -> None:
    nonce, bound = bytes(12), b"vault.column\x00" + (3).to_bytes(4, "big") + b"row"
    kept = nonce + AESGCM(KEYS.material("vault", 3)).encrypt(nonce, b"clear", bound)
    assert ciphers.unseal(SECRETS, "vault.column", [(3, b"row", kept)]) == [b"clear"]
    for column, version, row in (("vault.other", 3, b"row"), ("vault.column", 2, b"row"), ("vault.column", 3, b"r0w")):
        with pytest.raises(IntegrityError):
            ciphers.unseal(SECRETS, column, [(version, row, kept)])
    for broken in (b"", kept[:12], kept[:-1], kept + b"x"):
        with pytest.raises(IntegrityError):
            ciphers.unseal(SECRETS, "vault.column", [(3, b"row", broken)])


def test_rows_sealed_together_have_a_nonce_each_and_open_in_order() -> None:
    rows = [(b"%d" % n, b"the same") for n in range(3)]
    sealed = ciphers.seal(SECRETS, 2, "t.c", rows)
    assert len({one[:12] for one in sealed}) == 3
    assert all(len(one) == 12 + len(b"the same") + 16 for one in sealed)
    given = [(2, row, one) for (row, _), one in zip(rows, sealed, strict=True)]
    assert ciphers.unseal(SECRETS, "t.c", given) == [b"the same"] * 3


def test_evidence_opens_with_its_owner_s_secret_for_its_authorisation_alone() -> None:
    secret, clear = b"o" * 32, '{"a":"가"}'.encode()
    key, nonce = mac(secret, b"evidence"), bytes(12)
    kept = nonce + AESGCM(key).encrypt(nonce, clear, b"events\x00auth-1")
    sealed = Sealed(hashlib.sha256(clear).hexdigest(), kept)
    assert sealing.opened(secret, "auth-1", sealed) == {"a": "가"}
    wrong: list[tuple[bytes, str, Any]] = [
        (b"x" * 32, "auth-1", sealed),
        (secret, "auth-2", sealed),
        (secret, "auth-1", replace(sealed, digest="00" * 32)),
        (secret, "auth-1", replace(sealed, ciphertext=None)),
    ]
    for own, authorisation_id, given in wrong:
        with pytest.raises(IntegrityError):
            sealing.opened(own, authorisation_id, given)
    again = sealing.seal(secret, "auth-1", {"a": "가"})
    assert (again.digest, sealing.opened(secret, "auth-1", again)) == (sealed.digest, {"a": "가"})
    members = sealing.payload(again)
    assert set(members) == {"evidence_digest", "sealed"}
    assert sealing.of_payload(members) == again
    assert sealing.of_payload({"evidence_digest": "ab", "sealed": None}) == Sealed("ab", None)
    assert sealing.of_payload({}) is None
    assert sealing.statute("Act 42") == {"kind": "statute", "article": "Act 42"}


def test_a_person_s_key_follows_from_kind_and_identifier() -> None:
    base = b"RRN\x00" + ONE.encode()
    for attempt, more in ((0, b""), (1, b"\x001"), (12, b"\x0012")):
        expected = int.from_bytes(mac(b"s" * 32, base, more)[:8], "big", signed=True)
        assert vault._subject_key(SECRETS, "RRN", ONE, attempt) == expected


def test_a_look_up_and_a_row_s_name_follow_from_key_kind_and_identifier() -> None:
    index = KEYS.material("index", 2)
    assert vault.lookups(SECRETS, 2, "RRN", [ONE, "x"]) == [
        mac(index, b"RRN\x00", ONE.encode()),
        mac(index, b"RRN\x00", b"x"),
    ]
    assert vault.row_id("RRN", b"look-up", -2) == b"RRN\x00look-up" + b"\xff" * 7 + b"\xfe"
    assert erasures.row_id(12) == b"12"


def test_keyed_hashes_of_two_purposes_never_match() -> None:
    own = mac(b"i" * 32, b"evidence")
    assert keyed_hashes(SECRETS, "evidence", ["a", b"b"]) == [mac(own, b"a"), mac(own, b"b")]
    assert owners.derive(b"k" * 32, "evidence") == mac(b"k" * 32, b"evidence")
    expected = mac(mac(b"i" * 32, b"subject-root"), b"gold/x\x007")
    assert owners.blinding_key(SECRETS, "gold/x", 7) == expected


def test_a_key_is_known_again_by_its_digest() -> None:
    expected = hashlib.sha256(b"hanbeon key version\x00vault\x003\x00" + b"k" * 32).digest()
    assert key_versions.digest_of("vault", 3, b"k" * 32) == expected
    given = trust.Trust("o", {}, {}, b"l" * 32, {})
    assert trust.pseudonym(given, ONE) == mac(b"l" * 32, ONE.encode()).hex()


def test_lasting_keys_have_one_version_and_the_others_are_asked_for() -> None:
    assert (SECRETS.material("subject", 9), SECRETS.material("ids", 1)) == (b"s" * 32, b"i" * 32)
    assert SECRETS.material("index", 4) == KEYS.material("index", 4)
    assert "ssss" not in repr(SECRETS)
