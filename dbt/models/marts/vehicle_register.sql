with

vehicle_registers as (
    select * from {{ ref('stg_molit__vehicle_register') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    VHRNO,
    VIN,
    CARMDL_CD,
    VHCL_USG_SE_CD,
    VHCL_NM,
    VHCL_MDL_NM,
    MDYR,
    VHCL_DSVLM,
    FUEL_SE_CD,
    OWNR_NM,
    USBS_ADDR,
    CAR_REG_YMD,
    SZR_NOCS,
    MRTG_NOCS,
    INSP_VLD_PRD_EXPRY_YMD,
from vehicle_registers
