{#- An amount in won. `unit` is what the holder counts in: won or thousand_won. -#}
{% macro amount(column, unit) -%}
    {{ whole_number(column) }}{{ ' * 1000' if unit == 'thousand_won' }}
{%- endmacro %}
