"""A thin ASGI app around the carrier service: a process of its own, or mounted in a host's app.

It needs the extra `web`. In a framework that is none of ASGI, call `CarrierService.answer`.
"""

from carrierflow.web.server import asgi, create_app


__all__ = ["asgi", "create_app"]
