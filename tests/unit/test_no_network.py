from __future__ import annotations

import socket

import pytest


def test_a_unit_test_that_connects_fails() -> None:
    with socket.socket() as client, pytest.raises(pytest.fail.Exception, match="tried to use the network"):
        client.connect(("127.0.0.1", 9))


def test_a_unit_test_that_looks_up_a_name_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match="tried to use the network"):
        socket.getaddrinfo("localhost", 80)
