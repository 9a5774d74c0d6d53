"""One run from config to metrics: check, train the teachers that are missing, train, test, export."""

from __future__ import annotations

import contextlib
import copy
import errno
import io
import os
from pathlib import Path

import torch
import torch.distributed
from mmengine.config import Config
from mmengine.dist import barrier, is_main_process
from mmengine.hooks import EMAHook
from mmengine.logging import MMLogger
from mmengine.model import is_model_wrapper
from torch import nn

import mmkd_plugin
from mmkd_plugin.datasets import Manifest, split_oddities
from mmkd_plugin.deploy import Contract, ContractHook, pack_student
from mmkd_plugin.engine import (
    Runner,
    batches_in_order,
    current_reporter,
    forgetting_runs,
    predict_windows,
    show_log_by_reporter,
)
from mmkd_plugin.failures import uninterrupted
from mmkd_plugin.fileio import (
    SAFE_GLOBALS,
    content_hashes,
    file_hash,
    load_checkpoint,
    locked,
    write_atomically,
    write_fault,
    write_predictions,
    write_result,
)
from mmkd_plugin.models.distillers import Distiller

from .check import check_config
from .plan import describe_run, network_titles, teacher_title
from .provenance import Clock, config_fingerprint, describe_origin
from .resume import check_resume
from .rows import own_rows, prediction_arrays, teacher_row, test_networks
from .teachers import prepare_teachers, run_settings
from .threads import count_operations, threads_for

__all__ = ['train']

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def train(cfg: Config, teacher: str | None = None, manifest: Manifest | None = None) -> dict:
    """Train a config, its teachers first.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        teacher (str, optional): Name that the network has in the run that needs it first, if it is one's teacher.
        manifest (Manifest, optional): Windows of the run where :func:`mmkd_plugin.apis.check_config` has returned them for this
            config; by default the config is checked here.

    Returns:
        dict: What ``result.json`` in the work directory holds. ``networks`` has one row per network, teachers first: ``name``,
        ``role`` ('teacher', 'student', 'learner' or 'detector'), ``view``, ``params``, ``macs``, ``checkpoint`` and ``sha256``
        (None where none is exported), ``val`` (metrics of the best epoch on the validation split) and ``test`` (``best`` on
        validation and ``last`` epoch); metrics are shares from 0 to 1. Beside it ``classes``, ``n_test`` (windows of the test
        split), ``absent`` (classes that it has no window of), ``unseen_subjects`` (whether the data name who was recorded),
        ``windows`` (manifest, its hash, windows per split), ``run`` (where the result comes from, see
        :func:`~mmkd_plugin.apis.provenance.describe_origin`), ``quick`` (a first look and no result), ``faults`` that the
        doctor has named, and ``files`` (SHA-256 of the exported network and the logits, by file). Logits by window lie in
        ``predictions.npz``, see :func:`mmkd_plugin.fileio.write_predictions`.

    Raises:
        ConfigError: Something in the config is wrong. Nothing has been written then.
        LockedError: Another process trains in the work directory.
        OSError: A file cannot be written; the message says which, and how much room is left.
        ValueError: The run cannot go on from this checkpoint, which is of another run. Nothing has been written either.
    """
    cfg = copy.deepcopy(cfg)  # Config.copy shares what is nested
    _start_distributed(cfg)
    show_log_by_reporter(MMLogger.get_current_instance())
    manifest = check_config(cfg) if manifest is None else manifest
    if teacher is None and is_main_process():
        current_reporter().plan(describe_run(cfg, manifest), network_titles(cfg))
        for oddity in split_oddities(manifest):
            current_reporter().warn(oddity)
    settings = run_settings(cfg)
    if cfg.get('resume'):
        check_resume(cfg, settings)
    with contextlib.ExitStack() as stack:
        stack.enter_context(forgetting_runs())
        if is_main_process():
            say = MMLogger.get_current_instance().warning
            stack.enter_context(locked(Path(cfg.work_dir, '.lock'), f'the work directory {cfg.work_dir}', say))
        try:
            return _run(cfg, teacher, manifest, settings)
        except OSError as error:  # the host writes some files of its own
            if error.filename is None and error.errno in NO_ROOM:
                raise write_fault(error, cfg.work_dir) from error
            raise


