"""What was refused is repeated by the platform's own people, from the file that they were given."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from terminals import runner

from carrierflow.cli import cli
from carrierflow.sandbox.faults import Fault, FaultKind, Faults, Rule

from .test_resolving import carrying, handed_over, run


pytestmark = [pytest.mark.newman, pytest.mark.slow]

REFUSED = {
    "haravan": ("PUT", ["picking"], 3, "refused"),
    "sapo": ("POST", ["picking", "delivering"], 8, "stuck"),
    "onflow": ("PUT", ["cancel"], 8, "stuck"),
}
"""For each platform a method of its writes, steps that are told by one, and after how many a
person is asked; what bears none of its own words is no refusal of Sapo's or Onflow's."""


@pytest.fixture(params=REFUSED)
def carrier(request, tmp_path):
    """A carrier with a parcel whose write was turned back too often; now it would be taken."""
    method, walk, times, kind = REFUSED[request.param]
    faults = Faults()
    with carrying(request.param, tmp_path, faults) as made:
        ref = handed_over(made)
        fault = Fault(kind=FaultKind.PROXY_BEFORE, status=422)
        faults.add(Rule(fault=fault, method=method, times=times))
        made.record(ref, *walk)
        for _ in range(5):
            run(made)
        assert [kind] == [incident.kind for incident in made.app.incidents.all()]
        made.faults, made.ref, made.method = faults, ref, method
        yield made


def newman(carrier, folder, token):
    """Let newman run what `incidents export` writes; returns how it ended."""
    settings = carrier.settings
    environment = {
        "CARRIERFLOW_DATABASE_URL": settings.database_url,
        "CARRIERFLOW_SECRET_KEY": settings.secret_key.get_secret_value(),
    }
    out = folder / "incidents.json"
    done = runner().invoke(cli, ["incidents", "export", "--out", str(out)], env=environment)
    assert 0 == done.exit_code, done.output
    (variable,) = json.loads(out.read_text("utf-8"))["variable"]
    return subprocess.run(
        [shutil.which("newman"), "run", str(out), "--env-var", f"{variable['key']}={token}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_what_the_platform_takes_passes(carrier, tmp_path):
    """With the shop's token the write has its effect, and the next run finds both sides agreed."""
    done = newman(carrier, tmp_path, "token-alpha")

    assert 0 == done.returncode, done.stdout
    run(carrier)
    assert carrier.agrees(carrier.ref)
    assert [] == carrier.app.incidents.all()


def test_a_token_that_is_not_the_shops_fails(carrier, tmp_path):
    """The platform answers 401, newman ends with an error, and nothing was done."""
    before = carrier.judgement()

    done = newman(carrier, tmp_path, "another-token")

    assert 1 == done.returncode, done.stdout
    assert "401" in done.stdout
    assert before == carrier.judgement()


@pytest.mark.parametrize("status", [422, 503])
def test_a_write_that_is_refused_again_fails(carrier, tmp_path, status):
    """Newman ends with an error, whoever refuses."""
    fault = Fault(kind=FaultKind.PROXY_BEFORE, status=status)
    carrier.faults.add(Rule(fault=fault, method=carrier.method))

    done = newman(carrier, tmp_path, "token-alpha")

    assert 1 == done.returncode, done.stdout
    assert str(status) in done.stdout
