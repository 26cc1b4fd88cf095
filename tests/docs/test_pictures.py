"""The documentation's pictures of reports can be made again, and are those that are shown."""

from __future__ import annotations

import struct

import pytest

from docs.pages import ROOT
from docs.pictures import PICTURES, make_pictures


IMAGES = ROOT / "docs" / "images"


def size_of(file):
    """Return the width and the height of a PNG."""
    head = file.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return struct.unpack(">II", head[16:24])


def test_every_picture_is_made_by_the_same_program():
    """No picture stands in the folder that nobody could make again; each has its size."""
    assert set(PICTURES) == {file.name for file in IMAGES.iterdir()}
    for name, picture in PICTURES.items():
        assert (picture.width, picture.height) == size_of(IMAGES / name)


@pytest.mark.browser
@pytest.mark.slow
def test_a_picture_can_be_made_again(tmp_path):
    """The program that made them still runs, and what it makes is as large."""
    make_pictures(tmp_path, ["report-phone.png"], parcels=20)

    made = tmp_path / "report-phone.png"
    assert size_of(IMAGES / made.name) == size_of(made)
