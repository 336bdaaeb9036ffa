"""What can go wrong on this machine, each in one line for the person at the terminal."""


class LocalError(Exception):
    """The stack cannot run; the message says why and what to do."""
