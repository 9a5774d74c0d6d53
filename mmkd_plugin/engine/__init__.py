"""What the host's engine lacks: schedules of weights, hooks, and a runner that reports."""

from .console import show_log_by_reporter
from .hooks import (
    CalibrationHook,
    DetectorProtocol,
    DistillerProtocol,
    DoctorHook,
    EpochHook,
    FiniteLossHook,
    MemoryBankHook,
    PhaseHook,
    ResumeHook,
    TeacherCacheHook,
    detector_of,
    distiller_of,
    identity_of,
    missing_hooks,
    training_labels,
)
from .progress import Progress, Reporter, current_reporter, use_reporter
from .runner import Runner
from .schedules import Constant, Decay, Interval, Ramp, build_schedule, training_progress

__all__ = [
    'CalibrationHook',
    'Constant',
    'Decay',
    'DetectorProtocol',
    'DistillerProtocol',
    'DoctorHook',
    'EpochHook',
    'FiniteLossHook',
    'Interval',
    'MemoryBankHook',
    'PhaseHook',
    'Progress',
    'Ramp',
    'Reporter',
    'ResumeHook',
    'Runner',
    'TeacherCacheHook',
    'build_schedule',
    'current_reporter',
    'detector_of',
    'distiller_of',
    'identity_of',
    'missing_hooks',
    'show_log_by_reporter',
    'training_labels',
    'training_progress',
    'use_reporter',
]
