"""The operator's keys, and documents signed with them."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.key_files import FileKeys
from consent.signing import jwk, public_bytes, read_jws, sign_jws, signers
from hanbeon.errors import IntegrityError

CLAIMS = {"iss": "hanbeon.local/log", "what": "영수증"}


def test_keys_are_made_once_and_are_two(tmp_path: Path) -> None:
    first, second = (signers(FileKeys(tmp_path / "keys"), "hanbeon.local/log") for _ in range(2))
    assert public_bytes(first.log) == public_bytes(second.log)
    assert public_bytes(first.documents) == public_bytes(second.documents)
    assert public_bytes(first.log) != public_bytes(first.documents)


def test_what_is_signed_is_read_back_by_the_public_key_alone() -> None:
    key = Ed25519PrivateKey.generate()
    token = sign_jws(key, json.dumps(CLAIMS).encode(), "consent-receipt+jwt")
    assert read_jws(token, [jwk(Ed25519PrivateKey.generate()), jwk(key)]) == CLAIMS


def test_a_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    given = jwk(Ed25519PrivateKey.from_private_bytes(seed))
    assert given["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert given["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("flaw", ["another key", "changed claims", "no signature", "rubbish", "no keys"])
def test_a_flawed_token_is_refused(flaw: str) -> None:
    key = Ed25519PrivateKey.generate()
    header, claims, signature = sign_jws(key, json.dumps(CLAIMS).encode(), "x").split(".")
    other = sign_jws(key, json.dumps({**CLAIMS, "what": "x"}).encode(), "x").split(".")[1]
    given = {
        "another key": (f"{header}.{claims}.{signature}", [jwk(Ed25519PrivateKey.generate())]),
        "changed claims": (f"{header}.{other}.{signature}", [jwk(key)]),
        "no signature": (f"{header}.{claims}.", [jwk(key)]),
        "rubbish": ("ünd.\x00.", [jwk(key)]),
        "no keys": (f"{header}.{claims}.{signature}", []),
    }
    with pytest.raises(IntegrityError):
        read_jws(*given[flaw])
