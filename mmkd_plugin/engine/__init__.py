"""Additions to the host's engine: the loop over windows, schedules of weights, hooks, and a runner that reports."""

from .console import show_log_by_reporter
from .hooks import (
    AccuracyHook,
    CalibrationHook,
    CheckpointHook,
    DetectorProtocol,
    DistillerProtocol,
    DoctorHook,
    EpochHook,
    FiniteLossHook,
    MemoryBankHook,
    MetaHook,
    MetaProtocol,
    PhaseHook,
    ResumeHook,
    TeacherCacheHook,
    detector_of,
    distiller_of,
    inputs_fingerprint,
    missing_hooks,
    planned_files,
    random_transforms,
    training_labels,
)
from .inference import Predictions, Responds, batches_in_order, evaluating, predict_windows
from .instances import forgetting_runs, listing_classes
from .loops import same_random_state
from .precision import use_whole_float32
from .progress import Progress, Reporter, current_reporter, use_reporter
from .runner import Runner
from .schedules import Constant, Decay, Interval, Ramp, build_schedule, training_progress
from .teacher_level import chance_faults, predict_teachers

__all__ = [
    'AccuracyHook',
    'CalibrationHook',
    'CheckpointHook',
    'Constant',
    'Decay',
    'DetectorProtocol',
    'DistillerProtocol',
    'DoctorHook',
    'EpochHook',
    'FiniteLossHook',
    'Interval',
    'MemoryBankHook',
    'MetaHook',
    'MetaProtocol',
    'PhaseHook',
    'Predictions',
    'Progress',
    'Ramp',
    'Reporter',
    'Responds',
    'ResumeHook',
    'Runner',
    'TeacherCacheHook',
    'batches_in_order',
    'build_schedule',
    'chance_faults',
    'current_reporter',
    'detector_of',
    'distiller_of',
    'evaluating',
    'forgetting_runs',
    'inputs_fingerprint',
    'listing_classes',
    'missing_hooks',
    'planned_files',
    'predict_teachers',
    'predict_windows',
    'random_transforms',
    'same_random_state',
    'show_log_by_reporter',
    'training_labels',
    'training_progress',
    'use_reporter',
    'use_whole_float32',
]
