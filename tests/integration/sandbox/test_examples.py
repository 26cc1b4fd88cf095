from __future__ import annotations

from datetime import UTC, datetime

import pytest

from carrierflow.sandbox.haravan import Lags, ManualClock, World
from carrierflow.sandbox.haravan.dotnet_time import parse


A, B, C = 1229422895, 1230369995, 1230064550
GHN = "Giao Hàng Nhanh"
READY = "2021-10-02T13:58:59Z"
DAY = "2021-10-03T"

# number, order, method, path below the fulfillments, body, when the status was stamped, lags, and
# the fields that the documentation prints. A row without a number stands for a call that it leaves
# out: of A the steps that made its dates; of C the first delivered at 04:40:15, a time before the
# plain PUT (#6) that seems to set it; and, before #9, the PUT that #9 must be the repetition of,
# because its times are printed as a later read prints them. Not reproduced: how C came to be
# delivered before #6, which nothing shows, and `real_shipping_fee`, which is not modelled.
STEPS = [
    (None, A, "POST", "", {}, "2021-09-27T03:42:17.5567234Z", Lags(), {}),
    (None, A, "PUT", "/cod_status/receipt", None, "2021-09-27T03:42:24Z", Lags(), {}),
    (None, A, "PUT", "/carrier_status/delivered", None, "2021-09-27T03:42:29Z", Lags(), {}),
    (None, A, "PUT", "", {"coupon_code": ""}, "2021-09-27T03:42:31.466Z", Lags(), {}),
    *(
        (
            number,
            A,
            "GET",
            path,
            None,
            "2021-09-27T03:43:00Z",
            Lags(),
            {
                "carrier_status_code": "delivered",
                "carrier_cod_status_code": "codreceipt",
                "carrier_cod_status_name": "Đã nhận",
                "created_at": "2021-09-27T03:42:17.571Z",
                "updated_at": "2021-09-27T03:42:31.466Z",
                "ready_to_pick_date": "2021-09-27T03:42:18Z",
                "cod_receipt_date": "2021-09-27T03:42:24Z",
                "delivered_date": "2021-09-27T03:42:29Z",
                "picking_date": None,
                "delivering_date": None,
                "cod_paid_date": None,
                "cod_pending_date": None,
            },
        )
        for number, path in ((1, "list"), (3, ""))
    ),
    (2, A, "GET", "/count", None, "2021-09-27T03:43:00Z", Lags(), {"count": 1}),
    (
        4,
        B,
        "POST",
        "",
        {"tracking_number": "123456789", "notify_customer": True},
        "2021-10-02T13:47:32.8637077Z",
        Lags(ready_to_created=272_977, created_to_updated=54),
        {
            "carrier_status_code": "readytopick",
            "carrier_cod_status_code": "codpending",
            "created_at": "2021-10-02T13:47:32.8910054Z",
            "updated_at": "2021-10-02T13:47:32.8910108Z",
            "ready_to_pick_date": "2021-10-02T13:47:32.8637077Z",
            "cod_amount": 109500000.0,
            "tracking_number": "123456789",
            "tracking_company_code": "other",
            "tracking_urls": ["http://www.google.com/search?q="] * 2,
            "delivered_date": None,
        },
    ),
    (
        5,
        C,
        "POST",
        "",
        {
            "tracking_company": GHN,
            "location_id": "963414",
            "cod_amount": 20000,
            "coupon_code": "abc",
            "carrier_service_package": 1,
            "carrier_service_package_name": "giao abc",
            "carrier_service_code": "abc",
            "is_new_service_package": True,
            "note": "test",
        },
        "2021-10-02T13:58:58.7406356Z",
        Lags(ready_to_created=142_710, created_to_updated=56),
        {
            "carrier_status_code": "readytopick",
            "carrier_cod_status_code": "codpending",
            "created_at": "2021-10-02T13:58:58.7549066Z",
            "updated_at": "2021-10-02T13:58:58.7549122Z",
            "ready_to_pick_date": "2021-10-02T13:58:58.7406356Z",
            "tracking_company_code": "ghn2018",
            "location_id": 963414,
            "note": None,
            "carrier_service_package": None,
            "carrier_service_package_name": "giao abc",
            "is_new_service_package": False,
            "coupon_code": "abc",
            "cod_paid_date": None,
        },
    ),
    (None, C, "PUT", "/carrier_status/delivered", None, DAY + "04:40:15Z", Lags(), {}),
    (
        6,
        C,
        "PUT",
        "",
        {"tracking_number": "2021", "carrier_status_code": "delivered"},
        DAY + "04:43:00.345Z",
        Lags(),
        {
            "carrier_status_code": "delivered",
            "carrier_cod_status_code": "codpaid",
            "tracking_number": "2021",
            "created_at": "2021-10-02T13:58:58.755Z",
            "updated_at": DAY + "04:43:00.345Z",
            "ready_to_pick_date": READY,
            "delivered_date": DAY + "04:40:15Z",
            "cod_paid_date": DAY + "04:40:15Z",
        },
    ),
    (
        7,
        C,
        "PUT",
        "/carrier_status/picking",
        None,
        DAY + "04:51:26.526012Z",
        Lags(date_to_updated=19_671),
        {
            "carrier_status_code": "picking",
            "carrier_cod_status_code": "codpaid",
            "created_at": "2021-10-02T13:58:58.755Z",
            "updated_at": DAY + "04:51:26.5279791Z",
            "ready_to_pick_date": READY,
            "picking_date": DAY + "04:51:26.526012Z",
            "delivered_date": DAY + "04:40:15Z",
            "cod_paid_date": DAY + "04:40:15Z",
        },
    ),
    (
        8,
        C,
        "PUT",
        "/carrier_status/delivering",
        None,
        DAY + "04:53:12.745645Z",
        Lags(date_to_updated=22_720),
        {
            "carrier_status_code": "delivering",
            "carrier_cod_status_code": "codpaid",
            "updated_at": DAY + "04:53:12.747917Z",
            "picking_date": DAY + "04:51:27Z",
            "delivering_date": DAY + "04:53:12.745645Z",
            "delivered_date": DAY + "04:40:15Z",
        },
    ),
    (
        None,
        C,
        "PUT",
        "/carrier_status/delivered",
        None,
        DAY + "04:53:41.5550000Z",
        Lags(date_to_updated=20_000),
        {"updated_at": DAY + "04:53:41.557Z", "delivered_date": DAY + "04:53:41.555Z"},
    ),
    (
        9,
        C,
        "PUT",
        "/carrier_status/delivered",
        None,
        DAY + "04:53:50Z",
        Lags(),
        {
            "carrier_status_code": "delivered",
            "carrier_cod_status_code": "codpaid",
            "updated_at": DAY + "04:53:41.557Z",
            "delivered_date": DAY + "04:53:42Z",
            "delivering_date": DAY + "04:53:13Z",
            "cod_paid_date": DAY + "04:40:15Z",
        },
    ),
    (
        10,
        C,
        "PUT",
        "/carrier_status/not_meet_customer",
        None,
        DAY + "04:57:21.2971689Z",
        Lags(date_to_updated=19_557),
        {
            "carrier_status_code": "notmeetcustomer",
            "carrier_cod_status_code": "codpaid",
            "updated_at": DAY + "04:57:21.2991246Z",
            "not_meet_customer_date": DAY + "04:57:21.2971689Z",
            "delivered_date": DAY + "04:53:42Z",
        },
    ),
    (
        11,
        C,
        "PUT",
        "/carrier_status/waiting_for_return",
        None,
        DAY + "04:58:46.0648984Z",
        Lags(date_to_updated=13_419),
        {
            "carrier_status_code": "waitingforreturn",
            "carrier_cod_status_code": "codpaid",
            "updated_at": DAY + "04:58:46.0662403Z",
            "waiting_for_return_date": DAY + "04:58:46.0648984Z",
            "not_meet_customer_date": DAY + "04:57:21Z",
        },
    ),
    (
        12,
        C,
        "PUT",
        "/carrier_status/return",
        None,
        DAY + "05:00:55.4754006Z",
        Lags(date_to_updated=23_744),
        {
            "carrier_status_code": "return",
            "carrier_cod_status_code": "codpaid",
            "updated_at": DAY + "05:00:55.477775Z",
            "return_date": DAY + "05:00:55.4754006Z",
            "waiting_for_return_date": DAY + "04:58:46Z",
        },
    ),
    (
        13,
        C,
        "PUT",
        "/cod_status/paid",
        None,
        DAY + "05:02:00Z",
        Lags(),
        {
            "carrier_status_code": "return",
            "carrier_cod_status_code": "codpaid",
            "updated_at": DAY + "05:00:55.478Z",
            "return_date": DAY + "05:00:55Z",
            "cod_paid_date": DAY + "04:40:15Z",
        },
    ),
    (
        14,
        C,
        "PUT",
        "/cod_status/receipt",
        None,
        DAY + "05:04:17.1154441Z",
        Lags(date_to_updated=16_502),
        {
            "carrier_status_code": "return",
            "carrier_cod_status_code": "codreceipt",
            "updated_at": DAY + "05:04:17.1170943Z",
            "cod_receipt_date": DAY + "05:04:17.1154441Z",
            "cod_paid_date": DAY + "04:40:15Z",
        },
    ),
    (
        15,
        C,
        "PUT",
        "/carrier_status/cancel",
        None,
        DAY + "05:06:32.8797837Z",
        Lags(date_to_updated=12_793),
        {
            "carrier_status_code": "cancel",
            "carrier_cod_status_code": "codreceipt",
            "updated_at": DAY + "05:06:32.881063Z",
            "cancel_date": DAY + "05:06:32.8797837Z",
            "cod_receipt_date": DAY + "05:04:17Z",
            "status": "success",
        },
    ),
]


