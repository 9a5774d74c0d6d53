"""Engines that make the runs of a sweep: on this machine, on a Ray cluster, as jobs of Slurm."""

from .cores import free_cores, usable_cores
from .engine import Engine, Event, number_of
from .local import LocalEngine, Place, plan_places
from .ray import RayEngine
from .slurm import SlurmEngine

__all__ = [
    'Engine',
    'Event',
    'LocalEngine',
    'Place',
    'RayEngine',
    'SlurmEngine',
    'free_cores',
    'number_of',
    'plan_places',
    'usable_cores',
]
