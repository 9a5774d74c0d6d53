"""What leaves a run: networks with the contract that says which data they fit."""

from .contract import Contract, check_checkpoint
from .contract_hook import ContractHook
from .settings import first_difference, learning_settings, settings_fingerprint

__all__ = [
    'Contract',
    'ContractHook',
    'check_checkpoint',
    'first_difference',
    'learning_settings',
    'settings_fingerprint',
]
