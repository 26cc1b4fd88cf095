"""The carrier service in a Flask application of your own."""

from flask import Flask, Response
from flask import request as call

from carrierflow import CarrierService, Request


def mount(site: Flask, service: CarrierService) -> None:
    """Answer the platform below `/haravan`; the body's bytes go in as they came."""

    @site.route("/haravan/<path:path>", methods=["GET", "POST", "DELETE"])
    def haravan(path: str) -> Response:
        request = Request(
            method=call.method,
            path=f"/{path}",
            query=call.args.to_dict(),
            headers=dict(call.headers),
            body=call.get_data(),
        )
        reply = service.answer(request)
        return Response(reply.body, reply.status, dict(reply.headers))
