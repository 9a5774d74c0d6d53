"""Commands are called in this process; that a process of their own does the same is one test per command (test_main)."""

import pytest
from helpers import call


@pytest.fixture
def mmkd(monkeypatch, tmp_path):
    """Calls a command in the test's folder, and gives its exit code and what it has printed."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: call(*words, folder=tmp_path)
