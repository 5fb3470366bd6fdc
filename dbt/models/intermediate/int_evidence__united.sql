{%- set documents = document_marts() -%}

with

{% for document_type, mart in documents.items() -%}
{{ mart }} as (
    select
        '{{ document_type }}' as document_type,
        _subject_key,
        _variant,
        _evidence_id,
        _authorisation_id,
        _observed_at,
    from {{ ref(mart) }}
),

{% endfor -%}
retained_evidence as (
    select
        document_type,
        _subject_key,
        _variant,
        _evidence_id,
        _authorisation_id,
        _observed_at,
    from {{ ref('stg_context__retained_evidence') }}
),

evidence as (
    {% for mart in documents.values() -%}
    select * from {{ mart }}
    union all
    {% endfor -%}
    select * from retained_evidence
)

select * from evidence
