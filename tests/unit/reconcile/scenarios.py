"""What is explored: short parcels, each with the trouble that it is there for."""

from carrierflow.domain.model import Status
from carrierflow.reconcile.policy import Policy, RemoteAhead

from .moments import Scenario
from .projections import LOSSY, PULL_ONLY


ROAD = "readytopick picking delivering"
LOOP = f"{ROAD} notmeetcustomer delivering"

SCENARIOS = {
    "first look": Scenario(
        road="readytopick picking", confirmed=0, cash_confirmed=0, faults=1, leaps=1
    ),
    "from pending": Scenario(road="pending readytopick picking", confirmed=1, faults=1, leaps=2),
    "lost, late and repeated": Scenario(road="readytopick picking", confirmed=1, leaps=2),
    "two steps": Scenario(road=ROAD, confirmed=1, faults=1, stale=0, leaps=2),
    "two steps, polled": Scenario(road=ROAD, confirmed=1, faults=1, stale=0, leaps=1, polls=2),
    "redelivery, polled": Scenario(road=LOOP, confirmed=3, faults=1, stale=0, leaps=1, polls=1),
    "cash, polled": Scenario(
        road=f"{ROAD} delivered",
        confirmed=3,
        cash="codpending codpaid codreceipt",
        faults=1,
        stale=0,
        leaps=1,
        polls=2,
    ),
    "merchant, polled": Scenario(
        road="readytopick picking",
        confirmed=1,
        edits=("cancel", "delivering", "lost", "pending"),
        faults=0,
        stale=0,
        leaps=1,
        polls=1,
    ),
    "recorded meanwhile": Scenario(
        road="readytopick", confirmed=1, later=("picking",), faults=1, stale=0
    ),
    "redelivery": Scenario(road=LOOP, confirmed=3, faults=1, leaps=1),
    "second redelivery": Scenario(
        road=f"{LOOP} notmeetcustomer delivering", confirmed=3, faults=1, stale=0, leaps=1
    ),
    "cancel": Scenario(road="readytopick picking cancel", confirmed=1, faults=1, stale=0, leaps=1),
    "cash": Scenario(
        road=f"{ROAD} delivered",
        confirmed=3,
        cash="codpending codpaid codreceipt",
        faults=1,
        leaps=1,
    ),
    "cash that is not lifted": Scenario(
        road=f"{ROAD} delivered",
        confirmed=3,
        cash="codpending codpaid",
        lifts=False,
        faults=1,
        stale=0,
        leaps=2,
    ),
    "two workers": Scenario(
        road="readytopick picking", confirmed=1, workers=2, faults=1, stale=0, leaps=1
    ),
    "two workers, redelivery": Scenario(
        road=LOOP, confirmed=3, workers=2, faults=0, stale=0, leaps=1
    ),
    "two workers, cash": Scenario(
        road=f"{ROAD} delivered",
        confirmed=3,
        cash="codpending codpaid codreceipt",
        workers=2,
        faults=0,
        stale=0,
        leaps=1,
    ),
    "merchant": Scenario(
        road="readytopick picking",
        confirmed=1,
        edits=("cancel", "delivering", "lost", "pending"),
        faults=1,
        stale=0,
        leaps=1,
    ),
    "merchant in motion": Scenario(
        road=f"{ROAD} notmeetcustomer",
        confirmed=3,
        edits=("cancel", "picking", "return"),
        faults=1,
        stale=0,
        leaps=1,
    ),
    "merchant and our cancel": Scenario(
        road="readytopick cancel",
        confirmed=1,
        edits=("delivered", "delivering", "lost"),
        faults=1,
        stale=0,
        leaps=1,
    ),
}

BACK = f"{ROAD} notmeetcustomer waitingforreturn"
HELD = Policy(held=frozenset({Status.WAITINGFORRETURN}))

ACTIONS = {
    ("readytopick", "delivering"),
    ("readytopick", "cancel"),
    ("delivering", "delivered"),
    ("delivering", "waitingforreturn"),
    ("waitingforreturn", "return"),
}
"""What Sapo's documents let be done to a parcel: shipped, received, cancelled, taken back."""

CANCELS = {("pending", "cancel"), ("readytopick", "cancel")}
"""What Onflow's documents let be done: a cancel of what was not handed over."""


def lossy(road, *, confirmed=1, policy=HELD, leaps=1, stale=0, **more):
    """Return a scenario on a platform that shows less, and is told by actions."""
    fixed = {"road": road, "confirmed": confirmed, "policy": policy, "leaps": leaps, "stale": stale}
    return Scenario(projection=LOSSY, takes=frozenset(ACTIONS), **{"faults": 1, **fixed, **more})


def warehouse(road, *leads, begins="pending", confirmed=0, leaps=1, stale=0, **more):
    """Return a scenario on a platform that leads, and takes nothing but a cancel."""
    policy = Policy(remote_ahead=RemoteAhead.ADOPT)
    fixed = {"road": road, "confirmed": confirmed, "policy": policy, "leaps": leaps, "stale": stale}
    return Scenario(
        projection=PULL_ONLY,
        takes=frozenset(CANCELS),
        leads=leads,
        begins=begins,
        **{"faults": 1, "cash_confirmed": 0, **fixed, **more},
    )


SCENARIOS |= {
    "lossy, shipped": lossy(ROAD, leaps=2, stale=1),
    "lossy, shipped and received": lossy(f"{ROAD} delivered"),
    "lossy, three writes": lossy(f"{BACK} return"),
    "lossy, three writes, stale": lossy(f"{BACK} return", faults=0, stale=1),
    "lossy, cancelled": lossy("readytopick picking cancel", leaps=2, stale=1),
    "lossy, held and back": lossy(BACK, confirmed=3, later=("return",)),
    "lossy, held and out again": lossy(BACK, confirmed=3, later=("delivering",)),
    "lossy, cancelled at once": lossy(BACK, confirmed=3, policy=Policy(), stale=1),
    "lossy, redelivery": lossy(f"{LOOP} notmeetcustomer delivering", confirmed=3, stale=1),
    "lossy, cash": lossy(
        f"{ROAD} delivered", confirmed=3, cash="codpending codpaid codreceipt", stale=1
    ),
    "lossy, two workers": lossy(f"{ROAD} delivered", confirmed=3, workers=2, stale=1),
    "lossy, two workers, three writes": lossy(f"{BACK} return", workers=2, faults=0),
    "lossy, seller": lossy("readytopick picking", edits=("cancel", "delivering", "lost")),
    "lossy, seller in motion": lossy(ROAD, confirmed=3, edits=("waitingforreturn", "delivered")),
    "lossy, seller and our cancel": lossy("readytopick cancel", edits=("delivering", "cancel")),
    "warehouse leads": warehouse("readytopick", "readytopick", "delivering", leaps=2, stale=1),
    "warehouse is behind": warehouse(ROAD, "readytopick", "delivering", stale=1),
    "warehouse, our cancel": warehouse("readytopick cancel", leaps=2, stale=1),
    "warehouse, cancel and handover": warehouse(
        "readytopick cancel", "delivering", begins="readytopick", confirmed=1, stale=1
    ),
    "warehouse, cancelled in its portal": warehouse("readytopick", "cancel", later=("picking",)),
    "warehouse, gone and delivered": warehouse(
        ROAD, "readytopick", "delivering", later=("delivered",)
    ),
    "warehouse, two workers": warehouse(
        "readytopick cancel", "delivering", begins="readytopick", confirmed=1, workers=2
    ),
}
