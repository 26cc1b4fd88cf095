"""Each row of the decision table that concerns the parcel: where it decides, and where no more."""

from dataclasses import replace

import pytest

from carrierflow.domain.canonical import observation_digest
from carrierflow.domain.model import Status
from carrierflow.domain.publication import Outcome
from carrierflow.platforms.haravan.platform import PROJECTION
from carrierflow.reconcile.actions import (
    Adopt,
    Confirm,
    Discard,
    Freeze,
    InSync,
    Observe,
    ReadAgain,
    Rewind,
    Wait,
    Write,
)
from carrierflow.reconcile.policy import MerchantEdit, Policy, RemoteAhead

from .making import (
    COD,
    DELIVERY,
    DELTA,
    LOOP,
    POLICY,
    SENT,
    TICK,
    a_case,
    action,
    at,
    attempt,
    row,
    step_of,
    tell,
    told,
)


ROAD = "readytopick picking delivering"
DELIVERED = f"{ROAD} delivered"
RETURNED = f"{ROAD} notmeetcustomer waitingforreturn return"
CANCELLED = "readytopick picking cancel"

reassert = Policy(merchant_edit=MerchantEdit.REASSERT)


def overruled(made):
    """Return the situation after a person decided that what is shown is to be overruled."""
    return replace(made, parcel=replace(made.parcel, reassert=observation_digest(made.seen)))


def test_row_0_discards_what_is_older_than_what_was_shown():
    """A reading that is older than an earlier one is forgotten, whatever it says."""
    stale = a_case(ROAD, 2, shows="readytopick", updated=-3600.0)

    assert "0" == row(stale)
    assert Discard() == action(stale)
    assert "0" == row(replace(stale, parcel=replace(stale.parcel, frozen="stuck")))


def test_row_0_forgives_a_millisecond_of_rounding():
    """A time printed with ticks and read back rounded down is not an older reading."""
    last = -3600.0 + 60 * 2

    assert "6" == row(a_case(ROAD, 2, updated=last - 0.001))
    assert "0" == row(a_case(ROAD, 2, updated=last - 0.001 - TICK))


def test_row_1_notes_and_does_nothing_while_frozen():
    """A frozen parcel is looked at and left alone, even with steps to publish."""
    assert Observe() == action(a_case(ROAD, 1, frozen="stuck"))
    assert "1" == row(a_case(ROAD, 1, frozen="stuck"))
    assert "1" == row(a_case(ROAD, 1, shows="cancel", frozen="stuck"))
    assert "6" == row(a_case(ROAD, 1))


def test_row_2_freezes_at_a_word_that_nobody_knows():
    """An unknown word is never guessed: it stops the parcel and is shown as it came."""
    lost = a_case(ROAD, 1, shows="lost")

    assert "2" == row(lost)
    assert Freeze("unknown_code", "The platform says 'lost'.") == action(lost)
    assert "1" == row(a_case(ROAD, 1, shows="lost", frozen="stuck"))


def test_row_2_concerns_only_the_machine_whose_word_is_unknown():
    """An unknown word for the cash is a matter of the cash."""
    assert "6" == row(a_case(ROAD, 1, cash_shows="bitcoin"))
    assert "2" == row(a_case(ROAD, 1, cash_shows="bitcoin"), COD)


@pytest.mark.parametrize("state", [SENT, told(2).state])
def test_row_3_waits_until_an_unanswered_attempt_has_settled(state):
    """What was asked a microsecond before end + Δ decides nothing about the attempt."""
    early = a_case(ROAD, 1, tried=[told(2, over=-DELTA + TICK, state=state)])

    assert "3" == row(early)
    assert Wait(at(TICK)) == action(early)
    assert "5" == row(a_case(ROAD, 1, tried=[told(2, over=-DELTA, state=state)]))


def test_row_3_goes_by_when_we_asked_not_by_the_time_now():
    """An early reading does not become a late one by lying about."""
    assert "3" == row(a_case(ROAD, 1, now=10.0, tried=[told(2, over=-DELTA + 1)]))


def test_row_3_ends_where_the_attempt_was_answered():
    """An attempt that certainly had no effect is waited for by nobody."""
    assert "6" == row(a_case(ROAD, 1, tried=[told(2, over=-1.0, state="todo")]))


def test_row_3_waits_for_an_attempt_whose_step_was_overruled():
    """A correction that a person makes while a PUT is under way does not end its settle window."""
    corrected = f"{ROAD} picking delivering"

    assert "3" == row(a_case(corrected, 4, tried=[told(3, over=-10)]))
    assert "6" == row(a_case(corrected, 4, tried=[told(3)]))
    assert "8" == row(a_case(corrected, 5, tried=[told(3, over=-10)]))


