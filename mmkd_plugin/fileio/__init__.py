"""Files: written whole or not at all, checkpoints read without running code, configs found."""

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
from .results import find_network, read_predictions, read_result, write_predictions, write_result

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
    'find_network',
    'load_checkpoint',
    'merge_options',
    'newest_checkpoint',
    'parse_value',
    'read_config',
    'read_predictions',
    'read_result',
    'remove_leftovers',
    'resolve_config',
    'safe_loading',
    'shipped_configs',
    'uninterrupted',
    'weights_fingerprint',
    'write_atomically',
    'write_predictions',
    'write_result',
]
