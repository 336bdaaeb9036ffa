"""POST /file/{id}/parts."""
