"""What records tell of their making, and what they must not."""

from src.records.provenance import chosen_by_environment, without_secrets


def test_what_a_secret_variable_holds_is_taken_out(monkeypatch):
    monkeypatch.setenv("MY_API_KEY", 'abc"12345678')
    monkeypatch.setenv("SHORT_TOKEN", "false")
    monkeypatch.setenv("PLAIN", "harmless words")
    told = {"command": 'run x=abc"12345678 y=false', "n": [1, None, 0.1], "z": "harmless words"}
    assert without_secrets(told) == {"command": "run x=*** y=false", "n": [1, None, 0.1], "z": "harmless words"}


def test_what_decides_how_sums_are_rounded_is_told_without_folders(monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", "/home/me/libone.so:/opt/libtwo.so libthree.so")
    monkeypatch.setenv("MKL_CBWR", "AVX2,STRICT")
    monkeypatch.setenv("MKLROOT", "/opt/mkl")
    told = chosen_by_environment()
    assert told["LD_PRELOAD"] == "libone.so:libtwo.so libthree.so"
    assert told["MKL_CBWR"] == "AVX2,STRICT"
    assert not {"MKLROOT", "HOME", "PATH"} & set(told)
