"""Where a setting comes from, and what is said of one that cannot be used."""

from __future__ import annotations

import pickle
from typing import get_args, get_origin

import pytest
from pydantic import SecretStr, ValidationError

from carrierflow.app.settings import Settings, load_settings
from carrierflow.errors import ConfigurationError


def test_the_environment_stands_above_the_file(tmp_path, monkeypatch):
    """Given values, then the environment, then the file, then defaults."""
    file = tmp_path / "settings.toml"
    file.write_text("[carrierflow]\nsettle_seconds = 30\nrate_leak = 2\nget_retries = 1\n")
    monkeypatch.setenv("CARRIERFLOW_RATE_LEAK", "3")
    monkeypatch.setenv("CARRIERFLOW_GET_RETRIES", "2")

    found = load_settings(file, get_retries=5)

    assert (30, 3, 5, 80) == (
        found.settle_seconds,
        found.rate_leak,
        found.get_retries,
        found.rate_bucket,
    )


def test_a_file_in_the_working_directory_is_found(tmp_path, monkeypatch):
    """`carrierflow.toml` needs no option."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "carrierflow.toml").write_text("[carrierflow]\nlifecycle_groups = 'refused'\n")

    assert ("refused",) == load_settings().lifecycle_groups


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[carrierflow]\nsettle_second = 30\n", "settle_second"),
        ("[carrierflow]\nsettle_seconds = 'soon'\n", "settle_seconds"),
        ("[carrierflow]\nfreeze_share = 2\n", "freeze_share"),
        ("carrierflow = 1\n", "no \\[carrierflow\\] table"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path, content, says):
    """A misspelt or impossible setting is an error, not ignored."""
    file = tmp_path / "settings.toml"
    file.write_text(content)

    with pytest.raises(ConfigurationError, match=says):
        load_settings(file)


def test_the_secret_key_is_not_printed():
    """Settings can be logged: keys are masked."""
    settings = Settings(secret_key="canary-key")

    assert "canary-key" not in repr(settings)
    assert "canary-key" not in str(settings.model_dump())


def test_groups_may_be_written_with_commas(monkeypatch):
    """A variable names several groups in one line."""
    monkeypatch.setenv("CARRIERFLOW_LIFECYCLE_GROUPS", "refused, redeliver")

    assert ("refused", "redeliver") == Settings().lifecycle_groups


@pytest.mark.parametrize("text", ["adopt=2, amend = 3", {"adopt": 2, "amend": "3"}])
def test_how_many_people_a_decision_takes(text, tmp_path, monkeypatch):
    """It is a table of the file, or one line."""
    assert {"adopt": 2, "amend": 3} == Settings(approvals=text).approvals
    file = tmp_path / "settings.toml"
    file.write_text("[carrierflow]\napprovals = { abandon = 2 }\n")
    assert {"abandon": 2} == load_settings(file).approvals
    monkeypatch.setenv("CARRIERFLOW_APPROVALS", "adopt=2")
    assert {"adopt": 2} == load_settings(file).approvals


@pytest.mark.parametrize("wrong", ["adopt", "adopt=0", "amend=6", "secret=2", {"adopt": 1.5}, 3])
def test_approvals_that_cannot_be_used_are_named(wrong):
    """An unknown decision, or a number of people that is none, is refused without its value."""
    with pytest.raises(ConfigurationError, match="cannot be used: approvals ") as caught:
        load_settings(approvals=wrong)
    assert "secret" not in str(caught.value)


def _types(annotation):
    """Return every plain type in an annotation; a table has a test of its own."""
    if get_origin(annotation) is dict:
        return [dict]
    inner = [found for part in get_args(annotation) for found in _types(part)]
    return inner or [annotation]


def _settings_of(*types):
    fields = Settings.model_fields.items()
    return [name for name, field in fields if set(types) & set(_types(field.annotation))]


NUMBERS, TEXTS = _settings_of(int, float), _settings_of(str, SecretStr)
ABSURD = [float("inf"), float("-inf"), float("nan"), 1e300, 10**400, 10**10, -1]


@pytest.mark.parametrize("name", NUMBERS)
def test_an_absurd_number_is_refused_by_name(name, tmp_path, monkeypatch):
    """No number of a setting is without an end, and the sentence names it and not its value."""
    for value in ABSURD:
        with pytest.raises(ValidationError, match=name):
            Settings(**{name: value})
    file = tmp_path / "settings.toml"
    file.write_text(f"[carrierflow]\n{name} = nan\n")
    with pytest.raises(ConfigurationError, match=f"cannot be used: {name} "):
        load_settings(file)
    monkeypatch.setenv(f"CARRIERFLOW_{name.upper()}", "9876e299")
    with pytest.raises(ConfigurationError, match=f"cannot be used: {name} ") as caught:
        load_settings(file)
    assert "9876" not in str(caught.value)


def test_numbers_and_texts_are_found():
    """The rules are asked about every number and every text that there is."""
    assert {"settle_seconds", "max_writes", "retention_days", "rate_leak"} <= set(NUMBERS)
    assert {"client_secret", "database_url", "public_url", "anchor_url"} <= set(TEXTS)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_blank_is_not_set(name, tmp_path, monkeypatch):
    """A setting that is blank counts for nothing, so that the file or the default stands."""
    default = getattr(Settings(), name)
    monkeypatch.setenv(f"CARRIERFLOW_{name.upper()}", " \r\n")
    file = tmp_path / "settings.toml"
    file.write_text(f'[carrierflow]\n{name} = "\\n"\n')

    assert default == getattr(load_settings(file), name)
    assert default == getattr(Settings(**{name: "\t"}), name)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_cleaned_wherever_it_comes_from(name, tmp_path, monkeypatch):
    """Outer blanks and line ends of a secret, an id or a URL go; nothing is left inside."""
    file = tmp_path / "settings.toml"
    file.write_text(f'[carrierflow]\n{name} = "\\ufeff from-file \\r\\n"\n')

    assert "from-file" == _plain(getattr(load_settings(file), name))
    monkeypatch.setenv(f"CARRIERFLOW_{name.upper()}", "\t from-env\n\n")
    assert "from-env" == _plain(getattr(load_settings(file), name))
    assert "given" == _plain(getattr(load_settings(file, **{name: " given\r\n"}), name))
    for broken in ("a\x1bb", "a\x00b", "a\udc80b"):
        with pytest.raises(ConfigurationError, match=name):
            load_settings(file, **{name: broken})


def test_a_blank_key_that_is_no_setting_is_refused_all_the_same(tmp_path):
    """A misspelt key is found though nothing stands behind it."""
    file = tmp_path / "settings.toml"
    file.write_text('[carrierflow]\nclient_secrett = ""\n')

    with pytest.raises(ConfigurationError, match="client_secrett"):
        load_settings(file)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    """An editor's mark at the beginning of the file is no part of it."""
    file = tmp_path / "settings.toml"
    file.write_text("\ufeff[carrierflow]\r\nget_retries = 1\r\n", "utf-8")

    assert 1 == load_settings(file).get_retries


