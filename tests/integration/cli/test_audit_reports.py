"""The auditor's questions on the command line, on one parcel with cash."""

from __future__ import annotations

import hashlib
import re
import shlex

import pytest

from carrierflow.audit.log.proof import Proof


@pytest.fixture
def delivered(shop, ready):
    """A parcel that was delivered and paid for, and a scan that came to nothing."""
    scans = (("picking", 8), ("delivering", 9), ("delivered", 10), ("return", 11))
    for status, hour in scans:
        ready("record", "alpha", shop, status, "--at", f"2026-03-01T{hour:02}:00+07:00")
    return shop


def test_timeline_tells_everything_in_order(ready, delivered):
    """Both machines and the refused scan stand in the list, each with both of its times."""
    answer = ready("audit", "timeline", "alpha", delivered, "--json")

    moments = answer.json["moments"]
    assert ["accepted" if m["kind"] == "entry" else m["kind"] for m in moments].count(
        "refused"
    ) == 1
    assert {"delivery", "cod"} == {m["machine"] for m in moments}
    assert sorted(m["at"] for m in moments) == [m["at"] for m in moments]
    told = next(m for m in moments if m["status"] == "delivered")
    assert "2026-03-01T03:00:00.000000Z" == told["occurred_at"]
    assert "delivering → delivered." in ready("audit", "timeline", "alpha", delivered).out


def test_as_of_tells_both_truths(ready, delivered):
    """A day before the scans were recorded nothing was known, and something was so."""
    answer = ready("audit", "as-of", "2026-03-01", "--list", "--json").json

    assert (0, 1) == (answer["known"], answer["was"])
    (parcel,) = answer["parcels"]
    assert delivered == parcel["fulfillment_id"]
    assert {"carrier_status": "delivered", "cod_status": "codpaid"} == parcel["was"]
    assert {"carrier_status": None, "cod_status": None} == parcel["known"]
    shown = ready("audit", "as-of", "2026-03-01", "--shop", "alpha", "--fulfillment", delivered)
    assert "Not where they were thought to be" in shown.out


def test_cod_names_the_cash_and_its_parcel(ready, delivered):
    """The amount is that of the one parcel, in whole đồng."""
    answer = ready("audit", "cod", "--list", "--json").json

    assert (1, 510_000) == (answer["parcels"], answer["amount"])
    assert [510_000] == [held["amount"] for held in answer["held"]]
    assert "510.000 ₫ of 1 parcels" in ready("audit", "cod").out
    assert 0 == ready("audit", "cod", "--at", "2026-02-28", "--json").json["amount"]


def test_time_in_state_tells_how_long(ready, delivered):
    """An hour on the way to each of three statuses is an hour at each, by month or not."""
    answer = ready("audit", "time-in-state", "--json").json
    hours = {r["status"]: (r["month"], r["p50_seconds"]) for r in answer["rows"] if r["stays"]}

    assert {"picking": ("2026-03", 3600), "delivering": ("2026-03", 3600)} == hours
    together = ready("audit", "time-in-state", "--all-shops", "--all-months", "--json").json
    assert {(None, None)} == {(row["shop"], row["month"]) for row in together["rows"]}
    assert "1 h" in ready("audit", "time-in-state").out


def test_drift_is_told_by_kind(ready, delivered, haravan):
    """A platform that is cancelled by hand is drift: found, open, its parcel frozen."""
    order = ready("show", "alpha", delivered, "--json").json["order_id"]
    haravan.haravan.world.cancel_order("alpha", int(order))
    ready("reconcile")
    answer = ready("audit", "drift", "--list", "--json").json

    assert answer["found"] >= 1
    assert answer["found"] == len(answer["episodes"]) == sum(k["found"] for k in answer["kinds"])
    assert answer["frozen"] == 1
    assert "1 frozen" in ready("audit", "drift", "--list").out


