"""Hooks that the host lacks, each with one job."""

from .accuracy_hook import AccuracyHook
from .cache_hook import TeacherCacheHook, inputs_fingerprint, random_transforms
from .calibration_hook import CalibrationHook
from .checkpoint_hook import CheckpointHook, planned_files
from .doctor_hook import DoctorHook
from .epoch_hook import EpochHook
from .finite_loss_hook import FiniteLossHook
from .interruption_hook import InterruptionHook
from .memory_bank_hook import MemoryBankHook, training_labels
from .meta_hook import MetaHook
from .phase_hook import PhaseHook
from .protocol import DetectorProtocol, DistillerProtocol, MetaProtocol, detector_of, distiller_of, missing_hooks
from .resume_hook import ResumeHook

__all__ = [
    'AccuracyHook',
    'CalibrationHook',
    'CheckpointHook',
    'DetectorProtocol',
    'DistillerProtocol',
    'DoctorHook',
    'EpochHook',
    'FiniteLossHook',
    'InterruptionHook',
    'MemoryBankHook',
    'MetaHook',
    'MetaProtocol',
    'PhaseHook',
    'ResumeHook',
    'TeacherCacheHook',
    'detector_of',
    'distiller_of',
    'inputs_fingerprint',
    'missing_hooks',
    'planned_files',
    'random_transforms',
    'training_labels',
]
