"""`hanbeon contracts statutes` and `coverage`: which articles of law ask for documents, and how many are served."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hanbeon.commands.common import Json, print_json, print_rows

if TYPE_CHECKING:
    from schemas.coverage import Counts


def statutes(
    document: Annotated[
        str | None, typer.Option("--document", help="Only articles that ask for this document type.")
    ] = None,
    law: Annotated[
        str | None, typer.Option("--law", help="Only where the law's name or the article's heading holds this text.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The articles of law that ask for documents, and whether they come as data."""
    from schemas.documents import as_data
    from schemas.statutes import find, services_of

    data = as_data()
    rows = [
        {
            "law": a.law,
            "kind": a.kind,
            "article": a.article,
            "documents": list(a.documents),
            "as_data": sorted(d for d in a.document_types & data if d is not None),
            "refusal_clause": a.has_refusal_clause,
            "services": [s.id for s in services_of(a)],
        }
        for a in find(document, law)
    ]
    headings = {
        "law": "법령 law",
        "kind": "kind",
        "article": "조 article",
        "documents": "서류 documents",
        "as_data": "as data",
        "refusal_clause": "거부 may refuse",
        "services": "services",
    }
    title = f"구비서류를 요구하는 조문 Articles that ask for documents: {len(rows):,}"
    print_rows(rows, headings, as_json=as_json, title=title, empty="No article of the registry matches.")


def coverage(as_json: Json = False) -> None:
    """How much of the law comes as data: articles, services, documents, and how many fields are verified."""
    from schemas.coverage import coverage as counted

    found = counted()
    if as_json:
        print_json({**asdict(found), "weighted": {**asdict(found.weighted), "share": found.weighted.share}})
        return
    summary = [_counts("조문 articles", found.articles), _counts("서비스 services", found.services)]
    heads = ("fully", "partly", "not_at_all", "unnamed", "total")
    headings = {"what": "", **{h: h.replace("_", " ") for h in heads}}
    print_rows(summary, headings, as_json=False, title="자료로 확인 Served as data", empty="")
    weighted = found.weighted
    print(
        f"발급량으로 가중 Weighted by copies issued in a year: {weighted.share:.0%} of {weighted.copies:,}, over "
        f"{', '.join(weighted.known)}; of {weighted.unknown} other documents that statutes name no figure is known.\n"
    )
    documents = [asdict(d) | {"is_data": "자료 data" if d.is_data else "서류 paper"} for d in found.documents]
    headings = {
        "id": "서류 document",
        "korean": "이름 name",
        "is_data": "comes as",
        "articles": "조문 articles",
        "fully": "fully served",
        "unlocks": "would unlock",
    }
    print_rows(documents, headings, as_json=False, title="서류별 By document", empty="")
    fields = [asdict(p) | {"verified": f"{p.verified / p.fields:.0%}"} for p in found.provenance]
    headings = {h: h.replace("_", " ") for h in ("document_type", "fields", "statute", "form", "verified")}
    print_rows(fields, headings, as_json=False, title="정의의 출처 Where definitions come from", empty="")
    whole = found.definitions
    print(
        f"법령·서식으로 정의된 항목 Defined by statute or form: {whole.verified} of {whole.fields} fields "
        f"({whole.verified / whole.fields:.0%}), all fields of {whole.wholly} of {whole.document_types} document types."
    )


def _counts(what: str, counts: "Counts") -> dict[str, Any]:
    return {"what": what, **asdict(counts), "total": counts.total}
