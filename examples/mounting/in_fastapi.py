"""The carrier service in a FastAPI application of your own."""

from fastapi import FastAPI
from fastapi import Request as Call
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from carrierflow import CarrierService, Request


def mount(api: FastAPI, service: CarrierService) -> None:
    """Answer the platform below `/haravan`; the body's bytes go in as they came."""

    @api.api_route("/haravan/{path:path}", methods=["GET", "POST", "DELETE"])
    async def haravan(path: str, call: Call) -> Response:
        request = Request(
            method=call.method,
            path=f"/{path}",
            query=dict(call.query_params),
            headers=dict(call.headers),
            body=await call.body(),
        )
        reply = await run_in_threadpool(service.answer, request)
        return Response(reply.body, reply.status, dict(reply.headers))
