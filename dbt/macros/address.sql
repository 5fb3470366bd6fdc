{#-
    An address: usual width, composed, one blank between words and none inside parentheses, and the province by its name
    of the day, where it is abbreviated or was renamed by then. Without its day only the blanks and the width change.
-#}
{% macro address(column, as_of) -%}
    {%- set text = "regexp_replace(regexp_replace(" ~ narrow(column) ~ ", '[(] +', '(', 'g'), ' +[)]', ')', 'g')" -%}
    coalesce(
        (
            select max(province.name)
            from {{ source('codes', 'provinces') }} as province
            where
                province.written = split_part({{ text }}, ' ', 1)
                and province.from_day <= {{ cleaned(as_of) }}
                and province.until_day > {{ cleaned(as_of) }}
        ) || substr({{ text }}, length(split_part({{ text }}, ' ', 1)) + 1),
        {{ text }}
    )
{%- endmacro %}
