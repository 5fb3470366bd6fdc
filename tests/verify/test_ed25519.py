"""Ed25519 in plain Python: the vectors of RFC 8032, another implementation, and what must be refused."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from verify import verify as plain

# RFC 8032, section 7.1: public key, message, signature
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_vectors_of_rfc_8032_verify_and_no_neighbour_does(public: str, message: str, signature: str) -> None:
    key, said, signed = (bytes.fromhex(one) for one in (public, message, signature))
    assert plain.ed25519(key, said, signed)
    assert not plain.ed25519(key, said + b"\x00", signed)
    for at in range(64):
        assert not plain.ed25519(key, said, signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :])


@settings(max_examples=40, deadline=None, database=None)
@given(st.binary(max_size=200))
def test_it_agrees_with_another_implementation(message: bytes) -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    signature = key.sign(message)
    assert plain.ed25519(public, message, signature)
    assert not plain.ed25519(public, message + b"!", signature)
    assert not plain.ed25519(os.urandom(32), message, signature)


def test_a_scalar_that_is_too_large_is_refused() -> None:
    """S + L signs the same message, and would let one signature be spelled in two ways."""
    key = Ed25519PrivateKey.generate()
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"x")
    larger = int.from_bytes(signature[32:], "little") + plain.L
    assert not plain.ed25519(public, b"x", signature[:32] + larger.to_bytes(32, "little"))


@pytest.mark.parametrize("key", ["01" + "00" * 31, "00" * 32, "ec" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f"])
def test_keys_of_small_order_and_other_spellings_sign_nothing(key: str) -> None:
    """With the identity as key and commitment, a zero scalar would sign every message."""
    public = bytes.fromhex(key)
    for commitment in (public, bytes.fromhex("01" + "00" * 31)):
        assert not plain.ed25519(public, b"anything", commitment + bytes(32))


@pytest.mark.parametrize(("public", "signature"), [(b"", bytes(64)), (bytes(31), bytes(64)), (bytes(32), bytes(63))])
def test_wrong_sizes_are_refused(public: bytes, signature: bytes) -> None:
    assert not plain.ed25519(public, b"", signature)
