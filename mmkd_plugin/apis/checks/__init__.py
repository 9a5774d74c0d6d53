"""Checks of a config, one file for each kind of fault; :func:`mmkd_plugin.apis.check_config` runs them all."""

from .components import component_faults, run_components
from .data import data_faults
from .model import build_faults, describe, text_faults
from .options import OPTIONS, apply_options, name_faults
from .outputs import outputs_faults
from .run import course_faults, folder_faults, metric_faults, validation_metrics
from .start import checkpoint_faults, load_from_faults
from .structure import missing_faults, structure_faults
from .values import value_faults

__all__ = [
    'OPTIONS',
    'apply_options',
    'build_faults',
    'checkpoint_faults',
    'component_faults',
    'course_faults',
    'data_faults',
    'describe',
    'folder_faults',
    'load_from_faults',
    'metric_faults',
    'missing_faults',
    'name_faults',
    'outputs_faults',
    'run_components',
    'structure_faults',
    'text_faults',
    'validation_metrics',
    'value_faults',
]
