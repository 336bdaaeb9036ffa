"""GET /file/{id}/parts."""
