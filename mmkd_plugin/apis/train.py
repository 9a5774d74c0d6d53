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
from mmengine.logging import MMLogger
from torch import nn

import mmkd_plugin
from mmkd_plugin.engine import Runner, current_reporter, show_log_by_reporter
from mmkd_plugin.fileio import SAFE_GLOBALS, file_hash, load_checkpoint, uninterrupted, write_atomically
from mmkd_plugin.models.distillers import AnomalyDetector

from .check import check_config
from .plan import describe_run, network_titles, teacher_title
from .results import read_result, write_result
from .teachers import prepare_teachers
from .test import evaluate_checkpoint, figures

__all__ = ['train']


def train(cfg: Config, teacher: str | None = None) -> dict:
    """Train a config, its teachers first.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        teacher (str, optional): Name that the network has in the run that needs it first, if it is one's teacher.

    Returns:
        dict: What ``result.json`` in the work directory holds: ``classes``, ``n_test``, ``student``, ``teachers`` and further
        ``learners`` with parameters, checkpoint and test figures (shares from 0 to 1), best on validation and last epoch, and
        ``faults`` that the doctor has seen. A detector's figures stand under ``detector``.

    Raises:
        FileNotFoundError: A config or checkpoint is not there.
        KeyError: An address, a type or a network's name is wrong.
        ValueError: Anything else in the config is wrong. Nothing has been written then.
    """
    cfg = copy.deepcopy(cfg)  # Config.copy shares what is nested
    _start_distributed(cfg)
    show_log_by_reporter(MMLogger.get_current_instance())
    manifest = check_config(cfg)
    if teacher is None and is_main_process():
        current_reporter().plan(describe_run(cfg, manifest), network_titles(cfg))
    folders = prepare_teachers(cfg, train)

    # The host of the second stack loads its own checkpoints only if these are known to be safe.
    torch.serialization.add_safe_globals(SAFE_GLOBALS)
    runner = Runner.from_cfg(cfg)
    manifest_path = str(Path(cfg.work_dir, 'windows.npz'))
    if is_main_process():
        manifest.write(manifest_path)
    current_reporter().begin(network_titles(cfg)[-1] if teacher is None else teacher_title(teacher))
    runner.train()
    model = getattr(runner.model, 'module', runner.model)
    last, last_states = _test(runner, model), {name: _copy(network) for name, network in model.learners.items()}
    best_state, score = _best_checkpoint(runner)
    model.load_state_dict(best_state)
    best = _test(runner, model)
    student = _export(runner, model, last_states[model.deployed], score)
    tests = {name: {'best': best[name], 'last': last[name]} for name in best}
    if isinstance(model, AnomalyDetector):
        paths = {which: student['checkpoint'].replace('_best.pth', f'_{which}.pth') for which in ('best', 'last')}
        detector, tests[model.deployed] = tests[model.deployed], {k: evaluate_checkpoint(cfg, v) for k, v in paths.items()}
        more = {'detector': {'params': _count(model) + sum(map(_count, model.teachers.values())), 'test': detector}}
    else:
        others = [name for name in model.learners if name != model.deployed]
        more = {'learners': {name: {'params': _count_read(model, name), 'test': tests[name]} for name in others}}
    result = {
        'classes': model.data_preprocessor.num_classes,
        'n_test': len(runner.test_dataloader.dataset),
        'student': {**student, 'test': tests[model.deployed]},
        **more,
        'teachers': {name: _teacher_row(cfg, model, name, folders.get(name)) for name in model.teachers},
        'windows': {'manifest': manifest_path, 'sha256': manifest.fingerprint(), **manifest.counts()},
        'faults': runner.message_hub.runtime_info.get('faults', []),
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
            raise ValueError(
                'launcher=pytorch needs torchrun: torchrun --nproc-per-node 2 -m mmkd_plugin train CONFIG --launcher pytorch'
            )
        torch.distributed.init_process_group('gloo')
    # Transfers that are switched off leave their connectors without a gradient.
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False, find_unused_parameters=True
    )


def _test(runner: Runner, model: nn.Module) -> dict[str, dict]:
    """Test figures of every learner: the one that is deployed, and what others say beside it."""
    deployed, found = model.deployed, {}
    for name in [deployed] if isinstance(model, AnomalyDetector) else model.learners:
        model.deploy(name)
        found[name] = figures(runner.test())
    model.deploy(deployed)
    return found


def _copy(network: nn.Module) -> dict:
    return {key: value.cpu().clone() for key, value in network.state_dict().items()}


def _count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def _count_read(model: nn.Module, name: str) -> int:
    """Parameters that a learner's prediction goes through."""
    return sum(_count(model.learners[part]) for part in {name, *model.reads.get(name, ())})


def _export(runner: Runner, model: nn.Module, last: dict, score: float) -> dict:
    """Write the deployed network alone, best and last; return the student's row of the result."""
    work_dir, name = Path(runner.cfg.work_dir), model.deployed  # as it was given: the runner makes it absolute
    paths = {which: work_dir / f'{name}_{which}.pth' for which in ('best', 'last')}
    network = model.learners[name]
    if is_main_process():
        _write_network(last, paths['last'], runner, model)
        _write_network(_copy(network), paths['best'], runner, model, score)
    barrier()
    return {'params': _count(network), 'checkpoint': str(paths['best']), 'sha256': file_hash(paths['best'])}


def _best_checkpoint(runner: Runner) -> tuple[dict, float]:
    """Weights and score of the best-on-validation checkpoint of this run, by the score that each candidate carries.

    There may be several: a resumed run can leave the best of before beside the best of after.
    """
    sign = -1 if runner.cfg.default_hooks.checkpoint.get('rule') == 'less' else 1
    run_id = runner.message_hub.get_info('run_id')
    candidates = [load_checkpoint(path) for path in sorted(Path(runner.work_dir).glob('best_*.pth'))]
    scored = [(c['message_hub']['runtime_info'], c) for c in candidates]
    own = [
        (sign * info['best_score'], -c['meta']['epoch'], c['state_dict']) for info, c in scored if info.get('run_id') == run_id
    ]
    if not own:
        raise FileNotFoundError(f'{runner.work_dir} has no best_*.pth of this run: the checkpoint hook needs save_best')
    score, _, state = max(own, key=lambda candidate: candidate[:2])
    return state, sign * score


def _write_network(state: dict, path: Path, runner: Runner, model: nn.Module, score: float | None = None) -> None:
    """One network's weights with what is needed to use them: view, classes, normalisation, config, validation score."""
    meta = {
        'deployed': model.deployed,
        'view': model.views[model.deployed],
        'dataset_meta': runner.train_dataloader.dataset.metainfo,
        'validation': {'metric': runner.cfg.default_hooks.checkpoint.save_best, 'value': score},
        'cfg': runner.cfg.pretty_text,
        'mmkd_plugin_version': mmkd_plugin.__version__,
    }
    buffer = io.BytesIO()
    with uninterrupted():
        torch.save({'meta': meta, 'state_dict': state}, buffer)
    write_atomically(buffer.getvalue(), path)


def _teacher_row(cfg: Config, model: nn.Module, name: str, folder: Path | None) -> dict:
    """A teacher's row: from its own run, or measured now if it came as a checkpoint."""
    checkpoint = cfg.model.teachers[name].checkpoint
    row = {
        'params': _count(model.teachers[name]),
        'checkpoint': checkpoint,
        'sha256': file_hash(checkpoint),
    }
    if folder is not None:
        return {**row, 'test': read_result(folder)['student']['test']}
    return {**row, 'test': {'best': evaluate_checkpoint(cfg, checkpoint, name), 'last': None}}
