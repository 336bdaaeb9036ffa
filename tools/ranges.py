"""Prints the AllowedPattern of a parameter that takes whole numbers: ``python -m tools.ranges 1 604800``.

Template parameters that are numbers are strings with a pattern: CloudFormation's type Number takes fractions and
exponents as well, and its MinValue and MaxValue hold for that type alone.
"""

import sys


def pattern(first: int, last: int) -> str:
    """A regular expression for the whole numbers from 0 or 1 to ``last``, without leading zeros."""
    if first not in (0, 1) or last <= first:
        raise ValueError(f"from {first} to {last}: only ranges from 0 or 1 are needed so far")
    digits = str(last)
    parts = ["0"] if first == 0 else []
    if not digits.strip("9"):
        # Whatever has so many digits.
        return f"^({'|'.join([*parts, f'[1-9]{_any(len(digits) - 1)}'])})$"
    if len(digits) > 1:
        parts.append(f"[1-9]{_any(len(digits) - 2)}")
    for place, digit in enumerate(digits):
        lowest, highest = int(place == 0), int(digit) - 1
        if highest >= lowest:
            parts.append(f"{digits[:place]}[{lowest}-{highest}]{_any(len(digits) - place - 1, exactly=True)}")
    return f"^({'|'.join([*parts, digits])})$"


def _any(count: int, *, exactly: bool = False) -> str:
    return f"[0-9]{{{'' if exactly else '0,'}{count}}}" if count else ""


if __name__ == "__main__":
    print(pattern(*(int(argument) for argument in sys.argv[1:])))
