"""The admin's pages: fulfillments to look up, each with its timeline, and nothing to change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime
from django.utils.translation import get_language

from carrierflow.audit.reports.language import Language, Tongue
from carrierflow.audit.reports.timeline import Timeline, timeline_of
from carrierflow.integrations.django.models import FulfillmentRow
from carrierflow.integrations.django.project import database
from carrierflow.integrations.django.transactions import reading
from carrierflow.storage.queries import find_parcel


__all__ = ["FulfillmentAdmin"]

HEADS = ("Recorded", "Occurred", "What", "Who and why")


@admin.register(FulfillmentRow)
class FulfillmentAdmin(admin.ModelAdmin):  # type: ignore[misc]  # Django has no types
    """Whoever has the permission to view may look; nobody adds, changes or deletes."""

    list_display = (
        "fulfillment_id",
        "shop",
        "order_id",
        "tracking_number",
        "delivery_status",
        "cod_status",
        "cod_amount",
        "unpublished",
        "frozen",
    )
    list_filter = ("delivery_status", "cod_status")
    list_select_related = ("shop",)
    search_fields = ("tracking_number__exact", "fulfillment_id__exact", "order_id__exact")
    search_help_text = "A whole tracking number, fulfillment or order."
    show_full_result_count = False
    ordering = ("-id",)
    readonly_fields = ("timeline",)

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody adds: the ledger is written by recording."""
        return False

    has_change_permission = has_delete_permission = has_add_permission

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Look where the ledger lives."""
        return super().get_queryset(request).using(database())

    @admin.display(description="timeline")  # type: ignore[untyped-decorator]  # Django has no types
    def timeline(self, row: FulfillmentRow) -> str:
        """Return everything that is known of a fulfillment, in the order of its recording."""
        tongue = Tongue(Language.VI if (get_language() or "").startswith("vi") else Language.EN)
        with reading(database()) as connection:
            parcel = find_parcel(connection, row.shop.code, row.fulfillment_id)
            found = timeline_of(connection, parcel)
        heads = format_html_join("", "<th>{}</th>", ((tongue.text(head),) for head in HEADS))
        return str(format_html("<table><tr>{}</tr>{}</table>", heads, _rows(found, tongue)))


def _rows(found: Timeline, tongue: Tongue) -> str:
    return str(
        format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    _moment(each.at),
                    _moment(each.occurred_at),
                    each.sentence,
                    " · ".join(filter(None, (each.actor or each.source, each.reason))),
                )
                for each in found.moments(tongue)
            ),
        )
    )


def _moment(at: Any) -> str:
    return localtime(at).isoformat(" ", "seconds") if at else ""
