{#-
    A person's name: usual width, composed, one blank between words. A Korean name that is printed syllable by syllable
    (김 하 나) loses its blanks; names of several longer words, foreign ones above all, keep theirs.
-#}
{% macro name(column) -%}
    {%- set text = narrow(column) -%}
    case
        when regexp_full_match({{ text }}, '[가-힣]( [가-힣])+') then replace({{ text }}, ' ', '')
        else {{ text }}
    end
{%- endmacro %}
