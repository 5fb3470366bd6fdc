"""Step 6 of the write protocol: everything committed so far comes under a checkpoint that operator and witness signed.

In: a run. Out: the newest checkpoint. Called before a pointer shows anything, and after each command that changed the
ledger; where nothing is new it reads a few rows and files and writes nothing. `operator` and `witness` say who signs,
for whoever hands the public keys to an auditor.
"""

from consent import key_service, signing
from consent.log import Checkpoint, EmbeddedWitness, Witness, check, note, publish
from consent.signing import Signers
from hanbeon.settings import Settings
from pipeline.run import Run


def attest(run: Run) -> Checkpoint:
    """Publish the log. Raises IntegrityError when database, files and witness contradict each other (F10)."""
    return publish(run.conn, run.settings.log_path, operator(run.settings), witness(run.settings))


def need_no_contradiction(run: Run) -> None:
    """Hold the ledger's database against the whole log. Raises IntegrityError naming the first bad index (F10)."""
    check.need_none(run.conn, run.settings.log_path, operator(run.settings), witness(run.settings))


def operator(settings: Settings) -> Signers:
    return signing.signers(key_service.of_settings(settings), settings.log.origin)


def operator_vkey(settings: Settings) -> str:
    return note.vkey(settings.log.origin, operator(settings).log)


def witness(settings: Settings) -> Witness:
    """The embedded one. Another organisation's takes its place in production, behind the same three members."""
    return EmbeddedWitness(settings.witness_path, operator_vkey(settings))
