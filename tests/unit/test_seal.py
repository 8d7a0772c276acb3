"""The seal of the unit tests itself."""

import os
import socket
import subprocess
import sys

import pytest


def test_a_process_cannot_be_started():
    with pytest.raises(AssertionError, match="sealed"):
        subprocess.run([sys.executable, "-c", "pass"], check=False)


def test_a_shell_cannot_be_started():
    with pytest.raises(AssertionError, match="sealed"):
        os.system("true")


def test_a_socket_cannot_be_opened():
    with pytest.raises(AssertionError, match="sealed"):
        socket.socket()
