"""What the admin shows of the ledger's tables; Django makes, changes and deletes none of them."""

from __future__ import annotations

from django.db import models

from carrierflow.domain import limits
from carrierflow.domain.lifecycle import label_of
from carrierflow.domain.model import Status


__all__ = ["FulfillmentRow", "ShopRow"]

STATUSES = [(status.value, label_of(status).en) for status in Status]


class ShopRow(models.Model):  # type: ignore[misc]  # Django has no types
    """A shop, without what connects to it."""

    code = models.CharField(max_length=limits.ID)

    class Meta:
        """Django leaves the table alone, and knows of one permission."""

        managed = False
        db_table = "carrierflow_shops"
        verbose_name = "shop"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.code)


class FulfillmentRow(models.Model):  # type: ignore[misc]  # Django has no types
    """A parcel, as far as a list shows it."""

    shop = models.ForeignKey(ShopRow, models.DO_NOTHING, db_column="shop")
    order_id = models.CharField("order", max_length=limits.ID)
    fulfillment_id = models.CharField("fulfillment", max_length=limits.ID)
    tracking_number = models.CharField(max_length=limits.TRACKING_NUMBER, null=True)  # noqa: DJ001 - as the table is
    delivery_status = models.CharField("delivery", max_length=limits.CODE, choices=STATUSES)
    cod_status = models.CharField("cash", max_length=limits.CODE, choices=STATUSES)
    cod_amount = models.BigIntegerField("cash in VND")
    unpublished = models.IntegerField("steps to publish")
    frozen = models.CharField(max_length=limits.CODE, null=True)  # noqa: DJ001 - as the table is

    class Meta:
        """Django leaves the table alone, and knows of one permission."""

        managed = False
        db_table = "carrierflow_fulfillments"
        verbose_name = "fulfillment"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.shop} {self.fulfillment_id}"
