"""Training loops that stop between two iterations, and go on there as if nothing had happened."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

from mmkd_plugin.failures import uninterrupted
from mmkd_plugin.registry import LOOPS

__all__ = ['EpochLoop', 'IterLoop', 'Stoppable', 'random_state', 'restore_random_state', 'same_random_state']


class Stoppable:
    """Part of a loop that lets Ctrl-C and SIGTERM wait for the end of an iteration.

    Attributes:
        whole (bool): Whether weights, optimiser and counters are those between two iterations.
        batches (int): Batches of the current epoch that are done.
        resumed (Mapping, optional): Random state to go on with, until the next iteration takes it up.
    """

    whole = True
    batches = 0
    resumed: Mapping | None = None

    def run_iter(self, *args: Any) -> None:
        """Run one iteration to its end."""
        self.take_up()
        with uninterrupted():
            self.whole = False
            super().run_iter(*args)  # type: ignore[misc]
            self.batches += 1
            self.whole = True

    def take_up(self) -> None:
        """Go on with the random numbers of a checkpoint: fetching the batches that are done has drawn some."""
        if self.resumed is not None:
            restore_random_state(self.resumed)
            self.resumed = None


@LOOPS.register_module()
class EpochLoop(Stoppable, EpochBasedTrainLoop):
    """The host's loop over epochs; an epoch that was interrupted goes on after the batches that are done."""

    def run_epoch(self) -> None:
        """Run what is left of an epoch. Batches that are done are fetched again and left out, so that workers draw the same."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        done = self.batches
        for index, batch in enumerate(self.dataloader):
            if index >= done:
                self.run_iter(index, batch)
        self.take_up()
        with uninterrupted():
            self.runner.call_hook('after_train_epoch')
            self._epoch += 1
            self.batches = 0


@LOOPS.register_module()
class IterLoop(Stoppable, IterBasedTrainLoop):
    """The host's loop over iterations, which passes over the batches that are done by itself."""


def random_state() -> dict[str, Any]:
    """Return the state of all global random numbers, as tensors and plain values."""
    name, keys, *rest = np.random.get_state(legacy=True)
    state: dict[str, Any] = dict(torch=torch.get_rng_state(), python=random.getstate())
    state['numpy'] = [name, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest]
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state_all()
    return state


def restore_random_state(state: Mapping) -> None:
    """Go on with the random numbers of :func:`random_state`; not in runs of several processes, whose states differ."""
    if get_world_size() == 1:
        _set_random_state(state)


@contextlib.contextmanager
def same_random_state() -> Iterator[None]:
    """Run a block, and put all global random numbers of this process back afterwards."""
    state = random_state()
    try:
        yield
    finally:
        _set_random_state(state)


def _set_random_state(state: Mapping) -> None:
    torch.set_rng_state(state['torch'].cpu())
    version, internal, gauss = state['python']
    random.setstate((version, tuple(internal), gauss))
    name, keys, *rest = state['numpy']
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    if 'cuda' in state and torch.cuda.is_available() and len(state['cuda']) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([values.cpu() for values in state['cuda']])