def _run(cfg: Config, teacher: str | None, manifest: Manifest, settings: dict) -> dict:
    """Train, test and export, in a work directory that is this run's alone."""
    fingerprint = config_fingerprint(cfg)  # before paths of trained weights come in
    folders = prepare_teachers(cfg, train, manifest)

    clock = Clock()
    # The host of the second stack loads its own checkpoints only if these are known to be safe.
    torch.serialization.add_safe_globals(SAFE_GLOBALS)
    runner = Runner.from_cfg(cfg)
    _contract_hook(runner).set_settings(settings)
    manifest_path = str(Path(cfg.work_dir, 'windows.npz'))
    if is_main_process():
        manifest.write(manifest_path)
    current_reporter().begin(network_titles(cfg)[-1] if teacher is None else teacher_title(teacher))
    batch = runner.cfg.train_dataloader.get('batch_size', 1)
    with threads_for(lambda: count_operations(_model_of(runner), batch)):
        runner.train()
        rows, arrays = _test(runner, cfg, folders)
    result = {
        'classes': _model_of(runner).data_preprocessor.num_classes,
        'n_test': len(arrays['labels']),
        'absent': manifest.absent('test'),
        'unseen_subjects': manifest.has_subjects,
        'networks': rows,
        'windows': {'manifest': manifest_path, 'sha256': manifest.fingerprint(), **manifest.counts(), **_lacking(runner)},
        'run': describe_origin(cfg, fingerprint, runner.seed, runner.test_dataloader.dataset.metainfo, clock),
        'quick': bool(cfg.get('quick', False)),
        'faults': runner.message_hub.runtime_info.get('faults', []),
    }
    if is_main_process():
        name = _model_of(runner).deployed
        files = [Path(cfg.work_dir, f'{name}_{which}.pth') for which in ('best', 'last')]
        files.append(write_predictions(arrays, cfg.work_dir))
        result['files'] = {path.name: sha for path, sha in zip(files, content_hashes(files))}
        write_result(result, cfg.work_dir)  # last: a folder with a result is complete
    return result


def _lacking(runner: Runner) -> dict:
    """Return how many windows of each split lack each stream, where the data have streams."""
    datasets = {split: getattr(runner, f'{split}_dataloader').dataset for split in ('train', 'val', 'test')}
    counts = {split: dataset.lacking for split, dataset in datasets.items() if getattr(dataset, 'lacking', None)}
    return {'lacking': counts} if counts else {}


def _contract_hook(runner: Runner) -> ContractHook:
    """Return the hook that puts the contract into checkpoints, which a config of a user's may lack."""
    if not any(isinstance(hook, ContractHook) for hook in runner.hooks):
        runner.register_hook(ContractHook())
    return next(hook for hook in runner.hooks if isinstance(hook, ContractHook))


def _start_distributed(cfg: Config) -> None:
    """Start the process group on a CPU, which the host's launcher cannot: it asks for a GPU by number."""
    if cfg.get('launcher', 'none') == 'none':
        return
    processes, gpus = int(os.environ.get('LOCAL_WORLD_SIZE', 1)), torch.cuda.device_count()
    if 0 < gpus < processes:
        raise ValueError(
            f'{processes} processes were started on this machine, each needs a GPU of its own, and torch can use {gpus}: start '
            'as many as there are, or set CUDA_VISIBLE_DEVICES= to train on the CPU'
        )
    # Transfers that are switched off leave their connectors without a gradient.
    if gpus:
        cfg.setdefault('find_unused_parameters', True)
        return
    if not torch.distributed.is_initialized():
        if 'RANK' not in os.environ:
            raise ValueError(
                'launcher=pytorch needs torchrun: torchrun --nproc-per-node 2 -m mmkd_plugin train CONFIG --launcher pytorch'
            )
        torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False, find_unused_parameters=True
    )