def _plain(value):
    if isinstance(value, tuple):
        (value,) = value
    return value.get_secret_value() if isinstance(value, SecretStr) else value


CANARY = "canary"


def secret_settings():
    """Return settings in which whatever may hold a secret does."""
    secrets = {
        name: f"{CANARY}-{name}"
        for name, field in Settings.model_fields.items()
        if field.annotation is SecretStr and not name.startswith("secret_key")
    }
    return load_settings(database_url=f"postgresql://me:{CANARY}@db/x", **secrets)


def test_settings_go_to_another_process_as_they_are(tmp_path):
    """By pickle they arrive with every value and with what was set, wherever it came from."""
    file = tmp_path / "settings.toml"
    file.write_text("[carrierflow]\nrate_leak = 2\n")
    for settings in (secret_settings(), load_settings(file), Settings()):
        arrived = pickle.loads(pickle.dumps(settings))  # noqa: S301 - our own
        assert settings == arrived
        assert settings.model_fields_set == arrived.model_fields_set
        assert settings.client_secret.get_secret_value() == arrived.client_secret.get_secret_value()


def test_settings_show_no_secret():
    """Neither a log nor a trace that shows the settings tells a password or a key."""
    settings = secret_settings()

    assert CANARY not in repr(settings) + str(settings) + f"{settings}"


def test_one_file_counts_for_one_reading(tmp_path):
    """What stood in a file is in the settings read with it, and in none after."""
    file = tmp_path / "settings.toml"
    file.write_text("[carrierflow]\nrate_leak = 2\n")

    assert (2, 4) == (load_settings(file).rate_leak, Settings().rate_leak)
