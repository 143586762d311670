"""The OpenAPI document, made from what the routes take and give."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.api import bodies as b
from bot.api.problems import MEDIA
from bot.api.routes import SIGNATURE_HEADER, TIMESTAMP_HEADER

REF: Final = "#/components/schemas/{model}"
SAID: Final = {
    401: "no good token, or no good signature",
    403: "not yours to see or do",
    404: "there is no such thing",
    409: "it came before, or contradicts what came before",
    413: "larger than 32 KiB",
    422: "what was sent is not what is expected",
    429: "too often; Retry-After says when again",
    503: "the database is not available",
}
PROBLEMS: Final = (401, 403, 404, 422, 429, 503)


def document(version: str, *, signals: bool, expected: bool) -> dict[str, Any]:
    """The whole document; paths that the operator has not allowed are not in it."""
    paths: dict[str, Any] = {
        "/api/v1/reconciliation/status": {
            "get": _read("How each account was last read", b.ReconciliationStatus, b.AccountQuery)
        },
        "/api/v1/positions": {"get": _read("What is open", b.Positions, b.AccountQuery)},
        "/api/v1/guards/status": {
            "get": _read("How much may be lost before each guard closes", b.Guards, b.AccountQuery)
        },
        "/api/v1/logs/{user_id}": {
            "get": _read("A person's log, newest first", b.LogPage, b.LogQuery, path=b.UserPath)
        },
        "/api/v1/reconciliation/sync": {
            "post": _write("Read accounts now (admins)", b.SyncAnswer, b.SyncBody, required=False)
        },
    }
    if expected:
        paths["/api/v1/trades/expected"] = {
            "get": _read("What an account's executor should place", b.ExpectedTrades, None)
        }
    if signals:
        paths["/api/v1/signals"] = {"post": _signal()}
    models = [m for m in vars(b).values() if isinstance(m, type) and issubclass(m, BaseModel)]
    answers = [m for m in models if issubclass(m, b.Answer) and m is not b.Answer]
    given: tuple[type[BaseModel], ...] = (b.SyncBody, b.SignalBody)
    _, of_answers = models_json_schema([(m, "serialization") for m in answers], ref_template=REF)
    _, of_bodies = models_json_schema([(m, "validation") for m in given], ref_template=REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reckoner",
            "version": version,
            "description": "Money, prices and volumes are decimal numbers in text.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "/token in the private chat makes one.",
                }
            },
            "schemas": {**of_answers["$defs"], **of_bodies["$defs"]},
        },
    }


def _read(
    says: str,
    answer: type[BaseModel],
    query: type[BaseModel] | None,
    path: type[BaseModel] | None = None,
) -> dict[str, Any]:
    parameters = _parameters(query, "query") + _parameters(path, "path")
    return {"summary": says, "parameters": parameters, "responses": _responses(answer, PROBLEMS)}


def _write(
    says: str, answer: type[BaseModel], body: type[BaseModel], *, required: bool
) -> dict[str, Any]:
    return {
        "summary": says,
        "requestBody": {"required": required, "content": _content(body)},
        "responses": _responses(answer, (*PROBLEMS, 413)),
    }


def _signal() -> dict[str, Any]:
    responses = _responses(b.SignalAnswer, (401, 403, 409, 413, 422, 429, 503))
    responses["201"] = {"description": "posted", "content": _content(b.SignalAnswer)}
    responses["200"]["description"] = "this id came before: the first result"
    return {
        "summary": "Post a signal",
        "description": (
            f"Signed: {SIGNATURE_HEADER} is the HMAC-SHA256, in hex, of the "
            f"{TIMESTAMP_HEADER} (whole seconds since 1970), a full stop, and the body. "
            "The time may stand at most 5 minutes from ours; the same signature is taken once."
        ),
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "schema": {"type": "string", "pattern": pattern},
            }
            for name, pattern in (
                (TIMESTAMP_HEADER, "^[0-9]{1,12}$"),
                (SIGNATURE_HEADER, "^[0-9a-fA-F]{64}$"),
            )
        ],
        "requestBody": {"required": True, "content": _content(b.SignalBody)},
        "responses": responses,
    }


def _parameters(model: type[BaseModel] | None, place: str) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": place, "required": name in required, "schema": _not_null(field)}
        for name, field in schema["properties"].items()
    ]


def _not_null(field: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not; there is no null in an address."""
    options = [one for one in field.get("anyOf", []) if one.get("type") != "null"]
    return options[0] if len(options) == 1 else field


def _responses(answer: type[BaseModel], problems: tuple[int, ...]) -> dict[str, Any]:
    problem = {"schema": {"$ref": REF.format(model="Problem")}}
    return {
        "200": {"description": "as asked", "content": _content(answer)},
        **{
            str(status): {"description": SAID[status], "content": {MEDIA: problem}}
            for status in sorted(problems)
        },
    }


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}}
