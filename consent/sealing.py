"""Evidence as the ledger keeps it: a digest that anybody may compare, and a ciphertext under the grantor's own key.

In: evidence (docs/proof.md, section 2) as a plain mapping, the secret of its owner, the authorisation's id. Out:
`Sealed`, ready for an event's payload; `opened` is the way back. Destroying the owner's secret destroys the evidence,
and the digest stays, so that the event still verifies (P4). What evidence must prove is judged in `consent.evidence`.
"""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.append import canonical
from consent.ciphers import NONCE_BYTES
from consent.model import Sealed
from consent.owners import derive
from hanbeon.errors import IntegrityError

PURPOSE = "evidence"


def seal(secret: bytes, authorisation_id: str, evidence: Mapping[str, Any]) -> Sealed:
    """Encrypt canonical evidence for one authorisation: moved to another, it does not open."""
    clear, nonce = canonical(evidence), os.urandom(NONCE_BYTES)
    cipher = AESGCM(derive(secret, PURPOSE))
    return Sealed(digest(evidence), nonce + cipher.encrypt(nonce, clear, _associated(authorisation_id)))


def opened(secret: bytes, authorisation_id: str, sealed: Sealed) -> dict[str, Any]:
    """The evidence in clear. Raises IntegrityError when ciphertext and event do not belong together."""
    given = sealed.ciphertext or b""
    try:
        clear = AESGCM(derive(secret, PURPOSE)).decrypt(
            given[:NONCE_BYTES], given[NONCE_BYTES:], _associated(authorisation_id)
        )
    except (InvalidTag, ValueError):
        clear = b""
    if hashlib.sha256(clear).hexdigest() != sealed.digest:
        raise IntegrityError("Sealed evidence is not that of its event: moved or changed. Restore the ledger's events.")
    return dict(json.loads(clear))


def digest(evidence: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(evidence)).hexdigest()


def statute(article: str) -> dict[str, Any]:
    """The evidence of a statutory ground, which nobody signs."""
    return {"kind": "statute", "article": article}


def payload(sealed: Sealed) -> dict[str, str | None]:
    """The two members of an event's payload."""
    text = None if sealed.ciphertext is None else base64.b64encode(sealed.ciphertext).decode()
    return {"evidence_digest": sealed.digest, "sealed": text}


def of_payload(members: Mapping[str, Any]) -> Sealed | None:
    """The way back from a payload; None where it holds no evidence."""
    if not members.get("evidence_digest"):
        return None
    text = members.get("sealed")
    return Sealed(str(members["evidence_digest"]), None if text is None else base64.b64decode(text))


def _associated(authorisation_id: str) -> bytes:
    return b"events\x00" + authorisation_id.encode()
