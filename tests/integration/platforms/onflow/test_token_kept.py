from __future__ import annotations

import logging

import pytest

from carrierflow.errors import CarrierflowError
from integration.platforms.haravan.test_secrets import shown

from .conftest import CODE, TOKEN


@pytest.mark.parametrize("field", ["error_detail", "messages", "error_code", "log_id"])
@pytest.mark.parametrize("status", [200, 400, 401, 404, 422, 500])
def test_the_token_is_in_no_error_and_no_log(
    server, answer, platform, ref, soon, caplog, field, status
):
    """The token is in no error, cause, repr or log line, wherever Onflow echoes it."""
    caplog.set_level(logging.DEBUG)
    echo = answer.no(status=status, **{field: TOKEN})
    server.plays(*[echo] * 6)
    (cancel,) = platform.projection.writes

    with pytest.raises(CarrierflowError) as write:
        platform.write(ref, cancel, not_later_than=soon)
    with pytest.raises(CarrierflowError) as read:
        platform.fulfillment(ref)

    told = [shown(write.value), shown(read.value), caplog.text, repr(platform)]
    told += [repr(platform.requests), repr(platform.sketch(ref, cancel))]
    assert all(TOKEN not in text for text in told)


def test_what_a_person_wrote_is_in_no_error(server, answer, platform, ref, soon, caplog):
    """Names and phones in a detail or in an error's words are in no error and no log."""
    caplog.set_level(logging.DEBUG)
    person = {"receiver": "Nguyen Van A 0901234567"}
    server.plays(
        answer.no(person),
        answer.detail(status_info=None, **person),
        answer.detail(status_info=None, **person),
    )
    (cancel,) = platform.projection.writes

    with pytest.raises(CarrierflowError) as write:
        platform.write(ref, cancel, not_later_than=soon)
    (order,) = platform.orders([CODE])

    told = shown(write.value) + repr(order) + caplog.text
    assert "Nguyen" not in told
    assert "0901234567" not in told
