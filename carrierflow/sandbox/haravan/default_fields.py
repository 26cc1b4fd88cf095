"""The fields that the platform prints and the sandbox does not model, with the values they have."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = ["FULFILLMENT_BLANKS", "LINE_BLANKS", "NO_MONEY", "ORDER_BLANKS", "PLACE"]

NO_MONEY = Decimal("0.0000")
_NO_SIZE = Decimal("0.00")
_NO_PLACE = Decimal("0.0")
PLACE: Mapping[str, Any] = MappingProxyType(
    {
        "province": "Hồ Chí Minh",
        "province_code": "HC",
        "district": "Quận 11",
        "district_code": "HC476",
        "ward": "Phường 15",
        "ward_code": "27208",
    }
)
FULFILLMENT_BLANKS: Mapping[str, Any] = MappingProxyType(
    {
        "is_view_before": None,
        "zip_code": None,
        "city": None,
        "real_shipping_fee": NO_MONEY,
        "shipping_notes": None,
        "total_weight": NO_MONEY,
        "package_length": _NO_SIZE,
        "package_width": _NO_SIZE,
        "package_height": _NO_SIZE,
        "boxme_servicecode": None,
        "transport_type": 0,
        "sender_phone": None,
        "sender_name": None,
        "carrier_service_code": None,
        "from_longtitude": _NO_PLACE,
        "from_latitude": _NO_PLACE,
        "to_longtitude": _NO_PLACE,
        "to_latitude": _NO_PLACE,
        "sort_code": None,
        "is_drop_off": False,
        "is_insurance": False,
        "insurance_price": _NO_PLACE,
        "is_open_box": False,
        "request_id": None,
        "carrier_options": None,
        "note_attributes": None,
    }
)
LINE_BLANKS: Mapping[str, Any] = MappingProxyType(
    {
        "price_promotion": NO_MONEY,
        "type": None,
        "gift_card": False,
        "taxable": False,
        "tax_lines": None,
        "barcode": None,
        "total_discount": NO_MONEY,
        "applied_discounts": [],
        "image": None,
        "not_allow_promotion": False,
        "ma_cost_amount": _NO_SIZE,
    }
)
ORDER_BLANKS: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "browser_ip",
                "cart_token",
                "checkout_token",
                "tags",
                "landing_site",
                "landing_site_ref",
                "note",
                "processing_method",
                "referring_site",
                "tax_lines",
                "token",
                "confirmed_at",
                "user_id",
                "device_id",
                "ref_order_number",
                "utm_source",
                "utm_medium",
                "utm_campaign",
                "utm_term",
                "utm_content",
                "redeem_model",
                "omni_order_status_name",
                "location_assigned_at",
                "in_stock_at",
                "out_of_stock_at",
                "export_at",
                "complete_at",
                "payment_url",
            )
        ),
        **dict.fromkeys(
            ("discount_codes", "refunds", "shipping_lines", "transactions", "note_attributes"), ()
        ),
        "buyer_accepts_marketing": False,
        "client_details": {},
        "currency": "VND",
        "financial_status": "pending",
        "gateway": "Thanh toán khi giao hàng (COD)",
        "gateway_code": "COD",
        "source": "web",
        "source_name": "web",
        "taxes_included": False,
        "total_discounts": NO_MONEY,
        "total_tax": _NO_PLACE,
        "total_weight": NO_MONEY,
        "confirmed_status": "unconfirmed",
        "location_id": 1091390,
        "ref_order_id": 0,
        "omni_order_status": 0,
    }
)
