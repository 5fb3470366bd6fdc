{#- The words of a variable, as SQL text literals with commas between. -#}
{% macro word_list(variable) -%}
    '{{ var(variable) | join("', '") }}'
{%- endmacro %}
