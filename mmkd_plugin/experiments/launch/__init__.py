"""Engines that make the runs of a sweep: on this machine."""

from .engine import Engine, Event
from .local import LocalEngine, Place, plan_places

__all__ = ['Engine', 'Event', 'LocalEngine', 'Place', 'plan_places']
