"""The environment of a function."""

from collections.abc import Callable

import pytest

from filestore.settings import Settings


@pytest.mark.parametrize("name", ["SIGNED_URL_EXPIRATION", "UNSTORED_FILE_LIFETIME", "MAX_FILE_SIZE"])
@pytest.mark.parametrize("value", ["1.5", "1e3", "", " 5", "-1", "\u0661"])
@pytest.mark.usefixtures("moto_aws")
def test_a_number_that_is_none_is_named(configure: Callable[..., None], name: str, value: str) -> None:
    """The function then fails while it starts, and this line is what its log has."""
    configure(**{name: value})
    with pytest.raises(ValueError, match=f"^{name} is '{value}', and has to be a whole number"):
        Settings.from_environment()
