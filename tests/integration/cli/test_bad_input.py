"""Bad input: one clear sentence, the right exit code, and nothing lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys

import pytest

from carrierflow.sandbox.haravan import Fault, FaultKind, Rule
from carrierflow.storage.encryption import generate_key

from .conftest import TOKEN


AT = "2026-03-01T08:30:00+07:00"


def sentence(answer):
    """Return the one line of an error."""
    (line,) = answer.err.strip().splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("record", "nowhere", "1", "picking"), "no shop 'nowhere'"),
        (("record", "alpha", "404", "picking"), "no fulfillment '404'"),
        (("record", "alpha", "{parcel}", "flying"), "'flying' is not a status"),
        (("show", "alpha", "404"), "no fulfillment '404'"),
        (("reconcile", "--shop", "nowhere"), "no shop 'nowhere'"),
        (("incidents", "show", "99"), "no incident '99'"),
        (("incidents", "show", "x"), "no incident 'x'"),
        (("record-file", "missing.jsonl"), "There is no file missing.jsonl"),
        (("schedule", "list", "--jobs", "nowhere"), "no directory nowhere"),
        (
            ("shop", "add", "beta", "--base-url", "http://example.com", "--token-file", "{token}"),
            "must begin with https",
        ),
        (("shop", "add", "alpha", "--token-file", "{token}"), "a shop 'alpha' already"),
        (("shop", "add", "b c", "--token-file", "{token}"), "cannot be a shop code"),
        (("states", "--group", "teleport"), "no group of steps 'teleport'"),
        (("open", "alpha", "1", "{parcel}"), "belongs to order"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_sentence_and_exit_1(ready, shop, arguments, says):
    """What does not exist or cannot be is said in one sentence; exit 1, with --json as well."""
    token = ready.file("t.txt", "some-token")
    given = [a.format(parcel=shop, token=token) for a in arguments]

    answer = ready(*given)

    assert 1 == answer.code
    assert says in sentence(answer)
    assert says in ready(*given, "--json").json["sentence"]


@pytest.mark.parametrize(
    ("time", "says"),
    [
        ("2026-03-01T08:30:00", "has no time zone"),
        ("03/04/2026", "The time"),
        ("2026-02-30T08:30:00Z", "The time"),
        ("yesterday", "The time"),
    ],
)
def test_times_that_cannot_be_placed_are_usage_errors(ready, shop, time, says):
    """Naive, ambiguous and impossible times are refused; nothing is recorded."""
    answer = ready("record", "alpha", shop, "picking", "--at", time)

    assert 2 == answer.code
    assert says in answer.err
    assert "readytopick" == ready("show", "alpha", shop, "--json").json["carrier_status"]


def test_a_time_far_ahead_is_refused(ready, shop):
    """A scanner whose clock is years ahead must not make all later events late."""
    answer = ready("record", "alpha", shop, "picking", "--at", "2099-01-01T00:00:00Z")

    assert 1 == answer.code
    assert "more than a day ahead" in sentence(answer)


def test_a_key_used_for_something_else_is_an_error(ready, shop):
    """A key with other content is refused, and the first event stands."""
    ready("record", "alpha", shop, "picking", "--at", AT, "--key", "k")

    answer = ready("record", "alpha", shop, "delivering", "--at", AT, "--key", "k")

    assert 1 == answer.code
    assert "was used before" in sentence(answer)
    assert "picking" == ready("show", "alpha", shop, "--json").json["carrier_status"]


def test_usage_errors_exit_2(ready):
    """What the command line does not know is a usage error."""
    assert 2 == ready("record").code
    assert 2 == ready("reconcile", "--nonsense").code
    assert 2 == ready("open", "alpha", "1", "2", "--cod-amount", "-5").code


@pytest.mark.parametrize("line", ["status", "reconcile", "shop list", "audit verify"])
def test_a_folder_without_a_database_stays_so(shell, line):
    """A command that starts in the wrong folder says where it looked, and makes nothing there."""
    answer = shell(*line.split())

    assert 1 == answer.code
    assert f"There is no database at {shell.folder}/ledger.db; run" in sentence(answer)
    assert [] == list(shell.folder.iterdir())
    assert (0, 0) == (shell("db", "upgrade").code, shell(*line.split()).code)


def test_a_run_over_no_shop_says_so(ready, shop):
    """A ledger without shops, or whose shops all rest, is not passed over in silence."""
    ready("shop", "pause", "alpha")
    resting = ready("reconcile")
    ready.file("other.db", "")
    ready.environment["CARRIERFLOW_DATABASE_URL"] = f"sqlite:///{ready.folder}/other.db"
    ready("db", "upgrade")
    empty = ready("reconcile")

    assert (0, 0) == (resting.code, empty.code)
    assert "No shop is active; `carrierflow shop list`" in " ".join(resting.out.split())
    assert "No shop is connected; `carrierflow shop add`" in " ".join(empty.out.split())
    assert {"shops": []} == ready("reconcile", "--json").json


@pytest.mark.parametrize("command", ["serve", "sandbox"])
def test_a_port_that_is_taken_is_one_sentence(ready, command):
    """What serves where somebody listens already says so, and ends as other mistakes do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        answer = ready(command, "--port", port)

    assert 1 == answer.code
    assert f"Nobody can listen at 127.0.0.1:{port}: address already in use." in sentence(answer)


