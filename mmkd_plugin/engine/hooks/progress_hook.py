"""Reports how far a training run is."""

from __future__ import annotations

import time

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from mmkd_plugin.registry import HOOKS

from ..progress import Progress, current_reporter

__all__ = ['ProgressHook']


@HOOKS.register_module()
class ProgressHook(Hook):
    """Tells the current reporter of every iteration, every epoch and the end of a run; the runner registers it itself.

    An epoch is reported when the next one begins, because its validation comes in between.
    """

    priority = 'VERY_LOW'  # after the checkpoint hook, which knows the best score

    def __init__(self) -> None:
        self._score, self._epoch = '', 0
        self._begin, self._first = 0.0, 0

    def before_train(self, runner) -> None:
        """Start the clock; a resumed run counts from where it goes on."""
        self._score, self._epoch = '', runner.epoch
        self._begin, self._first = time.monotonic(), runner.iter

    def before_train_epoch(self, runner) -> None:
        """Report the epoch before."""
        self._report_epoch(runner)

    def after_train_iter(self, runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None) -> None:
        """Report an iteration."""
        if is_main_process():
            current_reporter().step(self._progress(runner, runner.iter + 1))

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:
        """Keep the value by which the best epoch is chosen."""
        name = _metric(runner)
        if metrics and name in metrics:
            self._score = _spell(name, metrics[name])

    def after_train(self, runner) -> None:
        """Report the last epoch and the end."""
        self._report_epoch(runner)
        if is_main_process():
            current_reporter().end(self._progress(runner, runner.iter))

    def _report_epoch(self, runner) -> None:
        if runner.epoch > self._epoch and is_main_process():
            current_reporter().epoch(self._progress(runner, runner.iter))
        self._epoch = runner.epoch

    def _progress(self, runner, done: int) -> Progress:
        seconds = (time.monotonic() - self._begin) / max(1, done - self._first)
        losses = runner.message_hub.log_scalars.get('train/loss')
        best = runner.message_hub.runtime_info.get('best_score')
        return Progress(
            epoch=runner.epoch,
            epochs=runner.max_epochs,
            share=done / runner.max_iters,
            seconds_left=seconds * (runner.max_iters - done),
            loss=None if losses is None else float(losses.mean(len(runner.train_dataloader))),
            score=self._score,
            best='' if best is None else _spell(_metric(runner), best),
        )


def _metric(runner) -> str:
    """Return the name of the value by which the best epoch is chosen."""
    return str((runner.cfg.get('default_hooks') or {}).get('checkpoint', {}).get('save_best') or '')


def _spell(name: str, value: float) -> str:
    return f'accuracy {value:.2f} %' if name == 'accuracy/top1' else f'{name.rpartition("/")[2]} {value:.4f}'
