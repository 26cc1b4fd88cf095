"""A carrier with other rules: refusals at the door, second rounds, cash counted separately."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from carrierflow import (
    Carrierflow,
    Event,
    FulfillmentRef,
    Opening,
    Status,
    build,
    generate_key,
    load_settings,
)


REFUSED_AT_THE_DOOR = ("picking", "delivering", "waitingforreturn")
PAID_LATER = ("picking", "delivering", "delivered", "codpaid")


@contextmanager
def carrier(**rules: Any) -> Iterator[Carrierflow]:
    """Build a carrier with some rules of its own, in a directory that goes away again."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        app = build(load_settings(database_url=url, secret_key=generate_key(), **rules))
        app.upgrade()
        app.shops.add("myshop", token="a-token", base_url="https://apis.haravan.com")  # noqa: S106
        yield app
        app.close()


def drive(app: Carrierflow, fulfillment_id: str, words: tuple[str, ...]) -> None:
    """Take a parcel with cash to collect down a road, and print each verdict."""
    ref = FulfillmentRef(shop="myshop", order_id="1001", fulfillment_id=fulfillment_id)
    app.ledger.open(Opening(ref=ref, cod_amount=99_000))
    for word in words:
        event = Event(shop="myshop", fulfillment_id=fulfillment_id, status=Status(word))
        answer = app.ledger.record(event)
        print(f"  {answer.verdict:9} {answer.sentence}  [{answer.cod_status}]")


def main() -> None:
    """Drive the same roads by the default rules and by a carrier's own."""
    with carrier() as app:
        print("By default, a refusal at the door is no legal step, and delivered means paid:")
        drive(app, "2001", REFUSED_AT_THE_DOOR)
        drive(app, "2002", PAID_LATER)
    with carrier(
        lifecycle_groups=("refused", "redeliver"),
        paid_on_delivery=False,
        remote_ahead="adopt",
    ) as app:
        print("With the groups refused and redeliver, and cash counted separately:")
        drive(app, "2001", (*REFUSED_AT_THE_DOOR, "delivering"))
        drive(app, "2002", PAID_LATER)


if __name__ == "__main__":
    main()
