"""A disclosure pack checks with the standard library alone; whatever is changed is named; it concerns nobody else."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import accesses, ledger
from hanbeon.errors import UsageError
from hanbeon.settings import PROJECT
from lake import tables
from pipeline.absence import prove_absence
from pipeline.gold import share_schema
from pipeline.pack import write_pack
from schemas.contract import gold
from tests.small_lake import ONE, THREE, SmallLake
from verify import verify as plain

TABLE = "shares/mogef/family_relation_certificate"
VERIFIER = PROJECT / "verify" / "verify.py"


def rows(lake: SmallLake) -> list[dict[str, Any]]:
    schema = share_schema(gold("family_relation_certificate"), "mogef")
    return list(tables.read(lake.run.settings.lake_root, TABLE, schema=schema).to_pylist())


def evidence_id(lake: SmallLake) -> str:
    """The row of the first citizen."""
    return next(str(r["_evidence_id"]) for r in rows(lake) if r["_authorisation_id"] == lake.one.consent)


@pytest.fixture(scope="module")
def pack(still_lake: SmallLake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("proof") / "pack"
    write_pack(still_lake.run, folder, TABLE, evidence_id(still_lake), "an auditor")
    return folder


@pytest.fixture
def own(pack: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pack, tmp_path / "pack"))


def findings(folder: Path) -> list[str]:
    return list(plain.verify(folder).findings)


def test_p3_a_pack_checks_with_nothing_but_python(pack: Path, tmp_path: Path) -> None:
    alone = shutil.copy(VERIFIER, tmp_path / "verify.py")
    checked = subprocess.run(
        [sys.executable, "-I", "-S", str(alone), str(pack)], capture_output=True, text=True, cwd=tmp_path, env={}
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.startswith("OK: checked 2 log entries, 1 rows, 1 evidences of consent, 1 receipts.")


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_every_flipped_byte_is_found_and_its_file_named(pack: Path, own: Path) -> None:
    """All bytes of each file, in steps; a flip in the listing itself breaks its signature."""
    for name in files(pack):
        content = (pack / name).read_bytes()
        for at in {*range(0, len(content), max(1, len(content) // 25)), len(content) - 1}:
            (own / name).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            found = findings(own)
            assert found, f"{name} at {at}"
            expected = name if name not in ("pack.json", "pack.jws") else "pack.json"
            assert any(f.startswith(expected) for f in found), (name, at, found)
        (own / name).write_bytes(content)
    assert findings(own) == []


@pytest.mark.parametrize("change", ["truncate", "append", "delete"])
def test_files_cut_off_grown_or_gone_are_found(pack: Path, own: Path, change: str) -> None:
    for name in files(pack):
        content = (pack / name).read_bytes()
        if change == "delete":
            (own / name).unlink()
        else:
            (own / name).write_bytes(content[:-1] if change == "truncate" else content + b" ")
        assert findings_or_refusal(own), name
        (own / name).write_bytes(content)


def findings_or_refusal(folder: Path) -> list[str]:
    try:
        return findings(folder)
    except plain.Bad as bad:
        return [str(bad)]


def test_a_file_that_was_added_is_found(own: Path) -> None:
    (own / "rows" / "1.json").write_text("{}")
    assert findings(own) == ["rows/1.json: the file is not listed in pack.json"]


Change = Callable[[Any], None]


def resigned(lake: SmallLake, folder: Path, name: str, change: Change) -> list[str]:
    """What is found when a forger has the document key: the file changed, the listing made and signed anew."""
    import hashlib

    from consent.append import canonical
    from consent.signing import sign_jws
    from pipeline.attest import operator

    path = folder / name
    given = json.loads(path.read_bytes())
    change(given)
    path.write_bytes(canonical(given))
    about = json.loads((folder / "pack.json").read_bytes())
    about["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    listing = canonical(about)
    (folder / "pack.json").write_bytes(listing)
    token = sign_jws(operator(lake.run.settings).documents, listing, "disclosure-pack+jwt")
    (folder / "pack.jws").write_bytes(token.encode() + b"\n")
    return findings(folder)


def _other_value(row: Any) -> None:
    row["content"]["columns"]["SELF_FLNM"] = "홍길동"


def _other_authorisation(row: Any) -> None:
    row["pipeline"]["columns"]["_authorisation_id"] = "auth-other"


def _past_the_end(row: Any) -> None:
    row["row"] = row["file_rows"]


def _trailing_node(row: Any) -> None:
    row["row_path"].append("00" * 32)


@pytest.mark.parametrize("change", [_other_value, _other_authorisation, _past_the_end, _trailing_node])
def test_f44_who_forges_a_row_with_the_document_key_is_found_by_the_log(
    still_lake: SmallLake, own: Path, change: Change
) -> None:
    found = resigned(still_lake, own, "rows/0.json", change)
    assert [f for f in found if f.startswith("rows/0.json")], found


def test_f44_a_proof_for_another_leaf_and_swapped_notices_are_found(still_lake: SmallLake, own: Path) -> None:
    first, second = sorted((own / "entries").iterdir())
    other = json.loads(second.read_bytes())["entry"]
    name = f"entries/{first.name}"
    assert [f for f in resigned(still_lake, own, name, lambda e: e.update(entry=other)) if f.startswith(name)]
    evidence = next((own / "evidence").iterdir())
    swapped = resigned(still_lake, own, f"evidence/{evidence.name}", lambda e: e["notice"].update(hash="00" * 32))
    assert [f for f in swapped if f.startswith("evidence/")]


def test_f44_a_checkpoint_without_its_witness_or_of_another_origin_is_refused(own: Path) -> None:
    trust = plain.Trust((own / "trust.json").read_bytes())
    text = (own / "checkpoint").read_text()
    note, _, signatures = text.partition("\n\n")
    operator, witness = signatures.splitlines()
    for forged in (
        f"{note}\n\n{operator}\n",
        f"{note}\n\n{witness}\n",
        f"{note}\n\n",
        note.replace("hanbeon", "hanbeen") + f"\n\n{signatures}",
        text[:-1],
        text.replace(note.splitlines()[1], "1" + note.splitlines()[1], 1),
    ):
        with pytest.raises(plain.Bad):
            plain.read_checkpoint(forged.encode(), trust)
    assert plain.read_checkpoint(text.encode(), trust).size > 0


def test_your_own_keys_are_compared_with_the_pack_s(own: Path, tmp_path: Path) -> None:
    other = json.loads((own / "trust.json").read_bytes())
    other["documents"] = {"keys": []}
    (tmp_path / "mine.json").write_text(json.dumps(other))
    assert plain.verify(own, tmp_path / "mine.json").findings
    assert plain.verify(own, own / "trust.json").findings == []


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_rubbish_is_a_finding_and_never_a_traceback(pack: Path, tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "rubbish"
    if not folder.exists():
        shutil.copytree(pack, folder)
    name = data.draw(st.sampled_from(files(pack)))
    content = (pack / name).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, min(len(content), start + 40)))
    new = content[:start] + data.draw(st.binary(max_size=20) | st.just(b"[" * 5000)) + content[stop:]
    (folder / name).write_bytes(new)
    found = findings_or_refusal(folder)
    assert (new == content) == (not found)
    (folder / name).write_bytes(content)


def test_p3_nothing_in_a_pack_concerns_anybody_else(pack: Path, still_lake: SmallLake) -> None:
    content = b"".join((pack / name).read_bytes() for name in files(pack))
    one, two, three = still_lake.one, still_lake.two, still_lake.three
    assert one.name.encode() in content
    others = [r for r in rows(still_lake) if r["_authorisation_id"] != one.consent]
    strange = [two.name, three.name, str(two.key), str(three.key), str(two.consent), str(one.second_consent)]
    strange += [str(r["_evidence_id"]) for r in others] + [r["_pairwise_id"].hex() for r in others]
    assert len(strange) > 7
    assert not [s for s in strange if s.encode() in content]


def test_p9_writing_a_pack_is_recorded_and_a_redacted_one_shows_no_content(own_lake: SmallLake, tmp_path: Path) -> None:
    before = accesses.listing(own_lake.run.conn).num_rows
    write_pack(own_lake.run, tmp_path / "pack", TABLE, evidence_id(own_lake), "an auditor", is_redacted=True)
    (row,) = accesses.listing(own_lake.run.conn).to_pylist()[before:]
    assert (row["action"], row["reader"], row["authorisation_id"]) == ("pack", "an auditor", own_lake.one.consent)
    content = b"".join((tmp_path / "pack" / name).read_bytes() for name in files(tmp_path / "pack"))
    assert own_lake.one.name.encode() not in content
    assert findings(tmp_path / "pack") == []


def test_lines_about_relatives_are_never_shown(own_lake: SmallLake, tmp_path: Path) -> None:
    table = "shares/mogef/family_relation_certificate__relatives"
    write_pack(own_lake.run, tmp_path / "pack", table, evidence_id(own_lake), "an auditor")
    (row,) = [
        json.loads((tmp_path / "pack" / n).read_bytes()) for n in files(tmp_path / "pack") if n.startswith("rows")
    ]
    assert set(row["content"]) == {"commitment"}
    assert findings(tmp_path / "pack") == []


def test_a_withdrawn_consent_s_row_has_no_pack_any_more(own_lake: SmallLake, tmp_path: Path) -> None:
    from pipeline.erase import erase

    gone = evidence_id(own_lake)
    ledger.withdraw(own_lake.run.conn, str(own_lake.one.consent), own_lake.run.at())
    erase(own_lake.run)
    with pytest.raises(UsageError, match="No row"):
        write_pack(own_lake.run, tmp_path / "pack", TABLE, gone, "an auditor")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="other files"):
        write_pack(own_lake.run, tmp_path / "full", TABLE, gone, "an auditor")


@pytest.mark.parametrize("table", ["gold/family_relation_certificate", TABLE])
def test_p3_that_somebody_was_never_there_is_proved_by_a_pack(own_lake: SmallLake, tmp_path: Path, table: str) -> None:
    covered = prove_absence(own_lake.run, tmp_path / "pack", table, THREE, "an auditor")
    assert covered >= 2
    assert findings(tmp_path / "pack") == []
    assert plain.verify(tmp_path / "pack").counts == {"proofs of absence": 1}
    stranger = prove_absence(own_lake.run, tmp_path / "other", table, "9921151234567", "an auditor", 5, 30)
    assert stranger <= covered
    assert findings(tmp_path / "other") == []


def test_p3_nobody_can_prove_the_absence_of_who_was_there(own_lake: SmallLake, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds a row"):
        prove_absence(own_lake.run, tmp_path / "pack", TABLE, ONE, "an auditor")
    with pytest.raises(UsageError, match="sizes"):
        prove_absence(own_lake.run, tmp_path / "pack", TABLE, THREE, "an auditor", 10, 10**9)


def _drop_a_commit(proof: Any) -> None:
    index = max(proof["bodies"], key=int)
    proof["entries"].pop(int(index) - proof["from"])
    proof["to"] -= 1


def _no_neighbours(proof: Any) -> None:
    proof["neighbours"] = {index: [] for index in proof["neighbours"]}


@pytest.mark.parametrize("change", [_drop_a_commit, _no_neighbours])
def test_f44_a_forged_absence_is_found(own_lake: SmallLake, tmp_path: Path, change: Change) -> None:
    prove_absence(own_lake.run, tmp_path / "pack", "gold/family_relation_certificate", THREE, "an auditor")
    found = resigned(own_lake, tmp_path / "pack", "absences/0.json", change)
    assert [f for f in found if f.startswith("absences/0.json")], found
