"""A bundle as a case worker reads it on a terminal: Korean first, a document after the other, lines as tables."""

from typing import TYPE_CHECKING

from hanbeon.clock import seoul_text
from hanbeon.commands.common import safe, validity

if TYPE_CHECKING:
    from rich.console import RenderableType

    from exchange.bundle import Bundle, Document
    from exchange.document import Copy, Lines

MARKS = {"data": ("✓", "green"), "paper": ("✎", "yellow"), "missing": ("✗", "red"), "not_needed": ("–", "dim")}


def render(bundle: "Bundle") -> "RenderableType":
    """The whole bundle: who asks for what, the documents, and on which record of access it was answered."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [_head(bundle), overview(bundle)]
    parts += [_document(d) for d in bundle.documents if d.copies]
    recorded = f"이 열람은 먼저 기록되었습니다 · recorded before it was answered: {', '.join(bundle.access_ids)}"
    parts.append(Text(f"{recorded}\n원장 위치 · ledger position {bundle.ledger_position:,}", "dim"))
    return Group(*parts)


def _head(bundle: "Bundle") -> "RenderableType":
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    have = sum(d.state != "missing" for d in bundle.documents)
    total = len(bundle.documents)
    state = Text("완비 · complete", "bold green") if bundle.is_complete else Text("미비 · incomplete", "bold red")
    facts = Table.grid(padding=(0, 2))
    facts.add_row(Text("서비스", "bold"), Text(f"{bundle.service.korean} · {bundle.service.english}"))
    facts.add_row(Text("이용기관", "bold"), Text(f"{bundle.recipient_korean} · {bundle.recipient_english}"))
    facts.add_row(Text("목적", "bold"), Text(f"{bundle.service.purpose} ({bundle.service.law})"))
    facts.add_row(Text("접수", "bold"), Text(seoul_text(bundle.opened_at)))
    facts.add_row(Text("열람", "bold"), Text(f"{seoul_text(bundle.read_at)} · {safe(bundle.reader)}"))
    if bundle.as_of is not None:
        then = f"{seoul_text(bundle.as_of)} · 자료는 그때, 동의는 지금 · evidence of then, consent of now"
        facts.add_row(Text("기준시점", "bold"), Text(then, "yellow"))
    facts.add_row(Text("꾸러미", "bold"), Text.assemble(state, f"  {have}/{total}"))
    title = Text(f"꾸러미 Bundle {safe(bundle.application_id)}", "bold")
    return Panel(facts, title=title, title_align="left", border_style="green" if bundle.is_complete else "red")


def overview(bundle: "Bundle") -> "RenderableType":
    """A line for each document and subject: whether it is there, and why not."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from exchange.words import DOCUMENT_STATES, REASONS, both

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "구비서류 document", "보유기관 holder", "상태 state", "사유 reason"):
        table.add_column(heading, overflow="fold")
    for d in bundle.documents:
        mark, colour = MARKS[d.state]
        fresh = f"{d.fresh_until[:4]}-{d.fresh_until[4:6]}-{d.fresh_until[6:]}까지 until" if d.fresh_until else ""
        table.add_row(
            Text(mark, colour),
            Text(_named(d)),
            Text(d.holder or ""),
            Text(both(DOCUMENT_STATES, d.state), colour),
            Text(both(REASONS, d.reason) or fresh),
        )
    return table


def _named(document: "Document") -> str:
    of = "" if document.member is None else f" · 세대원 member {document.member}"
    return f"{safe(document.korean)} ({document.document_type}){of}"


def _document(document: "Document") -> "RenderableType":
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    parts: list[RenderableType] = []
    for copy in document.copies:
        parts.append(_values(copy))
        parts += [_lines(g) for g in copy.groups]
        valid = validity(copy.valid_from, copy.valid_to)
        parts.append(Text(f"유효 · valid {valid}   근거번호 · evidence {copy.evidence_id}", "dim"))
    if document.outside:
        parts.append(Text(f"동의 범위 밖 · not covered by the consent: {', '.join(document.outside)}", "yellow"))
    under = ", ".join(safe(i) for i in document.authorisation_ids)
    parts.append(Text(f"동의 · under {under}", "dim"))
    title = Text(_named(document), "bold")
    return Panel(Group(*parts), title=title, title_align="left")


def _values(copy: "Copy") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for value in copy.values:
        name = Text.assemble((safe(value.korean), "bold"), (f" {value.name}", "dim"))
        grid.add_row(name, Text(safe(value.text) or "–"))
    return grid


def _lines(lines: "Lines") -> "RenderableType":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place, (_, korean) in enumerate(lines.columns):
        numbers = all(isinstance(row[place].value, int | None) for row in lines.rows)
        table.add_column(Text(safe(korean)), justify="right" if numbers and lines.rows else "left", overflow="fold")
    for row in lines.rows:
        table.add_row(*(Text(safe(v.text) or "–") for v in row))
    return table if lines.rows else Text("기재사항 없음 · no line", "dim")
