"""Files: written whole or not at all, checkpoints read without running code, configs found."""

from .arrays import load_npz, most_unpacked
from .atomic import AtomicBackend, remove_leftovers, uninterrupted, write_atomically
from .checkpoint import (
    SAFE_GLOBALS,
    check_resumable,
    check_weights,
    file_hash,
    load_checkpoint,
    safe_loading,
    weights_fingerprint,
)
from .config import (
    ConfigError,
    complete_teachers,
    config_files,
    deployed_learner,
    read_config,
    resolve_config,
    shipped_configs,
)
from .newest import newest_checkpoint
from .options import merge_options, parse_value

__all__ = [
    'SAFE_GLOBALS',
    'AtomicBackend',
    'ConfigError',
    'check_resumable',
    'check_weights',
    'complete_teachers',
    'config_files',
    'deployed_learner',
    'file_hash',
    'load_checkpoint',
    'load_npz',
    'merge_options',
    'most_unpacked',
    'newest_checkpoint',
    'parse_value',
    'read_config',
    'remove_leftovers',
    'resolve_config',
    'safe_loading',
    'shipped_configs',
    'uninterrupted',
    'weights_fingerprint',
    'write_atomically',
]
