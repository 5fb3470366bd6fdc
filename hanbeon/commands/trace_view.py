"""Traces as trees on a terminal: a walk from the row back to the consent, Korean first."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hanbeon.clock import seoul_text
from hanbeon.commands.common import safe, validity

if TYPE_CHECKING:
    from rich.tree import Tree

    from consent.history import LedgerEvent
    from pipeline.lawfulness import Authorisation
    from pipeline.trace import ApplicationTrace, AuthorisationTrace, RowTrace

LAYERS = {
    "shares": "이용기관 제공본 · share",
    "gold": "표준 자료 · gold",
    "bronze": "원천 자료 · bronze",
    "quarantine": "격리 · quarantine",
}
MOST_LISTED = 12


def row_tree(found: "RowTrace") -> "Tree":
    """Row, table versions, quality gate, pull and source, then every authorisation that bears on it."""
    tree = _tree(f"{found.korean} ({found.document_type})", f"{found.table}  {found.evidence_id}")
    for s in found.standings:
        layer = _branch(tree, LAYERS.get(s.table.partition("/")[0], s.table), f"{s.table} 버전 version {s.version}")
        _leaf(layer, "행 row", f"{s.evidence_id} ({s.lines} 행 rows)")
        _leaf(layer, "커밋 commit", f"version {s.leaf_version}, sha256 {s.commit_sha256[:16]}…")
        _leaf(layer, "파일 file", f"sha256 {s.file_sha256[:16]}…")
        _leaf(layer, "기록 leaf", f"run {s.run_id}, 원장 ledger position {s.ledger_position:,}")
    _quality(tree, found)
    pull = _branch(tree, "수집 · pull", f"run {found.row['_run_id']}, {seoul_text(found.row['_pulled_at'])}")
    if found.pull:
        _leaf(pull, "판정 verdict", found.pull["verdict"])
        _leaf(pull, "건수 counts", found.pull["counts"])
    record = _branch(tree, "원천 기록 · source record", found.dataset)
    _leaf(record, "기록번호 record", f"{found.row['_source_record_id']} (keyed hash)")
    _leaf(record, "내용 해시 content", f"{safe(found.row['_source_record_hash'])[:16]}… (keyed hash)")
    _leaf(record, "유효 valid", validity(found.row["_observed_at"], found.row["_valid_to"]))
    grounds = _branch(tree, "근거 · what it rests on", f"{len(found.authorisations)}")
    for a in found.authorisations:
        _authorisation(grounds, a)
    _readers(tree, found.readers)
    _erasures(tree, found.erasures)
    return _recorded(tree, found.access_id)


def authorisation_tree(found: "AuthorisationTrace") -> "Tree":
    """The authorisation, then every row, reader and erasure."""
    tree = _tree("동의 · authorisation", found.authorisation_id)
    _fill(tree, found)
    return _recorded(tree, found.access_id)


def application_tree(found: "ApplicationTrace") -> "Tree":
    """The application, its papers, and each of its authorisations in full."""
    from exchange.words import STATES, both

    a = found.application
    tree = _tree("신청 · application", a["application_id"])
    _leaf(tree, "서비스 service", f"{a['service']} → {a['recipient']}")
    _leaf(tree, "신청인 applicant", f"subject key {a['applicant_key']}")
    _leaf(tree, "상태 state", " ".join(filter(None, (both(STATES, a["state"]), a["decision"]))))
    _events(tree, found.events)
    for paper in found.papers:
        _leaf(tree, "서류 제출 on paper", f"{paper['document_type']}, {seoul_text(paper['brought_at'])}")
    for each in found.authorisations:
        _fill(_branch(tree, "동의 · authorisation", each.authorisation_id), each)
    _readers(tree, found.readers)
    return _recorded(tree, found.access_id)


def _fill(tree: "Tree", found: "AuthorisationTrace") -> None:
    _terms(tree, found.authorisations[0])
    for a in found.authorisations:
        _scope(_branch(tree, a.terms["document_type"], _flow(a)), a)
    rows = _branch(tree, "행 · rows", f"{len(found.rows)}")
    for r in found.rows[: 4 * MOST_LISTED]:
        covered = "" if r.is_covered else "  (근거 없음, 삭제 예정 · uncovered, due for erasure)"
        lines = f"  {r.lines} 행 rows" if r.lines > 1 else ""
        former = f"  (이전 상태 former state, {validity(r.valid_from, r.valid_to)})" if r.valid_to else ""
        _leaf(rows, r.table, f"{r.evidence_id}  버전 version {r.version}{lines}{former}{covered}")
    _readers(tree, found.readers)
    _erasures(tree, found.erasures)


def _quality(tree: "Tree", found: "RowTrace") -> None:
    failed = [v for v in found.verdicts if not v["success"]]
    detail = f"{len(found.verdicts)} 검사 expectations, {len(failed)} 위반 broken"
    gate = _branch(tree, "품질 판정 · quality gate", detail if found.verdicts else "기록 없음 · no record")
    current = "현행 current" if found.is_contract_current else "이후 변경됨 · changed since"
    if found.contract_digest:
        digest = f"sha256 {found.contract_digest[:16]}…"
        _leaf(gate, "계약 contract", f"{found.contract_id} {found.contract_version}, {digest} ({current})")
    for v in failed[:MOST_LISTED]:
        _leaf(
            gate, "위반 broken", f"{v['expectation']} {v['column']}: {v['unexpected_count']:,} / {v['element_count']:,}"
        )


def _authorisation(tree: "Tree", a: "Authorisation") -> None:
    witness = "  (이 행의 근거 · witness of this row)" if a.is_witness else ""
    branch = _branch(tree, "동의 · authorisation", f"{a.authorisation_id}  {_flow(a)}{witness}")
    _terms(branch, a)
    _scope(branch, a)


def _flow(a: "Authorisation") -> str:
    from exchange.words import REASONS, both

    return "✓ 유효 · flows" if a.flows else f"✗ {both(REASONS, a.reason)}"


def _terms(tree: "Tree", a: "Authorisation") -> None:
    """What holds for the whole authorisation, and what happened to it."""
    from exchange.words import KINDS, MODES, STATES, both

    terms = a.terms
    period = f"{seoul_text(terms['valid_from'])} ~ {seoul_text(terms['valid_until'])}"
    _leaf(tree, "종류 kind", f"{both(KINDS, terms['kind'])} ({terms['legal_basis']})")
    _leaf(tree, "이용 use", f"{terms['service']} → {terms['recipient']}: {terms['purpose']}")
    _leaf(tree, "기간 period", f"{period}, {both(MODES, terms['mode'])}, {both(STATES, terms['state'])}")
    if terms["application_id"]:
        _leaf(tree, "신청 application", terms["application_id"])
    _events(tree, a.events)


def _scope(tree: "Tree", a: "Authorisation") -> None:
    """What of whom: one document type and subject, and the holder's approval that it rests on."""
    from exchange.document import column_names
    from exchange.words import STATES, both

    terms = a.terms
    _leaf(tree, "정보주체 subject", f"subject key {terms['_subject_key']}, {terms['variant']}")
    _leaf(tree, "항목 columns", ", ".join(column_names(terms["document_type"], terms["columns"])))
    for approval in a.approvals:
        state = both(STATES, approval["state"])
        _leaf(
            tree, "승인 approval", f"{approval['approval_id']} {approval['holder']} → {approval['recipient']}, {state}"
        )


