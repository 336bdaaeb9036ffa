"""The first test of a deployed stack: ``python -m ops.smoke``, or make smoke.

It settles what documentation alone cannot tell of AWS, prints a row for each question, and leaves nothing behind.
docs/first-deployment.md says what to do with each row.
"""
