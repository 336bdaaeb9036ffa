"""What an operator does to a deployed stack: ``python -m ops``, or make key, keys, revoke and remove."""
