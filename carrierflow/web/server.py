"""The ASGI app: a bounded body in, the carrier service's reply out, and what operators ask for."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carrierflow.app.carrierflow import Carrierflow
from carrierflow.carrier_service import MAX_BODY, Carrier, CarrierService, HintService
from carrierflow.carrier_service import Request as Asked
from carrierflow.errors import CarrierflowError
from carrierflow.web.metrics import Metrics
from carrierflow.web.openapi import document
from carrierflow.web.questions import Question


__all__ = ["asgi", "create_app"]

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Endpoint = Callable[[Request], Awaitable[Response]]

THREADS = 3
"""Callbacks that are worked on at once."""


def asgi(app: Carrierflow, carrier: Carrier | None = None, *, threads: int = THREADS) -> Starlette:
    """Return an ASGI app for a host's own to mount: all that `carrierflow serve` answers.

    That is each platform below its name, `/health`, `/ready`, `/metrics` and `/openapi.json`.
    Without a `carrier` it answers those platforms alone whose webhooks only hint. It can be
    mounted below any path: FastAPI's `mount` and Starlette's `Mount` take it.

    So many `threads` work on requests at once; further ones wait for their turn.

    Raises:
        ConfigurationError: if there is a `carrier` and no client secret is set.
    """
    service = None if carrier is None else app.carrier_service(carrier)
    return create_app(app, service, threads=threads)


def create_app(
    carrierflow: Carrierflow, service: CarrierService | None, *, threads: int = THREADS
) -> Starlette:
    """Return an ASGI app that answers each platform below its name, and operators beside them.

    Without a `service` it answers those platforms alone whose webhooks only hint.

    So many `threads` work on requests at once; further ones wait for their turn. More of them
    help a `Carrier` that waits for others, and slow down one that does not.

    `/health` says that the process is alive, `/ready` that its database answers, takes writes and
    is migrated, `/metrics` has figures for Prometheus, `/openapi.json` describes the callbacks.
    The first three answer within five seconds, whatever the database does.
    """
    registry = CollectorRegistry()
    registry.register(Metrics(carrierflow))
    hints = carrierflow.hint_services()
    limiter = CapacityLimiter(threads)
    services: list[CarrierService | HintService] = [*hints]
    if service is not None:
        services.insert(0, service)
    return Starlette(
        routes=[
            *(Mount(it.dialect.mounted_at, app=CallbackEndpoint(it, limiter)) for it in services),
            Route("/health", _health),
            Route("/ready", partial(_ready, Question(carrierflow.store.check_writable))),
            Route("/metrics", partial(_metrics, registry)),
            Route("/openapi.json", partial(_openapi, document(service, hints))),
        ],
        middleware=[Middleware(RequestIds)],
    )


class CallbackEndpoint:
    """Hands each request, once its body is complete, to what answers a platform, in a thread."""

    def __init__(self, service: CarrierService | HintService, limiter: CapacityLimiter) -> None:
        self._service = service
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return
        if body is None:
            reply = self._service.too_long()
        else:
            asked = _asked(request, body)
            reply = await to_thread.run_sync(self._service.answer, asked, limiter=self._limiter)
        await Response(reply.body, reply.status, dict(reply.headers))(scope, receive, send)


class RequestIds:
    """Gives each request an id, the caller's own where it is sound, and sends it back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        name = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", name.encode())]
            await send(message)

        await self._app(scope, receive, send_with_id)


async def _body(request: Request) -> bytes | None:
    """Read a body; None if it is longer than the carrier service takes."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _asked(request: Request, body: bytes) -> Asked:
    return Asked(
        method=request.method,
        path=request.scope["path"].removeprefix(request.scope.get("root_path", "")),
        query=dict(request.query_params),
        headers=dict(request.headers),
        body=body,
    )


async def _health(_request: Request) -> Response:
    return PlainTextResponse("alive\n")


async def _ready(writable: Question[None], _request: Request) -> Response:
    try:
        await run_in_threadpool(writable.answer)
    except CarrierflowError as error:
        return PlainTextResponse(f"{error}\n", status_code=503)
    return PlainTextResponse("ready\n")


async def _metrics(registry: CollectorRegistry, _request: Request) -> Response:
    text = await run_in_threadpool(generate_latest, registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def _openapi(described: dict[str, Any], _request: Request) -> Response:
    return JSONResponse(described)
