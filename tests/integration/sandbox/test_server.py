from __future__ import annotations

import socket
import threading
from contextlib import closing

import pytest
import requests

from carrierflow.sandbox.haravan import (
    CarrierCallables,
    Fault,
    FaultKind,
    Rule,
    SandboxServer,
    World,
    serve,
)


@pytest.fixture
def server(world, legal):
    """The platform on a port of this machine."""
    with SandboxServer(world, legal=legal) as server:
        yield server


@pytest.fixture
def client():
    """A client with the right token and a kept connection."""
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer token-alpha"
        yield session


@pytest.fixture
def ids(world):
    """One parcel: the ids of its order and of itself."""
    return world.add_parcel(shop="alpha", cod_amount=20_000)


@pytest.fixture
def url(server, ids):
    """The address of that parcel."""
    return f"{server.url}/com/orders/{ids[0]}/fulfillments/{ids[1]}"


@pytest.fixture
def control(server):
    """Make one control call, without a token, and return status and JSON."""

    def send(method, path, body=None):
        reply = requests.request(method, f"{server.url}/_sandbox/{path}", json=body, timeout=5)
        return reply.status_code, reply.json()

    return send


def test_answers_over_a_socket(client, url):
    """A real client over loopback gets status, JSON and the bucket's header."""
    reply = client.put(f"{url}/carrier_status/picking.json", timeout=5)

    assert (200, "1/80") == (reply.status_code, reply.headers["X-Haravan-Api-Call-Limit"])
    assert "picking" == reply.json()["fulfillment"]["carrier_status_code"]


def test_keeps_connections_alive(server, ids):
    """Two requests on one connection get two answers."""
    request = f"GET /com/orders/{ids[0]}.json HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    host, port = server.url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=5)) as connection:
        replies = connection.makefile("rb")
        for _ in range(2):
            connection.sendall(request)
            assert b"401" in replies.readline()
            length = next(
                int(line.split(b":")[1]) for line in replies if line.startswith(b"Content-Length")
            )
            assert b"\r\n" == replies.readline()
            replies.read(length)
        replies.close()


@pytest.mark.parametrize(
    ("kind", "code"), [("lost_request", "readytopick"), ("lost_reply", "picking")]
)
def test_drops_connections(kind, code, server, client, url, ids, read):
    """A dropped connection breaks at the client, and the parcel is as the fault says."""
    server.faults.add(Rule(fault=Fault(kind=FaultKind(kind))))

    with pytest.raises(requests.ConnectionError):
        client.put(f"{url}/carrier_status/picking.json", timeout=5)

    assert code == read(ids).carrier_status
    assert 200 == client.get(f"{url}.json", timeout=5).status_code


def test_truncates_bodies(server, client, url):
    """A truncated body breaks half-way through what its length promised."""
    server.faults.add(Rule(fault=Fault(kind=FaultKind.TRUNCATED_BODY)))

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get(f"{url}.json", timeout=5)


def test_slow_replies_outlast_a_timeout(server, client, url, ids, read):
    """A slow reply comes after the client gave up, but the PUT is applied."""
    server.faults.add(Rule(fault=Fault(kind=FaultKind.SLOW, seconds=0.4)))

    with pytest.raises(requests.ReadTimeout):
        client.put(f"{url}/carrier_status/picking.json", timeout=0.05)

    assert "picking" == read(ids).carrier_status


def test_latency_is_added(world):
    """Every reply takes at least the latency asked for."""
    with SandboxServer(world, latency=0.05) as server:
        reply = requests.get(f"{server.url}/_sandbox/health", timeout=5)

    assert reply.elapsed.total_seconds() >= 0.05


def test_refuses_wrong_tokens(server, client):
    """A wrong token gets 401 and the scheme to use."""
    client.headers["Authorization"] = "Bearer wrong"

    reply = client.get(f"{server.url}/com/orders.json", timeout=5)

    assert (401, "Bearer") == (reply.status_code, reply.headers["WWW-Authenticate"])


