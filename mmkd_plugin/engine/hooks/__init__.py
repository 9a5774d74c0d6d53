"""Hooks that the host lacks."""

from .cache_hook import TeacherCacheHook, identity_of, random_transforms
from .distiller_hook import DistillerHook, training_labels
from .doctor_hook import DoctorHook
from .finite_loss_hook import FiniteLossHook
from .resume_hook import ResumeHook

__all__ = [
    'DistillerHook',
    'DoctorHook',
    'FiniteLossHook',
    'ResumeHook',
    'TeacherCacheHook',
    'identity_of',
    'random_transforms',
    'training_labels',
]
