"""One key, one file: 32 random bytes below `home/keys`, made at first use.

In: a path. Out: the key. What a production key service keeps for us is not here (`consent.keyring`).
"""

import os
from pathlib import Path

from consent.disk import sync_folder
from hanbeon.errors import IntegrityError

KEY_BYTES = 32


def key_file(path: Path) -> bytes:
    """32 random bytes kept in a file, made at first use.

    The file is linked into place whole, so that two first uses at once agree and a crash leaves no short key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            os.link(unfinished, path)
            sync_folder(path.parent)
        except FileExistsError:
            pass
        finally:
            unfinished.unlink(missing_ok=True)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise IntegrityError(
            f"{path} is not a key of {KEY_BYTES} bytes. Restore it; a new one would lose every subject."
        )
    return key
