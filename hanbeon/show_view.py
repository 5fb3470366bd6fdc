"""How `make run` looks: Korean first, English second; every figure is read from what was published."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from rich.box import HEAVY_HEAD, ROUNDED, SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from consent.vault import keyed_hashes

if TYPE_CHECKING:
    from exchange.bundle import Bundle
    from pipeline.run import Run
    from pipeline.summary import Summary

Holdings = dict[str, dict[str, list[str]]]  # table -> column -> values, NULL left out; a share has only ROWS
SHARES, ROWS = "shares/", "rows"
FORMS = {"postgres": "PostgreSQL", "rest": "REST/JSON", "file": "CP949 파일 file", "court_xml": "법원 court XML"}
MOST_VALUES = 3
# Short words for a table cell; `exchange.words` has the sentences.
WITHHELD = {
    "withdrawn": "철회 withdrawn",
    "consumed": "사용됨 used up",
    "expired": "만료 expired",
    "paused": "정지 paused",
    "not_yet_valid": "시작 전 too early",
    "approval_suspended": "승인 정지 suspended",
    "not_requested": "남의 것 not asked",
}

LACKING = WITHHELD | {
    "no_authorisation": "동의 없음 no consent",
    "not_held": "보유기관에 없음 not held",
    "nothing_named": "대상 미기재 nothing named",
    "nothing_received": "받지 못함 not received",
    "quarantined": "격리됨 quarantined",
    "stale": "유효기간 지남 out of date",
    "never_shareable": "공동이용 불가 never shareable",
}


def title(people: int) -> RenderableType:
    text = Text.assemble(
        ("한번 Hanbeon\n", "bold"),
        "국민은 같은 것을 두 번 증명하지 않습니다.\n",
        ("The citizen proves nothing twice. ", "dim"),
        (f"A simulated country of {people:,} people, real systems, made-up names.", "dim"),
    )
    return Panel(text, box=ROUNDED, padding=(0, 2), expand=False)


def step(name: str, outcome: str, seconds: float) -> RenderableType:
    return Text.assemble(("✓ ", "green"), (name, "bold"), "  ", outcome, (f"  {seconds:.1f} s", "dim"))


def dag(dag_id: str, state: str, seconds: float) -> RenderableType:
    mark, colour = ("✓", "green") if state == "success" else ("✗", "red")
    words = "" if state == "success" else f"  {state}"
    return Text.assemble("  ", (mark, colour), f" {dag_id}", (words, colour), (f"  {seconds:.1f} s", "dim"))


def chapter(number: str, korean: str, english: str) -> RenderableType:
    return Padding(Rule(Text.assemble((f"{number}. {korean}", "bold"), f" · {english}"), align="left"), (1, 0, 0, 0))


def outcome(run: "Run") -> RenderableType:
    """For each dataset what was asked, came, was withheld and is published; then bundles and documents replaced."""
    return Padding(Group(_datasets(run), _bundles(run), _replaced(run)), (1, 0, 0, 0))


def _datasets(run: "Run") -> RenderableType:
    from pipeline import reading
    from pipeline.bronze import quarantine_schema
    from pipeline.versions import current_state
    from schemas.contract import gold, sources

    table = _table("자료 · datasets, first pass → second pass", "문서 document")
    for heading in ("요청\nasked", "수신\nreceived", "격리\nquaran-\ntined", "공개\npub-\nlished"):
        table.add_column(heading, justify="right")
    table.add_column("제공제외 사유\nwithheld, by reason", overflow="fold")
    passes = _passes(run)
    for contract in sources():
        counts, withheld = passes[contract.dataset]
        name = contract.description.split(" (")[0]
        held = reading.read(run, f"quarantine/{contract.dataset}", quarantine_schema(contract)).num_rows
        rows = reading.read(run, f"gold/{contract.published}", gold(contract.published).gold_schema)
        published = current_state(rows).num_rows
        reasons = sorted(withheld.items(), key=lambda item: -item[1])
        table.add_row(
            f"{name}\n[dim]{FORMS[contract.delivery['form']]}[/dim]",
            "\n→ ".join(f"{c['asked']:,}" for c in counts),
            "\n→ ".join(f"{c['received']:,}" for c in counts),
            f"{held:,}",
            f"{published:,}",
            "\n".join(f"{n:,} {WITHHELD.get(r, r.replace('_', ' '))}" for r, n in reasons),
            end_section=True,
        )
    return table


def _table(title: str, first: str) -> Table:
    table = Table(title=Text(title, "bold"), title_justify="left", box=HEAVY_HEAD, pad_edge=False)
    table.add_column(first)
    return table


def _passes(run: "Run") -> dict[str, tuple[list[Mapping[str, int]], Mapping[str, int]]]:
    """For each dataset the counts of its last two pulls, oldest first, and what the last one withheld."""
    from pipeline.operations import runs

    found: dict[str, tuple[list[Mapping[str, int]], Mapping[str, int]]] = {}
    for row in runs(run).sort_by("finished_at").to_pylist():
        if row["verb"] == "pull":
            counts = [*found.get(row["dataset"], ([], {}))[0], json.loads(row["counts"])][-2:]
            found[row["dataset"]] = (counts, json.loads(row["withheld"]))
    return found


def _bundles(run: "Run") -> RenderableType:
    """Each service with its complete and incomplete bundles; nothing attached means that all came as data."""
    from pipeline import reading
    from pipeline.tallies import tallies
    from schemas.contract import gold
    from schemas.services import service

    rows = reading.read(run, "gold/service_bundles", gold("service_bundles").gold_schema)
    table = _table("꾸러미 · bundles of open applications", "서비스 service")
    for heading in ("완비: 첨부 없음\nnothing\nattached", "완비: 종이\nwith\npaper", "미비\nincom-\nplete"):
        table.add_column(heading, justify="right")
    table.add_column("가장 많은 미비 사유\nmost frequent reason", overflow="fold")
    for one in tallies(rows):
        named = service(one.service)
        reason = "" if one.reason is None else f"{one.lacking:,} × {LACKING.get(one.reason, one.reason)}"
        counts = (f"{n:,}" for n in (one.without_paper, one.with_paper, one.incomplete))
        table.add_row(f"{named.korean}\n[dim]{named.english}[/dim]", *counts, reason)
    return Padding(table, (1, 0, 0, 0))


def _replaced(run: "Run") -> RenderableType:
    from pipeline import reading
    from schemas.contract import gold
    from schemas.services import service

    rows = reading.read(run, "gold/documents_replaced", gold("documents_replaced").gold_schema).to_pylist()
    table = _table("없어진 첨부서류 · documents replaced, decided applications only", "서비스 service")
    for heading in (
        "구비서류\nrequired",
        "자료로 대체\nreplaced",
        "새로 대체\nnewly",
        "종이로 제출\non paper",
        "아낀 종이(장)\nsheets saved",
        "아낀 비용(원)\nwon saved",
    ):
        table.add_column(heading, justify="right")
    names = ("RQDOC_NOCS", "SBST_NOCS", "NEW_SBST_NOCS", "SBMSN_NOCS", "RTRC_QTY", "RTRC_AMT")
    held: dict[str, list[list[int | None]]] = {}
    for row in rows:
        held.setdefault(row["SRVC_NO"], []).append([row[n] for n in names])
    for service_id, own in sorted(held.items()):
        table.add_row(f"{service(service_id).korean}\n[dim]{service(service_id).english}[/dim]", *_sums(own))
    if held:
        table.add_section()
        everything = _sums([row for own in held.values() for row in own])
        table.add_row("[bold]계 total[/bold]", *(f"[bold]{text}[/bold]" for text in everything))
    return Padding(table, (1, 0, 0, 0))


def _sums(rows: list[list[int | None]]) -> list[str]:
    """The sum of each column over what is known; a dash where nothing is (no article in the registry)."""
    known = [[value for value in column if value is not None] for column in zip(*rows, strict=True)]
    return [f"{sum(values):,}" if values else "–" for values in known]


def holdings(run: "Run", application_id: str) -> Holdings:
    """Every value that gold holds of the applicant, and how many rows each recipient's share holds of it."""
    from consent import applications
    from pipeline import reading
    from pipeline.gold import pairwise_ids, share_schema
    from pipeline.publish import documents, shares

    key = pa.chunked_array([[applications.get(run.conn, application_id)["applicant_key"]]], pa.int64())
    held: Holdings = {}
    for contract in documents():
        rows = reading.read(run, f"gold/{contract.name}", contract.gold_schema)
        own = rows.filter(pc.equal(rows.column("_subject_key"), key[0]))
        if own.num_rows:
            held[contract.name] = {
                c.name: [str(v) for v in own.column(c.name).to_pylist() if v is not None] for c in contract.columns
            }
    for recipient, contract in shares():
        rows = reading.read(run, f"shares/{recipient}/{contract.name}", share_schema(contract, recipient))
        pseudonym = pairwise_ids(key, recipient, partial(keyed_hashes, run.secrets))[0]
        number = pc.sum(pc.equal(rows.column("_pairwise_id"), pseudonym)).as_py() or 0
        if number:
            held.setdefault(f"{SHARES}{recipient}", {}).setdefault(ROWS, []).extend([contract.name] * number)
    return held


