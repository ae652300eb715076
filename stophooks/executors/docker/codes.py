"""The HTTP statuses that matter here; `http.HTTPStatus` takes milliseconds to import."""

from __future__ import annotations

OK = 200
NO_CONTENT = 204
NOT_MODIFIED = 304
BAD_REQUEST = 400
NOT_FOUND = 404
CONFLICT = 409
INTERNAL_SERVER_ERROR = 500
