"""What can go wrong, each in one line for the operator."""


class OperatorError(Exception):
    """It was not done; the message says why and what to do."""
