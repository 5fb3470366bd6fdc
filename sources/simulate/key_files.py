"""Keys of the simulated world: 32 random bytes in a file, made at first use, readable by their owner alone."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

KEY_BYTES = 32


def own_bytes(path: Path) -> bytes:
    """The file's bytes. The first of two makers wins."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_bytes(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()


def signing_key(path: Path) -> OKPKey:
    """An Ed25519 key kept in a file."""
    return OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(own_bytes(path)))
