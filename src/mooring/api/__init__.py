"""The platform's REST API: v1 as its existing clients speak it, and our extensions."""
