"""Where a setting comes from, and what is said of one that cannot be used."""

from __future__ import annotations

import pytest

from carrierflow.errors import ConfigurationError
from carrierflow.settings import Settings, load_settings


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
