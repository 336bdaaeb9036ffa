"""GET /file/{id}/parts: the parts of a large file that S3 has, to go on with the others."""

from filestore import api, wiring

wiring.show_parts()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """Whoever comes back, after a reload or the next day, compares the checksums and sends what is missing."""
    token = request.upload_token()
    file_id = request.path("id")
    plan, parts = wiring.show_parts().show(file_id, token)
    there = [
        {"part_number": part.number, "size": part.size} | ({"checksum": part.checksum} if part.checksum else {})
        for part in parts
    ]
    return api.ok(
        {"part_size": plan.part_size, "part_count": plan.part_count, "size": plan.size, "parts": there},
        file_id=file_id,
    )
