"""What else a Python engineer would pick: a state machine library, and history through the ORM.

Each peer keeps a parcel's status and a row per step, in one transaction. None of them has the
ledger's constraints, triggers, hashes, cash, late or refused events: each has less to do than
carrierflow. Each is used as its own documentation shows, with one read and one flush for many.
"""

from __future__ import annotations

from datetime import datetime

import transitions
from sqlalchemy import ForeignKey, String, UniqueConstraint, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column
from statemachine import State, StateMachine
from xstate_statemachine import create_machine
from xstate_statemachine.contrib.sqlalchemy import (
    StatechartMixin,
    StatechartType,
    xsm_sqlalchemy_ddl,
)

from carrierflow.domain.clock import now
from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.domain.model import Machine, Status
from carrierflow.storage.types import UtcDateTime


__all__ = ["PEERS", "Base", "Peer"]

FIRST = str(Status.READYTOPICK)
STEPS = [
    (str(edge.from_status), str(edge.to_status))
    for edge in sorted(DEFAULT.machine(Machine.DELIVERY).edges)
    if edge.from_status not in {"start", Status.PENDING}
]
STATUSES = sorted({status for step in STEPS for status in step})
FINAL = set(STATUSES) - {start for start, _ in STEPS}


class Base(DeclarativeBase):
    """The peers' tables, apart from the ledger's."""


class ParcelColumns:
    """What every peer knows of a parcel."""

    id: Mapped[int] = mapped_column(primary_key=True)
    fulfillment_id: Mapped[str] = mapped_column(String(64), unique=True)
    order_id: Mapped[str] = mapped_column(String(64))


class StepColumns:
    """What every peer but one keeps of a step; that one brings a table of its own."""

    id: Mapped[int] = mapped_column(primary_key=True)
    from_status: Mapped[str] = mapped_column(String(32))
    to_status: Mapped[str] = mapped_column(String(32))
    event_key: Mapped[str] = mapped_column(String(128))
    actor: Mapped[str | None] = mapped_column(String(128))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TransitionsParcel(ParcelColumns, Base):
    """A row with a machine of `transitions`, made whenever the row is made or loaded."""

    __tablename__ = "transitions_parcels"
    state: Mapped[str] = mapped_column(String(32), default=FIRST)


class TransitionsStep(StepColumns, Base):
    """One step of such a parcel."""

    __tablename__ = "transitions_steps"
    __table_args__ = (UniqueConstraint("parcel", "event_key"),)
    parcel: Mapped[int] = mapped_column(ForeignKey(TransitionsParcel.id))


def _equip(row, *_):
    row.machine = transitions.Machine(
        model=row,
        states=STATUSES,
        initial=row.state or FIRST,
        transitions=[{"trigger": end, "source": start, "dest": end} for start, end in STEPS],
        auto_transitions=False,
    )


event.listen(TransitionsParcel, "init", _equip)
event.listen(TransitionsParcel, "load", _equip)


class StateMachineParcel(ParcelColumns, Base):
    """A row that a machine of `python-statemachine` is put around."""

    __tablename__ = "statemachine_parcels"
    state: Mapped[str] = mapped_column(String(32), default=FIRST)


class StateMachineStep(StepColumns, Base):
    """One step of such a parcel."""

    __tablename__ = "statemachine_steps"
    __table_args__ = (UniqueConstraint("parcel", "event_key"),)
    parcel: Mapped[int] = mapped_column(ForeignKey(StateMachineParcel.id))


def _machine_class():
    states = {
        name: State(value=name, initial=name == FIRST, final=name in FINAL) for name in STATUSES
    }
    events = {}
    for start, end in STEPS:
        step = states[start].to(states[end])
        name = f"to_{end}"
        events[name] = events[name] | step if name in events else step
    return type(StateMachine)("ParcelMachine", (StateMachine,), {**states, **events})


ParcelMachine = _machine_class()

STATECHART = create_machine(
    {
        "id": "parcel",
        "initial": FIRST,
        "states": {
            status: {"on": {end: end for start, end in STEPS if start == status}}
            | ({"type": "final"} if status in FINAL else {})
            for status in STATUSES
        },
    }
)


class XstateParcel(ParcelColumns, StatechartMixin, Base):
    """A row with the mixin of `xstate-statemachine`, which writes the steps by itself."""

    __tablename__ = "xstate_parcels"
    __xsm_machine__ = STATECHART
    __xsm_audit__ = True
    statechart: Mapped[dict | None] = mapped_column(StatechartType)

    @declared_attr.directive
    def __mapper_args__(cls):  # noqa: N805 - the ORM passes the class
        return cls.optimistic()


xsm_sqlalchemy_ddl(Base.metadata)


class Peer:
    """One library around one kind of row."""

    def __init__(self, engine):
        self._engine = engine

    def record(self, events):
        """Record some scans in one transaction; the first of a new parcel opens it."""
        with Session(self._engine) as session, session.begin():
            ids = {told.fulfillment_id for told in events}
            rows = session.scalars(select(self.parcel).where(self.parcel.fulfillment_id.in_(ids)))
            known = {row.fulfillment_id: row for row in rows}
            self._open(session, events, known)
            for told in events:
                self.step(session, known[told.fulfillment_id], told)

    def _open(self, session, events, known):
        for told in events:
            if told.fulfillment_id not in known:
                ref = told.opening.ref
                row = self.parcel(fulfillment_id=ref.fulfillment_id, order_id=ref.order_id)
                known[ref.fulfillment_id] = row
                session.add(row)
        session.flush()


class WithTransitions(Peer):
    """`transitions`, as its FAQ puts a machine on a mapped object."""

    parcel = TransitionsParcel

    def step(self, session, row, told):
        """Take one step."""
        before = row.state
        row.trigger(str(told.status))
        session.add(TransitionsStep(parcel=row.id, **_columns(before, told)))


class WithStateMachine(Peer):
    """`python-statemachine`, with the row for its model."""

    parcel = StateMachineParcel

    def step(self, session, row, told):
        """Take one step."""
        before = row.state
        ParcelMachine(row, state_field="state").send(f"to_{told.status}")
        session.add(StateMachineStep(parcel=row.id, **_columns(before, told)))


class WithXstate(Peer):
    """`xstate-statemachine`, with its SQLAlchemy mixin and its audit table."""

    parcel = XstateParcel

    def step(self, session, row, told):
        """Take one step."""
        at = told.occurred_at.isoformat()
        row.send(str(told.status), session=session, key=told.key, actor=told.actor, at=at)


def _columns(before, told):
    return {
        "from_status": before,
        "to_status": str(told.status),
        "event_key": told.key,
        "actor": told.actor,
        "occurred_at": told.occurred_at,
        "recorded_at": now(),
    }


PEERS = {
    "transitions + ORM": WithTransitions,
    "python-statemachine + ORM": WithStateMachine,
    "xstate-statemachine mixin": WithXstate,
}
