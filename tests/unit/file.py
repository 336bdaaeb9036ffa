"""Tells whoever tests as in 2019, with ``python -m unittest tests.unit.file``, how it is done now."""

raise SystemExit("The unit tests run with pytest: make unit")
