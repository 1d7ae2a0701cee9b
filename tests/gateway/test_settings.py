"""Settings from the environment: each fault in one line that names the variable and never its value."""

import pytest

from gateway.settings import Mode, SettingsError, load

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODE", "SECRET_KEY", "DEVELOPMENT_KEY", "MONGODB_URI", "BODY_LIMIT_BYTES"):
        monkeypatch.delenv(f"SATUGRAF_{name}", raising=False)


def test_production_is_the_default_and_names_the_key_it_lacks() -> None:
    settings = load()
    assert settings.mode is Mode.PRODUCTION
    with pytest.raises(SettingsError, match="SATUGRAF_SECRET_KEY is not set"):
        _ = settings.secret_key_bytes


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SECRET_KEY": "short-secret"}, "SATUGRAF_SECRET_KEY is shorter than 32"),
        ({"DEVELOPMENT_KEY": SECRET}, "SATUGRAF_DEVELOPMENT_KEY is set in production"),
        ({"MODE": "staging"}, "SATUGRAF_MODE"),
        ({"BODY_LIMIT_BYTES": "lots"}, "SATUGRAF_BODY_LIMIT_BYTES"),
        ({"BODY_LIMIT_BYTES": "-1"}, "SATUGRAF_BODY_LIMIT_BYTES"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(f"SATUGRAF_{name}", value)
    with pytest.raises(SettingsError, match=words) as failure:
        load()
    assert "short-secret" not in str(failure.value)
    assert SECRET not in str(failure.value)


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATUGRAF_SECRET_KEY", SECRET)
    assert SECRET not in repr(load())
    assert load().secret_key_bytes == SECRET.encode()
