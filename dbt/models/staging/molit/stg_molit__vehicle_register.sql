with

source as (
    select * from {{ source('bronze', 'molit__vehicle_register') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        vhrno as VHRNO,
        vin as VIN,
        carmdlCd as CARMDL_CD,
        vhclUsgSeCd as VHCL_USG_SE_CD,
        vhclNm as VHCL_NM,
        vhclMdlNm as VHCL_MDL_NM,
        mdyr as MDYR,
        vhclDsvlm as VHCL_DSVLM,
        fuelSeCd as FUEL_SE_CD,
        ownrNm as OWNR_NM,
        usbsAddr as USBS_ADDR,
        carRegYmd as CAR_REG_YMD,
        szrNocs as SZR_NOCS,
        mrtgNocs as MRTG_NOCS,
        inspVldPrdExpryYmd as INSP_VLD_PRD_EXPRY_YMD,
    from source
),

vehicle_registers as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('VHRNO') }} as VHRNO,
        {{ cleaned('VIN') }} as VIN,
        {{ cleaned('CARMDL_CD') }} as CARMDL_CD,
        {{ cleaned('VHCL_USG_SE_CD') }} as VHCL_USG_SE_CD,
        {{ cleaned('VHCL_NM') }} as VHCL_NM,
        {{ cleaned('VHCL_MDL_NM') }} as VHCL_MDL_NM,
        {{ cleaned('MDYR') }} as MDYR,
        VHCL_DSVLM,
        {{ cleaned('FUEL_SE_CD') }} as FUEL_SE_CD,
        {{ cleaned('OWNR_NM') }} as OWNR_NM,
        {{ cleaned('USBS_ADDR') }} as USBS_ADDR,
        {{ cleaned('CAR_REG_YMD') }} as CAR_REG_YMD,
        SZR_NOCS,
        MRTG_NOCS,
        {{ cleaned('INSP_VLD_PRD_EXPRY_YMD') }} as INSP_VLD_PRD_EXPRY_YMD,
    from renamed
)

select * from vehicle_registers
