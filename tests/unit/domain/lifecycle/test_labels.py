# The expected value stands first.

from unicodedata import normalize

import pytest

from carrierflow.domain.lifecycle import LABELS, MACHINE_LABELS, START_LABEL, label_of
from carrierflow.domain.model import START, Machine, Status


# Haravan's documented display names; three cash statuses share "Chưa nhận" there.
HARAVAN = {
    "pending": "Chờ xử lý",
    "readytopick": "Chờ lấy hàng",
    "picking": "Đang đi lấy",
    "delivering": "Đang giao hàng",
    "delivered": "Đã giao hàng",
    "notmeetcustomer": "Không gặp khách",
    "waitingforreturn": "Chờ chuyển hoàn",
    "return": "Chuyển hoàn",
    "cancel": "Hủy giao hàng",
    "none": "Không",
    "codreceipt": "Đã nhận",
}


def every_label():
    """List the labels of all statuses, both machines and the start."""
    return [*LABELS.values(), *MACHINE_LABELS.values(), START_LABEL]


def test_every_status_and_machine_has_a_name():
    """Nothing that can be shown lacks a label."""
    assert set(Status) == set(LABELS)
    assert set(Machine) == set(MACHINE_LABELS)


@pytest.mark.parametrize("language", ["en", "vi"])
def test_no_two_names_are_alike(language):
    """A label names one thing only, in either language, whatever its case."""
    names = [getattr(label, language).casefold() for label in every_label()]

    assert len(Status) + 3 == len(names) == len(set(names))


def test_names_are_clean_text():
    """Labels are composed Unicode without stray spaces or signs that would break a diagram."""
    for label in every_label():
        for name in (label.en, label.vi):
            assert normalize("NFC", name.strip()) == name != ""
            assert not set(name) & set('"\\\n<>{}:;#%')


def test_names_are_the_platform_s_own():
    """Where Haravan's name for a status is unambiguous, people read that very name here."""
    assert HARAVAN == {status: LABELS[Status(status)].vi for status in HARAVAN}


def test_the_ambiguous_name_is_not_used():
    """The name that Haravan gives to three cash statuses, "Chưa nhận", is given to none here."""
    assert "Chưa nhận" not in {label.vi for label in every_label()}


def test_names_are_found_by_word():
    """A status's word and the start have their names, and any other word is an error."""
    assert LABELS[Status.PICKING] == label_of("picking") == label_of(Status.PICKING)
    assert START_LABEL == label_of(START)
    with pytest.raises(ValueError, match="lost"):
        label_of("lost")
