"""Files as their senders write them: columns, zones and forms of times."""

import unicodedata
from datetime import UTC, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest

from carrierflow.domain.model import Status
from carrierflow.errors import InvalidInput, UnknownStatus
from carrierflow.ledger.files import Sender, read_rows

from .reading import but, problem_of, read_csv, read_json


VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
NAMES = {"Shop": "shop", "Mã": "fulfillment_id", "Trạng thái": "status", "Lúc": "at", "Ghi chú": ""}


def read_as(sender, content, name="scans.csv"):
    return list(
        read_rows(BytesIO(content.encode()), kind=None, name=name, fill_gaps=False, sender=sender)
    )


def at_of(sender, at):
    (row,) = read_as(sender, f"shop,fulfillment_id,status,at\ndemo,1,picking,{at}\n")
    return row.event.occurred_at if row.event else problem_of(row)


def test_a_senders_own_columns_and_times_are_read():
    """Names in another language become ours, a column without a use is passed over."""
    sender = Sender(zone=VIETNAM, date_format="%d/%m/%Y %H:%M", columns=NAMES)

    (row,) = read_as(
        sender, "Shop;Mã;Trạng thái;Lúc;Ghi chú\ndemo;7;picking;02/03/2026 08:30;gọi trước\n"
    )

    assert ("demo", "7") == (row.event.shop, row.event.fulfillment_id)
    assert datetime(2026, 3, 2, 1, 30, tzinfo=UTC) == row.event.occurred_at
    assert row.event.note is None


def test_json_rows_are_named_the_same_way():
    """What a column is called holds for JSON lines as for CSV."""
    content = '{"Shop":"demo","Mã":7,"Trạng thái":"picking","Lúc":"2026-03-02T08:30"}'

    (row,) = read_as(Sender(zone=VIETNAM, columns=NAMES), content, name="a.jsonl")

    assert "7" == row.event.fulfillment_id


def test_a_zone_is_for_times_that_have_none():
    """A time with a zone of its own keeps it."""
    sender = Sender(zone=VIETNAM)

    assert datetime(2026, 3, 2, 1, 30, tzinfo=UTC) == at_of(sender, "2026-03-02 08:30")
    assert datetime(2026, 3, 2, 8, 30, tzinfo=UTC) == at_of(sender, "2026-03-02T08:30Z")
    assert "no time zone" in at_of(Sender(), "2026-03-02 08:30")


@pytest.mark.parametrize("at", ["2026-03-29 02:30", "2026-10-25 02:30"])
def test_a_clock_that_is_put_on_or_back_is_not_guessed(at):
    """A time that a zone's clock shows twice or never is rejected."""
    assert "no moment, or two" in at_of(Sender(zone=ZoneInfo("Europe/Berlin")), at)


@pytest.mark.parametrize("at", ["2026-03-02 08:30", "31/02/2026 08:30", "0001-01-01", "9" * 50])
def test_a_time_in_another_form_is_rejected(at):
    """Where a form is given, nothing else is read, and nobody is told to write ISO 8601."""
    said = at_of(Sender(zone=VIETNAM, date_format="%d/%m/%Y %H:%M"), at)

    assert "%d/%m/%Y %H:%M" in said or "characters" in said


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%d/%m %H:%M", "%Y-%m-%d %I:%M", "%Q", "", "%"])
def test_a_form_that_loses_a_part_of_a_moment_is_refused(form):
    """A day without a time, or twelve hours without their half, would be guesses."""
    with pytest.raises(InvalidInput, match="must tell year"):
        Sender(zone=VIETNAM, date_format=form)


def test_a_form_without_a_zone_needs_one():
    """A form with a zone needs none besides."""
    with pytest.raises(InvalidInput, match="name the time zone"):
        Sender(date_format="%d/%m/%Y %H:%M")
    sender = Sender(date_format="%d/%m/%Y %H:%M %z")
    assert datetime(2026, 3, 2, 1, 30, tzinfo=UTC) == at_of(sender, "02/03/2026 08:30 +0700")


def test_a_name_for_a_column_that_is_none_is_refused():
    """A slip in the mapping is found before any row is read."""
    with pytest.raises(InvalidInput, match="'trackingnumber'"):
        Sender(columns={"Mã vận đơn": "trackingnumber"})


def test_two_columns_for_one_are_a_problem():
    """Which of the two was meant is not guessed."""
    (row,) = read_as(Sender(columns={"Mã": "shop"}), '{"Mã": "a", "shop": "b"}', name="a.jsonl")

    assert "two columns for 'shop'" in problem_of(row)


