"""Schedules of weights, and hooks that the host lacks."""

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
    'Ramp',
    'ResumeHook',
    'TeacherCacheHook',
    'build_schedule',
    'detector_of',
    'distiller_of',
    'identity_of',
    'missing_hooks',
    'training_labels',
    'training_progress',
]
