"""Hanbeon (한번, "once"): the front door. Settings, errors, clock, PostgreSQL and the command line."""
