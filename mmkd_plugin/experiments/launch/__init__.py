"""Engines that make the runs of a sweep: on this machine."""

from .cores import free_cores, usable_cores
from .engine import Engine, Event
from .local import LocalEngine, Place, plan_places

__all__ = ['Engine', 'Event', 'LocalEngine', 'Place', 'free_cores', 'plan_places', 'usable_cores']
