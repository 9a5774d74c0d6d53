"""Outputs of frozen teachers, computed once per window, kept on disk and read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmengine.dist import barrier, broadcast_object_list, is_main_process
from mmengine.hooks import Hook

from mmkd_plugin.fileio import facts_hash, locked, write_fault
from mmkd_plugin.registry import HOOKS
from mmkd_plugin.structures import check_number

from ..inference import batches_in_order
from .protocol import distiller_of

__all__ = ['TeacherCacheHook', 'inputs_fingerprint', 'random_transforms']


@HOOKS.register_module()
class TeacherCacheHook(Hook):
    """Hook that computes, before training, the teachers' outputs that transfers read, unless a cache holds them already.

    A cache is named after a fingerprint of the teacher's weights, the settings of its view, the windows and the pipeline; a
    change of any of them is another cache. Every byte of a cache is held against its hash before a run reads it; a damaged one
    is made again. Two runs at once write one cache. Where no cache can be written, the run goes on without.

    Args:
        mode (str): 'auto' keeps outputs that do not change from step to step and fit ``limit``; 'on' refuses to train where
            outputs change; 'off' keeps none.
        limit (float): Largest size of all caches of a run together in 'auto', in GiB.
        dtype (str): 'float32', or 'float16' for half the room.
        folder (str, optional): Folder of the caches; ``cache`` in the config's ``teacher_dir`` by default.

    Raises:
        ValueError: The mode is unknown.
    """

    def __init__(self, mode: str = 'auto', limit: float = 4.0, dtype: str = 'float32', folder: str | None = None) -> None:
        if mode not in ('auto', 'on', 'off'):
            raise ValueError(f"mode must be 'auto', 'on' or 'off', got {mode!r}")
        if dtype not in ('float32', 'float16'):
            raise ValueError(f"dtype must be 'float32' or 'float16', got {dtype!r}")
        check_number('limit', limit)
        self.mode, self.limit, self.dtype, self.folder = mode, limit, dtype, folder

    def before_train(self, runner) -> None:
        """Find or write the caches.

        Raises:
            FloatingPointError: An output of a teacher is NaN or infinite.
            ValueError: ``mode='on'``, and the teachers' outputs change from step to step.
        """
        model = distiller_of(runner)
        if model is None or not model.teachers:
            return
        dataset = runner.train_dataloader.dataset
        stored = [name for name, network in model.teachers.items() if network.stored]
        if stored and random_transforms(dataset):
            runner.logger.warning(
                f'outputs of {", ".join(stored)} are of the windows as they were recorded, and '
                f'{", ".join(random_transforms(dataset))} changes what the student reads'
            )
        if self.mode == 'off' or len(stored) == len(model.teachers):
            return
        reason = self._reason_against(dataset)
        if reason and self.mode == 'on':
            raise ValueError(
                f'teacher outputs cannot be kept: {reason}. Set mode of TeacherCacheHook to off, or leave the augmentation out'
            )
        if reason:
            runner.logger.info(f'teachers run in every step: {reason}')
            return
        root = Path(self.folder or Path(runner.cfg.get('teacher_dir', 'work_dirs/teachers'), 'cache'))
        caches = model.plan_caches(root, inputs_fingerprint(runner.cfg, dataset), self.dtype)
        needed = sum(cache.size(len(dataset)) for cache in caches.values())
        if self.mode == 'auto' and needed > self.limit * 2**30:
            runner.logger.info(f'teachers run in every step: their outputs would take {needed / 2**30:.1f} GiB')
            return
        written = [self._write(runner, model, name, cache, dataset) for name, cache in caches.items()]
        complete = [all(written)]
        broadcast_object_list(complete)
        if complete[0]:
            model.use_caches(caches)
            runner.logger.info(f'teacher outputs are read from {root} ({needed / 2**20:.1f} MiB)')

    def _reason_against(self, dataset) -> str | None:
        random = random_transforms(dataset)
        if random:
            return f'{", ".join(random)} changes every window from step to step'
        if not hasattr(dataset, 'fingerprint'):
            return f'{type(dataset).__name__} has no fingerprint() of its windows'
        if dataset[0]['data_samples'].get('sample_idx') is None:
            return 'PackWindows(meta_keys=...) does not keep sample_idx, the index of a window'
        return None

    def _write(self, runner, model, name: str, cache, dataset) -> bool:
        """Write a teacher's cache where there is no whole one; return whether the cache is complete."""
        complete = True
        if is_main_process() and not self._is_whole(runner, name, cache, dataset):
            try:  # a whole cache is read without a lock: its folder may be one that nobody here can write to
                with locked(f'{cache.folder}.lock', f"the cache of teacher '{name}'", runner.logger.info, wait=True):
                    if cache.faults(len(dataset)):
                        where = f'on {len(dataset)} windows in {cache.folder}'
                        runner.logger.info(f"keeping the outputs of teacher '{name}' {where}")
                        batches = batches_in_order(runner.train_dataloader, batch_size=256)
                        cache.build(model.teacher_outputs(name, batches), len(dataset))
            except OSError as error:
                fault = write_fault(error, cache.folder)
                runner.logger.warning(f'{fault}; teachers run in every step')
                complete = False
        barrier()
        return complete

    def _is_whole(self, runner, name: str, cache, dataset) -> bool:
        faults = cache.faults(len(dataset)) if cache.exists else ['']
        for fault in filter(None, faults):
            runner.logger.warning(f"the cache of teacher '{name}' is made again: {fault}")
        return not faults


def random_transforms(dataset) -> list[str]:
    """Return the names of the transforms that give another result each time."""
    pipelines = [getattr(dataset, 'pipeline', None), *(stream.pipeline for stream in getattr(dataset, 'streams', ()))]
    transforms = list(dict.fromkeys(each for pipeline in pipelines for each in _flat(pipeline)))
    names = [type(transform).__name__ for transform in transforms]
    return [n for n, t in zip(names, transforms) if getattr(t, 'random', n.startswith('Random'))]


def _flat(transform) -> Iterator:
    """Yield the transforms of a pipeline, and those inside of others."""
    for inner in getattr(transform, 'transforms', ()):
        for each in inner if isinstance(inner, (list, tuple)) else [inner]:
            yield each
            yield from _flat(each)


def inputs_fingerprint(cfg, dataset) -> str:
    """Return the fingerprint of the training windows, their pipeline and the views: SHA-256, in hexadecimal."""
    settings = [dataset.fingerprint(), cfg.train_dataloader.dataset.get('pipeline'), cfg.get('data_preprocessor')]
    settings += [cfg.train_dataloader.dataset[key] for key in ('pipelines', 'augment') if cfg.train_dataloader.dataset.get(key)]
    return facts_hash(settings)
