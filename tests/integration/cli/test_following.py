"""`changes` tells what happened line by line, and waits for more where it is asked to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest


def lines(text):
    """Read the lines of an answer."""
    return [json.loads(line) for line in text.splitlines()]


def test_each_line_is_a_change_and_says_where_to_go_on(ready, shop):
    """Steps come in their order, and from any line's position on the rest comes."""
    assert 0 == ready("record", "alpha", shop, "picking", "--actor", "Đức").code

    found = lines(ready("changes").out)

    assert [("start", "readytopick"), ("start", "codpending"), ("readytopick", "picking")] == [
        (each["from"], each["to"]) for each in found
    ]
    assert {("alpha", shop)} == {(each["shop"], each["fulfillment_id"]) for each in found}
    assert ("Đức", "carrier") == (found[2]["actor"], found[2]["source"])
    for number, each in enumerate(found):
        after = ("--after", each["position"])
        assert found[number + 1 :] == lines(ready("changes", *after).out)
    assert found[:2] == lines(ready("changes", "--limit", 2).out)
    assert [] == lines(ready("changes", "--limit", 2, "--after", found[-1]["position"]).out)


def test_as_json_it_is_one_document(ready, shop):
    """A program that wants a page has it, with the place to go on from."""
    page = ready("changes", "--limit", 1, "--json").json
    rest = ready("changes", "--after", page["next"], "--json").json

    assert [page["next"]] == [each["position"] for each in page["changes"]]
    assert lines(ready("changes").out) == page["changes"] + rest["changes"]
    assert rest["next"] >= rest["changes"][-1]["position"]
    assert {"changes": [], "next": rest["next"]} == (
        ready("changes", "--after", rest["next"], "--json").json
    )


def test_incidents_are_told_too(ready, shop, haravan):
    """The beginning of an incident is an entry of its own, and so is its end."""
    haravan.haravan.world.replace_token("alpha", "another")
    assert 1 == ready("reconcile", "--full").code

    (opened,) = (each for each in lines(ready("changes").out) if each["kind"] == "incident")
    assert ("access_denied", "opened", None) == (
        *(opened["incident_kind"], opened["what"]),
        opened["fulfillment_id"],
    )
    assert (
        0
        == ready(
            *("incidents", "resolve", opened["incident"], "--action", "unfreeze"),
            *("--actor", "mai", "--reason", "a new token"),
        ).code
    )

    (resolved,) = lines(ready("changes", "--after", opened["position"]).out)
    assert ("resolved", "mai", "unfreeze") == (
        *(resolved["what"], resolved["actor"]),
        resolved["action"],
    )


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--after", "99999"], 1, "another database"),
        (["--shop", "nobody"], 1, "no shop 'nobody'"),
        (["--after", "-1"], 2, "--after"),
        (["--limit", "0"], 2, "--limit"),
        (["--follow", "--json"], 2, "--json"),
    ],
)
def test_what_cannot_be_read_is_said(ready, options, code, says):
    """A place that there is not, a shop that there is not, and options that make no sense."""
    answer = ready("changes", *options)

    assert code == answer.code
    assert says in answer.err
    assert "" == answer.out


@pytest.fixture
def following(ready):
    """Start `changes --follow` as a process, and end it."""
    started = []

    def start(*options):
        process = subprocess.Popen(
            [sys.executable, "-m", "carrierflow", "changes", "--follow", *map(str, options)],
            env=os.environ | ready.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_waits_for_more_and_ends_when_it_is_asked_to(ready, shop, following, number):
    """What is recorded meanwhile comes by itself; a polite kill ends it, and nobody is told."""
    process = following()
    first = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert ["readytopick", "codpending"] == [each["to"] for each in first]

    assert 0 == ready("record", "alpha", shop, "picking").code
    assert "picking" == json.loads(process.stdout.readline())["to"]

    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)

    assert ("", "", 130) == (out, err, process.returncode)
    assert time.monotonic() - began < 5


@pytest.mark.slow
def test_it_ends_when_nobody_reads_any_more(ready, shop, following):
    """A reader that went away is not waited for: the next line finds nobody."""
    process = following()
    process.stdout.readline()
    process.stdout.close()

    assert 0 == ready("record", "alpha", shop, "picking").code

    assert 0 == process.wait(timeout=20)
    assert "" == process.stderr.read()
