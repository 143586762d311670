"""Refusals as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from bot.markup import plain
from bot.views import refusals
from bot.views.message import Voice
from core.services.errors import Refused

MEDIA: Final = "application/problem+json"
STATUSES: Final[Mapping[str, int]] = {
    "not_yours": 403,
    "not_admin": 403,
    "not_found": 404,
    "key_used": 409,
    "replayed": 409,
    "bad_signature": 401,
    "not_fresh": 401,
    "no_price": 409,
}
"""By a refusal's code; every other refusal of a sound request is 422."""
FIELDS_TOLD_MAX: Final = 5


class Denied(Exception):
    """The request ends here, with this status."""

    def __init__(self, status: int, code: str, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def answer(status: int, code: str, detail: str, headers: Mapping[str, str]) -> web.Response:
    """The response."""
    extra = dict(headers)
    if status == HTTPStatus.UNAUTHORIZED:
        extra.setdefault("WWW-Authenticate", "Bearer")
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return web.json_response(body, status=status, content_type=MEDIA, headers=extra)


def refused(error: Refused) -> Denied:
    """A service's refusal, in the words that the chat has for it."""
    detail = plain(refusals.sentence(error, Voice()))
    return Denied(STATUSES.get(error.code, 422), error.code, detail)


def invalid(error: ValidationError) -> Denied:
    """What is wrong with what was sent: where, and what was expected."""
    told = [
        f"{'.'.join(str(part) for part in each['loc']) or 'body'}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False)[:FIELDS_TOLD_MAX]
    ]
    more = error.error_count() - len(told)
    return Denied(422, "invalid", "; ".join(told) + (f"; and {more} more" if more else ""))
