"""The Python front door: what the commands call."""

from .cache import verify_caches
from .check import check_config
from .config import load_config
from .doctor import diagnose
from .results import format_table
from .robustness import choose_corruptions, evaluate_corruptions, format_corruptions
from .test import evaluate_checkpoint
from .train import train

__all__ = [
    'check_config',
    'choose_corruptions',
    'diagnose',
    'evaluate_checkpoint',
    'evaluate_corruptions',
    'format_corruptions',
    'format_table',
    'load_config',
    'train',
    'verify_caches',
]
