"""Networks that a run needs first: trained once, kept for every later run, and held against the data before they are used."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import barrier, broadcast_object_list, is_main_process
from mmengine.logging import print_log

from mmkd_plugin.datasets import Manifest
from mmkd_plugin.deploy import check_checkpoint
from mmkd_plugin.fileio import load_checkpoint, locked
from mmkd_plugin.registry import DATASETS

from .results import result_faults

__all__ = ['check_trained', 'train_once']


def train_once(name: str, teacher_cfg: Config, folder: Path, train: Callable[..., object], windows: Manifest) -> None:
    """Train unless it is done; the main process holds a lock meanwhile, so that of two runs one trains and the other waits.

    A finished teacher is used without the lock, so that the folder of all teachers may be one that nobody here can write to.

    Args:
        name (str): Of the teacher, or of another network that a run needs first.
        teacher_cfg (Config): Config that trains the network.
        folder (Path): Its work directory, named after the fingerprint of config and data.
        train (Callable): :func:`mmkd_plugin.apis.train`.
        windows (Manifest): Windows of known classes.
    """
    done = _agree(name, folder)
    with contextlib.ExitStack() as stack:
        if not done and is_main_process():
            try:
                stack.enter_context(locked(f'{folder}.lock', f"teacher '{name}' ({folder})", _say, wait=True))
            except OSError as error:
                raise OSError(f"teacher '{name}' has to be trained: {error}") from error
        if done or _agree(name, folder):
            _say(f"teacher '{name}': reusing {folder}")
            return
        _say(f"teacher '{name}': training {teacher_cfg.filename} into {folder}")
        train(teacher_cfg, name, windows)
        barrier()


def _say(line: str, level: int = logging.INFO) -> None:
    print_log(line, 'current', level)


def _agree(name: str, folder: Path) -> bool:
    """Return in every process whether a teacher is finished, as the main process has seen it: all must take the same way."""
    done = [is_main_process() and _is_finished(name, folder)]
    broadcast_object_list(done)
    return done[0]


def _is_finished(name: str, folder: Path) -> bool:
    """Return whether a teacher's folder holds all that a finished run leaves; what is damaged there is said."""
    if not (folder / 'result.json').is_file():
        return False
    faults = result_faults(folder)
    for fault in faults:
        _say(f"teacher '{name}': {fault}; the training is made again from its newest checkpoint", logging.WARNING)
    return not faults


def check_trained(name: str, path: str, cfg: Config, view: str | None) -> None:
    """Hold what lies in a folder against the data: the name of a folder alone says what somebody has called it.

    Args:
        name (str): What the network is called in an error.
        path (str): Its checkpoint.
        cfg (Config): Config of the run that needs the network.
        view (str, optional): View that the network reads.

    Raises:
        ValueError: The network is of other data, or has learned from subjects that are tested.
    """
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    check_checkpoint(f'{name} ({path})', load_checkpoint(path).get('meta'), cfg, dataset, view)
