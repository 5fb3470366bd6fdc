"""The operator's two signing keys, and compact JWS with Ed25519.

In: the key service. Out: `Signers`: one key for checkpoints of the log, one for documents (receipts, certificates),
so that a signature made for one can never be shown as the other. `sign_jws` and `read_jws` are RFC 7515
with Ed25519 (RFC 8037, RFC 9864) by joserfc. Keys are made at first use, as those of the vault.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64encode

from consent.key_service import KeyService
from hanbeon.errors import IntegrityError

ALGORITHMS = ["Ed25519"]  # RFC 9864; the older name is EdDSA


@dataclass(frozen=True)
class Signers:
    """`origin` is the log's name, under which the operator signs."""

    origin: str
    log: Ed25519PrivateKey = field(repr=False)
    documents: Ed25519PrivateKey = field(repr=False)


def signers(keys: KeyService, origin: str) -> Signers:
    """Read both keys, making what is missing. Raises DependencyDown or IntegrityError naming the key."""
    log, documents = (
        Ed25519PrivateKey.from_private_bytes(keys.make(f"{name}-signing", 1)) for name in ("log", "document")
    )
    return Signers(origin, log, documents)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    """The public key as a JWK (RFC 8037); its id is the thumbprint (RFC 7638)."""
    x = urlsafe_b64encode(public_bytes(key)).decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": OKPKey.import_key(key.public_key()).thumbprint()}


def sign_jws(key: Ed25519PrivateKey, payload: bytes, typ: str) -> str:
    """A compact JWS over these bytes. The header names algorithm, type and key id."""
    public = jwk(key)
    header = {"alg": "Ed25519", "typ": typ, "kid": public["kid"]}
    return jws.serialize_compact(header, payload, OKPKey.import_key(key), algorithms=ALGORITHMS)


def read_jws(token: str, jwks: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The claims of a token that one of these keys signed. Raises IntegrityError for anything else."""
    for one in jwks:
        try:
            signed = jws.deserialize_compact(token, OKPKey.import_key(dict(one)), algorithms=ALGORITHMS)
            claims = json.loads(signed.payload)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(claims, dict):
            return claims
    raise IntegrityError("The signature is by none of the keys that are trusted. Ask the issuer for a valid one.")
