import pytest

from carrierflow.audit.reports.wording import dong, span


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, ""),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_599, "59 min 59 s"),
        (3_600, "1 h"),
        (3_605, "1 h"),
        (90_000, "1 d 1 h"),
        (864_000, "10 d"),
    ],
)
def test_a_span_is_told_by_its_two_largest_parts(seconds, told):
    """Nobody reads the seconds of a week."""
    assert told == span(seconds)


def test_an_amount_is_told_as_in_vietnam():
    """Dots between the thousands, the sign behind."""
    assert ["0 ₫", "1.250.000 ₫"] == [dong(0), dong(1_250_000)]