@pytest.fixture
def clock():
    """A clock that stands at a fixed moment."""
    return ManualClock(datetime(2021, 9, 27, 3, 42, 0, tzinfo=UTC))


@pytest.fixture
def world(clock):
    """A platform with one shop."""
    world = World(clock=clock)
    world.add_shop(code="alpha", token="token-alpha")
    for order_id, total in ((A, 510_000), (B, 109_500_000), (C, 20_000)):
        world.add_order(shop="alpha", order_id=order_id, total=total)
    return world


@pytest.fixture
def play(ask, world, clock):
    """Perform one documented call at its documented time."""

    def step(order_id, method, path, body, stamped, lags):
        clock.set(parse(stamped))
        world.lags = lags
        base = f"/com/orders/{order_id}/fulfillments"
        made = world.shop("alpha").order(order_id).fulfillment_ids
        if made and path not in {"list", "/count"}:
            base += f"/{made[0]}"
        wrapped = None if body is None else {"fulfillment": body}
        return ask(method, base + path.removeprefix("list") + ".json", wrapped)

    return step


@pytest.mark.parametrize("number", range(1, 16))
def test_replays_the_documented_example(number, play):
    """Each documented call answers with the codes, dates and digits that Haravan printed."""
    for found, order_id, method, path, body, stamped, lags, expected in STEPS:
        status, answer = play(order_id, method, path, body, stamped, lags)
        shown = answer.get("fulfillment") or (answer.get("fulfillments") or [answer])[0]
        if found is None or found == number:
            assert (201 if method == "POST" else 200) == status
            assert expected == {name: shown[name] for name in expected}
        if found == number:
            return
    pytest.fail("There is no such row.")
