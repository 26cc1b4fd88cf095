from __future__ import annotations

import json
import logging
import traceback

import pytest

from carrierflow.errors import AccessDenied, CarrierflowError, ConfigurationError, Refused
from carrierflow.platforms.haravan import HaravanPlatform, HttpLimits

from .conftest import PICK


@pytest.mark.parametrize(
    "base_url",
    [
        "http://apis.haravan.com",
        "http://192.0.2.1:8000",
        "http://localhost.example.com",
        "ftp://127.0.0.1",
        "apis.haravan.com",
        "https://",
        "https://user:secret@apis.haravan.com",
        "https://apis.haravan.com?x=1",
        "https://apis.haravan.com/com/",
        "",
    ],
)
def test_base_urls_that_would_leak_or_fail(budget, base_url, token):
    """Only https roots are accepted, and http for this machine alone."""
    with pytest.raises(ConfigurationError, match="base URL") as caught:
        HaravanPlatform(shop="s1", base_url=base_url, token=token, budget=budget)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url",
    ["https://apis.haravan.com/", "http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:1"],
)
def test_base_urls_that_will_do(budget, base_url, token):
    """A root with or without a slash at its end is a base URL."""
    platform = HaravanPlatform(shop="s1", base_url=base_url, token=token, budget=budget)
    assert f"{base_url.rstrip('/')}/com" in repr(platform)


@pytest.mark.parametrize("token", ["", "canary\n", "canary token", "cànary"])
def test_a_token_that_cannot_be_sent_is_not_quoted(budget, token):
    """A token that is no header value is refused at once, without being printed."""
    with pytest.raises(ConfigurationError) as caught:
        HaravanPlatform(shop="s1", base_url="https://x.example", token=token, budget=budget)
    assert "nary" not in str(caught.value)


def shown(error):
    """Return all that a traceback, a log or a debugger would print of an error and its causes."""
    texts = ["".join(traceback.format_exception(error))]
    while error is not None:
        texts += [str(error), repr(error), repr(vars(error)), repr(error.args)]
        request = getattr(error, "request", None)
        texts.append(repr(getattr(request, "headers", "")))
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize(
    "step", ["hang_up", "break_off", "echo_401", "echo_422", "echo_500", "echo_200"]
)
def test_the_token_is_in_no_error_and_no_log(
    server, answer, make_platform, ref, soon, token, caplog, step
):
    """The token is in no error, cause, repr or log line, though the platform echoes it."""
    caplog.set_level(logging.DEBUG)
    echo = {"errors": {"base": [f"Token {token} is bad for Bearer {token}"]}}
    name, _, status = step.partition("_")
    trouble = answer.reply(echo, status=int(status)) if name == "echo" else getattr(answer, step)
    server.plays(trouble, trouble, trouble)
    platform = make_platform(limits=HttpLimits(get_retries=1))

    with pytest.raises(CarrierflowError) as put:
        platform.write(ref, PICK, not_later_than=soon)
    with pytest.raises(CarrierflowError) as get:
        platform.orders(["1"])

    assert token in server.received[0][2]["Authorization"]
    for text in (
        shown(put.value),
        shown(get.value),
        caplog.text,
        repr(platform),
        repr(platform.requests),
    ):
        assert token not in text


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (
            {"carrier_status": ["is invalid", "is too late"]},
            "carrier_status: is invalid, is too late",
        ),
        ({"base": ["the fulfillment was cancelled"]}, "the fulfillment was cancelled"),
        ("Đơn hàng không tồn tại", "Đơn hàng không tồn tại"),
        (["one", "two"], "one; two"),
        ({"phone": ["0901 234 567 is taken"]}, "phone: … is taken"),
        ({"base": ["order 1230064550 of a.b@example.com is closed"]}, "order … of … is closed"),
        ({"base": ['"12 Lê Lợi" is no address']}, "… is no address"),
        ("khách hàng Nguyễn Văn A không hợp lệ", "khách hàng … không hợp lệ"),
        ({"base": [{"code": "taken"}]}, "{…: …}"),
        ("line\nbreak\x1b[31m", "line break [31m"),
        ("+84 (90) 123-45-67", "…"),
    ],
)
def test_a_refusal_says_why_and_names_nobody(server, answer, platform, ref, soon, errors, reason):
    """Each documented shape of `errors` is told in one line without anything personal."""
    server.plays(answer.reply({"errors": errors}, status=422))
    with pytest.raises(Refused) as caught:
        platform.write(ref, PICK, not_later_than=soon)
    assert f"HTTP 422: {reason}" == caught.value.reason


@pytest.mark.parametrize(
    "body", [b"", b"<html>Nguyen</html>", {"message": "Nguyen"}, {"errors": {}}, []]
)
def test_a_refusal_in_another_shape_is_told_by_digest(server, answer, platform, ref, soon, body):
    """A refusal that cannot be read is named by the digest of its bytes."""
    server.plays(answer.reply(body, status=403))
    with pytest.raises(AccessDenied, match=r"digest [0-9a-f]{12}") as caught:
        platform.write(ref, PICK, not_later_than=soon)
    assert "Nguyen" not in str(caught.value)


def test_a_refusal_is_short(server, answer, platform, ref, soon):
    """However much the platform has to say, two hundred characters of it are kept."""
    server.plays(answer.reply({"errors": {"base": ["no " * 100_000]}}, status=400))
    with pytest.raises(Refused) as caught:
        platform.write(ref, PICK, not_later_than=soon)
    assert 200 == len(caught.value.reason)


def test_what_a_person_wrote_into_an_order_is_in_no_error(server, answer, make_platform, caplog):
    """Names and phones in a page that cannot be read are in no error, no odd row and no log."""
    caplog.set_level(logging.DEBUG)
    page = json.dumps({"orders": [{"id": 1, "customer": "Nguyen 0901234567"}]}).encode()
    server.plays(answer.reply(page), answer.reply(status=404), answer.reply(page[:-3]))
    platform = make_platform(limits=HttpLimits(get_retries=0))

    (order,) = platform.orders(["1"])
    with pytest.raises(CarrierflowError) as caught:
        platform.orders(["1"])

    assert 1 == len(order.unreadable)
    assert "Nguyen" not in str(order) + shown(caught.value) + caplog.text