def test_row_4_confirms_an_attempt_that_turns_out_to_have_arrived():
    """An unanswered attempt whose status is shown after Δ did arrive."""
    arrived = a_case(ROAD, 1, shows="picking", tried=[told(2)])

    assert "4" == row(arrived)
    assert Confirm(step_of(arrived, 2)) == action(arrived)
    assert "7" == row(a_case(ROAD, 1, shows="delivering", tried=[told(2)]))


def test_row_4_wants_a_newer_date_for_a_status_visited_before():
    """What is left of the first visit to a status confirms no second one."""
    again = a_case(LOOP, 4, shows="delivering", tried=[told(5, over=-60.0)], date=-61.0)
    assert "4" == row(again)

    first = at(-3600.0 + 60 * 3)
    old = replace(
        again.seen,
        dates={**again.seen.dates, Status.DELIVERING: first},
        updated_at=again.parcel.remote.updated_at,
    )
    assert row(replace(again, seen=old)) not in {"4", "7"}


def test_row_4_takes_a_date_of_one_second_before_the_intent():
    """The platform's clock may print a second less than ours; two seconds are an earlier visit."""
    made = a_case(LOOP, 4, shows="delivering", tried=[told(5, over=-60.0)], date=-63.0)
    known = replace(made.parcel, remote=replace(made.parcel.remote, dates=made.seen.dates))
    known = replace(known, remote=replace(known.remote, updated_at=made.seen.updated_at))

    assert "4" == row(replace(made, parcel=known))
    older = {**made.seen.dates, Status.DELIVERING: at(-63.0 - TICK)}
    known = replace(known, remote=replace(known.remote, dates=older))
    assert "4" != row(replace(made, parcel=known, seen=replace(made.seen, dates=older)))


def test_row_5_sends_again_what_was_lost():
    """An attempt that left no trace after Δ is made once more."""
    lost = a_case(ROAD, 1, tried=[told(2)])

    assert "5" == row(lost)
    assert tell(step_of(lost, 2)) == action(lost)
    assert ReadAgain() == action(replace(lost, now=at(15)))


def test_row_5_gives_up_after_eight_attempts():
    """The ninth attempt is a person's to order."""
    assert isinstance(action(a_case(ROAD, 1, tried=[told(2, attempts=7)])), Write)
    stuck = action(a_case(ROAD, 1, tried=[told(2, attempts=8)]))
    assert ("stuck", Status.PICKING) == (stuck.kind, stuck.about.to)
    excused = told(2, attempts=8, excused=8)
    assert isinstance(action(a_case(ROAD, 1, tried=[excused])), Write)


@pytest.mark.parametrize("outcome", [Outcome.NOT_SENT, Outcome.ACCESS_DENIED])
def test_row_5_does_not_count_what_was_turned_away_at_the_door(outcome):
    """A platform that is busy, or a token that ended, says nothing of the parcel."""
    turned_away = [attempt(2, "picking", -62.0, number=n, outcome=outcome) for n in range(1, 8)]
    made = a_case(ROAD, 1, tried=[told(2, attempts=14)], attempts=turned_away)
    stuck = a_case(ROAD, 1, tried=[told(2, attempts=15)], attempts=turned_away)

    assert isinstance(action(made), Write)
    assert "stuck" == action(stuck).kind


def test_row_5_gives_up_after_a_day():
    """Two attempts over a whole day are enough, and one is not."""
    day_ago = at(-24 * 3600)

    def made(**changes):
        return action(a_case(ROAD, 1, tried=[told(2, **changes)]))

    assert "stuck" == made(attempts=2, first_sent_at=day_ago).kind
    assert isinstance(made(attempts=2, first_sent_at=at(-24 * 3600 + 1)), Write)
    assert isinstance(made(attempts=1, first_sent_at=day_ago), Write)


def refused(*numbers, excused=0, road=ROAD, **changes):
    """Return a situation after some refused attempts, the last one a minute ago."""
    attempts = [
        attempt(2, "picking", -62.0, number=number, outcome=Outcome.REFUSED, reason="HTTP 422")
        for number in numbers
    ]
    publication = told(2, attempts=max(numbers), excused=excused)
    return a_case(road, 1, tried=[publication], attempts=attempts, **changes)


