"""One run from config to figures: check, train the teachers that are missing, train, test, export."""

from __future__ import annotations

import copy
import io
import os
from pathlib import Path

import torch
import torch.distributed
from mmengine.config import Config
from mmengine.dist import barrier, is_main_process
from mmengine.runner import Runner
from torch import nn

import mmkd_plugin
from mmkd_plugin.engine.atomic import write_atomically
from mmkd_plugin.engine.weights import SAFE_GLOBALS, file_hash, load_checkpoint
from mmkd_plugin.models.distillers.teachers import deployed_weights

from .check import check_config
from .evaluate import evaluate_checkpoint, figures
from .report import read_result, write_result
from .teachers import prepare_teachers

__all__ = ['train']


def train(cfg: Config) -> dict:
    """Train a config, its teachers first.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.

    Returns:
        dict: What ``result.json`` in the work directory holds: ``classes``, ``n_test``, ``student`` and ``teachers`` with
        parameters, checkpoint and test figures (shares from 0 to 1), best on validation and last epoch.

    Raises:
        FileNotFoundError: A config or checkpoint is not there.
        KeyError: An address, a type or a network's name is wrong.
        ValueError: Anything else in the config is wrong. Nothing has been written then.
    """
    cfg = copy.deepcopy(cfg)  # Config.copy shares what is nested
    _start_distributed(cfg)
    check_config(cfg)
    folders = prepare_teachers(cfg, train)

    # The host of the second stack loads its own checkpoints only if these are known to be safe.
    torch.serialization.add_safe_globals(SAFE_GLOBALS)
    runner = Runner.from_cfg(cfg)
    runner.train()
    model = getattr(runner.model, 'module', runner.model)
    last = figures(runner.test())
    student = _export(runner, model, last)
    result = {
        'classes': model.data_preprocessor.num_classes,
        'n_test': len(runner.test_dataloader.dataset),
        'student': student,
        'teachers': {name: _teacher_row(cfg, model, name, folders.get(name)) for name in model.teachers},
    }
    if is_main_process():
        write_result(result, cfg.work_dir)
    return result


def _start_distributed(cfg: Config) -> None:
    """Start the process group on a CPU, which the host's launcher cannot: it asks for a GPU by number."""
    if cfg.get('launcher', 'none') == 'none' or torch.cuda.is_available():
        return
    if not torch.distributed.is_initialized():
        if 'RANK' not in os.environ:
            raise ValueError('launcher=pytorch needs torchrun: bash tools/dist_train.sh CONFIG PROCESSES')
        torch.distributed.init_process_group('gloo')
    # Arrows that are switched off leave their connectors without a gradient.
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False, find_unused_parameters=True
    )


def _export(runner: Runner, model: nn.Module, last: dict) -> dict:
    """Write the deployed network alone, best and last; return the student's row of the result."""
    work_dir, name = Path(runner.cfg.work_dir), model.deployed  # as it was given: the runner makes it absolute
    paths = {which: work_dir / f'{name}_{which}.pth' for which in ('best', 'last')}
    network = model.learners[name]
    states = {'last': network.state_dict(), 'best': _best_state(runner, name)}
    if is_main_process():
        for which, path in paths.items():
            _write_network(states[which], path, runner, model)
    barrier()
    network.load_state_dict(states['best'])
    return {
        'params': sum(p.numel() for p in network.parameters()),
        'checkpoint': str(paths['best']),
        'sha256': file_hash(paths['best']),
        'test': {'best': figures(runner.test()), 'last': last},
    }


def _best_state(runner: Runner, name: str) -> dict:
    """Weights of the best-on-validation checkpoint of this run, by the score that each candidate carries.

    There may be several: a resumed run can leave the best of before beside the best of after.
    """
    run_id = runner.message_hub.get_info('run_id')
    candidates = [load_checkpoint(path) for path in sorted(Path(runner.work_dir).glob('best_*.pth'))]
    scored = [(c['message_hub']['runtime_info'], c) for c in candidates]
    own = [(info['best_score'], -c['meta']['epoch'], c['state_dict']) for info, c in scored if info.get('run_id') == run_id]
    if not own:
        raise FileNotFoundError(f'{runner.work_dir} has no best_*.pth of this run: the checkpoint hook needs save_best')
    return deployed_weights(max(own, key=lambda candidate: candidate[:2])[2], name)


def _write_network(state: dict, path: Path, runner: Runner, model: nn.Module) -> None:
    """One network's weights with what is needed to use them: view, classes, normalisation, config."""
    meta = {
        'deployed': model.deployed,
        'view': model.views[model.deployed],
        'dataset_meta': runner.train_dataloader.dataset.metainfo,
        'cfg': runner.cfg.pretty_text,
        'mmkd_plugin_version': mmkd_plugin.__version__,
    }
    buffer = io.BytesIO()
    torch.save({'meta': meta, 'state_dict': {key: value.cpu().clone() for key, value in state.items()}}, buffer)
    write_atomically(buffer.getvalue(), path)


def _teacher_row(cfg: Config, model: nn.Module, name: str, folder: Path | None) -> dict:
    """A teacher's row: from its own run, or measured now if it came as a checkpoint."""
    checkpoint = cfg.model.teachers[name].checkpoint
    row = {
        'params': sum(p.numel() for p in model.teachers[name].parameters()),
        'checkpoint': checkpoint,
        'sha256': file_hash(checkpoint),
    }
    if folder is not None:
        return {**row, 'test': read_result(folder)['student']['test']}
    return {**row, 'test': {'best': evaluate_checkpoint(cfg, checkpoint, name), 'last': None}}
