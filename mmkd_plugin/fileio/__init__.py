"""Files: written whole or not at all, checkpoints read without running code, configs found."""

from .arrays import load_npy, load_npz, most_unpacked
from .atomic import AtomicBackend, remove_leftovers, write_atomically, write_fault, write_together
from .checkpoint import (
    SAFE_GLOBALS,
    check_resumable,
    check_weights,
    load_checkpoint,
    safe_loading,
    state_fingerprint,
    weights_fingerprint,
)
from .config import (
    SHIPPED,
    ConfigError,
    complete_teachers,
    config_files,
    deployed_learner,
    read_config,
    resolve_config,
    shipped_configs,
    views_read,
)
from .config_text import format_config
from .content import check_facts, content_hashes, facts_hash, file_faults, file_hash, load_hashes, save_hashes, seal, unseal
from .curves import plain_metrics, read_curves
from .lock import LockedError, locked
from .newest import newest_checkpoint
from .options import merge_options, parse_value
from .outputs import Outputs, read_outputs
from .pickles import load_pickle, read_pickle
from .ray_cluster import ray_cluster
from .results import find_network, read_predictions, read_result, write_predictions, write_result

__all__ = [
    'SAFE_GLOBALS',
    'SHIPPED',
    'AtomicBackend',
    'ConfigError',
    'LockedError',
    'Outputs',
    'check_facts',
    'check_resumable',
    'check_weights',
    'complete_teachers',
    'config_files',
    'content_hashes',
    'deployed_learner',
    'facts_hash',
    'file_faults',
    'file_hash',
    'find_network',
    'format_config',
    'load_checkpoint',
    'load_hashes',
    'load_npy',
    'load_npz',
    'load_pickle',
    'locked',
    'merge_options',
    'most_unpacked',
    'newest_checkpoint',
    'parse_value',
    'plain_metrics',
    'ray_cluster',
    'read_config',
    'read_curves',
    'read_outputs',
    'read_pickle',
    'read_predictions',
    'read_result',
    'remove_leftovers',
    'resolve_config',
    'safe_loading',
    'save_hashes',
    'seal',
    'shipped_configs',
    'state_fingerprint',
    'unseal',
    'views_read',
    'weights_fingerprint',
    'write_atomically',
    'write_fault',
    'write_predictions',
    'write_result',
    'write_together',
]
