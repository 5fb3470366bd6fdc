"""`hanbeon verify` and the stand-alone verifier say OK of a lake, and name what was changed (F8, F10, F44)."""

import shutil
from pathlib import Path

import pytest

from consent import accesses, ledger
from consent.accesses import Access, Action
from hanbeon.cli import main
from pipeline.erase import erase
from tests.small_lake import SmallLake
from verify import lake as full
from verify import verify as plain


@pytest.fixture(scope="module")
def sound(still_lake: SmallLake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with every kind of entry: events, commits, access records, a certificate."""
    folder = tmp_path_factory.mktemp("verified")
    return Path(shutil.copytree(_made(still_lake), folder / "lake"))


def _made(lake: SmallLake) -> Path:
    run = lake.run
    accesses.record(run.conn, Access("an auditor", Action.SQL, "select 1", subject_key=lake.one.key), run.at())
    erase(run)
    return run.settings.lake_root


@pytest.fixture
def own(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "lake"))


def test_a_sound_lake_is_ok_for_both(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plain.main([str(sound)]) == 0
    assert full.main(sound, None, None, False) == 0
    said = capsys.readouterr().out
    assert "FAILED" not in said
    for what in ("log entries", "bodies", "commits", "data files", "ledger events", "access records", "rows"):
        assert f" {what}" in said


def of_kind(root: Path, pattern: str) -> list[Path]:
    found = sorted(p for p in root.glob(pattern) if p.is_file())
    assert found, pattern
    return found


KINDS = {
    "tile": "log/tile/0*/**/*",
    "entries": "log/tile/entries/**/*",
    "checkpoint": "log/checkpoint",
    "body": "log/bodies/**/*",
    "commit": "*/**/_delta_log/*.json",
    "data file": "*/**/*.parquet",
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_flipped_byte_anywhere_is_found_and_the_file_named(own: Path, kind: str) -> None:
    for path in of_kind(own, KINDS[kind])[:4]:
        content = path.read_bytes()
        for at in {0, len(content) // 3, len(content) - 1}:
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            found = plain.verify(own).findings
            named = path.relative_to(own).as_posix()
            is_named = any(named in f or (f.startswith("log/tile") and "/tile/" in named) for f in found)
            assert is_named, (named, at, found)
        path.write_bytes(content)
    assert plain.verify(own).findings == []


@pytest.mark.parametrize("kind", ["tile", "entries", "checkpoint", "body", "commit", "data file"])
def test_a_missing_file_is_found(own: Path, kind: str) -> None:
    """Of tiles all widths of one: those of an older size may be removed once a wider one is there."""
    paths = of_kind(own, KINDS[kind])
    for path in paths if kind in ("tile", "entries") else paths[-1:]:
        path.unlink()
    assert plain.verify(own).findings


def test_files_that_nobody_committed_are_found(own: Path) -> None:
    data = of_kind(own, "gold/**/*.parquet")[0]
    shutil.copy(data, data.with_name("strange.parquet"))
    commit = of_kind(own, "gold/**/_delta_log/*.json")[-1]
    shutil.copy(commit, commit.with_name(f"{int(commit.stem) + 1:020d}.json"))
    found = plain.verify(own).findings
    assert [f for f in found if "strange.parquet: no entry of the log names this data file" in f]
    assert [f for f in found if "no entry of the log names this commit" in f]


def test_an_older_checkpoint_must_be_of_the_same_history(own_lake: SmallLake, tmp_path: Path) -> None:
    root = own_lake.run.settings.lake_root
    kept = tmp_path / "kept"
    shutil.copy(root / "log" / "checkpoint", kept)
    ledger.withdraw(own_lake.run.conn, str(own_lake.two.consent), own_lake.run.at())
    erase(own_lake.run)
    assert plain.verify(root, since_file=kept).findings == []
    newest = tmp_path / "newest"
    shutil.copy(root / "log" / "checkpoint", newest)
    older = tmp_path / "older"
    shutil.copytree(root, older)
    shutil.copy(kept, older / "log" / "checkpoint")
    assert [f for f in plain.verify(older, since_file=newest).findings if "shorter" in f]


def test_a_ledger_row_that_was_edited_in_the_lake_s_copy_is_found(
    own_lake: SmallLake, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody with the lake's keys rewrites an event through the write protocol: the log's entry contradicts it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from consent.snapshot import EVENTS_SCHEMA
    from lake import tables
    from pipeline.commit import Change, Plan, commit

    run = own_lake.run
    erase(run)
    held = tables.read(run.settings.lake_root, "ledger/events", schema=EVENTS_SCHEMA)
    column = pa.array([str(v).replace("granted", "paused") for v in held.column("kind").to_pylist()])
    forged = held.set_column(EVENTS_SCHEMA.get_field_index("kind"), EVENTS_SCHEMA.field("kind"), column)
    assert pc.sum(pc.equal(column, "paused")).as_py()
    commit(run, [Plan("ledger/events", EVENTS_SCHEMA, lambda _: Change(forged, None), partitioned=False)], {})
    assert plain.main([str(run.settings.lake_root)]) == 0
    assert full.main(run.settings.lake_root, None, None, False) == 1
    assert "ledger/events: event" in capsys.readouterr().out


def test_a_row_that_no_consent_covers_is_found(own_lake: SmallLake, capsys: pytest.CaptureFixture[str]) -> None:
    """A writer that ignores the gate: the commit is in the log, and the row still has no authorisation."""
    from lake import tables
    from pipeline.commit import Change, Plan, commit
    from schemas.contract import gold

    run, schema = own_lake.run, gold("family_relation_certificate").gold_schema
    name = "gold/family_relation_certificate"
    held = tables.read(run.settings.lake_root, name, schema=schema)
    ledger.withdraw(run.conn, str(own_lake.two.consent), run.at())
    erase(run)
    assert full.main(run.settings.lake_root, None, None, False) == 0
    commit(run, [Plan(name, schema, lambda _: Change(held, (0,)), partitioned=True)], {})
    capsys.readouterr()
    assert full.main(run.settings.lake_root, None, None, False) == 1
    assert "1 rows: their authorisation was not in force" in capsys.readouterr().out


def test_the_command_exits_with_what_was_found(
    own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(own)]) == 0
    path = of_kind(own, KINDS["data file"])[0]
    path.write_bytes(path.read_bytes() + b"x")
    assert main(["verify", str(own), "--json"]) == 1
    assert path.name in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "nothing")]) == 2
