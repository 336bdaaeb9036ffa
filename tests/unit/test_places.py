"""Pages of the list of stored files, merged of what sixteen shards say."""

from typing import Any

import pytest

from filestore.storage.places import ListIndex

Answer = tuple[list[str], bool]


class Shards:
    """A client of DynamoDB with the next places of some shards, and whether there are more there."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self._answers = answers
        self.limits: set[int] = set()

    def query(self, **asked: Any) -> dict[str, Any]:
        self.limits.add(asked["Limit"])
        places, has_more = self._answers.get(asked["ExpressionAttributeValues"][":shard"]["S"], ([], False))
        answer: dict[str, Any] = {"Items": [{"list_place": {"S": place}} for place in places]}
        return answer | ({"LastEvaluatedKey": {"list_place": {"S": places[-1]}}} if has_more else {})


def after(answers: dict[str, Answer], limit: int, *, newest_first: bool = False) -> tuple[list[str], str | None]:
    index = ListIndex(Shards(answers), "files")  # type: ignore[arg-type]
    return index.after(None, owner=None, limit=limit, newest_first=newest_first)


def test_a_page_ends_where_a_shard_may_have_more() -> None:
    """What lies there may come before what others have said already."""
    assert after({"0": (["1", "2"], True), "1": (["5", "6"], True), "2": (["3"], False)}, 9) == (["1", "2"], "2")
    assert after({"0": (["9", "8"], True), "1": (["3", "2"], True), "2": (["5"], False)}, 9, newest_first=True) == (
        ["9", "8"],
        "8",
    )


@pytest.mark.parametrize(
    ("limit", "page"),
    [(1, (["1"], "1")), (2, (["1", "2"], "2")), (3, (["1", "2", "3"], None)), (4, (["1", "2", "3"], None))],
)
def test_the_last_page_has_no_next_one(limit: int, page: tuple[list[str], str | None]) -> None:
    assert after({"0": (["1", "3"], False), "a": (["2"], False)}, limit) == page


@pytest.mark.parametrize(("limit", "share"), [(1, 1), (9, 9), (10, 9), (16, 10), (100, 20)])
def test_a_shard_is_asked_for_twice_its_part_and_eight(limit: int, share: int) -> None:
    shards = Shards({})
    ListIndex(shards, "files").after(None, owner=None, limit=limit, newest_first=False)  # type: ignore[arg-type]
    assert shards.limits == {share}
