"""A Ray cluster that is not there."""

import socket

import pytest

from mmkd_plugin.fileio import ray_cluster


def test_an_address_at_which_nobody_listens_is_one_sentence(monkeypatch):
    pytest.importorskip('ray', reason="Ray is not installed: pip install 'mmkd_plugin[ray]'")
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))  # and does not listen
        address = f'127.0.0.1:{unused.getsockname()[1]}'
        monkeypatch.setenv('RAY_ADDRESS', address)
        with pytest.raises(ConnectionError, match=f'^RAY_ADDRESS={address}: no Ray cluster answers there '), ray_cluster(1):
            pass
