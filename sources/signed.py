"""What a holder signs about its own delivery, beside what we saw of it.

An HTTP holder is sent a nonce with every question, `X-Delivery-Nonce`, and may answer with `X-Delivery-Signature`: a
compact JWS over `iss`, `iat`, `records`, and hex SHA-256 of nonce and question (`request`), of nonce and answer
(`content`). The nonce is forgotten: a digest of a question about one person could be guessed, with it nobody can.
A file comes with a sidecar `.sig`, a JWS over `iss`, `iat`, `file`, `records`, and `content`, the file's SHA-256.

In: answers. Out: `Statement`s: the token and what it must say. Whose key it is, is judged in `pipeline.delivered`.
"""

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

NONCE, SIGNATURE = "X-Delivery-Nonce", "X-Delivery-Signature"
SIDECAR = ".sig"
LONGEST_TOKEN = 8_192


@dataclass(frozen=True)
class Statement:
    """`token` is None where the holder signed nothing. Digests and file name are ours, of what really went and came."""

    token: str | None
    content: str
    request: str | None = None
    file: str | None = None


def nonce() -> str:
    return secrets.token_hex(16)


def digest(own_nonce: str, body: bytes) -> str:
    return hashlib.sha256(own_nonce.encode() + body).hexdigest()


def of_answer(token: str | None, own_nonce: str, question: bytes, answer: bytes) -> Statement:
    given = token if token is not None and len(token) <= LONGEST_TOKEN else None
    return Statement(given, digest(own_nonce, answer), digest(own_nonce, question))


def of_file(path: Path, sha256: str) -> Statement:
    """What the sidecar of a file says, if there is one."""
    try:
        with path.with_suffix(SIDECAR).open(encoding="ascii") as file:
            token: str | None = file.read(LONGEST_TOKEN).strip()
    except (OSError, UnicodeDecodeError):
        token = None
    return Statement(token or None, sha256, file=path.name)