def _events(tree: "Tree", events: "Sequence[LedgerEvent]") -> None:
    from exchange.words import EVENTS, both

    for e in events:
        intact = (
            ""
            if e.is_intact
            else ("  (지워짐 · payload erased)" if e.is_erased else "  (변조됨 · DOES NOT MATCH ITS HASH)")
        )
        where = f"#{e.position} {seoul_text(e.instant)}  leaf {e.leaf_hash.hex()[:16]}…{intact}"
        _leaf(tree, f"기록 {both(EVENTS, e.kind)}", where)


def _readers(tree: "Tree", readers: Sequence[Mapping[str, Any]]) -> None:
    branch = _branch(tree, "열람 · readers", f"{len(readers)}")
    for a in readers[-MOST_LISTED:]:
        verdict = "" if a["is_granted"] else f"  거부 refused: {a['reason']}"
        what = " ".join(filter(None, (a["action"], a["document_type"], a["application_id"])))
        _leaf(branch, f"#{a['access_id']} {seoul_text(a['recorded_at'])}", f"{a['reader']}: {what}{verdict}")


def _erasures(tree: "Tree", erasures: Sequence[Mapping[str, Any]]) -> None:
    branch = _branch(tree, "삭제 · erasures of these tables", f"{len(erasures)}")
    for e in erasures[-MOST_LISTED:]:
        rows = f"{e['rows_removed']:,} 행 removed, {e['rows_narrowed']:,} 행 narrowed, 잔존 residue {e['residue']:,}"
        _leaf(branch, e["table"], f"{seoul_text(e['erased_at'])} 버전 version {e['version']}: {rows}")


def _tree(name: str, detail: str) -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    return Tree(Text.assemble((safe(name), "bold cyan"), "  ", safe(detail)))


def _branch(tree: "Tree", name: str, detail: str) -> "Tree":
    from rich.text import Text

    return tree.add(Text.assemble((safe(name), "bold"), "  ", safe(detail)))


def _leaf(tree: "Tree", name: str, detail: str) -> None:
    from rich.text import Text

    tree.add(Text.assemble((safe(name), "dim"), "  ", safe(detail)))


def _recorded(tree: "Tree", access_id: str) -> "Tree":
    _leaf(tree, "이 추적은 먼저 기록되었습니다 · recorded before it was answered", f"access {access_id}")
    return tree
