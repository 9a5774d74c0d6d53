"""What leaves a run: networks with the contract that says which data they fit."""

from .contract import Contract, check_checkpoint
from .contract_hook import ContractHook
from .settings import first_difference, learning_settings, settings_fingerprint
from .student import GOLDEN, Student, load_student, pack_student

__all__ = [
    'GOLDEN',
    'Contract',
    'ContractHook',
    'Student',
    'check_checkpoint',
    'first_difference',
    'learning_settings',
    'load_student',
    'pack_student',
    'settings_fingerprint',
]
