"""The documentation is true where a machine can tell: links, commands, settings, tests, tables made from the code.

`python -m tests.test_docs` writes what is made from the code anew.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from consent import import_rows
from consent.model import APPROVAL_TRANSITIONS, IDEMPOTENT, TRANSITIONS, Reason
from exchange import sql
from exchange.words import REASONS
from hanbeon.cli import app
from hanbeon.settings import PROJECT, load
from schemas.changes import MEANING
from schemas.check import DELIVERY_KEYS
from schemas.cited import texts
from schemas.contract import Contract, published, sources
from schemas.provenance import cited, content, provenance
from schemas.standard import RULES, Rule
from tests.small_lake import SmallLake

PAGES = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").glob("*.md"))]
PROMISES, FAULTS = range(1, 12), (*range(1, 13), *range(20, 30), *range(40, 48), *range(60, 67))
MADE = re.compile(r"(<!-- made from [\w./]+: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.S)
COMMAND = re.compile(r"\bhanbeon ((?:--?)?[a-z][^\n;&|`]*)")
TARGET = re.compile(r"\bmake ([a-z]+)\b")
SETTING = re.compile(
    r"\bHANBEON_([A-Z]+)__([A-Z_]+)|`(home|ledger|consent|keys|world|sources|lake|retention|exchange|log)\.([a-z_]+)`"
)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_of(page: Path) -> str:
    """What stands in code spans and blocks, comments of shell blocks apart."""
    found = (block or span for block, span in CODE.findall(text_of(page)))
    return "\n".join(re.sub(r"(?m)\s#\s.*$", "", part) for part in found)


# What is made from the code


def _diagram(transitions: Iterable[tuple[object, object, object]]) -> str:
    lines = [f"    {before or '[*]'} --> {after} : {event}" for before, event, after in transitions]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def made_transitions() -> str:
    again = ", ".join(f"`{event}`" for _, event in sorted(IDEMPOTENT))
    diagram = _diagram((before, event, after) for (before, event), after in TRANSITIONS.items())
    said = f"Said again of what is in that state already, {again} change nothing."
    return f"{diagram}\n\nAn arrow that is missing is refused. {said}"


def made_approvals() -> str:
    return _diagram((b, e.removeprefix("approval_"), after) for (b, e), after in APPROVAL_TRANSITIONS.items())


def made_reasons() -> str:
    rows = [f"| `{reason}` | {REASONS[reason][0]} | {REASONS[reason][1]} |" for reason in Reason]
    return "\n".join(["| reason | 한국어 | English |", "|---|---|---|", *rows])


def made_datasets() -> str:
    def row(c: Contract) -> str:
        tables = [f"`{t.name}`" for t in published() if t.properties.get("documentType") == c.document_type]
        return f"| {c.document_type} | `{c.dataset}` | `{c.delivery['form']}` | {c.deletes} | {', '.join(tables)} |"

    head = ["| document | dataset | form | deletions | gold tables |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(row(c) for c in sources())])


def made_rules() -> str:
    def options(rule: Rule) -> str:
        listed = [f"`{o}`" for o in (*rule.columns, *rule.optional)]
        return ", ".join([*listed, *(f"`{o}`: {', '.join(v)}" for o, v in (rule.values or {}).items())])

    rows = [f"| `{name}` | {options(rule)} | {rule.sentence} |" for name, rule in RULES.items()]
    return "\n".join(["| by | needs | the published value |", "|---|---|---|", *rows])


def made_delivery() -> str:
    def listed(keys: Iterable[str]) -> str:
        return ", ".join(f"`{k}`" for k in keys) or "none"

    rows = [
        f"| `{form}` | {listed(whole)} | {listed([column] if column else [])} | {listed(group)} |"
        for form, (whole, column, group) in DELIVERY_KEYS.items()
    ]
    return "\n".join(["| form | of the dataset | of each column | of each group |", "|---|---|---|---|", *rows])


def made_changes() -> str:
    rows = [f"| `{kind}` | {severity} | {said} |" for kind, (severity, said) in MEANING.items()]
    return "\n".join(["| change | severity | because |", "|---|---|---|", *rows])


def made_definitions() -> str:
    def said(c: Contract) -> str:
        places: dict[str, set[str]] = {}
        for column in content(c):
            if (text := cited(column)) is not None:
                places.setdefault(text, set()).add((column.defined_by or "").removeprefix(text).strip())
        return "; ".join(f"{text} {', '.join(sorted(places[text], key=_numbers))}".strip() for text in sorted(places))

    whole = [c for c in sorted(sources(), key=lambda c: c.document_type) if provenance(c).is_whole]
    rows = [f"| {c.document_type} | {provenance(c).fields} | {said(c)} |" for c in whole]
    return "\n".join(["| document | fields | defined by |", "|---|---|---|", *rows])


def _numbers(place: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", place)]


def made_texts() -> str:
    rows = [f"| {t.cited_as} | {t.name} | {t.kind} | {t.as_of} | {t.read_in} |" for t in texts().values()]
    return "\n".join(["| cited as | name | kind | text of | read in |", "|---|---|---|---|---|", *rows])


def made_commands() -> str:
    root = commands()
    rows = []
    for name, found in sorted(root.items()):
        below = sorted(getattr(found, "commands", {}))
        rows.append(f"- `{name}`" + (f": {', '.join(f'`{b}`' for b in below)}" if below else ""))
    return "\n".join(rows)


MAKERS: dict[str, Callable[[], str]] = {
    "transitions": made_transitions,
    "approvals": made_approvals,
    "reasons": made_reasons,
    "datasets": made_datasets,
    "delivery": made_delivery,
    "rules": made_rules,
    "changes": made_changes,
    "definitions": made_definitions,
    "texts": made_texts,
    "commands": made_commands,
}


def renewed(text: str) -> str:
    return MADE.sub(lambda m: f"{m[1]}{MAKERS[m[2]]()}\n{m[4]}", text)


# What the code has


@cache
def commands() -> dict[str, Any]:
    return dict(vars(typer.main.get_command(app))["commands"])


def wrong_command(said: str) -> str | None:
    """What is wrong with the words after `hanbeon`, or None."""
    words = said.split()
    if words[0].startswith("-"):
        return None if words[0] in ("--help", "-h") else f"no option {words[0]}"
    found = commands().get(words[0])
    if found is None:
        return f"no command {words[0]}"
    below = getattr(found, "commands", None)
    if below is not None and len(words) > 1 and not words[1].startswith("-"):
        if words[1] not in below:
            return f"no command {words[0]} {words[1]}"
        found = below[words[1]]
    known = {option for p in found.params for option in p.opts} | {"--help", "-h"}
    strange = [w for w in words if re.fullmatch(r"--[a-z-]+", w) and w not in known]
    return f"{' '.join(words[:2])} has no {strange[0]}" if strange else None


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
    return frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_"))


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"(?m)^#+ (.+)$", text_of(page))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(text_of(page)):
        if "://" in link or link.startswith("mailto:"):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_exists_with_its_options(page: Path) -> None:
    wrong = {said: reason for said in COMMAND.findall(code_of(page)) if (reason := wrong_command(said))}
    assert wrong == {}


def test_a_command_that_does_not_exist_is_found() -> None:
    assert wrong_command("serve")
    assert wrong_command("contracts guess A B")
    assert wrong_command("sources --jsn")
    assert wrong_command("trace row TABLE EVIDENCE_ID --json") is None


def test_every_command_is_named_in_the_documentation() -> None:
    said = "\n".join(code_of(p) for p in PAGES if p.name != "CHANGELOG.md")
    assert [name for name in commands() if not re.search(rf"\bhanbeon {name}\b|\bmake {name}\b", said)] == []


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8")))
    assert {t for p in PAGES for t in TARGET.findall(code_of(p))} - targets == set()


def test_every_setting_exists() -> None:
    settings = load({})
    named = {(a or c, b or d) for p in PAGES for a, b, c, d in SETTING.findall(text_of(p))} - {("SECTION", "KEY")}
    assert named
    assert [n for n in named if not hasattr(getattr(settings, n[0].lower(), None), n[1].lower())] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    assert [f"{f}::{name}" for f, name in TEST.findall(text_of(page)) if name not in names_in(f)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_what_is_made_from_the_code_is_current(page: Path) -> None:
    """`python -m tests.test_docs` mends it."""
    assert text_of(page) == renewed(text_of(page))


def test_everything_that_can_be_made_stands_somewhere() -> None:
    assert sorted(m[1] for p in PAGES for m in MADE.findall(text_of(p))) == sorted(MAKERS)


def test_every_promise_and_fault_has_its_place() -> None:
    promises, faults = text_of(PROJECT / "docs/promises.md"), text_of(PROJECT / "docs/faults.md")
    assert [int(n) for n in re.findall(r"(?m)^## P(\d+) ", promises)] == list(PROMISES)
    assert [int(n) for n in re.findall(r"(?m)^\| F(\d+) \|", faults)] == list(FAULTS)
    sections = re.split(r"(?m)^## P\d+ .*$", promises)[1:]
    assert all(TEST.search(section) for section in sections)


def test_every_column_of_an_import_file_is_explained() -> None:
    cells = [
        line.split(" | ")[0] for line in text_of(PROJECT / "docs/consent.md").splitlines() if line.startswith("| `")
    ]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert {*import_rows.REQUIRED, *import_rows.OPTIONAL} <= named


def test_the_example_of_an_import_file_is_a_good_row() -> None:
    found = re.search(r"```csv\n(.*)\n(.*)\n```", text_of(PROJECT / "docs/consent.md"))
    assert found is not None
    digits = {"<13 digits>": "9" * 13, "<64 hexadecimal digits>": "5a" * 32}
    values = [None if v == "" else digits.get(v, v) for v in found[2].split(",")]
    row: dict[str, str | None] = dict(zip(found[1].split(","), values, strict=True))
    assert isinstance(import_rows.parse(row), import_rows.Row)


QUERIES = re.findall(r"```sql\n(.*?)```", text_of(PROJECT / "docs/analysts.md"), re.S)


def test_every_query_for_analysts_is_answered(own_lake: SmallLake) -> None:
    assert QUERIES
    for query in QUERIES:
        assert sql.query(own_lake.run, query, "tests:docs").columns


def test_every_relation_is_explained() -> None:
    said = text_of(PROJECT / "docs/analysts.md")
    assert [name for name in sql.RELATIONS if f"| `{name}` |" not in said] == []


if __name__ == "__main__":
    for each in PAGES:
        each.write_text(renewed(text_of(each)), encoding="utf-8")