def test_throttles(server, client):
    """A burst beyond the bucket gets 429 with Retry-After."""
    replies = [client.get(f"{server.url}/com/orders/count.json", timeout=5) for _ in range(81)]

    assert (429, "2.0") == (replies[-1].status_code, replies[-1].headers["Retry-After"])


def test_carrier_may_call_back_while_a_cancel_waits(server, client, url, world):
    """The cancel callback runs without the lock, so the carrier can ask the platform from it."""
    heard = []

    def on_cancel(_ref):
        reply = requests.get(f"{server.url}/_sandbox/health", timeout=5)
        heard.append(reply.status_code)

    world.callbacks = CarrierCallables(on_cancel=on_cancel)

    assert 200 == client.put(f"{url}/carrier_status/cancel.json", timeout=5).status_code
    assert [200] == heard


def test_answers_several_clients_at_once(server, ids, read):
    """Parallel requests are all answered, one after the other inside."""
    statuses = []

    def work():
        headers = {"Authorization": "Bearer token-alpha"}
        for _ in range(5):
            reply = requests.get(f"{server.url}/com/orders.json", headers=headers, timeout=5)
            statuses.append(reply.status_code)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [200] * 20 == statuses
    assert "readytopick" == read(ids).carrier_status


def test_stop_hangs_up(world):
    """A stopped server breaks the connections that clients keep, and frees its port."""
    server = SandboxServer(world)
    server.start()
    with requests.Session() as session:
        assert 200 == session.get(f"{server.url}/_sandbox/health", timeout=5).status_code
        server.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(f"{server.url}/_sandbox/health", timeout=5)


def test_serve_ends_with_an_interrupt(world):
    """`serve` returns when it is interrupted, with its port closed."""
    urls = []

    def ready(server):
        urls.append(server.url)
        raise KeyboardInterrupt

    serve("127.0.0.1", 0, world, ready=ready)

    with pytest.raises(requests.ConnectionError):
        requests.get(f"{urls[0]}/_sandbox/health", timeout=5)


def test_refuses_a_malformed_length(server):
    """A request whose length is no number is answered 400."""
    host, port = server.url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=5)) as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n")

        assert b" 400 " in connection.recv(100)


def test_control_plants_and_shows(control, client, server):
    """Shops and parcels made over HTTP are there, and the state shows them."""
    assert 200 == control("POST", "shops", {"code": "beta", "token": "t", "bump_orders": False})[0]

    status, made = control(
        "POST", "orders", {"shop": "beta", "cod_amount": 5, "tracking_number": "X"}
    )

    assert 200 == status
    shop = control("GET", "state?shop=beta")[1]["shops"][0]
    parcel = shop["orders"][0]["fulfillments"][0]
    assert (made["order_id"], made["fulfillment_id"]) == (shop["orders"][0]["id"], parcel["id"])
    assert ("readytopick", "codpending", "X") == (
        parcel["carrier_status"],
        parcel["cod_status"],
        parcel["tracking_number"],
    )
    body = client.get(
        f"{server.url}/com/orders.json", headers={"Authorization": "Bearer t"}, timeout=5
    ).json()
    assert "external" == body["orders"][0]["fulfillments"][0]["tracking_company_code"]


def test_control_breaks_things(control, client, url):
    """Faults scripted and mixed over HTTP happen, and an empty plan ends them."""
    script = [{"kind": "error_500_before", "method": "GET", "path": "fulfillments", "times": 2}]
    assert 200 == control("POST", "faults", {"script": script})[0]
    assert [500, 500, 200] == [client.get(f"{url}.json", timeout=5).status_code for _ in range(3)]

    control("POST", "faults", {"mix": {"rates": {"error_502_after": 1.0}}, "seed": 4})
    assert 502 == client.get(f"{url}.json", timeout=5).status_code

    control("POST", "faults", {})
    assert 200 == client.get(f"{url}.json", timeout=5).status_code
    assert {"error_500_before": 2, "error_502_after": 1} == control("GET", "state")[1][
        "faults_given"
    ]


