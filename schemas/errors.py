"""Errors of the contract room; it is the ground floor's `ContractError` with its own name."""

from hanbeon.errors import ContractError


class MalformedContract(ContractError):
    """A contract, code list or service file cannot be used."""
