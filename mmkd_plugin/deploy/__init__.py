"""What leaves a run: networks with the contract that says which data they fit."""

from .contract import Contract, check_checkpoint
from .contract_hook import ContractHook
from .decisions import FORMATS, format_decisions
from .drift import find_drift
from .inferencer import SignalInferencer
from .settings import first_difference, learning_settings, settings_fingerprint
from .student import GOLDEN, Student, load_student, pack_student

__all__ = [
    'FORMATS',
    'GOLDEN',
    'Contract',
    'ContractHook',
    'SignalInferencer',
    'Student',
    'check_checkpoint',
    'find_drift',
    'first_difference',
    'format_decisions',
    'learning_settings',
    'load_student',
    'pack_student',
    'settings_fingerprint',
]
