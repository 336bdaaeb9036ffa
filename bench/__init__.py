"""Measures what Filestore costs: make bench."""
