"""WHETHER it may flow: authorisations and approvals, ledger, vault and gate. It opens no lake table."""
