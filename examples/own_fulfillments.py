"""A program of the carrier's own: creates a parcel on the platform, and opens it in the ledger."""

from pathlib import Path
from tempfile import TemporaryDirectory

from carrierflow import (
    Carrierflow,
    NewFulfillment,
    Observation,
    Opening,
    OutcomeUnknown,
    build,
    generate_key,
    load_settings,
)
from carrierflow.platforms.haravan import Client
from carrierflow.sandbox.haravan import Fault, FaultKind, Faults, Rule, SandboxServer, World


def create(client: Client, order_id: str, number: str) -> Observation | None:
    """Create a parcel, once; None where nobody can say yet whether it is there."""
    wanted = NewFulfillment(tracking_number=number, cod_amount=250_000, notify_customer=True)
    try:
        return client.create_fulfillment(order_id, wanted)
    except OutcomeUnknown as error:
        print(f"{number}: {error}")
        return None


def find(client: Client, order_id: str, number: str) -> Observation | None:
    """Look for a parcel by its number, instead of creating it a second time."""
    page = client.fulfillments(order_id)
    return next((one for one in page.fulfillments if one.tracking_number == number), None)


def take_up(app: Carrierflow, made: Observation) -> None:
    """Open a parcel in the ledger; from here on its statuses are recorded, and runs tell them."""
    opening = Opening(
        ref=made.ref, tracking_number=made.tracking_number, cod_amount=made.cod_amount
    )
    parcel = app.ledger.open(opening)
    print(f"{made.tracking_number}: {parcel.delivery.status} / {parcel.cod.status}")


def work(app: Carrierflow, order_id: str) -> None:
    """Create one parcel, whose answer is lost, and correct its number."""
    with app.platform_client("myshop") as client:
        made = create(client, order_id, "CF-0001") or find(client, order_id, "CF-0001")
        if made is None:
            return
        take_up(app, made)
        ref = made.ref
        changed = client.update_fulfillment(
            ref.order_id, ref.fulfillment_id, tracking_number="CF-0002"
        )
        print(f"{changed.tracking_number}: {client.count_fulfillments(order_id)} in this order")


def main() -> None:
    """Run it against a Haravan inside this program, which loses the answer to the first POST."""
    world = World()
    world.add_shop(code="myshop", token="sandbox-token")  # noqa: S106 - the sandbox's own
    order_id = str(world.add_order(shop="myshop", total=250_000).id)
    lost = Rule(fault=Fault(kind=FaultKind.LOST_REPLY), method="POST", times=1)
    with TemporaryDirectory() as folder, SandboxServer(world, faults=Faults(script=[lost])) as it:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        app = build(load_settings(database_url=url, secret_key=generate_key()))
        app.upgrade()
        app.shops.add("myshop", token="sandbox-token", base_url=it.url)  # noqa: S106
        work(app, order_id)
        app.close()


if __name__ == "__main__":
    main()
