"""Tools for whoever runs a stack, on AWS or on this machine."""