@pytest.mark.parametrize("read_one", [read_json, read_csv])
@pytest.mark.parametrize("cell", ["'00123", '="00123"'])
def test_ids_that_a_spreadsheet_keeps_as_text_lose_its_marks(read_one, cell):
    """The marks are no part of the id, and its zeros are."""
    (row,) = read_one(but(fulfillment_id=cell, order_id=cell))

    assert "00123" == row.event.fulfillment_id == row.event.opening.ref.order_id


def test_marks_elsewhere_are_kept():
    """A note or a key is what it is."""
    (row,) = read_json(but(note="'123", key="'123"))

    assert ("'123", "'123") == (row.event.note, row.event.key)


WORDS = {"Đã giao": "delivered", "Đang  giao": "Delivering"}


def status_of(sender, word):
    (row,) = read_csv_as(sender, but(status=word))
    return row.event.status if row.event else row.problem


def read_csv_as(sender, row):
    header, cells = ",".join(row), ",".join(f'"{cell}"' for cell in row.values())
    return read_as(sender, f"{header}\n{cells}\n")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("change", [str, str.upper, str.lower, " {}".format, "{} ".format])
def test_a_senders_own_words_are_our_statuses(form, change):
    """Whatever the case, the blanks, and the form in which a program writes letters with marks."""
    sender = Sender(statuses=WORDS)

    assert Status.DELIVERED == status_of(sender, unicodedata.normalize(form, change("Đã giao")))
    assert Status.DELIVERING == status_of(sender, unicodedata.normalize(form, change("Đang giao")))


@pytest.mark.parametrize("word", ["Da giao", "Đã", "Đã giao một phần", "delivered", "picking"])
def test_a_word_that_is_not_mapped_is_never_guessed(word):
    """Nor is one of ours, which may mean something else to a sender with words of its own."""
    problem = status_of(Sender(statuses=WORDS), word)

    assert isinstance(problem, UnknownStatus)
    assert word == problem.word
    assert "the statuses that are mapped are Đã giao, " in str(problem)


def test_a_long_text_in_place_of_a_word_is_not_repeated():
    """It may be a note with somebody's name in it."""
    problem = status_of(Sender(statuses=WORDS), "Lan " * 30)

    assert "Lan" not in str(problem)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"Đã giao": "gone"}, "'gone' is not a status"),
        ({"Đã giao": ""}, "'' is not a status"),
        ({"Đã giao": "delivered", "ĐÃ GIAO": "return"}, "and to another"),
        ({" ": "delivered"}, "1 to 64 characters"),
        ({"x" * 65: "delivered"}, "1 to 64 characters"),
    ],
)
def test_words_that_mean_nothing_or_two_things_are_refused(words, says):
    """A slip in the mapping is found before any row is read."""
    with pytest.raises(InvalidInput, match=says):
        Sender(statuses=words)


def test_columns_are_the_same_in_every_form_of_their_letters():
    """A header of another program's is the one that was mapped."""
    named = {unicodedata.normalize("NFD", name): ours for name, ours in NAMES.items()}
    content = "Shop,Mã,Trạng thái,Lúc,Ghi chú\ndemo,7,picking,2026-03-02T08:30Z,x\n"

    (row,) = read_as(Sender(columns=named), content)

    assert "7" == row.event.fulfillment_id


def test_a_shop_is_given_for_files_that_name_none():
    """Where a file has the column as well, which of the two was meant is not guessed."""
    sender = Sender(shop="demo")

    (row,) = read_csv_as(sender, but(shop=...))
    assert "demo" == row.event.shop
    (row,) = read_csv_as(sender, but(shop="other"))
    assert "a shop of its own" in problem_of(row)


def test_a_tracking_number_stands_in_place_of_the_id():
    """With an id it is what the parcel is opened with, and alone it opens nothing."""
    (row,) = read_csv_as(Sender(), but(fulfillment_id=..., tracking_number="'0042"))
    assert (None, "0042") == (row.event.fulfillment_id, row.event.tracking_number)
    (row,) = read_csv_as(Sender(), but(tracking_number="W1", order_id="9"))
    assert ("1001", None) == (row.event.fulfillment_id, row.event.tracking_number)
    assert "W1" == row.event.opening.tracking_number
    (row,) = read_csv_as(Sender(), but(fulfillment_id=..., tracking_number="W1", order_id="9"))
    assert "no fulfillment_id to open it by" in problem_of(row)
