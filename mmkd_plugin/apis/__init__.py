"""The Python front door: what the commands call."""

from mmkd_plugin.fileio import find_network, read_predictions, read_result

from .alone import teachers_below
from .cache import verify_caches
from .check import check_config
from .config import load_config
from .doctor import diagnose
from .embed import embed_windows, network_embeddings, place_embeddings
from .estimate import estimate_seconds
from .export import export_checkpoint, export_faults
from .filters import frequency_filters
from .graph import config_graph
from .matrix import plan_sweep, prepare_teacher
from .pictures import PictureHook
from .predict import predict
from .ranking import rank_teachers
from .results import format_table
from .robustness import choose_corruptions, evaluate_corruptions, format_corruptions
from .search import plan_search
from .show import activation_maps, confused_windows, window_views
from .test import Evaluation, evaluate_checkpoint, evaluate_windows
from .train import train
from .winner import options_beside, write_winner

__all__ = [
    'Evaluation',
    'PictureHook',
    'activation_maps',
    'check_config',
    'choose_corruptions',
    'config_graph',
    'confused_windows',
    'diagnose',
    'embed_windows',
    'estimate_seconds',
    'evaluate_checkpoint',
    'evaluate_corruptions',
    'evaluate_windows',
    'export_checkpoint',
    'export_faults',
    'find_network',
    'format_corruptions',
    'format_table',
    'frequency_filters',
    'load_config',
    'network_embeddings',
    'options_beside',
    'place_embeddings',
    'plan_search',
    'plan_sweep',
    'predict',
    'prepare_teacher',
    'rank_teachers',
    'read_predictions',
    'read_result',
    'teachers_below',
    'train',
    'verify_caches',
    'window_views',
    'write_winner',
]
