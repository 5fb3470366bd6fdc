"""After the commit: pin it with a leaf, or finish or sweep what a dead writer left. Only under the lease of the table.

In: a run and a table. Out: leaves. `pin` is steps 4 (sync) and 5 (leaf) of the write protocol; `settle` brings a table
to "before or after, never between": an intent without end is pinned when its transaction stands whole in the table,
else swept. A commit that nobody pinned and that is torn (power loss) was never seen: it is removed (F1, F2).
"""

from consent import journal
from consent.journal import File, Intent, Leaf
from hanbeon.errors import IntegrityError
from lake import erase, files, layout, tables, verify
from pipeline.leaf import leaf_of
from pipeline.run import Run


def pin(run: Run, intent_id: int, version: int) -> Leaf:
    """Sync what the commit wrote, then pin it by hashes; the intent ends and its pull state counts from here."""
    root, intent = run.settings.lake_root, journal.intent(run.conn, intent_id)
    table = intent.table
    base = layout.table_path(root, table)
    log = tables.commit_path(root, table, version)
    paths = [base / tables.decoded(a["path"]) for a in tables.added(root, table, version)]
    files.sync_files([*paths, log], root)
    pinned = tuple(File(f.path, f.sha256, f.rows) for f in tables.added_files(root, table, version))
    leaf = leaf_of(run, intent, version, files.sha256(log), pinned)
    journal.record_leaf(run.conn, leaf)
    return leaf


def settle(run: Run, table: str) -> list[Leaf]:
    """Finish or sweep every intent without end, then hold the newest commit against its leaf.

    Raises IntegrityError when a commit has no leaf and no intent explains it, or a leaf has lost its commit (F8).
    """
    finished: list[Leaf] = []
    for intent in journal.open_intents(run.conn, table):
        if _stands(run, intent) and intent.planned_version is not None:
            finished.append(pin(run, intent.intent_id, intent.planned_version))
        else:
            erase.sweep(run.settings.lake_root, table)
            journal.close_intent(run.conn, intent.intent_id, "swept")
    verify.verify_newest_commit(run.settings.lake_root, table, journal.newest_leaf(run.conn, table))
    return finished


def _stands(run: Run, intent: Intent) -> bool:
    """Whether the intent's transaction is in the table, whole. A torn one is taken out: no pointer ever showed it."""
    root, table, version = run.settings.lake_root, intent.table, intent.planned_version
    if version is None or not tables.commit_path(root, table, version).exists():
        return False
    newest = journal.newest_leaf(run.conn, table)
    if newest is not None and newest.version >= version:
        return False  # somebody else's commit, pinned as such
    try:
        is_ours = tables.commit_info(root, table, version).get("intent_id") == str(intent.intent_id)
        if is_ours and tables.is_whole(root, table, version):
            return True
    except IntegrityError:
        is_ours = True  # emptied or cut off: nobody's any more
    if is_ours:
        tables.remove_newest_commit(root, table, version)
    return False