def test_row_5_freezes_at_the_third_refusal_that_a_read_bears_out():
    """Twice may be a proxy; three times, and the platform still at base, is the platform's word."""
    assert isinstance(action(refused(1, 2)), Write)
    frozen = action(refused(1, 2, 3))
    assert ("refused", Status.PICKING) == (frozen.kind, frozen.about.to)
    assert frozen.sentence.endswith("refused picking 3 times; at last it said: HTTP 422.")


def test_row_5_counts_refusals_since_a_person_let_them_pass():
    """Attempts in between that came to nothing else neither count nor forgive."""
    assert "refused" == action(refused(1, 4, 6)).kind
    assert isinstance(action(refused(1, 2, 3, excused=3)), Write)
    assert isinstance(action(refused(1, 2, 3, 4, 5, excused=3)), Write)
    assert "refused" == action(refused(1, 2, 3, 4, 5, 6, excused=3)).kind


def test_row_4_confirms_what_was_refused_and_is_shown_all_the_same():
    """A proxy that refuses in the platform's place may do so when the platform has taken it."""
    made = refused(1, 2, 3, shows="picking", date=-62.0)

    assert "4" == row(made)
    assert Confirm(step_of(made, 2)) == action(made)


def test_row_3_waits_for_the_settle_window_of_a_refusal_too():
    """What was refused in between may still arrive."""
    made = refused(1, 2, 3)
    late = told(2, attempts=3, over=-DELTA + 1)
    made = replace(
        made, publication_log=replace(made.publication_log, publications={(DELIVERY, 2): late})
    )

    assert "3" == row(made)


def test_row_5a_puts_the_head_where_a_person_overruled_the_platform():
    """What a person saw and overruled is answered with the ledger's status, at once."""
    made = overruled(a_case(ROAD, 2, shows="readytopick"))

    assert "5a" == row(made)
    assert tell(step_of(made, 3)) == action(made)
    assert ReadAgain() == action(replace(made, now=at(15)))


def test_row_5a_ends_where_the_platform_changed_again():
    """A decision about one state of the platform is none about the next."""
    made = overruled(a_case(ROAD, 2, shows="readytopick"))
    newer = replace(made.seen, updated_at_raw="later", updated_at=at(-5))

    assert "5a" != row(replace(made, seen=newer))


def test_row_5a_gives_up_after_eight_attempts():
    """A platform that says yes and does nothing is not asked for ever."""
    made = overruled(a_case(ROAD, 2, shows="readytopick", tried=[told(3, attempts=8)]))
    answered = {
        key: replace(p, state="todo") for key, p in made.publication_log.publications.items()
    }

    made = replace(made, publication_log=replace(made.publication_log, publications=answered))
    assert ("5a", "stuck") == (row(made), action(made).kind)


def test_row_6_puts_the_first_missing_step():
    """A platform two steps behind is told the first of the two."""
    made = a_case(ROAD, 1)

    assert "6" == row(made)
    assert tell(step_of(made, 2)) == action(made)


def test_row_6_reads_again_at_the_age_of_fifteen_seconds():
    """A reading of 15 s is too old to act on, one that is a microsecond younger is not."""
    assert isinstance(action(a_case(ROAD, 1, now=15 - TICK)), Write)
    assert ReadAgain() == action(a_case(ROAD, 1, now=15))


def test_row_6_tells_before_the_first_look_what_follows_the_platforms_status():
    """A parcel recorded from the middle on continues where the platform stands."""
    fresh = a_case("picking delivering", 0, shows="readytopick", looked=False)
    assert "6" == row(fresh)
    assert tell(step_of(fresh, 1)) == action(fresh)

    assert "16" == row(a_case("delivering", 0, shows="readytopick", looked=False))


def test_row_6b_waits_for_a_step_that_the_platform_comes_to_by_itself():
    """What has no PUT is waited for."""
    made = a_case("pending readytopick", 1)

    assert ("6b", Observe()) == (row(made), action(made))


def test_row_6_takes_what_has_no_put_along_with_the_next_step():
    """A step without a PUT is subsumed by the one after it."""
    made = a_case("pending readytopick picking", 1)

    assert tell(step_of(made, 3)) == action(made)


def test_row_6_gives_up_where_a_platform_says_yes_eight_times_and_does_nothing():
    """An answered PUT that changes nothing is repeated as often as a lost one."""
    assert "stuck" == action(a_case(ROAD, 1, tried=[told(2, attempts=8, state="todo")])).kind


def test_row_7_confirms_everything_up_to_what_the_platform_shows():
    """A platform further along our own path has been told by somebody already."""
    made = a_case(DELIVERED, 1, shows="delivering")

    assert "7" == row(made)
    assert Confirm(step_of(made, 3)) == action(made)


