"""A thin ASGI app around the carrier service: for carriers without a web framework of their own.

It needs the extra `web`. In a framework of your own, call `CarrierService.answer` instead.
"""

from carrierflow.web.server import create_app


__all__ = ["create_app"]
