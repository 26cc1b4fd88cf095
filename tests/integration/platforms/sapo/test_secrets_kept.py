from __future__ import annotations

import logging

import pytest

from carrierflow.errors import CarrierflowError
from integration.platforms.haravan.test_secrets import shown

from .conftest import ORDER_ID, TOKEN


@pytest.mark.parametrize("shape", ["no", "error"])
@pytest.mark.parametrize("status", [200, 400, 401, 404, 422, 429, 500])
def test_the_token_is_in_no_error_and_no_log(
    server, answer, platform, ref, writes, soon, caplog, shape, status
):
    """The token is in no error, cause, repr or log line, wherever Sapo echoes it."""
    caplog.set_level(logging.DEBUG)
    echo = getattr(answer, shape)(f"token {TOKEN}", status=status)
    server.plays(*[echo] * 6)

    with pytest.raises(CarrierflowError) as write:
        platform.write(ref, writes["ship"], not_later_than=soon)
    with pytest.raises(CarrierflowError) as read:
        platform.fulfillment(ref)

    told = [shown(write.value), shown(read.value), caplog.text, repr(platform)]
    told += [repr(platform.requests), repr(platform.sketch(ref, writes["ship"]))]
    assert all(TOKEN not in text for text in told)


@pytest.mark.parametrize("token", ["", "canary\n", "canary token", "cànary"])
def test_a_token_that_cannot_be_sent_is_not_quoted(make_platform, token):
    """A token that is no header value is refused at once, without being printed."""
    with pytest.raises(CarrierflowError) as caught:
        make_platform(token=token)
    assert "nary" not in str(caught.value)


def test_what_a_person_wrote_is_in_no_error(server, answer, platform, ref, writes, soon, caplog):
    """Names and phones in an order or in an error's words are in no error and no log."""
    caplog.set_level(logging.DEBUG)
    row = answer.parcel(billing_address={"first_name": "Nguyen Van A 0901234567"}, status=7)
    odd = answer.reply({"order": answer.body(row, email="Nguyen@x.example 0901234567")})
    server.plays(answer.no("của Nguyen Van A 0901234567"), odd, odd)

    with pytest.raises(CarrierflowError) as write:
        platform.write(ref, writes["ship"], not_later_than=soon)
    (order,) = platform.orders([ORDER_ID])

    told = shown(write.value) + repr(order) + caplog.text
    assert "Nguyen" not in told
    assert "0901234567" not in told
