"""The carrier service in a Django project of your own."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from carrierflow import CarrierService, Request


def route(service: CarrierService) -> URLPattern:
    """Return what to add to `urlpatterns`; the platform's signature stands for a CSRF token."""

    def haravan(call: HttpRequest, path: str) -> HttpResponse:
        request = Request(
            method=call.method,
            path=f"/{path}",
            query=call.GET.dict(),
            headers=dict(call.headers),
            body=call.body,
        )
        reply = service.answer(request)
        return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))

    return re_path(r"^haravan/(?P<path>.+)$", csrf_exempt(haravan))
