{#- Text without the blanks around it (tab, line break, no-break and ideographic space too). -#}
{% macro trimmed(column) -%}
    trim({{ column }}, ' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(12288))
{%- endmacro %}

{#- Trimmed text; NULL where the holder wrote nothing, or a word for nothing. -#}
{% macro cleaned(column) -%}
    case
        when {{ trimmed(column) }} not in ('', {{ word_list('null_words') }}) then {{ trimmed(column) }}
    end
{%- endmacro %}

{#-
    A whole number of at most 18 digits, thousands apart by commas or not. Anything else stops the run, with a message
    that holds no value (P8).
-#}
{% macro whole_number(column) -%}
    {%- set text = cleaned('cast(' ~ column ~ ' as varchar)') -%}
    case
        when {{ text }} is null then null
        when regexp_full_match({{ text }}, '-?([0-9]{1,18}|[0-9]{1,3}(,[0-9]{3}){1,5})')
            then cast(replace({{ text }}, ',', '') as bigint)
        else error('{{ column }} holds something else than a whole number')
    end
{%- endmacro %}
