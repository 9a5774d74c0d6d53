"""What a distiller must hear from the runner: training labels, the phase that the run is in, validation windows."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmkd_plugin.registry import HOOKS

from ..schedules import training_progress

__all__ = ['DistillerHook', 'training_labels']


@HOOKS.register_module()
class DistillerHook(Hook):
    """Gives transfers that remember samples their labels, leads a phased run from phase to phase, calibrates a detector.

    A phase follows from the run's progress, so a run that was stopped inside one goes on inside it; its name is kept in the
    message hub too, hence in every checkpoint, and a config whose phases do not agree with it is refused.
    """

    priority = 'HIGH'  # before the rate is logged

    def before_run(self, runner) -> None:
        """Make room for what transfers remember, before a checkpoint could be loaded into it."""
        model = _model(runner)
        if runner._train_loop is None:
            return
        dataset = runner.train_dataloader.dataset
        if hasattr(dataset, 'seed'):
            dataset.seed = runner.seed
        if hasattr(model, 'remember'):
            model.remember(lambda: training_labels(dataset))

    def before_train(self, runner) -> None:
        """See that a resumed run is in the phase that its checkpoint names.

        Raises:
            ValueError: It is not.
        """
        phases, saved = getattr(_model(runner), 'phases', None), runner.message_hub.runtime_info.get('phase')
        if phases and saved and runner.iter:
            name, _ = phases.at((runner.iter - 1) / runner.max_iters)
            if name != saved:
                raise ValueError(
                    f"the checkpoint was in phase '{saved}', this config is in '{name}' at iteration {runner.iter}"
                )

    def before_train_epoch(self, runner) -> None:
        """Tell the windows which epoch it is, for what is drawn at random; workers that live on see it too."""
        dataset = runner.train_dataloader.dataset
        if hasattr(dataset, 'epoch'):
            dataset.epoch.fill_(runner.epoch)

    def before_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Enter the phase that has come, and set its rate."""
        model = _model(runner)
        if not getattr(model, 'phases', None):
            return
        progress = training_progress()
        name, _ = model.phases.at(progress)
        if name != model.phase:
            model.enter_phase(name)
            runner.logger.info(f"phase '{name}' from iteration {runner.iter + 1}: terms {', '.join(sorted(model.active))}")
        runner.message_hub.update_info('phase', name)
        for group in runner.optim_wrapper.param_groups:
            group['lr'] = model.phases.rate(progress)

    def before_test(self, runner) -> None:
        """Calibrate a detector by the training and the validation split, the same windows in every process."""
        model = _model(runner)
        if not hasattr(model, 'calibrate'):
            return
        threshold = model.calibrate(_in_order(runner.train_dataloader), _in_order(runner.val_dataloader))
        runner.logger.info(f'threshold {threshold:.4g}: {100 * model.quantile:g} % of normal validation windows lie below')


def _in_order(loader) -> Iterator[dict]:
    """Batches of a loader's data set, one after another: its sampler would give each process a part."""
    dataset, size = loader.dataset, loader.batch_size
    for start in range(0, len(dataset), size):
        yield loader.collate_fn([dataset[i] for i in range(start, min(start + size, len(dataset)))])


def training_labels(dataset) -> torch.Tensor:
    """Labels of a data set of the host in the order of its samples, ``(n, )``."""
    known = getattr(dataset.data_list, 'label', None) if hasattr(dataset, 'data_list') else None
    if known is not None:
        return torch.from_numpy(known)
    return torch.tensor([int(dataset.get_data_info(place)['gt_label']) for place in range(len(dataset))])


def _model(runner):
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
