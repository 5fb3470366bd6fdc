"""One module a command group. Each body imports what it needs, so that `hanbeon --help` stays quick."""
