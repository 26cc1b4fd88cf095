"""`record-file` with files that people send."""

import json

import pytest


def test_the_first_ten_errors_of_a_kind_are_told_and_the_rest_counted(ready):
    """A thousand bad rows are not a thousand lines; the verdicts have them all."""
    rows = [{"shop": "nowhere", "fulfillment_id": str(n), "status": "x"} for n in range(25)]
    path = ready.file("scans.jsonl", "\n".join(map(json.dumps, rows)) + "\n{oops\n")
    verdicts = ready.folder / "verdicts.jsonl"

    answer = ready("record-file", path, "--verdicts", verdicts)

    lines = answer.err.splitlines()
    assert 1 == answer.code
    assert 12 == len(lines)
    assert "row 26" in lines[10]
    assert "and 15 more rows: The row has no at." == lines[11]
    assert 26 == len(verdicts.read_text().splitlines())


def test_errors_that_differ_in_ids_alone_are_one_kind(ready):
    """What is quoted, and numbers, tell no kinds apart."""
    rows = "".join(f"demo,{n},picking,2926-03-{n % 28 + 1:02}T08:30Z\n" for n in range(30))
    path = ready.file("scans.csv", "shop,fulfillment_id,status,at\n" + rows)

    lines = ready("record-file", path).err.splitlines()

    assert 11 == len(lines)
    assert lines[-1].startswith("and 20 more rows: ")


def test_words_that_are_no_status_are_told_with_how_often_they_came(ready):
    """Those that came most often first: they are what the mapping lacks."""
    words = ["Đang giao"] * 9 + ["Chờ"] * 4 + [f"st{n}" for n in range(20)]
    rows = "".join(f"demo,{n},{word},2026-03-01T08:30Z\n" for n, word in enumerate(words))
    path = ready.file("scans.csv", "shop,fulfillment_id,status,at\n" + rows)

    lines = ready("record-file", path, "--status", "Đã giao=delivered").err.splitlines()

    assert 11 == len(lines)
    assert (
        "row 2: 'Đang giao' is not a status; the statuses that are mapped are Đã giao." == lines[0]
    )
    assert lines[-1].startswith(
        "and 23 more rows: not a status. In how many rows: 'Đang giao' (9), 'Chờ' (4), 'st0' (1), "
    )
    assert lines[-1].endswith("'st17' (1), others (2)")


def test_files_without_rows_are_never_the_same(ready):
    """A quiet day's file is as yesterday's quiet one, and no mistake."""
    for name in ("monday.csv", "tuesday.csv"):
        path = ready.file(name, "shop,fulfillment_id,status,at\n")
        answer = ready("record-file", path)
        assert (0, "") == (answer.code, answer.err)


def test_a_senders_file_says_how_its_files_are_written(ready):
    """Its columns and times are read, and an option goes before it."""
    sender = ready.file(
        "ghn.toml",
        'timezone = "Europe/Berlin"\ndate_format = "%d/%m/%Y %H:%M"\n'
        '[columns]\n"Mã" = "fulfillment_id"\n"Trạng thái" = "status"\n"Lúc" = "at"\n',
    )
    path = ready.file("scans.csv", "shop,Mã,Trạng thái,Lúc\nnowhere,1,picking,01/03/2026 08:30\n")

    answer = ready("record-file", path, "--sender", sender, "--timezone", "Asia/Ho_Chi_Minh")

    assert 1 == answer.code
    assert "row 2: There is no shop 'nowhere'" in answer.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("zone = 1", "has 'zone'"),
        ("timezone = 7", "must be text"),
        ("columns = 'x'", "must be a table"),
        ("statuses = 'x'", "must be a table"),
        ("[statuses]\na = 1", "must be text"),
        ("[statuses]\na = 'gone'", "'gone' is not a status"),
        ("[shop]\na = 'x'", "must be text"),
        ("[columns]\na = 1", "must be text"),
        ("oops", "is not TOML"),
        ("timezone = 'Mars/Base'", "no time zone 'Mars/Base'"),
    ],
)
def test_a_senders_file_that_cannot_be_understood_is_one_sentence(ready, content, says):
    """Nothing is recorded by half a description."""
    sender, path = ready.file("s.toml", content), ready.file("scans.csv", "shop,status,at\n")

    answer = ready("record-file", path, "--sender", sender)

    assert 1 == answer.code
    (line,) = answer.err.strip().splitlines()
    assert says in line


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--timezone", "Mars"), "no time zone 'Mars'"),
        (("--timezone", "../etc"), "no time zone '../etc'"),
        (("--map", "oops"), "is not THEIRS=OURS"),
        (("--status", "oops"), "is not THEIRS=OURS"),
        (("--status", "a=gone"), "'gone' is not a status"),
        (("--map", "a=b"), "'a' cannot be 'b'"),
        (("--date-format", "%d/%m/%Y %H:%M"), "name the time zone"),
        (("--sender", "missing.toml"), "cannot be read"),
    ],
)
def test_a_description_that_is_wrong_is_one_sentence(ready, options, says):
    """A slip in an option is found before the file is read."""
    answer = ready("record-file", ready.file("scans.csv", "shop,status,at\n"), *options)

    assert 1 == answer.code
    (line,) = answer.err.strip().splitlines()
    assert says in line
