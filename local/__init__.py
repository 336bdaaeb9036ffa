"""Runs the whole stack on this machine: ``python -m local``."""
