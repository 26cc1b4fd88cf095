from __future__ import annotations

import pytest

from carrierflow.sandbox.haravan import Recipient


def _words(text):
    return frozenset(text.split())


# The key sets of the documented replies.
READ_KEYS = _words(
    """
    created_at id order_id receipt status tracking_company tracking_company_code tracking_numbers
    tracking_number tracking_url tracking_urls updated_at line_items province province_code district
    district_code ward ward_code cod_amount carrier_status_name carrier_cod_status_name
    carrier_status_code carrier_cod_status_code location_id note carrier_service_package
    carrier_service_package_name is_new_service_package coupon_code ready_to_pick_date picking_date
    delivering_date delivered_date return_date not_meet_customer_date waiting_for_return_date
    cod_paid_date cod_receipt_date cod_pending_date cod_not_receipt_date cancel_date is_view_before
    country country_code zip_code city real_shipping_fee shipping_notes total_weight package_length
    package_width package_height boxme_servicecode transport_type address sender_phone sender_name
    carrier_service_code from_longtitude from_latitude to_longtitude to_latitude sort_code
    is_drop_off is_insurance insurance_price is_open_box request_id carrier_options note_attributes
    first_name last_name shipping_address shipping_phone
    """
)
WRITTEN_KEYS = READ_KEYS | {"carrier_shop_id", "request_mode"}
UPDATED_KEYS = READ_KEYS - {"carrier_service_package", "is_new_service_package"}
EMBEDDED_KEYS = WRITTEN_KEYS | {"notify_customer", "shipping_package"}
LINE_KEYS = _words(
    """
    fulfillable_quantity fulfillment_service fulfillment_status grams id price product_id quantity
    requires_shipping sku title variant_id variant_title vendor name variant_inventory_management
    properties product_exists
    """
)
ORDER_KEYS = _words(
    """
    billing_address browser_ip buyer_accepts_marketing cancel_reason cancelled_at cart_token
    checkout_token client_details closed_at created_at currency customer discount_codes email
    financial_status fulfillments fulfillment_status tags gateway gateway_code id landing_site
    landing_site_ref source line_items name note number order_number processing_method
    referring_site refunds shipping_address shipping_lines source_name subtotal_price tax_lines
    taxes_included token total_discounts total_line_items_price total_price total_tax total_weight
    updated_at transactions note_attributes confirmed_at closed_status cancelled_status
    confirmed_status user_id device_id location_id ref_order_id ref_order_number utm_source
    utm_medium utm_campaign utm_term utm_content redeem_model omni_order_status
    omni_order_status_name location_assigned_at in_stock_at out_of_stock_at export_at complete_at
    payment_url contact_email
    """
)


@pytest.fixture
def ids(world):
    """One parcel: the ids of its order and of itself."""
    recipient = Recipient(first_name="CANARY-NAME", phone="CANARY-PHONE", address="CANARY-ROAD")
    return world.add_parcel(
        shop="alpha", cod_amount=20_000, tracking_number="2021", recipient=recipient
    )


@pytest.fixture
def shapes(ids, ask, put):
    """One parcel as each kind of call shows it."""
    base = f"/com/orders/{ids[0]}/fulfillments"
    return {
        "read": ask("GET", f"{base}/{ids[1]}.json")[1]["fulfillment"],
        "listed": ask("GET", f"{base}.json")[1]["fulfillments"][0],
        "created": ask("POST", f"{base}.json", {"fulfillment": {}})[1]["fulfillment"],
        "put": put(ids, "picking"),
        "updated": ask("PUT", f"{base}/{ids[1]}.json", {"fulfillment": {}})[1]["fulfillment"],
        "embedded": ask("GET", f"/com/orders/{ids[0]}.json")[1]["order"]["fulfillments"][0],
    }


@pytest.mark.parametrize(
    ("shape", "keys", "count"),
    [
        ("read", READ_KEYS, 75),
        ("listed", READ_KEYS, 75),
        ("created", WRITTEN_KEYS, 77),
        ("put", WRITTEN_KEYS, 77),
        ("updated", UPDATED_KEYS, 73),
        ("embedded", EMBEDDED_KEYS, 79),
    ],
)
def test_key_sets(shape, keys, count, shapes):
    """Each kind of reply has the keys of the documented ones, no more and no fewer."""
    assert count == len(keys)
    assert keys == set(shapes[shape])
    assert LINE_KEYS == set(shapes[shape]["line_items"][0])


@pytest.mark.parametrize(
    ("shape", "package", "country", "own_line_id"),
    [
        ("read", 0, "Vietnam", False),
        ("created", None, None, True),
        ("put", None, None, True),
        ("updated", "absent", "Vietnam", False),
        ("embedded", 0, None, True),
    ],
)
def test_what_differs(shape, package, country, own_line_id, shapes, world, ids):
    """Package, country and the id of a line differ between the calls as documented."""
    shown = shapes[shape]
    line_id = world.shop("alpha").order(ids[0]).item.id if own_line_id else ids[1]

    assert package == shown.get("carrier_service_package", "absent")
    assert (country, line_id) == (shown["country"], shown["line_items"][0]["id"])


def test_order_keys(ids, ask):
    """An order has the keys of the documented ones."""
    order = ask("GET", f"/com/orders/{ids[0]}.json")[1]["order"]

    assert 71 == len(ORDER_KEYS)
    assert ORDER_KEYS == set(order)
    assert ("uncancelled", None) == (order["cancelled_status"], order["cancelled_at"])


def test_planted_text_is_shown(ids, call):
    """The recipient that a caller plants stands in orders and fulfillments."""
    body = call("GET", f"/com/orders/{ids[0]}.json").body.decode()

    assert all(word in body for word in ("CANARY-NAME", "CANARY-PHONE", "CANARY-ROAD"))


def test_names_are_ambiguous(shapes, put, ids):
    """The names are Vietnamese, and those of codpending and codpaid are the same."""
    assert "Đang đi lấy" == shapes["put"]["carrier_status_name"]
    assert "Chưa nhận" == shapes["put"]["carrier_cod_status_name"]
    assert "Chưa nhận" == put(ids, "paid", "cod")["carrier_cod_status_name"]


def test_decimals_keep_their_zeros(ids, call):
    """Money is printed as a decimal number with four places, not as text or a short float."""
    body = call("GET", f"/com/orders/{ids[0]}/fulfillments/{ids[1]}.json").body

    assert b'"cod_amount":20000.0000,' in body
    assert b'"tracking_number":"2021"' in body


def test_external_carriers_have_no_link(shapes):
    """A parcel of a carrier that an app registered is external, without tracking links."""
    assert ("external", "", []) == tuple(
        shapes["read"][name] for name in ("tracking_company_code", "tracking_url", "tracking_urls")
    )
