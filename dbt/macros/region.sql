{#-
    A region's code as of a day: after its abolition the code that followed it, where one did for certain. What nobody
    can tell (the area was split, the day is not there) stays as delivered.
-#}
{% macro region(column, code_list, as_of) -%}
    coalesce(
        (
            select max(succession.successor)
            from {{ source('codes', 'successions') }} as succession
            where
                succession.code_list = '{{ code_list }}'
                and succession.code = {{ cleaned(column) }}
                and succession.from_day <= {{ cleaned(as_of) }}
                and succession.until_day > {{ cleaned(as_of) }}
        ),
        {{ cleaned(column) }}
    )
{%- endmacro %}
