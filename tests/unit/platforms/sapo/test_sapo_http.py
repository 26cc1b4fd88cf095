from __future__ import annotations

import pytest

from carrierflow.platforms.sapo.sapo_http import DIALECT, says_no

from .making import body_of, printed, reply


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("order_read_refused", ["Đơn hàng không tồn tại"]),
        (
            "fulfillment_ship_refused",
            [
                (
                    "Gói hàng có phương thức giao hàng khác 'Dịch vụ giao hàng', "
                    "không thể tạo phiếu đặt cọc"
                )
            ],
        ),
        (
            "fulfillment_receive_refused",
            ["Trạng thái của gói hàng hiện tại không thể chuyển sang 'Đã nhận'"],
        ),
        (
            "fulfillment_cancel_refused",
            [
                (
                    "fulfillment có id = 34120348: Gói hàng đã giao thành công thì không thể hủy. "
                    "Nếu muốn hoàn lại, hãy tạo phiếu trả hàng"
                )
            ],
        ),
        (
            "fulfillment_take_back_refused",
            ["status: Chỉ có thể nhận lại gói hàng ở trạng thái 'đã hủy - chờ nhận lại'"],
        ),
    ],
)
def test_every_printed_refusal_is_told(name, words):
    """Both shapes of an error are read, with what each text is about."""
    assert words == list(DIALECT.messages(reply(printed(name))))
    assert says_no(body_of(name))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"error": null}',
        b'{"error": []}',
        b'{"data_error": {"errors": {}}}',
    ],
)
def test_what_says_nothing_has_no_words(body):
    """A body without a text of an error has none, whatever shape it has."""
    assert [] == list(DIALECT.messages(reply(body)))


def test_odd_shapes_are_told_as_they_stand():
    """A list of texts, or a text where an object is printed, is told all the same."""
    assert ['a: ["b"]'] == list(DIALECT.messages(reply(b'{"data_error":{"errors":{"a":["b"]}}}')))
    assert ["no"] == list(DIALECT.messages(reply(b'{"data_error":{"errors":"no"}}')))


@pytest.mark.parametrize(
    "name", ["order_read", "fulfillment_receive", "fulfillment_cancel", "fulfillment_create"]
)
def test_a_printed_answer_is_no_refusal(name):
    """No answer to what was carried out looks like an error."""
    assert not says_no(body_of(name))


def test_a_page_is_not_sapos_word():
    """What its gate shows to people is told by its type or by its first letter."""
    assert not DIALECT.is_own(reply(b"<!doctype html>"))
    assert not DIALECT.is_own(reply(b"x", **{"Content-Type": "text/html; charset=utf-8"}))
    assert DIALECT.is_own(reply(b"{}"))
    assert DIALECT.is_own(reply(b""))


def test_the_token_has_a_header_of_its_own():
    """A token is borne by Sapo's header, and a count of calls is read where it comes."""
    assert {"X-Sapo-Access-Token": "t"} == DIALECT.headers("t")
    assert 32 == DIALECT.used_calls(reply(b"", **{"X-Sapo-Api-Call-Limit": "32/40"}))
    assert DIALECT.used_calls(reply(b"")) is None
