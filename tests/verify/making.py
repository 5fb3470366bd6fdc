"""A small pack and a small log by hand, from the standards alone: nothing here is the code of the writers or verifier.

`Made` holds what a forger with every key could change before it is signed and hashed; `write_pack` and `write_lake` do
the rest, so that the only thing wrong with the result is what was changed. RFC 6962, C2SP, RFC 7515, RFC 8785.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "hand.example/log"
INSTANT = "2026-06-01T00:30:00.000000Z"
AT = 1_780_273_800


def _key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


OPERATOR, WITNESS, DOCUMENTS, PROVIDER, AGENCY, PARTNER, STRANGER = (_key(seed) for seed in range(1, 8))
PROVIDER_NAME, AGENCY_NAME, PARTNER_NAME = "https://id.example", "welfare.example", "mohw"


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def jwk(key: Ed25519PrivateKey, **more: str) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": url64(public(key)), **more}


def jws(key: Ed25519PrivateKey, payload: bytes | dict[str, Any], typ: str, **header: Any) -> str:
    data = canonical(payload) if isinstance(payload, dict) else payload
    signed = f"{url64(canonical({'alg': 'Ed25519', 'typ': typ, **header}))}.{url64(data)}"
    return f"{signed}.{url64(key.sign(signed.encode()))}"


def key_id(name: str, algorithm: int, key: Ed25519PrivateKey) -> bytes:
    return sha(name.encode(), b"\n", bytes([algorithm]), public(key))[:4]


def vkey(name: str, algorithm: int, key: Ed25519PrivateKey) -> str:
    return f"{name}+{key_id(name, algorithm, key).hex()}+{b64(bytes([algorithm]) + public(key))}"


def trust() -> dict[str, Any]:
    return {
        "origin": ORIGIN,
        "operator": vkey(ORIGIN, 1, OPERATOR),
        "witness": vkey("witness.example", 4, WITNESS),
        "documents": {"keys": [jwk(STRANGER, use="old"), jwk(DOCUMENTS)]},
        "identity_providers": {PROVIDER_NAME: {"keys": [jwk(PROVIDER)]}},
        "agencies": {AGENCY_NAME: {"keys": [jwk(AGENCY)]}},
        "partners": {PARTNER_NAME: {"keys": [jwk(STRANGER, use="enc"), jwk(PARTNER, use="sig")]}},
    }


def signatures(note: str, operator: Ed25519PrivateKey = OPERATOR, witness: Ed25519PrivateKey = WITNESS) -> list[str]:
    """The operator's line and the witness's."""
    own = key_id(ORIGIN, 1, OPERATOR) + operator.sign(note.encode())
    cosigned = f"cosignature/v1\ntime {AT}\n{note}".encode()
    other = key_id("witness.example", 4, WITNESS) + AT.to_bytes(8, "big") + witness.sign(cosigned)
    return [f"\u2014 {ORIGIN} {b64(own)}\n", f"\u2014 witness.example {b64(other)}\n"]


def note_of(size: int, root: bytes) -> str:
    return f"{ORIGIN}\n{size}\n{b64(root)}\n"


def checkpoint(size: int, root: bytes) -> str:
    note = note_of(size, root)
    return "\n".join([note, "".join(signatures(note))])


def leaf(data: bytes) -> bytes:
    return sha(b"\x00", data)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha()
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha(b"\x01", root_of(leaves[:half]), root_of(leaves[half:]))


def path_of(leaves: Sequence[bytes], at: int) -> list[bytes]:
    """RFC 6962, 2.1.1, as it is written there."""
    if len(leaves) < 2:
        return []
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    if at < half:
        return [*path_of(leaves[:half], at), root_of(leaves[half:])]
    return [*path_of(leaves[half:], at - half), root_of(leaves[:half])]


def beside(leaves: Sequence[bytes], start: int, stop: int) -> tuple[list[bytes], list[bytes]]:
    """The roots of the complete subtrees left and right of a range, in order."""
    left: list[bytes] = []
    right: list[bytes] = []

    def walk(first: int, end: int) -> None:
        if end <= start:
            left.append(root_of(leaves[first:end]))
        elif first >= stop:
            right.append(root_of(leaves[first:end]))
        elif end - first > 1:
            half = 1 << ((end - first - 1).bit_length() - 1)
            walk(first, first + half)
            walk(first + half, end)

    walk(0, len(leaves))
    return left, right


def hexes(hashes: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in hashes]


def entry(kind: int, number: int, digest: bytes, stream: bytes = bytes(8)) -> bytes:
    return bytes([1, kind]) + number.to_bytes(8, "big") + stream + digest


def event(position: int, kind: str, payload: dict[str, Any], authorisation: str | None = "auth-1") -> dict[str, Any]:
    """As packs and receipts show it, with its salt."""
    body = {"position": position, "instant": INSTANT, "authorisation_id": authorisation, "kind": kind}
    return {**body, "subject": authorisation or "s", "payload": payload, "salt": f"{position:02x}" * 32}


def scope_hash(salt: str, scope: object) -> str:
    return sha(bytes.fromhex(salt), canonical(scope)).hex()


def event_entry(body: dict[str, Any]) -> bytes:
    names = ("authorisation_id", "instant", "kind", "payload", "position", "subject")
    members = {name: body[name] for name in names}
    scopes = body["payload"].get("scopes")
    if scopes is not None:
        hidden = [one["commitment"] if "commitment" in one else scope_hash(one["salt"], one["scope"]) for one in scopes]
        members["payload"] = {**body["payload"], "scopes": hidden}
    return entry(1, body["position"], sha(bytes.fromhex(body["salt"]), canonical(members)))


def entry_of(kind: int, body: dict[str, Any]) -> bytes:
    """Of any kind of entry whose body is shown."""
    if kind == 1:
        return event_entry(body)
    if kind == 3:
        record = {name: value for name, value in body.items() if name not in ("salt", "leaf_hash")}
        return entry(3, int(body["access_id"]), sha(bytes.fromhex(body["salt"]), canonical(record)))
    number = body["sequence"] if kind == 2 else body["number"]
    named = {2: "table", 6: "dataset"}.get(kind)
    stream = bytes(8) if named is None else sha(body[named].encode())[:8]
    return entry(kind, number, sha(canonical(body)), stream)


def text_of(columns: dict[str, str | None]) -> bytes:
    """Netstrings of names and values, in order of the names; a missing value has a sign of its own."""
    parts = [t for name in sorted(columns) for t in (name, columns[name])]
    return b"".join(b"-," if t is None else b"%d:%s," % (len(t.encode()), t.encode()) for t in parts)


def part_hash(part: dict[str, Any]) -> bytes:
    if "commitment" in part:
        return bytes.fromhex(part["commitment"])
    return sha(bytes.fromhex(part["salt"]), text_of(part["columns"]))
