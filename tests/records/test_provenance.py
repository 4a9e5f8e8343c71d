"""What records tell of their making, and what they must not."""

from src.records.provenance import without_secrets


def test_what_a_secret_variable_holds_is_taken_out(monkeypatch):
    monkeypatch.setenv("MY_API_KEY", 'abc"12345678')
    monkeypatch.setenv("SHORT_TOKEN", "false")
    monkeypatch.setenv("PLAIN", "harmless words")
    told = {"command": 'run x=abc"12345678 y=false', "n": [1, None, 0.1], "z": "harmless words"}
    assert without_secrets(told) == {"command": "run x=*** y=false", "n": [1, None, 0.1], "z": "harmless words"}
