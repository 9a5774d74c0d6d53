"""Files: written whole or not at all, checkpoints read without running code, configs found."""

from .atomic import AtomicBackend, uninterrupted, write_atomically
from .checkpoint import SAFE_GLOBALS, check_weights, file_hash, load_checkpoint
from .config import complete_teachers, deployed_learner, resolve_config

__all__ = [
    'SAFE_GLOBALS',
    'AtomicBackend',
    'check_weights',
    'complete_teachers',
    'deployed_learner',
    'file_hash',
    'load_checkpoint',
    'resolve_config',
    'uninterrupted',
    'write_atomically',
]
