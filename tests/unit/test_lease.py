"""For how long parts may come, in numbers: what the documents and the bucket's lifecycle rule say."""

from filestore.domain import multipart
from tests.support import TEMPLATE


def test_is_a_week_in_all_as_the_bucket_has_it_and_a_day_less_for_urls_that_work_a_day() -> None:
    assert (multipart.BACKSTOP, multipart.MAX_AGE, multipart.MAX_URL_LIFE) == (604_800, 518_400, 86_400)
    (days,) = (
        rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        for rule in TEMPLATE["Resources"]["StorageBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        if "AbortIncompleteMultipartUpload" in rule
    )
    assert days * 24 * 3600 == multipart.BACKSTOP