def test_row_7_confirms_a_redelivery_only_by_a_newer_date():
    """In a redelivery loop the base stands on the path again, and only its date tells."""
    made = a_case(LOOP, 3, shows="delivering", date=-10.0)
    assert ("7", Confirm(step_of(made, 5))) == (row(made), action(made))

    assert "6" == row(a_case(LOOP, 3))
    first = -3600.0 + 60 * 3
    assert "6" == row(a_case(LOOP, 3, date=first + 0.4, updated=-5.0))
    assert "7" == row(a_case(LOOP, 3, date=first + 0.5, updated=-5.0))


def test_row_7_takes_one_visit_for_one():
    """One newer date confirms one redelivery, even where the path holds two."""
    twice = a_case(f"{LOOP} notmeetcustomer delivering", 3, shows="delivering", date=-10.0)

    assert Confirm(step_of(twice, 5)) == action(twice)


def test_row_7_takes_the_second_visit_where_the_platform_was_between_the_two():
    """Whoever came to a status by way of one in between stands on its second visit."""
    made = a_case(f"{LOOP} delivered", 2, shows="delivering", date=-10.0)
    assert Confirm(step_of(made, 3)) == action(made)

    dates = {**made.seen.dates, Status.NOTMEETCUSTOMER: at(-20)}
    made = replace(made, seen=replace(made.seen, dates=dates))
    assert Confirm(step_of(made, 5)) == action(made)


def test_row_8_says_in_sync_where_both_agree():
    """Nothing unpublished, and the same status on both sides: in sync."""
    assert ("8", InSync()) == (row(a_case(ROAD)), action(a_case(ROAD)))
    assert "8" != row(a_case(ROAD, shows="picking"))
    assert "6" == row(a_case(ROAD, 2))


def test_row_9_adopts_a_cancel_before_the_pickup():
    """A parcel that nobody fetched may be cancelled by the shop."""
    made = a_case("readytopick picking", 1, shows="cancel")

    assert ("9", Adopt(Status.CANCEL)) == (row(made), action(made))
    assert "10" == row(a_case(ROAD, shows="cancel"))
    assert "3" == row(a_case(ROAD, 1, shows="cancel", tried=[told(2, over=-1.0)]))


def test_row_9_goes_as_far_as_the_carrier_lets_it():
    """A carrier that takes cancels on the road adopts them there too."""
    assert "9" == row(a_case(ROAD, shows="cancel", groups=("late_cancel",)))
    assert "10" == row(a_case(DELIVERED, shows="cancel", groups=("late_cancel",)))


def test_row_10_freezes_a_cancel_of_a_parcel_in_motion():
    """A cancel that comes too late is a person's matter, and nothing is PUT any more."""
    for road in (ROAD, f"{ROAD} notmeetcustomer", DELIVERED, RETURNED):
        assert "cancelled_in_transit" == action(a_case(road, 1, shows="cancel")).kind
        assert "10" == row(a_case(road, 1, shows="cancel"))
    assert "9" == row(a_case("readytopick", shows="cancel"))


def test_row_11_puts_our_cancel_from_wherever_the_platform_stands():
    """A recorded cancel is told even to a platform that strayed from our path."""
    made = a_case(CANCELLED, 1, shows="delivering")

    assert ("11", tell(step_of(made, 3))) == (row(made), action(made))
    assert ReadAgain() == action(replace(made, now=at(15)))
    assert "6" == row(a_case(CANCELLED, 1))
    assert "12" == row(a_case(CANCELLED, 1, shows="delivered"))


def test_row_11_gives_up_after_eight_attempts():
    """A platform that says yes to a cancel and does nothing is not asked for ever."""
    told_often = told(3, attempts=8, state="todo")

    assert "stuck" == action(a_case(CANCELLED, 1, shows="delivering", tried=[told_often])).kind


@pytest.mark.parametrize("shown", ["delivered", "return"])
def test_row_12_freezes_where_a_cancelled_parcel_came_to_an_end(shown):
    """Cancelled here and at an end there: a person decides."""
    for confirmed in (1, 3):
        made = a_case(CANCELLED, confirmed, shows=shown)
        assert ("12", "cancel_conflict") == (row(made), action(made).kind)
    assert "11" == row(a_case(CANCELLED, 1, shows="waitingforreturn"))


def test_row_13_holds_what_the_platform_knows_and_we_do_not():
    """By default a platform ahead of the ledger is a person's matter."""
    made = a_case(ROAD, shows="delivered")

    assert ("13", "remote_ahead") == (row(made), action(made).kind)