def test_coverage_names_what_was_never_looked_at(ready, delivered):
    """Nobody has looked at the parcel; it waits longest."""
    answer = ready("audit", "coverage", "--json").json

    assert (1, 0) == (answer["open"], answer["verified"])
    assert [delivered] == [each["fulfillment_id"] for each in answer["oldest"]]
    assert "0 of 1 open parcels" in ready("audit", "coverage", "--within", "1.5").out


def test_corrections_name_who_and_why(ready, delivered):
    """An amendment is listed with its actor and its reason."""
    told = ("--actor", "lan", "--reason", "misread-scan")
    assert 0 == ready("amend", "alpha", delivered, "delivering", *told).code
    (found,) = ready("audit", "corrections", "--json").json["corrections"]

    assert ("amendment", "lan", "misread-scan") == (found["kind"], found["actor"], found["reason"])
    assert "delivered → delivering" in ready("audit", "corrections").out
    assert (
        [] == ready("audit", "corrections", "--until", "2026-02-28", "--json").json["corrections"]
    )


def test_sample_writes_a_proof_for_each_entry(ready, delivered):
    """What the seed drew is in the folder: the checkpoint, and a proof that holds by itself."""
    ready.environment["CARRIERFLOW_SEAL_KEY_FILE"] = str(ready.folder / "seal.key")
    assert 0 == ready("keys", "generate-seal", "log.example", "seal.key").code
    assert 1 == ready("audit", "sample", "entries", "--seed", "s").code
    assert 0 == ready("audit", "seal").code
    answer = ready(
        "audit", "sample", "entries", "--seed", "s", "--count", 3, "--out", "drawn", "--json"
    ).json

    folder = ready.folder / "drawn"
    assert answer["checkpoint"] == (folder / "checkpoint.txt").read_text("utf-8")
    assert 3 == len(answer["entries"])
    for each in answer["entries"]:
        told = (folder / f"{each['position']}.tlog-proof").read_text("utf-8")
        assert told == each["proof"]
        assert Proof.parse(told).holds
    assert delivered in ready("audit", "sample", "entries", "--seed", "s").out


def test_a_sample_is_drawn_filled_in_and_evaluated(ready, delivered):
    """The sheet goes out, comes back filled in, is drawn again, and says whether it is enough."""
    ready.environment["CARRIERFLOW_SEAL_KEY_FILE"] = str(ready.folder / "seal.key")
    ready("keys", "generate-seal", "log.example", "seal.key")
    ready("audit", "seal")
    words = ("--seed", "s", "--tolerable", 50, "--sheet", "sheet.csv", "--json")
    drawn = ready("audit", "sample", "parcels", *words).json
    assert [delivered] == [each["fulfillment_id"] for each in drawn["drawn"]]
    assert 1 == ready("audit", "sample", "evaluate", "sheet.csv").code

    sheet = ready.folder / "sheet.csv"
    text = sheet.read_bytes().decode("utf-8-sig")
    sheet.write_text(text.replace(",,,\r\n", ",,không,\r\n"), "utf-8", newline="")
    answer = ready("audit", "sample", "evaluate", "sheet.csv", "--again", "--json")
    assert (0, True, []) == (answer.code, answer.json["accepted"], answer.json["changed"])

    sheet.write_text(sheet.read_text("utf-8").replace(f",{delivered},", ",9,"), "utf-8")
    answer = ready("audit", "sample", "evaluate", "sheet.csv", "--again", "--json")
    assert 1 == answer.code
    assert ["Number 1 on the sheet is not the parcel that was drawn."] == answer.json["changed"]


def test_report_writes_one_file(ready, delivered):
    """The file holds the report, or one parcel's life, whole."""
    answer = ready("audit", "report", "--out", "all.html", "--json").json
    written = (ready.folder / "all.html").read_text("utf-8")

    assert {"file": "all.html", "bytes": len(written.encode())} == answer
    assert "510.000 ₫" in written
    named = ("--shop", "alpha", "--fulfillment", delivered)
    assert 0 == ready("audit", "report", "--out", "one.html", *named).code
    assert f"Parcel {delivered}" in (ready.folder / "one.html").read_text("utf-8")


