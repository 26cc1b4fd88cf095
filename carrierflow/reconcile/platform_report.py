"""What to write to a platform's own people about an incident, ready to be sent."""

from __future__ import annotations

import shlex

from carrierflow.domain.canonical import stamp
from carrierflow.domain.incident import Incident
from carrierflow.errors import InvalidInput
from carrierflow.reconcile.request_collection import TOKEN


__all__ = ["curl", "platform_report"]


def platform_report(incident: Incident, *, header: tuple[str, str]) -> str:
    """Return a letter in English and Vietnamese with a curl line; no token is in it.

    `header` is the one in which the platform wants the token, and its form.

    Raises:
        InvalidInput: if the incident is about no request.
    """
    line = curl(incident, header=header)
    if line is None:
        raise InvalidInput(f"Incident {incident.id} is about no request that could be repeated.")
    request = incident.evidence["request"]
    place = f"{incident.shop} / {incident.order_id or '-'} / {incident.fulfillment_id or '-'}"
    seen = f"{stamp(incident.opened_at)}, {stamp(incident.last_seen_at)}"
    return "\n".join(
        [
            "A request to your API does not have its effect. /",
            "Một yêu cầu tới API của quý công ty không có hiệu lực.",
            "",
            f"Shop / order / fulfillment (cửa hàng / đơn hàng / vận đơn): {place}",
            f"Request (yêu cầu): {request['method']} {request['url']}",
            f"What we see (hiện trạng): {incident.sentence}",
            f"First, last seen (lần đầu, lần cuối): {seen}",
            "",
            "To repeat it, with the shop's token in TOKEN (để lặp lại, với token của cửa hàng):",
            line,
            "",
            "The same request is in the Postman collection that is attached. /",
            "Yêu cầu này cũng có trong bộ sưu tập Postman đính kèm.",
        ]
    )


def curl(incident: Incident, *, header: tuple[str, str]) -> str | None:
    """Return an incident's request as a line for a shell, which has the token in a variable.

    None if it is about no request. `header` is as above.
    """
    request = incident.evidence.get("request")
    if not request:
        return None
    name, form = header
    before, _, after = form.partition(TOKEN)
    token = f'{shlex.quote(f"{name}: {before}")}"$TOKEN"{after}'
    return (
        f"curl -i -X {shlex.quote(request['method'])} -H {token} "
        f"-H 'Content-Type: application/json' {shlex.quote(request['url'])}"
    )