def test_row_13_adopts_by_policy():
    """A carrier may take the platform's word for what it has not recorded."""
    made = a_case(ROAD, shows="delivered", policy=Policy(remote_ahead=RemoteAhead.ADOPT))

    assert Adopt(Status.DELIVERED) == action(made)


def test_row_13_ends_where_we_still_have_something_to_say():
    """With steps of our own to publish, a platform elsewhere has diverged."""
    assert "16" == row(a_case(ROAD, 2, shows="delivered"))
    assert "16" == row(a_case(DELIVERED, shows="return"))


def test_row_14_walks_on_after_a_late_put_of_our_own():
    """A PUT of ours that arrived after its time is healed by going the path again."""
    late = attempt(2, "picking", -40.0)
    made = a_case(ROAD, shows="picking", date=-10.0, attempts=[late])

    assert ("14", Rewind(2, healed=True)) == (row(made), action(made))


@pytest.mark.parametrize(("date", "expected"), [(-1.0, "14"), (-1.5, "15"), (57.0, "14")])
def test_row_14_goes_by_the_date(date, expected):
    """From a second before the intent until Δ after its last end, it is ours; else it is not."""
    late = attempt(2, "picking", 0.0)
    made = a_case(ROAD, shows="picking", date=date, updated=60.0, attempts=[late])

    assert expected == row(made)


def test_row_14_ends_with_the_settle_window():
    """A status entered later than our PUT can take effect was not entered by us."""
    late = attempt(2, "picking", -57.5)

    assert "15" == row(a_case(ROAD, shows="picking", date=0.0, attempts=[late]))
    other = attempt(3, "delivering", -40.0)
    assert "15" == row(a_case(ROAD, shows="picking", attempts=[other]))


def test_row_14_precedes_remote_ahead_where_the_road_goes_round():
    """In a loop what is behind may also be ahead; if it was our PUT, it is behind."""
    road = f"{ROAD} notmeetcustomer"
    late = attempt(3, "delivering", -40.0)

    assert "14" == row(a_case(road, shows="delivering", date=-10.0, attempts=[late]))
    assert "13" == row(a_case(road, shows="delivering", date=-10.0))


def test_row_15_holds_what_a_merchant_moved_back():
    """By default an edit in the shop stops the parcel until a person decides."""
    made = a_case(ROAD, shows="picking")

    assert ("15", "merchant_edit") == (row(made), action(made).kind)
    assert "16" == row(a_case(ROAD, shows="picking", updated=-3600.0 + 60 * 3))


def test_row_15_reasserts_by_policy_and_once():
    """A carrier may tell the platform the truth again, but not for ever."""
    made = a_case(ROAD, shows="picking", policy=reassert)
    assert ("15", Rewind(2, healed=False)) == (row(made), action(made))

    once = told(3, state="confirmed", reasserted=1)
    made = a_case(ROAD, shows="picking", policy=reassert, tried=[once])
    assert ("15", "merchant_edit") == (row(made), action(made).kind)


def test_row_15_holds_a_status_that_we_never_published():
    """There is no way back to where we never were."""
    made = a_case(ROAD, shows="pending", policy=reassert)

    assert ("15", "merchant_edit") == (row(made), action(made).kind)


def test_row_16_freezes_whatever_no_other_row_knows():
    """What fits nothing is a person's matter."""
    made = a_case(DELIVERED, shows="return")

    assert ("16", "diverged") == (row(made), action(made).kind)


@pytest.mark.parametrize("road", [ROAD, CANCELLED])
def test_a_cancelled_platform_is_told_nothing_more(road):
    """Cancel is final on the platform, so cash that is still to be told needs a person."""
    cash = "codpending codpaid codreceipt"
    made = a_case(road, shows="cancel", cash=cash, cash_confirmed=2)

    assert "cancel_conflict" == action(made, COD).kind


def test_what_cannot_be_told_is_never_put():
    """No row tells the platform a status that it has no PUT for."""
    told = tuple(write for write in PROJECTION.writes if write.to is not Status.CANCEL)
    mute = replace(PROJECTION, writes=told)
    for made in (a_case(CANCELLED, 1, shows="delivering"), a_case(CANCELLED, 2)):
        assert Observe() == action(replace(made, projection=mute))


def test_the_defaults_are_those_of_the_settings():
    """Δ is 45 s, a reading is fresh for 15 s, and a request ends within 12 s of its intent."""
    ends = POLICY.send_deadline + POLICY.request_timeout

    assert (45, 15, 12) == (DELTA, POLICY.freshness.total_seconds(), ends.total_seconds())
