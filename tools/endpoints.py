"""Simplifies the rules by which botocore finds S3's endpoint, given what is known of every call that is made.

Four of five are about access points, S3 Express, Outposts and transfer acceleration, and a client reads them all when
it is made. A rule that can never match is left out, and so is a condition that always holds; what remains
decides as before. Rule sets and their functions: Smithy, "Endpoint rules engine".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Rule = Mapping[str, Any]


def simplify(rules: Sequence[Rule]) -> list[Rule]:
    """The rules that may match where a bucket is named, by its name, and not to be accelerated."""
    return list(_simplified(rules))


def _simplified(rules: Sequence[Rule]) -> Iterator[Rule]:
    for rule in rules:
        known = [(condition, _holds(condition)) for condition in rule["conditions"]]
        if any(holds is False for _, holds in known):
            continue
        rest = {**rule, "conditions": [condition for condition, holds in known if holds is None]}
        if rule["type"] == "tree":
            rest["rules"] = simplify(rule["rules"])
            if not rest["rules"]:
                continue
        yield rest


def _holds(condition: Mapping[str, Any]) -> bool | None:
    """Whether a condition always holds or never does; None where that depends."""
    match condition:
        case {"fn": "not", "argv": [inner]}:
            holds = _holds(inner)
            return None if holds is None else not holds
        case {"fn": "isSet", "argv": [{"ref": "Bucket"}]}:
            return True
        case {"fn": "booleanEquals", "argv": [{"ref": "Accelerate"}, value]}:
            return value is False
        case (
            # Other operations set these.
            {"fn": "isSet", "argv": [{"ref": "UseObjectLambdaEndpoint" | "UseS3ExpressControlEndpoint"}]}
            # Endings by which botocore knows other kinds of buckets, and how an ARN begins.
            | {"fn": "stringEquals", "argv": [_, "--x-s3" | "--xa-s3" | "--op-s3" | "arn:"]}
            | {"fn": "aws.parseArn"}
        ):
            return False
    return None
