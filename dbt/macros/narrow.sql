{#- Text with letters, digits and signs of full width in the usual one, composed (NFC), runs of blanks as one blank. -#}
{% macro narrow(column) -%}
    {%- set wide, usual = [], [] -%}
    {%- for code in range(33, 127) -%}
        {%- do wide.append('%c' % (code + 65248)) -%}
        {%- do usual.append("''" if code == 39 else '%c' % code) -%}
    {%- endfor -%}
    regexp_replace(
        nfc_normalize(translate({{ cleaned(column) }}, '　{{ wide | join }}', ' {{ usual | join }}')),
        '[ \t]+', ' ', 'g'
    )
{%- endmacro %}
