{#-
    A day of the sun as YYYYMMDD, from the forms that contracts admit: with or without dots, hyphens or slashes; marked
    음 (by the lunar calendar) or 음윤 (of its leap month). 00 for a month or day that nobody knows stays. Anything else
    stops the run, with a message that holds no value (P8).
-#}
{% macro day(column) -%}
    {%- set text = narrow(column) -%}
    {%- set digits = "regexp_replace(" ~ text ~ ", '[^0-9]', '', 'g')" -%}
    case
        when {{ text }} is null then null
        when regexp_full_match({{ text }}, '[0-9]{4}([-./]?)[0-9]{2}[-./]?[0-9]{2}') then {{ digits }}
        when regexp_full_match({{ text }}, '음윤?[0-9]{8}')
            then coalesce(
                (
                    select max(strftime(lunar.first_day + (cast(substr({{ digits }}, 7, 2) as integer) - 1), '%Y%m%d'))
                    from {{ source('codes', 'lunar_months') }} as lunar
                    where
                        lunar.month = substr({{ digits }}, 1, 6)
                        and lunar.is_leap = ({{ text }} like '음윤%')
                        and cast(substr({{ digits }}, 7, 2) as integer) between 1 and lunar.days
                ),
                error('{{ column }} holds a lunar day that there is not')
            )
        else error('{{ column }} holds something else than a day')
    end
{%- endmacro %}
