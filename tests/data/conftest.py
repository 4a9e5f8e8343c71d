"""No test of this folder reaches a network, and each reads its files anew."""

import socket

import pytest

from tests.data.synthetic import forget


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    def unresolved(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    forget()
    yield
    forget()
