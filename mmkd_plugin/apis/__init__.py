"""The Python front door: what the command line tools call."""

from .cache import verify_caches
from .check import check_config
from .config import load_config
from .doctor import diagnose
from .evaluate import evaluate_checkpoint
from .report import format_table
from .train import train

__all__ = ['check_config', 'diagnose', 'evaluate_checkpoint', 'format_table', 'load_config', 'train', 'verify_caches']
