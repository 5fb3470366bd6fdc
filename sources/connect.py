"""One call for every holder: a contract, a request set and the endpoints in, a `Delivery` out.

    delivery = connect(source("RRT"), request, endpoints.read(path), settings.sources)

The delivery form that the contract names picks the connector; nothing else in the project knows which is which. Nobody
asked means nobody dialled: an empty request set is an empty, complete delivery.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hanbeon.errors import ContractError, DependencyDown
from hanbeon.settings import SourceSettings
from schemas.contract import Contract
from schemas.request import RequestSet
from sources import batch_file, court_xml, postgres, rest
from sources.coverage import check
from sources.delivery import Batches, Delivery, DeliveryReport, Tally
from sources.endpoints import Endpoints

__all__ = ["Delivery", "DeliveryReport", "connect"]

Address = TypeVar("Address")


def connect(contract: Contract, request: RequestSet, endpoints: Endpoints, settings: SourceSettings) -> Delivery:
    """Begin a delivery; the holder is dialled when its batches are read.

    Raises UsageError when the request is not for this dataset, DependencyDown when the holder has no endpoint.
    """
    sets = check(contract, request)
    tally = Tally(asked=request.table.num_rows)
    form = str(contract.delivery.get("form"))
    batches = _nobody()
    if request.table.num_rows:
        reader, addresses, key = _reader(contract, form, endpoints)
        batches = reader(contract, request, sets, _address(contract, addresses, key, form), settings, tally)
    return Delivery(contract.holder, tally, request.watermark, batches)


def _nobody() -> Batches:
    yield from ()


def _reader(
    contract: Contract, form: str, endpoints: Endpoints
) -> tuple[Callable[..., Batches], Mapping[str, Any], str]:
    if form == "postgres":
        return postgres.read, endpoints.postgres, str(contract.delivery.get("database", contract.holder))
    if form == "rest":
        return rest.read, endpoints.rest, contract.holder
    if form == "court_xml":
        return court_xml.read, endpoints.court_xml, contract.holder
    if form == "file":
        return batch_file.read, endpoints.file, contract.holder
    raise ContractError(f"{contract.id} names the delivery form {form}, which has no connector.")


def _address(contract: Contract, addresses: Mapping[str, Address], key: str, form: str) -> Address:
    if key not in addresses:
        raise DependencyDown(f"{contract.holder} has no {form} endpoint. Add {key} to the endpoints file.")
    return addresses[key]
