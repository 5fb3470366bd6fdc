{#- The pipeline columns that evidence carries from bronze to its mart, in contract order. -#}
{% macro pipeline_columns() -%}
    _subject_key,
    _key_bucket,
    _evidence_id,
    _authorisation_id,
    _variant,
    _source_record_id,
    _source_record_hash,
    _observed_at,
    _valid_to,
    _pulled_at,
    _run_id
{%- endmacro %}

{#- The same for a line of a repeating group. -#}
{% macro line_columns() -%}
    {{ pipeline_columns() }},
    _line_no,
    _person_key
{%- endmacro %}
