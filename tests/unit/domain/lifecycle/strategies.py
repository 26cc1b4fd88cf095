"""Random lifecycles: the shipped ones, and small ones of nobody's making."""

from hypothesis import strategies as st

from carrierflow.domain.lifecycle import (
    DEFAULT,
    GROUPS,
    Definition,
    Edge,
    MachineDefinition,
    define,
)
from carrierflow.domain.model import START, Machine, Status


DELIVERY = [status for status in Status if status.machine is Machine.DELIVERY]

shipped = st.builds(
    define, st.sets(st.sampled_from(sorted(GROUPS))), paid_on_delivery=st.booleans()
)


@st.composite
def invented(draw):
    """Draw a delivery machine at random, beside the default's cash and without couplings."""
    final = draw(st.sets(st.sampled_from(DELIVERY), min_size=1, max_size=3))
    starts = [START, *(status for status in DELIVERY if status not in final)]
    ends = st.tuples(st.sampled_from(starts), st.sampled_from(DELIVERY))
    middle = draw(st.sampled_from([status for status in DELIVERY if status not in final]))
    steps = draw(st.sets(ends, max_size=40)) | {(START, middle), (middle, min(final))}
    edges = _kept({(a, b) for a, b in steps if a != b}, final)
    delivery = MachineDefinition(
        machine=Machine.DELIVERY,
        edges=frozenset(Edge(a, b) for a, b in edges),
        final=frozenset(final & {b for _, b in edges}),
    )
    return Definition(delivery=delivery, cod=DEFAULT.cod, couplings=())


def _kept(steps, final):
    """Keep the steps that lie on some road from the start to an end."""
    forth, back = {START}, set(final)
    for _ in DELIVERY:
        forth |= {b for a, b in steps if a in forth}
        back |= {a for a, b in steps if b in back}
    return {(a, b) for a, b in steps if a in forth and b in back}


definitions = shipped | invented()
