"""What each run asks of a shop's fulfillments, by statements that are put together once.

To put one together takes longer than to execute it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Integer, and_, bindparam, cast, func, literal, or_, select

from carrierflow.domain.decision import OPEN
from carrierflow.storage.database_clock import EPOCH
from carrierflow.storage.tables import fulfillments, incidents
from carrierflow.storage.types import UtcDateTime


__all__ = [
    "COUNT_UNPUBLISHED",
    "READ_AGENDA",
    "READ_DUE",
    "READ_DUE_AFTER",
    "READ_HINTS",
    "READ_UNPUBLISHED",
    "READ_WORK",
]

f, i = fulfillments.c, incidents.c

NEVER = cast(literal(EPOCH, UtcDateTime()), UtcDateTime())
"""Cast, because MariaDB takes a parameter for text, and then the whole column too."""

of_shop = f.shop == bindparam("of")
publishable = and_(of_shop, f.unpublished > 0, f.frozen.is_(None), f.open)
looked_before = f.verified_at < bindparam("before", type_=UtcDateTime())
overdue = and_(of_shop, f.open, or_(f.verified_at.is_(None), looked_before))
looked_at: ColumnElement[datetime] = func.min(
    func.coalesce(f.verified_at, NEVER), type_=UtcDateTime()
)

COUNT_UNPUBLISHED = select(func.count()).where(publishable)

READ_UNPUBLISHED = (
    select(f.id, f.order_id, f.fulfillment_id)
    .where(publishable)
    .order_by(f.id)
    .limit(bindparam("most", type_=Integer()))
)

hinted = and_(of_shop, f.hinted_at.is_not(None))

READ_AGENDA = select(
    select(func.count()).where(of_shop, f.open).scalar_subquery().label("open"),
    select(func.count())
    .where(i.shop == bindparam("of"), i.state == OPEN)
    .scalar_subquery()
    .label("incidents"),
    select(func.count(f.order_id.distinct())).where(overdue).scalar_subquery().label("due"),
    COUNT_UNPUBLISHED.scalar_subquery().label("unpublished"),
    select(func.count()).where(hinted).scalar_subquery().label("hinted"),
)
"""What there is to do, in numbers: where there is none of a thing, nobody asks for it."""

READ_WORK = (
    select(f.order_id, func.sum(f.unpublished))
    .where(
        publishable,
        or_(f.not_before.is_(None), f.not_before <= bindparam("now", type_=UtcDateTime())),
    )
    .group_by(f.order_id)
    .order_by(func.min(f.verified_at), f.order_id)
)

READ_DUE = (
    select(f.order_id, looked_at)
    .where(overdue)
    .group_by(f.order_id)
    .order_by(looked_at, f.order_id)
    .limit(bindparam("most", type_=Integer()))
)

READ_DUE_AFTER = READ_DUE.having(
    or_(
        looked_at > bindparam("last_at", type_=UtcDateTime()),
        and_(
            looked_at == bindparam("last_at", type_=UtcDateTime()),
            f.order_id > bindparam("last_order"),
        ),
    )
)

READ_HINTS = (
    select(f.order_id, func.sum(f.unpublished), func.max(f.hinted_at, type_=UtcDateTime()))
    .where(hinted)
    .group_by(f.order_id)
    .order_by(func.min(f.hinted_at, type_=UtcDateTime()), f.order_id)
)
