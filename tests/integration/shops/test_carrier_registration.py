"""The carrier's registration in a shop, against a platform that takes whatever it is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carrierflow.app.settings import Settings
from carrierflow.carrier_service.registration import Listed, Registration
from carrierflow.errors import ConfigurationError, InvalidInput, OutcomeUnknown
from carrierflow.shops import CarrierRegistration, Done, Shops
from carrierflow.storage.encryption import KeyRing, generate_key
from carrierflow.storage.shops import change_shop


BUILT_IN = Listed(ids=("1",), name="Giao Hàng Nhanh", code="ghn2018")


class FakeShop:
    """The carriers of one shop, in memory; it can lose a reply, or a request."""

    def __init__(self):
        self.services = {}
        self.writes = []
        self.loses = None
        self.next_id = 100

    def listed(self):
        own = [
            Listed(ids=(k, "9" + k), name=v.name, code="other") for k, v in self.services.items()
        ]
        return [BUILT_IN, *own]

    def read(self, service_id):
        return self.services.get(service_id)

    def create(self, wanted):
        self._written("create")
        made = replace(wanted, id=str(self.next_id))
        self.next_id += 1
        if self.loses != "request":
            self.services[made.id] = made
        return self._answered(made)

    def change(self, service_id, wanted):
        self._written("change")
        if self.loses != "request":
            self.services[service_id] = wanted
        return self._answered(wanted)

    def remove(self, service_id):
        self._written("remove")
        if self.loses != "request":
            self.services.pop(service_id, None)
        self._answered(None)

    def close(self):
        pass

    def _written(self, what):
        self.writes.append(what)

    def _answered(self, answer):
        if self.loses is not None:
            raise OutcomeUnknown("no reply to a request that was sent")
        return answer


SETTINGS = Settings(
    public_url="https://ship.example/carrier/",
    carrier_name="Sao Mai Express",
    tracking_url="https://ship.example/track?code=",
)


@pytest.fixture
def database(sqlite_database):
    """One database will do: what differs between them is tested elsewhere."""
    return sqlite_database


@pytest.fixture
def there():
    """The shop as the platform has it."""
    return FakeShop()


@pytest.fixture
def make_registrar(store, there, clock):
    """Build registrars of one carrier."""

    def make(settings=SETTINGS):
        return CarrierRegistration(
            store,
            name=settings.carrier_name,
            public_url=settings.public_url,
            tracking_url=settings.tracking_url,
            connect=lambda _: there,
            clock=clock,
        )

    return make


@pytest.fixture
def registrar(make_registrar):
    """A registrar."""
    return make_registrar()


def test_a_shop_gets_addresses_of_its_own(registrar, there, shop, store):
    """What is sent names the shop in each address; its id is remembered."""
    done = registrar.register(shop)

    root = f"https://ship.example/carrier/{shop}"
    wanted = Registration(
        id="100",
        name="Sao Mai Express",
        active=True,
        rates_url=f"{root}/rates",
        create_url=f"{root}/orders",
        detail_url=f"{root}/detail",
        cancel_url=f"{root}/cancel",
        by_external_code_url=f"{root}/by-external-code",
        tracking_url="https://ship.example/track?code=",
    )
    assert (Done.CREATED, wanted) == (done.done, done.registration)
    assert {"100": wanted} == there.services
    assert "100" == store.shop(shop).carrier_service_id


def test_registering_again_sends_nothing(registrar, there, shop):
    """The second time the shop has what it should have, and that is all."""
    registrar.register(shop)

    assert Done.UNCHANGED == registrar.register(shop).done
    assert ["create"] == there.writes


def test_what_the_platform_does_not_say_back_is_no_difference(registrar, there, shop):
    """An address that no reply repeats is not sent again and again."""
    registrar.register(shop)
    there.services["100"] = replace(there.services["100"], by_external_code_url=None)

    assert Done.UNCHANGED == registrar.register(shop).done


def test_a_moved_carrier_mends_its_registration(registrar, make_registrar, there, shop):
    """With another public URL the same registration is changed, not a second one made."""
    registrar.register(shop)
    moved = SETTINGS.model_copy(update={"public_url": "https://new.example"})

    assert Done.CHANGED == make_registrar(moved).register(shop).done
    assert ["create", "change"] == there.writes
    assert f"https://new.example/{shop}/rates" == there.services["100"].rates_url


def test_a_forgotten_id_is_found_by_name(registrar, there, shop, store, make_shop):
    """What was registered before our database knew of it is taken over."""
    registrar.register(shop)
    other = replace(there.services["100"], id="200", name="Somebody Else")
    there.services["200"] = other
    Shops(store, KeyRing(generate_key()), clock=registrar._clock).revoke(shop)

    assert Done.UNCHANGED == registrar.register(shop).done
    assert "100" == store.shop(shop).carrier_service_id
    assert other == there.services["200"]


def test_a_registration_that_is_gone_is_made_again(registrar, there, shop, store):
    """If somebody deleted ours in the shop, a new one takes its place and its id is kept."""
    registrar.register(shop)
    there.services.clear()

    assert Done.CREATED == registrar.register(shop).done
    assert (["101"], "101") == (list(there.services), store.shop(shop).carrier_service_id)


def test_a_lost_reply_does_not_make_two(registrar, there, shop, store):
    """After a registration without an answer the list tells that it arrived."""
    there.loses = "reply"

    assert Done.CREATED == registrar.register(shop).done
    assert (["create"], "100") == (there.writes, store.shop(shop).carrier_service_id)


def test_a_lost_request_is_reported_and_not_repeated(registrar, there, shop, store):
    """Where nothing is there after a request without an answer, a person tries again."""
    there.loses = "request"

    with pytest.raises(OutcomeUnknown):
        registrar.register(shop)

    assert (["create"], None) == (there.writes, store.shop(shop).carrier_service_id)
    there.loses = None
    assert Done.CREATED == registrar.register(shop).done
    assert 1 == len(there.services)


def test_a_request_that_arrives_late_leaves_one_registration(registrar, there, shop, store):
    """If a lost request takes effect after all, the doubled registration is removed."""
    registrar.register(shop)
    there.services["99"] = replace(there.services["100"], id="99")
    there.services["101"] = replace(there.services["100"], id="101")
    store.transact(lambda c: change_shop(c, shop, carrier_service_id=None))

    registrar.register(shop)

    assert ["99"] == list(there.services)


def test_two_strangers_of_our_name_are_left_alone(registrar, there, shop):
    """Where two bear our name and neither calls us, a person decides; nothing is written."""
    for service_id in ("7", "8"):
        there.services[service_id] = Registration(
            id=service_id,
            name="Sao Mai Express",
            active=True,
            rates_url="https://x.example",
            create_url="https://x.example",
            detail_url="https://x.example",
            cancel_url="https://x.example",
        )

    with pytest.raises(InvalidInput, match=r"\(7, 8\)"):
        registrar.register(shop)
    assert [] == there.writes


@pytest.mark.parametrize(("loses", "known"), [("reply", True), ("request", False)])
def test_a_change_without_an_answer_is_looked_up(
    registrar, make_registrar, there, shop, loses, known
):
    """A read tells whether an unanswered change arrived; it is sent once either way."""
    registrar.register(shop)
    there.loses = loses
    moved = make_registrar(SETTINGS.model_copy(update={"public_url": "https://new.example"}))

    if known:
        assert Done.CHANGED == moved.register(shop).done
    else:
        with pytest.raises(OutcomeUnknown):
            moved.register(shop)
    assert ["create", "change"] == there.writes


def test_an_inactive_carrier_stays_so(registrar, there, shop):
    """A carrier that was switched off is not switched on by registering again."""
    registrar.register(shop)

    assert Done.CHANGED == registrar.update(shop, active=False).done
    assert Done.UNCHANGED == registrar.register(shop).done
    assert not there.services["100"].active
    assert Done.CHANGED == registrar.update(shop, active=True).done


def test_only_what_is_registered_can_be_updated(registrar, there, shop):
    """An update makes nothing; it says which command does."""
    with pytest.raises(InvalidInput, match="carrier register"):
        registrar.update(shop)
    assert [] == there.writes


def test_no_carrier_leaves_its_parcels_behind(registrar, there, shop, make_parcel):
    """Unregistering is refused while parcels are open, unless somebody insists."""
    registrar.register(shop)
    make_parcel(shop=shop)

    with pytest.raises(InvalidInput, match=r"open parcels \(1\)"):
        registrar.unregister(shop)
    assert ["create"] == there.writes

    assert Done.REMOVED == registrar.unregister(shop, force=True).done
    assert {} == there.services


@pytest.mark.parametrize("loses", [None, "reply"])
def test_unregistering_forgets_the_id(registrar, there, shop, store, loses):
    """What is gone is forgotten, also where the answer to the removal was lost."""
    registrar.register(shop)
    there.loses = loses

    assert Done.REMOVED == registrar.unregister(shop).done
    assert ({}, None) == (there.services, store.shop(shop).carrier_service_id)
    assert Done.ABSENT == registrar.unregister(shop).done


def test_a_removal_that_did_not_arrive_is_reported(registrar, there, shop, store):
    """The id is kept where the registration is still there."""
    registrar.register(shop)
    there.loses = "request"

    with pytest.raises(OutcomeUnknown):
        registrar.unregister(shop)
    assert "100" == store.shop(shop).carrier_service_id


def test_the_list_marks_ours(registrar, shop):
    """Every carrier of the shop is listed, and which one this is."""
    registrar.register(shop)

    assert [("1", False), ("100", True)] == [
        (row.ids[0], ours) for row, ours in registrar.listed(shop)
    ]


def test_a_carrier_without_a_name_claims_nobody(make_registrar, there, shop):
    """Where no name is set, a row without one is not ours."""
    there.listed = lambda: [Listed(ids=("3",), name="", code=None)]
    nameless = make_registrar(SETTINGS.model_copy(update={"carrier_name": ""}))

    assert [False] == [ours for _, ours in nameless.listed(shop)]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"public_url": ""}, "public_url"),
        ({"public_url": "http://ship.example"}, "https"),
        ({"public_url": "https://user:secret@ship.example"}, "https"),
        ({"public_url": "ship.example"}, "https"),
        ({"carrier_name": ""}, "carrier_name"),
        ({"tracking_url": "http://ship.example/"}, "tracking_url"),
    ],
)
def test_addresses_must_be_https(make_registrar, there, shop, changes, word):
    """What the platform would refuse, or what would be read on the way, is never sent."""
    registrar = make_registrar(SETTINGS.model_copy(update=changes))

    with pytest.raises(ConfigurationError, match=word):
        registrar.register(shop)
    assert [] == there.writes


def test_loopback_may_be_plain(make_registrar, there, shop):
    """On this machine, where the sandbox lives, http will do."""
    local = SETTINGS.model_copy(update={"public_url": "http://127.0.0.1:8080"})

    make_registrar(local).register(shop)

    assert f"http://127.0.0.1:8080/{shop}/cancel" == there.services["100"].cancel_url
