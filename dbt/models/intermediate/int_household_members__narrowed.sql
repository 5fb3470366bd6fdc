with

members as (
    select * from {{ ref('stg_mois__resident_register__members') }}
),

-- Who asked for the head of household alone sees no other person, whatever the holder sent (P2).
household_members as (
    select
        {{ line_columns() }},
        FMBR_NM,
        HSHLDR_REL_NM,
        MVIN_YMD,
        RSDNC_STTS_CD,
        NTNLTY_NM,
    from members
    where _variant = 'members_included'
)

select * from household_members
