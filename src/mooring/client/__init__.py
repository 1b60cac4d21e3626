"""A thin typed client of the platform's REST API."""