def test_definitions_tells_what_rests_on_each_lifecycle(ready, delivered):
    """The present one is named, and every step of the parcel rests on it."""
    (found,) = ready("audit", "definitions", "--json").json["definitions"]

    assert (True, 6) == (found["named"], found["entries"])
    assert found["id"] in ready("audit", "definitions").out


def test_a_report_names_what_it_rests_on_and_makes_itself_again(ready, delivered):
    """Checkpoint, root, the digest of the export; its own command writes the same page."""
    ready.environment["CARRIERFLOW_SEAL_KEY_FILE"] = str(ready.folder / "seal.key")
    ready("keys", "generate-seal", "log.example", "seal.key")
    assert "nothing is sealed" in report_of(ready, "--shop", "alpha")
    root = ready("audit", "seal", "--json").json["root"]
    ready("audit", "export", "march")
    options = ("--shop", "alpha", "--for", "finance", "--lang", "vi", "--export", "march")
    written = report_of(ready, *options)

    sums = (ready.folder / "march" / "SHA256SUMS").read_bytes()
    assert f"<code>{root}</code>" in written
    assert "log.example" in written
    assert f"<code>{hashlib.sha256(sums).hexdigest()}</code>" in written
    (command,) = re.findall(r"<code>(carrierflow .*?)</code>", written)
    words = shlex.split(command.replace("FOLDER", "march"))[1:]
    assert 0 == ready(*words).code
    again = (ready.folder / "report.html").read_text("utf-8")
    assert without_moment(written) == without_moment(again)
    parcel = report_of(ready, "--shop", "alpha", "--fulfillment", delivered)
    assert f"--fulfillment {delivered}</code>" in parcel


def report_of(ready, *options):
    """Return what a report says."""
    assert 0 == ready("audit", "report", "--out", "one.html", *options).code
    return (ready.folder / "one.html").read_text("utf-8")


def without_moment(page):
    """Return a page without the time at which it was made."""
    return re.sub(r"Lập lúc <time.*?</time>", "", page)


def test_a_report_names_no_export_of_another_log(ready, delivered):
    """A root that is none of this log is refused, and so is a manifest that was changed."""
    ready.environment["CARRIERFLOW_SEAL_KEY_FILE"] = str(ready.folder / "seal.key")
    ready("keys", "generate-seal", "log.example", "seal.key")
    root = ready("audit", "seal", "--json").json["root"]
    ready("audit", "export", "march")
    manifest, sums = (ready.folder / "march" / name for name in ("manifest.json", "SHA256SUMS"))
    before = hashlib.sha256(manifest.read_bytes()).hexdigest()
    manifest.write_text(manifest.read_text("utf-8").replace(root, "0" * 64), "utf-8")
    words = ("audit", "report", "--out", "x.html", "--export", "march")

    assert "is not the one that SHA256SUMS names" in ready(*words).err
    after = hashlib.sha256(manifest.read_bytes()).hexdigest()
    sums.write_text(sums.read_text("utf-8").replace(before, after), "utf-8")
    assert "of another log" in ready(*words).err
    assert not (ready.folder / "x.html").exists()


def test_a_report_that_cannot_be_written_is_one_sentence(ready, delivered):
    """A folder that is not there is named, and so is a parcel without its shop."""
    answer = ready("audit", "report", "--out", "nowhere/all.html")

    assert (1, "Error: nowhere/all.html cannot be written: No such file or directory.\n") == (
        answer.code,
        answer.err,
    )
    assert 2 == ready("audit", "report", "--out", "x.html", "--fulfillment", delivered).code


@pytest.mark.parametrize("when", ["yesterday", "2026-02-30", "2026-03-01T08:00", "01/03/2026"])
def test_a_day_that_cannot_be_placed_is_a_usage_error(ready, when):
    """A day that is none, or a time without a zone, is never guessed."""
    assert 2 == ready("audit", "as-of", when).code


def test_a_parcel_needs_its_shop(ready):
    """A fulfillment id means nothing without its shop."""
    assert 2 == ready("audit", "as-of", "2026-03-01", "--fulfillment", "1").code
