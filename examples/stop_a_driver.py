"""A seller cancels a parcel on the platform, and the driver who was sent for it is stopped."""

from pathlib import Path
from tempfile import TemporaryDirectory

from carrierflow import (
    Carrierflow,
    Event,
    FeedEntry,
    FulfillmentRef,
    Opening,
    Status,
    build,
    generate_key,
    load_settings,
)
from carrierflow.sandbox.haravan import SandboxServer, World


class Dispatch:
    """The carrier's own desk: which driver is on the way to which parcel."""

    def __init__(self) -> None:
        self.on_the_way = {"T-1": "driver-7", "T-2": "driver-9", "T-3": "driver-4"}

    def on_change(self, entry: FeedEntry) -> None:
        """Stop the driver of a parcel that was cancelled; done twice, it does no harm."""
        if not entry.cancels:
            return
        driver = self.on_the_way.pop(entry.tracking_number or "", None)
        if driver:
            print(f"{entry.tracking_number}: {driver} is called back")


def take_parcels(app: Carrierflow, world: World) -> list[FulfillmentRef]:
    """Let the merchant make three orders, and the carrier open their parcels."""
    refs = []
    for number in (1, 2, 3):
        order_id, fulfillment_id = world.add_parcel(shop="myshop", tracking_company_code="external")
        ref = FulfillmentRef(
            shop="myshop", order_id=str(order_id), fulfillment_id=str(fulfillment_id)
        )
        app.ledger.open(Opening(ref=ref, tracking_number=f"T-{number}"))
        refs.append(ref)
    return refs


def catch_up(app: Carrierflow, after: int | None) -> int | None:
    """Read on where another worker was; it hears of everything, whoever wrote it, once."""
    page = app.changes(after=after)
    for entry in page.entries:
        if entry.cancels:
            said = entry.to_status or entry.incident_kind
            print(f"{entry.tracking_number}: the feed says {said} at {entry.position}")
    return page.next


def main() -> None:
    """Run the sandbox and the ledger side by side, in a directory that goes away again."""
    world, dispatch = World(), Dispatch()
    world.add_shop(code="myshop", token="sandbox-token")  # noqa: S106 - the sandbox's own
    with TemporaryDirectory() as folder, SandboxServer(world) as sandbox:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        app = build(load_settings(database_url=url, secret_key=generate_key()))
        app.upgrade()
        app.shops.add("myshop", token="sandbox-token", base_url=sandbox.url)  # noqa: S106
        app.on_change(dispatch.on_change)
        waiting, _, loaded = take_parcels(app, world)
        for status in (Status.PICKING, Status.DELIVERING):
            app.ledger.record(
                Event(shop="myshop", fulfillment_id=loaded.fulfillment_id, status=status)
            )
        app.reconcile()
        after = catch_up(app, None)

        for cancelled in (waiting, loaded):
            world.cancel_order("myshop", int(cancelled.order_id))
        (report,) = app.reconcile(full=True)

        print(f"adopted: {', '.join(ref.fulfillment_id for ref in report.adopted_fulfillments)}")
        print(f"frozen: {', '.join(ref.fulfillment_id for ref in report.frozen_fulfillments)}")
        catch_up(app, after)
        print(f"on the way: {', '.join(dispatch.on_the_way.values())}")
        app.close()


if __name__ == "__main__":
    main()
