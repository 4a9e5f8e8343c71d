"""No test of this folder reaches a network, and each reads its files anew."""

import socket

import pytest

from src.data import load


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    def unresolved(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    load._read.cache_clear()
    yield
    load._read.cache_clear()
