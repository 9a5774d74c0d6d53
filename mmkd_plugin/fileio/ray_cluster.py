"""The one place that connects to Ray, or starts it."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from types import ModuleType

from mmkd_plugin.compatibility import require

__all__ = ['ray_cluster']

PATIENCE = 10.0  # seconds for an answer of the cluster's head


@contextlib.contextmanager
def ray_cluster(cpus: int) -> Iterator[ModuleType]:
    """Give the module ``ray``, connected, inside a ``with`` block; what was connected or started here ends with the block.

    The environment variable ``RAY_ADDRESS`` names the cluster. Without one, Ray is started on this machine.

    Args:
        cpus (int): CPUs of the Ray that is started here; a cluster decides by itself.

    Raises:
        ImportError: Ray is not installed.
        OSError: There is no cluster at that address.
    """
    ray = require('ray', "the engine 'ray'", 'mmkd_plugin[ray]')
    connected_here = not ray.is_initialized()
    if connected_here:
        address = os.environ.get('RAY_ADDRESS')
        if address:
            _check_reachable(address)
        options = {'address': address} if address else {'address': 'local', 'num_cpus': cpus, 'include_dashboard': False}
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    try:
        yield ray
    finally:
        if connected_here:
            ray.shutdown()


def _check_reachable(address: str) -> None:
    """Refuse an address at which nobody listens: Ray would wait for ever, and for no signal."""
    host, _, port = address.removeprefix('ray://').rpartition(':')
    if not port.isdecimal():  # 'auto' or 'local'
        return
    try:
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ConnectionError(f'RAY_ADDRESS={address}: no Ray cluster answers there ({error})') from error