def test_control_edits(control, ids, read, world):
    """A merchant's edits, and cancel, close and removal of an order, can be made over HTTP."""
    named = {"shop": "alpha", "order_id": ids[0]}

    control("POST", "edit", {**named, "fulfillment_id": ids[1], "carrier_status": "return"})
    assert "return" == read(ids).carrier_status
    control("POST", "edit", {**named, "order": "cancel", "ignore_cancel_fulfillment": True})
    assert "return" == read(ids).carrier_status
    control("POST", "edit", {**named, "order": "close"})
    assert world.shop("alpha").order(ids[0]).closed_at is not None
    control("POST", "edit", {**named, "order": "remove"})
    assert ids[0] not in world.shop("alpha").orders


def test_control_judges(control, client, url):
    """The judge's report is there over HTTP, and control calls are not counted in it."""
    client.put(f"{url}/carrier_status/delivered.json", timeout=5)

    report = control("GET", "judge")[1]

    assert ({"alpha": 1}, 1) == (report["requests_by_shop"], len(report["illegal"]))


def test_control_polls_and_advances(control, world, ids, read, clock):
    """Polling and a manual clock are driven over HTTP."""
    world.callbacks = CarrierCallables(poll_detail=lambda _ref: ("Picking", "CODPending"))
    before = clock()

    assert (200, {"changed": 1}) == control("POST", "poll")
    assert "picking" == read(ids).carrier_status
    assert 200 == control("POST", "advance", {"seconds": 90})[0]
    assert 90 == (clock() - before).total_seconds()


def test_control_resets(control, client, url):
    """A reset removes orders and faults but keeps the shop; with `shops` these go too."""
    control("POST", "faults", {"mix": {"rates": {"lost_request": 1.0}}})

    control("POST", "reset")
    assert 404 == client.get(f"{url}.json", timeout=5).status_code

    control("POST", "reset", {"shops": True})
    assert 401 == client.get(f"{url}.json", timeout=5).status_code


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("shops", {"code": "x"}, "token"),
        ("shops", {"code": "alpha", "token": "y"}, "exists"),
        ("shops", {"code": "x", "token": "y", "colour": 1}, "colour"),
        ("orders", {"shop": "nowhere"}, "nowhere"),
        ("orders", {"shop": "alpha", "cod_amount": "much"}, "much"),
        ("faults", {"script": [{"kind": "earthquake"}]}, "earthquake"),
        ("faults", {"script": [{"path": "x"}]}, "kind"),
        ("faults", {"script": [{"kind": "late_apply", "seconds": 99}]}, "30"),
        ("faults", {"mix": {"rates": {"slow": 2}}}, "probabilities"),
        ("edit", {"shop": "alpha", "order_id": 1, "fulfillment_id": 2}, "1"),
        ("edit", {"shop": "alpha", "order_id": 1, "order": "burn"}, "burn"),
        ("advance", {"seconds": -1}, "-1"),
        ("advance", ["seconds"], "object"),
    ],
)
def test_control_refuses_senseless_input(path, body, word, control):
    """Bad input to a control call gets 400 and one sentence that names what is wrong."""
    status, answer = control("POST", path, body)

    assert 400 == status
    assert word in answer["errors"]


def test_control_knows_its_calls(control):
    """A control call that does not exist answers 404."""
    assert 404 == control("GET", "secrets")[0]


def test_real_clocks_cannot_be_advanced(legal):
    """A sandbox that runs on real time refuses to be advanced."""
    with SandboxServer(World(), legal=legal) as server:
        reply = requests.post(f"{server.url}/_sandbox/advance", json={"seconds": 1}, timeout=5)

    assert 400 == reply.status_code
