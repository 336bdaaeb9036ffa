"""What an upload is registered with, and what is signed where the same request begins it again."""

from types import SimpleNamespace
from typing import Any

import pytest

from filestore.domain.file import Checksum, File
from filestore.domain.idempotency import RequestKey
from filestore.errors import KeyReusedError
from filestore.use_cases.upload import BeginUpload, UploadInParts

NOW = 1000
LIFE = 900
SHA256 = Checksum("SHA256", "x" * 43 + "=")
CRC64NVME = Checksum("CRC64NVME", "AAAAAAAAAAA=")
REQUEST = RequestKey("", "key", "body")
FILM: Any = {"name": "film", "size": 7, "content_type": "video/x", "checksum": CRC64NVME, "meta": {"a": "1"}}
SIGNED = {"size": 7, "content_type": "video/x", "checksum": CRC64NVME}


class Ports:
    """The table, which keeps the first file that is made, and what S3 was asked for."""

    def __init__(self, clock: float = NOW) -> None:
        self.clock = clock
        self.made: File | None = None
        self.signed: list[dict[str, Any]] = []
        self.begun: list[tuple[str, str]] = []

    def create(self, file: File) -> File | None:
        made, self.made = self.made, self.made or file
        return made

    def upload(self, _: str, **what: Any) -> str:
        self.signed.append(what)
        return "link"

    def begin(self, key: str, *, content_type: str) -> str:
        self.begun.append((key, content_type))
        return "upload"

    @property
    def uploads(self) -> BeginUpload:
        ports: Any = self
        settings: Any = SimpleNamespace(signed_url_expiration=LIFE, max_file_size=10**12)
        return BeginUpload(ports, ports, ports, settings, 100, lambda: self.clock)

    @property
    def file(self) -> File:
        assert self.made is not None
        return self.made


@pytest.fixture
def ports() -> Ports:
    return Ports()


@pytest.mark.parametrize(
    ("size", "checksum", "in_parts"),
    [
        (100, None, False),
        (101, None, True),
        (101, CRC64NVME, True),
        (101, SHA256, False),
        (5 * 1024**3, SHA256, False),
        (5 * 1024**3 + 1, SHA256, True),
    ],
)
def test_comes_in_parts_where_it_is_large_and_its_checksum_may_be_of_parts(
    ports: Ports, size: int, checksum: Checksum | None, in_parts: bool
) -> None:
    assert ports.uploads.is_in_parts(size, checksum, None) is in_parts


@pytest.mark.parametrize(("content_type", "told_by"), [("video/x", None), (None, "name"), ("", "name")])
def test_says_what_told_the_type(ports: Ports, content_type: str | None, told_by: str | None) -> None:
    ports.uploads.begin(name="a", content_type=content_type)
    assert ports.file.type_from == told_by


def test_of_parts_has_all_that_was_declared(ports: Ports) -> None:
    ports.uploads.begin_in_parts(**FILM)
    file = ports.file
    assert (file.name, file.size, file.type, file.checksum, file.meta) == ("film", 7, "video/x", CRC64NVME, {"a": "1"})
    assert ports.begun == [(file.id, "video/x")]


@pytest.mark.parametrize("request_key", [None, REQUEST])
def test_has_a_salt_where_its_token_follows_from_a_request(ports: Ports, request_key: RequestKey | None) -> None:
    ports.uploads.begin(name="a", request=request_key)
    assert (ports.file.token_salt is None) is (request_key is None)


class TestTheSameRequest:
    def test_signs_the_same_for_as_long_as_is_left(self, ports: Ports) -> None:
        ports.uploads.begin(**FILM, request=REQUEST)
        ports.clock += 60
        ports.uploads.begin(**FILM, request=REQUEST)
        assert ports.signed == [SIGNED, SIGNED, {**SIGNED, "life": LIFE - 60}]

    def test_is_one_put_where_it_was(self, ports: Ports) -> None:
        """The stack's threshold was another, then."""
        ports.uploads.begin(**FILM, request=REQUEST)
        again = ports.uploads.begin_in_parts(**FILM, request=REQUEST)
        assert ports.signed == [SIGNED, {**SIGNED, "life": LIFE}]
        assert not isinstance(again, UploadInParts)

    def test_comes_in_parts_where_it_did(self, ports: Ports) -> None:
        ports.uploads.begin_in_parts(**FILM, request=REQUEST)
        assert isinstance(ports.uploads.begin(**FILM, request=REQUEST), UploadInParts)

    def test_is_over_when_its_url_is(self, ports: Ports) -> None:
        ports.uploads.begin(**FILM, request=REQUEST)
        ports.clock = NOW + LIFE - 0.001
        assert ports.uploads.begin(**FILM, request=REQUEST).id == ports.file.id
        ports.clock = NOW + LIFE
        with pytest.raises(KeyReusedError, match="is over"):
            ports.uploads.begin(**FILM, request=REQUEST)
