"""What the host's engine lacks: schedules of weights, and hooks."""

from .hooks import DistillerHook, DoctorHook, FiniteLossHook, ResumeHook, TeacherCacheHook, identity_of, training_labels
from .schedules import Constant, Decay, Interval, Ramp, build_schedule, training_progress

__all__ = [
    'Constant',
    'Decay',
    'DistillerHook',
    'DoctorHook',
    'FiniteLossHook',
    'Interval',
    'Ramp',
    'ResumeHook',
    'TeacherCacheHook',
    'build_schedule',
    'identity_of',
    'training_labels',
    'training_progress',
]
