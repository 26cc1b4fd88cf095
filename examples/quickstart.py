"""One parcel from pick-up to delivery, against a Haravan that runs inside this program."""

from pathlib import Path
from tempfile import TemporaryDirectory

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
from carrierflow.sandbox.haravan import SandboxServer, World


def take_a_parcel(app: Carrierflow, world: World) -> FulfillmentRef:
    """Let the merchant make an order, and the carrier open its parcel."""
    order_id, fulfillment_id = world.add_parcel(
        shop="myshop", cod_amount=250_000, tracking_company_code="external"
    )
    ref = FulfillmentRef(shop="myshop", order_id=str(order_id), fulfillment_id=str(fulfillment_id))
    app.ledger.open(Opening(ref=ref, cod_amount=250_000))
    return ref


def drive(app: Carrierflow, ref: FulfillmentRef) -> None:
    """Record what the driver's scanner says; no platform is asked."""
    for status in (Status.PICKING, Status.DELIVERING, Status.DELIVERED):
        event = Event(shop=ref.shop, fulfillment_id=ref.fulfillment_id, status=status)
        answer = app.ledger.record(event)
        print(f"{answer.verdict}: {answer.sentence}")


def tell(app: Carrierflow) -> None:
    """Bring the platform to the ledger's state."""
    for report in app.reconcile():
        requests = report.requests
        print(f"{report.shop}: {requests.get} GET, {requests.put} PUT, {report.left} left")


def show(app: Carrierflow, ref: FulfillmentRef) -> None:
    """Print where the parcel stands on both sides."""
    parcel = app.parcel(ref.shop, ref.fulfillment_id)
    print(f"ledger:   {parcel.delivery.status} / {parcel.cod.status}")
    if parcel.remote is not None:
        print(f"platform: {parcel.remote.carrier.raw} / {parcel.remote.cod.raw}")


def main() -> None:
    """Run the sandbox and the ledger side by side, in a directory that goes away again."""
    world = World()
    world.add_shop(code="myshop", token="sandbox-token")  # noqa: S106 - the sandbox's own
    with TemporaryDirectory() as folder, SandboxServer(world) as sandbox:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        app = build(load_settings(database_url=url, secret_key=generate_key()))
        app.upgrade()
        app.shops.add("myshop", token="sandbox-token", base_url=sandbox.url)  # noqa: S106
        ref = take_a_parcel(app, world)
        drive(app, ref)
        tell(app)
        show(app, ref)
        app.close()


if __name__ == "__main__":
    main()
