"""What is explored: short parcels, each with the trouble that it is there for."""

from .moments import Scenario


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