def test_a_settings_file_without_its_table_is_refused(ready):
    """Settings that stand outside of the table would be passed over without a word."""
    file = ready.file("settings.toml", "secret_key = 'canary'\n")

    answer = ready("--config", file, "status")

    assert 1 == answer.code
    assert "has no [carrierflow] table" in sentence(answer)
    assert "canary" not in answer.err


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://nobody:canary-password@127.0.0.1:1/none", "cannot be used now"),
        ("mariadb://nobody:canary-password@127.0.0.1:1/none", "cannot be used now"),
        ("sqlite:////nowhere/at/all/ledger.db", "cannot be used now"),
        ("nonsense", "cannot be read"),
        ("oracle-of-delphi://x", "cannot be read"),
    ],
)
def test_an_unreachable_database_is_one_sentence(shell, url, says):
    """A database that is down, or a URL that is none, is said without its password."""
    shell.environment["CARRIERFLOW_DATABASE_URL"] = url

    answer = shell("status")

    assert 1 == answer.code
    assert says in sentence(answer)
    assert "canary-password" not in answer.err


def test_a_locked_database_is_one_sentence(ready, shop):
    """A ledger that somebody holds locked says so, and the event can be recorded later."""
    ready.environment["CARRIERFLOW_DATABASE_LOCK_TIMEOUT"] = "1"
    holder = sqlite3.connect(ready.folder / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    answer = ready("record", "alpha", shop, "picking", "--at", AT)

    holder.execute("ROLLBACK")
    holder.close()
    assert 1 == answer.code
    assert "cannot be used now" in sentence(answer)
    assert 0 == ready("record", "alpha", shop, "picking", "--at", AT).code


def test_a_wrong_secret_key_is_one_sentence(ready, shop):
    """With another key the shop's token does not open, and no request is made."""
    ready.environment["CARRIERFLOW_SECRET_KEY"] = generate_key()

    answer = ready("reconcile")

    assert 1 == answer.code
    assert "does not open with this secret key" in sentence(answer)
    ready.environment["CARRIERFLOW_SECRET_KEY"] = "too short"
    assert "is not a key" in sentence(ready("reconcile"))


def test_the_previous_key_still_opens(ready, shop):
    """During a rotation the key before opens what it sealed."""
    old = ready.environment["CARRIERFLOW_SECRET_KEY"]
    ready.environment |= {
        "CARRIERFLOW_SECRET_KEY": generate_key(),
        "CARRIERFLOW_SECRET_KEY_PREVIOUS": old,
    }

    assert 0 == ready("reconcile").code


def test_settings_that_cannot_be_used_are_named_without_their_values(ready):
    """A wrong setting is named; its value, which may be a key, is not repeated."""
    ready.environment["CARRIERFLOW_SETTLE_SECONDS"] = "canary-value"

    answer = ready("status")

    assert 1 == answer.code
    assert "settle_seconds" in sentence(answer)
    assert "canary-value" not in answer.err


@pytest.mark.parametrize(
    ("fault", "reason", "says"),
    [
        (Fault(kind=FaultKind.HTML), "unavailable", "cannot be read"),
        (Fault(kind=FaultKind.HUGE_BODY, size=50_000_000), "unavailable", "cannot be read"),
        (Fault(kind=FaultKind.EMPTY_BODY), "unavailable", "cannot be read"),
        (Fault(kind=FaultKind.ERROR_500_BEFORE), "unavailable", "cannot be read"),
        (Fault(kind=FaultKind.LOST_REQUEST), "unavailable", "cannot be read"),
    ],
    ids=lambda value: str(getattr(value, "kind", "")),
)
def test_a_platform_that_talks_nonsense_ends_the_run(ready, shop, haravan, fault, reason, says):
    """Not JSON, 50 MB, nothing, errors: the run ends with a sentence, and the next one goes on."""
    ready("record", "alpha", shop, "picking", "--at", AT)
    haravan.faults.add(Rule(fault=fault, method="GET", times=50))

    answer = ready("reconcile", "--json")

    (report,) = answer.json["shops"]
    assert (1, reason) == (answer.code, report["end_reason"])
    assert says in report["sentence"]
    haravan.faults.plan()
    assert 0 == ready("reconcile").code


def test_an_unreachable_platform_ends_the_run(ready, shop, haravan):
    """Nobody listening is said; nothing is lost."""
    haravan.stop()

    answer = ready("reconcile", "--json")

    assert (1, "unavailable") == (answer.code, answer.json["shops"][0]["end_reason"])


def test_a_refused_token_opens_one_incident(ready, shop, haravan):
    """401 stops the shop with one incident, however often it is met."""
    haravan.haravan.world.replace_token("alpha", "another")

    assert 1 == ready("reconcile").code
    assert 1 == ready("reconcile").code

    kinds = [i["kind"] for i in ready("incidents", "list", "--json").json["incidents"]]
    assert ["access_denied"] == kinds


def test_a_refused_put_carries_a_request_to_repeat(ready, shop, haravan):
    """The third 422 freezes; the incident has a curl line and a Postman request, no token."""
    ready("record", "alpha", shop, "picking", "--at", AT)
    ready.environment["CARRIERFLOW_SETTLE_SECONDS"] = "0.01"
    refusal = Fault(kind=FaultKind.PROXY_BEFORE, status=422)
    haravan.faults.add(Rule(fault=refusal, method="PUT", times=3))

    for _ in range(3):
        assert 3 == ready("reconcile").code
        assert [] == ready("incidents", "list", "--json").json["incidents"]
    assert 3 == ready("reconcile").code

    (incident,) = ready("incidents", "list", "--json").json["incidents"]
    assert "refused" == incident["kind"]
    assert "refused picking 3 times; at last it said: HTTP 422" in incident["sentence"]
    assert "curl -i -X PUT" in incident["curl"]
    assert "$TOKEN" in incident["curl"]
    collection = json.loads(ready("incidents", "export").out)
    assert "carrier_status/picking.json" in collection["item"][0]["request"]["url"]
    assert TOKEN not in json.dumps(collection)


def test_ctrl_c_is_a_clean_stop(ready, shop, haravan):
    """Ctrl-C in the middle ends after the request under way with 130; the next run goes on."""
    world = haravan.haravan.world
    for _ in range(60):
        order, fulfillment = world.add_parcel(shop="alpha")
        ready("open", "alpha", order, fulfillment)
        ready("record", "alpha", fulfillment, "picking", "--at", AT)
    process = subprocess.Popen(
        [sys.executable, "-m", "carrierflow", "reconcile", "--json"],
        env=os.environ | ready.environment | {"CARRIERFLOW_RATE_LEAK": "50"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(world.recorder.puts) < 5 and process.poll() is None:
        process_wait(process)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)

    assert 130 == process.returncode, errors
    assert "interrupted" == json.loads(output)["shops"][0]["end_reason"]
    assert 0 == ready("reconcile").code
    assert 60 == len(world.recorder.puts)


def process_wait(process):
    """Give a process a moment."""
    try:
        process.wait(timeout=0.002)
    except subprocess.TimeoutExpired:
        return
