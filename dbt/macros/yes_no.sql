{#- Y or N, whatever the holder writes for it. Anything else stops the run, with a message that holds no value (P8). -#}
{% macro yes_no(column) -%}
    {%- set text = 'upper(' ~ narrow(column) ~ ')' -%}
    case
        when {{ text }} is null then null
        when {{ text }} in ({{ word_list('yes_words') }}) then 'Y'
        when {{ text }} in ({{ word_list('no_words') }}) then 'N'
        else error('{{ column }} says neither yes nor no')
    end
{%- endmacro %}