def withdrawal(authorisation_id: str, before: Holdings, after: Holdings, summary: "Summary") -> RenderableType:
    """What the lake held before and holds after: just the values that nothing else covers are gone."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, expand=False)
    for heading in ("표와 열 table and column", "철회 전 before", "철회 후 after"):
        table.add_column(heading, overflow="fold")
    for name in before:
        if name.startswith(SHARES):
            _share_row(table, name, before[name], after.get(name, {}))
        else:
            _gold_rows(table, name, before[name], after.get(name))
    counts = summary.counts
    words = (
        f"지운 행 {counts['rows_removed']:,}개, 값만 지운 행 {counts['rows_narrowed']:,}개, 옛 파일을 없앤 표 "
        f"{counts['tables_purged']:,}개, 남은 흔적 {counts['residue']:,}개\n"
        f"{counts['rows_removed']:,} rows removed, {counts['rows_narrowed']:,} narrowed, old files of "
        f"{counts['tables_purged']:,} tables purged, {counts['residue']:,} residues found by the byte scan"
    )
    return Group(Text.assemble(("철회한 동의 · withdrawn  ", "bold"), authorisation_id), table, Text(words, "bold"))


def _gold_rows(table: Table, name: str, old: dict[str, list[str]], new: dict[str, list[str]] | None) -> None:
    """One section for a gold table: what changed, value by value, and how much did not."""
    from schemas.contract import gold

    contract = gold(name)
    table.add_row(Text(f"gold/{name}", "bold"), "", "")
    if new is None:
        table.add_row("  문서 전체 the whole document", "있음 held", Text("없음 gone", "red"), end_section=True)
        return
    for column in contract.columns:
        if old[column.name] != new[column.name]:
            gone = Text(_values(new[column.name]) or "없음 gone", "red")
            table.add_row(f"  {column.korean} {column.name}", _values(old[column.name]), gone)
    kept = sum(bool(values) and values == new[column] for column, values in old.items())
    others = Text(f"  다른 {kept}개 열 · {kept} other columns", "dim")
    table.add_row(others, "", Text("그대로 as before", "green"), end_section=True)


def _share_row(table: Table, name: str, old: dict[str, list[str]], new: dict[str, list[str]]) -> None:
    rows, left = len(old[ROWS]), len(new.get(ROWS, []))
    after = Text(f"{left} 행 rows", "green" if rows == left else "red")
    table.add_row(Text.assemble((name, "bold"), (" 제공본 share", "dim")), f"{rows} 행 rows", after)


def _values(values: list[str]) -> str:
    distinct = list(dict.fromkeys(values))
    shown = ", ".join(distinct[:MOST_VALUES])
    return f"{shown} …" if len(distinct) > MOST_VALUES else shown


def still_complete(bundle: "Bundle") -> RenderableType:
    words = "그 신청의 꾸러미는 여전히 완비입니다" if bundle.is_complete else "그 신청의 꾸러미가 미비가 되었습니다"
    english = (
        "the other application's bundle is still complete" if bundle.is_complete else "that bundle became incomplete"
    )
    return Text.assemble((words, "bold green" if bundle.is_complete else "bold red"), f" · {english}")


def proof(folder: Path, said: str) -> RenderableType:
    """What the stand-alone verifier says of the disclosure pack, and how to ask it again."""
    first, *remarks = said.splitlines() or ["the verifier said nothing"]
    is_good = first.startswith("OK")
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    again = f"python verify/verify.py {shown}"
    return Group(
        Text(first, "bold green" if is_good else "bold red"),
        *(Text(line, "dim") for line in remarks),
        Text.assemble(("다시 · again: ", "dim"), (again, "cyan")),
    )


def next_steps() -> RenderableType:
    table = Table.grid(padding=(0, 2))
    rows = [
        ("데이터 엔지니어 · data engineers", "make up", "Airflow's screen, with scheduler and agencies"),
        ("", "hanbeon world advance --days 7", "let a week pass: moves, births, corrections; then make run"),
        ("", "hanbeon sources", "each dataset, its watermark and last run"),
        (
            "분석가 · analysts",
            'hanbeon sql "select * from documents_replaced"',
            "aggregates only; bundles hides small groups",
        ),
        ("감사인 · auditors", "hanbeon consent list", "then: hanbeon trace authorisation <id>"),
        ("", "hanbeon verify", "the whole lake against its log, from files alone"),
        ("", "hanbeon doctor", "pointer, leaves and files agree (agencies answer while make up runs)"),
        ("담당자 · case workers", "hanbeon application list", "then: hanbeon application show <id>"),
    ]
    for who, command, what in rows:
        table.add_row(Text(who, "bold"), Text(command, "cyan"), Text(what, "dim"))
    note = Text("먼저 · first: . .venv/bin/activate", "dim")
    return Padding(
        Panel(Group(note, table), title="다음 · what to type next", title_align="left", box=ROUNDED), (1, 0, 0, 0)
    )
