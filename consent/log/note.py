"""Checkpoints as C2SP signed notes: made, signed, read and verified.

In: origin, size and root, or the text of a note. Out: `Checkpoint`. The operator signs with plain Ed25519 (type 0x01),
a witness cosigns with a time (type 0x04, cosignature/v1). A key is written as a vkey, `<name>+<key id>+<base64>`.
"""

import base64
import hashlib
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent.signing import public_bytes
from hanbeon.errors import IntegrityError

PLAIN, COSIGNATURE = b"\x01", b"\x04"
DASH = "— "
SIGNATURE_BYTES = 64


@dataclass(frozen=True)
class Checkpoint:
    """The log's root at one size. `text` is the whole note, signatures and all."""

    origin: str
    size: int
    root: bytes
    text: str

    @property
    def signed(self) -> str:
        """The three lines that the signatures are over."""
        return self.text.partition("\n\n")[0] + "\n"


def body(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def vkey(name: str, key: Ed25519PrivateKey, kind: bytes = PLAIN) -> str:
    """How a public key is handed to whoever verifies."""
    public = public_bytes(key)
    return f"{name}+{_key_id(name, kind, public).hex()}+{base64.b64encode(kind + public).decode()}"


def sign(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """The operator's signature line."""
    return _line(name, _key_id(name, PLAIN, public_bytes(key)), key.sign(text.encode()))


def cosign(text: str, name: str, key: Ed25519PrivateKey, at: int) -> str:
    """A witness's signature line, at an instant in seconds since 1970."""
    signature = struct.pack(">Q", at) + key.sign(_timed(at, text))
    return _line(name, _key_id(name, COSIGNATURE, public_bytes(key)), signature)


def read(text: str) -> Checkpoint:
    """A checkpoint from a note's text. Raises IntegrityError when it is none; signatures are not looked at."""
    lines = text.split("\n")
    try:
        origin, digits, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
        size = int(digits)
        is_whole = str(size) == digits and size >= 0 and len(root) == 32 and lines[3] == "" and bool(origin)
    except (ValueError, IndexError):
        is_whole = False
    if not is_whole:
        raise IntegrityError(
            "The log's checkpoint is not a signed note of three lines. Restore it from a copy, then run again."
        )
    return Checkpoint(origin, size, root, text)


def is_signed_by(checkpoint: Checkpoint, key: str) -> bool:
    """Whether the key of this vkey signed or cosigned the note."""
    name, _, rest = key.partition("+")
    public = base64.b64decode(rest.partition("+")[2])
    kind, ed25519 = public[:1], Ed25519PublicKey.from_public_bytes(public[1:])
    for line in checkpoint.text.partition("\n\n")[2].splitlines():
        signer, _, encoded = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or signer != name:
            continue
        try:
            given = base64.b64decode(encoded, validate=True)
            if given[:4] == _key_id(name, kind, public[1:]):
                ed25519.verify(given[-SIGNATURE_BYTES:], _message(kind, given[4:], checkpoint.signed))
                return True
        except (ValueError, InvalidSignature):
            continue
    return False


def _message(kind: bytes, signature: bytes, text: str) -> bytes:
    if kind == COSIGNATURE and len(signature) == SIGNATURE_BYTES + 8:
        return _timed(struct.unpack(">Q", signature[:8])[0], text)
    if kind == PLAIN and len(signature) == SIGNATURE_BYTES:
        return text.encode()
    raise ValueError("a signature of another size")


def _timed(at: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _key_id(name: str, kind: bytes, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def _line(name: str, key_id: bytes, signature: bytes) -> str:
    return f"{DASH}{name} {base64.b64encode(key_id + signature).decode()}\n"
