"""WHAT may flow: contracts, code lists, services, and the loader that renders them."""
