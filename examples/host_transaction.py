"""A delivery and the host's own row, in one transaction: both are there, or neither is."""

from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, func, insert, select

from carrierflow import (
    Carrierflow,
    Event,
    FulfillmentRef,
    Opening,
    Status,
    Verdict,
    build,
    generate_key,
    load_settings,
)


host = MetaData()
payslips = Table(
    "payslips",
    host,
    Column("id", Integer, primary_key=True),
    Column("driver", String(32), nullable=False),
    Column("fulfillment_id", String(64), nullable=False),
)


class VanBrokeDownError(Exception):
    """Something of the host's own goes wrong, at the worst moment."""


def deliver(
    app: Carrierflow,
    connection: Connection,
    fulfillment_id: str,
    *,
    scan: str,
    breaks: bool = False,
) -> None:
    """Record the delivery and pay the driver for it, once; the caller commits or rolls back."""
    answer = app.joined(connection).record(
        Event(
            shop="myshop",
            fulfillment_id=fulfillment_id,
            status=Status.DELIVERED,
            key=scan,
            actor="driver-7",
            fill_gaps=True,
        )
    )
    if answer.verdict is Verdict.ACCEPTED:  # a scan that comes again is a duplicate: no pay
        slip = {"driver": "driver-7", "fulfillment_id": fulfillment_id}
        connection.execute(insert(payslips).values(slip))
    if breaks:
        raise VanBrokeDownError


def tell(app: Carrierflow, fulfillment_id: str) -> None:
    """Print what either side of the transaction left behind."""
    with app.store.engine.connect() as connection:
        paid = connection.scalar(
            select(func.count()).where(payslips.c.fulfillment_id == fulfillment_id)
        )
    status = app.parcel("myshop", fulfillment_id).delivery.status
    print(f"{fulfillment_id}: the ledger says {status}, payslips: {paid}")


def main() -> None:
    """Deliver one parcel, told twice by its scanner, and one that rolls back."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'host.db'}"
        app = build(load_settings(database_url=url, secret_key=generate_key()))
        app.upgrade()
        host.create_all(app.store.engine)
        app.shops.add("myshop", token="a-token", base_url="https://apis.haravan.com")  # noqa: S106
        for number in ("2001", "2002"):
            ref = FulfillmentRef(shop="myshop", order_id="1001", fulfillment_id=number)
            app.ledger.open(Opening(ref=ref))

        for _ in range(2):
            with app.store.engine.begin() as connection:
                deliver(app, connection, "2001", scan="scan-1")
        try:
            with app.store.engine.begin() as connection:
                deliver(app, connection, "2002", scan="scan-2", breaks=True)
        except VanBrokeDownError:
            print("2002: rolled back")

        tell(app, "2001")
        tell(app, "2002")
        app.close()


if __name__ == "__main__":
    main()