def _test(runner: Runner, cfg: Config, folders: dict[str, Path]) -> tuple[list[dict], dict]:
    """Test the last and the best epoch and export the student; return the rows of all networks and their logits."""
    model = _model_of(runner)
    loaders = {split: getattr(runner, f'{split}_dataloader') for split in ('train', 'val', 'test')}
    _use_averages(runner)
    predictions = {'last': test_networks(model, loaders)}
    last = _copy(model.learners[model.deployed])
    best, score = _best_checkpoint(runner)
    model.load_state_dict(best)
    predictions['val'] = {name: predict_windows(model, batches_in_order(loaders['val']), name) for name in model.roles()}
    predictions['best'] = test_networks(model, loaders)
    own = own_rows(cfg, model, predictions, loaders)
    own[0].update(_export(runner, model, last, score, own[0]))
    teachers = {name: teacher_row(cfg, model, name, folders.get(name), loaders['test']) for name in model.teachers}
    rows = [row for row, _ in teachers.values()] + own
    return rows, prediction_arrays(predictions, {name: logits for name, (_, logits) in teachers.items()})


def _use_averages(runner: Runner) -> None:
    """Give the model the weights that its validation and its checkpoints speak of, where a hook averages them."""
    for hook in runner.hooks:
        if isinstance(hook, EMAHook):
            hook.before_test_epoch(runner)


def _model_of(runner: Runner) -> Distiller:
    """Return the model of a run, out of its wrapper."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _copy(network: nn.Module) -> dict:
    return {key: value.cpu().clone() for key, value in network.state_dict().items()}


def _export(runner: Runner, model: Distiller, last: dict, score: float, row: dict) -> dict:
    """Write the deployed network alone, best and last, with the figures of its row; return path and hash of the best."""
    work_dir, name = Path(runner.cfg.work_dir), model.deployed  # as it was given: the runner makes it absolute
    paths = {which: work_dir / f'{name}_{which}.pth' for which in ('best', 'last')}
    network = model.learners[name]
    if is_main_process():
        _write_network(last, paths['last'], runner, {'test': row['test']['last']})
        _write_network(_copy(network), paths['best'], runner, {'val': row['val'], 'test': row['test']['best']}, score)
    barrier()
    return {'checkpoint': str(paths['best']), 'sha256': file_hash(paths['best'])}


def _best_checkpoint(runner: Runner) -> tuple[dict, float]:
    """Return weights and score of this run's best checkpoint on validation, by the score that each candidate carries.

    There may be several: a resumed run can leave the best checkpoint of its first part beside that of its second.
    """
    sign = -1 if runner.cfg.default_hooks.checkpoint.get('rule') == 'less' else 1
    run_id = runner.message_hub.get_info('run_id')
    candidates, damaged = [], ''
    for path in sorted(Path(runner.work_dir).glob('best_*.pth')):
        try:
            candidates.append(load_checkpoint(path))
        except ValueError as error:  # of a run before: this one's is held against its content when the run begins
            damaged = f'; {error}'
    scored = [(c['message_hub']['runtime_info'], c) for c in candidates]
    own = [
        (sign * info['best_score'], -c['meta']['epoch'], c['state_dict']) for info, c in scored if info.get('run_id') == run_id
    ]
    if not own:
        raise FileNotFoundError(
            f'{runner.work_dir} has no best_*.pth of this run: the checkpoint hook needs save_best{damaged}'
        )
    score, _, state = max(own, key=lambda candidate: candidate[:2])
    return state, sign * score


def _write_network(state: dict, path: Path, runner: Runner, figures: dict, score: float | None = None) -> None:
    """Write one network's weights with what their use needs: contract, golden windows, config, validation score."""
    model = _model_of(runner)
    name = model.deployed
    network = None if model.reads.get(name) else runner.cfg.model.learners[name].network
    contract = Contract.from_meta(_contract_hook(runner).contract_meta(runner))
    packed = pack_student(contract, state, network, figures, runner.val_dataloader.dataset)
    meta = {
        'deployed': name,
        'view': model.views[name],
        'dataset_meta': runner.train_dataloader.dataset.metainfo,
        **packed['meta'],
        'validation': {'metric': runner.cfg.default_hooks.checkpoint.save_best, 'value': score},
        'cfg': runner.cfg.pretty_text,
        'mmkd_plugin_version': mmkd_plugin.__version__,
    }
    buffer = io.BytesIO()
    with uninterrupted():
        torch.save({**packed, 'meta': meta}, buffer)
    write_atomically(buffer.getvalue(), path)
