"""Contracts in the checkpoints of a run, whoever has started the run."""

from __future__ import annotations

from collections.abc import Mapping

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop

from mmkd_plugin.registry import HOOKS

from .contract import Contract, check_checkpoint
from .settings import settings_fingerprint

__all__ = ['ContractHook']


@HOOKS.register_module()
class ContractHook(Hook):
    """Write the contract of the deployed network into every checkpoint, and hold those that are loaded against the data.

    The commands look at checkpoints before anything is trained; with this hook the host's own tools refuse them too.
    """

    def __init__(self) -> None:
        self._settings: Mapping = {}
        self._meta: dict = {}

    def set_settings(self, settings: Mapping) -> None:
        """Keep what decides what is learned in the run's checkpoints, so that the run goes on only by the same.

        Args:
            settings (Mapping): From :func:`~mmkd_plugin.deploy.learning_settings`. The host's tools know none.
        """
        self._settings = settings

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add contract and settings to the meta of a checkpoint."""
        checkpoint['meta'].update(self.contract_meta(runner))
        if self._settings:
            checkpoint['meta']['settings'] = dict(self._settings)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Hold a checkpoint against the data before it is loaded into the model.

        Raises:
            ValueError: The network was trained on other data, or has learned from subjects that are tested.
        """
        origin = f'checkpoint {runner._load_from or "of this run"}'
        check_checkpoint(origin, checkpoint.get('meta'), runner.cfg, _dataset(runner), _view(runner))

    def contract_meta(self, runner) -> dict:
        """Return the contract of the deployed network as it stands in a meta; empty where the data know no channels."""
        if not self._meta:
            config = settings_fingerprint(self._settings) if self._settings else ''
            contract = Contract.from_dataset(_dataset(runner), runner.cfg, _view(runner), config)
            self._meta = {} if contract is None else {'contract': contract.to_meta()}
        return self._meta


def _dataset(runner):
    """Return the data set of a loop that is built; training, validation and test know the same of the data."""
    loops = (runner._train_loop, runner._val_loop, runner._test_loop)
    return next((loop.dataloader.dataset for loop in loops if isinstance(loop, BaseLoop)), None)


def _view(runner) -> str | None:
    """Return the view that the deployed network reads."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return getattr(model, 'views', {}).get(getattr(model, 'deployed', None))
