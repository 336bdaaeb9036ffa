"""What is deployed with the functions: nothing but what is pinned, under licences that allow it."""

import re
from importlib.metadata import distribution

from tests.support import ROOT

PERMISSIVE = re.compile(r"MIT|MIT-0|Apache-2\.0|BSD|PSF-2\.0|Apache Software License|Dual License")


def deployed() -> set[str]:
    """What source/requirements.txt brings along."""
    lines = (ROOT / "source/requirements.txt").read_text().split()
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line) for line in lines)
    todo, found = [line.split("==")[0] for line in lines], set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            needed = [requirement for requirement in distribution(name).requires or [] if "extra ==" not in requirement]
            todo += [re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in needed]
    return found


def test_few_packages_are_deployed() -> None:
    assert deployed() == {
        "aws-lambda-powertools",
        "botocore",
        "jmespath",
        "python-dateutil",
        "six",
        "typing-extensions",
        "urllib3",
    }


def test_their_licences_ask_for_nothing_but_attribution() -> None:
    for name in deployed():
        metadata = distribution(name).metadata.json
        licence = str(metadata.get("license_expression") or metadata.get("license"))
        assert PERMISSIVE.fullmatch(licence), (name, licence)
        # Dual licences say in their classifiers which.
        for classifier in metadata.get("classifier", []):
            if classifier.startswith("License :: "):
                assert re.search(r"MIT|Apache|BSD", classifier), (name, classifier)
