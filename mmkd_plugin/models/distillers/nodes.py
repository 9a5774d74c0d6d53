"""Entries of learners and teachers in a distiller's config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmkd_plugin.structures import check_number

__all__ = ['Learner', 'Teacher']


@dataclass(frozen=True, kw_only=True)
class Learner:
    """A network that is trained.

    Attributes:
        view (str, optional): View that the network reads.
        network (dict): Config of a :class:`Network` without sizes, or of a network that reads other learners.
        ce_weight (float): Weight of the label loss, at least 0.
        init_from (str, optional): Checkpoint to start from; for a run by the train command also the config of a network that is
            trained first.
        classifier (str, optional): Teacher whose classifier is taken over and frozen.
        compile (bool | dict): True, or the arguments of ``torch.compile``.
        reads (tuple[str, ...]): Learners whose taps the network reads, in place of a view; the classifier is that of the first.

    Raises:
        ValueError: A value is impossible; the message names the field.
    """

    view: str | None = None
    network: Mapping
    ce_weight: float = 1.0
    init_from: str | None = None
    classifier: str | None = None
    compile: bool | Mapping = False
    reads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.reads, str) or not all(isinstance(name, str) for name in self.reads):
            raise ValueError(f'reads must be a list of learners, got {self.reads!r}')
        object.__setattr__(self, 'reads', tuple(self.reads))
        if (self.view is None) == (not self.reads):
            raise ValueError('either view or reads must be given, and not both')
        _check_network(self.view, self.network)
        check_number('ce_weight', self.ce_weight)
        _check_path('init_from', self.init_from)
        if self.classifier is not None and (not isinstance(self.classifier, str) or self.reads):
            raise ValueError(f'classifier must name a teacher, and the learner must read a view, got {self.classifier!r}')
        if not isinstance(self.compile, (bool, Mapping)):
            raise ValueError(f'compile must be True, False or a dict of arguments of torch.compile, got {self.compile!r}')


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A frozen network, or outputs that one has given elsewhere.

    Attributes:
        view (str): View that the network reads.
        network (dict): Config of a :class:`Network` without sizes.
        config (str, optional): Config file that trains the teacher; ``load_config`` takes view and network from there.
        checkpoint (str, optional): Weights.
        use (str): 'best' or 'last', the checkpoint of the teacher's own run that is used.
        outputs (str, optional): File of outputs, see :func:`mmkd_plugin.fileio.read_outputs`, in the place of a network.
        rate (float, optional): Samples per second of the recordings, for outputs by time; a run takes it from the data.

    Raises:
        ValueError: A value is impossible; the message names the field.
    """

    view: str = ''
    network: Mapping = field(default_factory=dict)
    config: str | None = None
    checkpoint: str | None = None
    use: str = 'best'
    outputs: str | None = None
    rate: float | None = None

    def __post_init__(self) -> None:
        _check_path('outputs', self.outputs)
        if self.rate is not None:
            check_number('rate', self.rate, above=0)
        beside = [name for name in ('view', 'network', 'config', 'checkpoint') if getattr(self, name)]
        beside += [f'use={self.use!r}'] if self.use != 'best' else []
        if self.outputs is not None:
            if beside:
                raise ValueError(
                    f'outputs stand in the place of a network, and {", ".join(beside)} is given too; _delete_=True leaves out '
                    'what a base config says'
                )
            return
        if self.rate is not None:
            raise ValueError('rate belongs to outputs, which are not given')
        if not self.view or not self.network:
            raise ValueError(
                'view and network are needed; load_config takes them from config, and a run writes them into its work_dir'
            )
        _check_network(self.view, self.network)
        _check_path('config', self.config)
        _check_path('checkpoint', self.checkpoint)
        if self.use not in ('best', 'last'):
            raise ValueError(f"use must be 'best' or 'last', got {self.use!r}")


def _check_network(view: object, network: object) -> None:
    if view is not None and not isinstance(view, str):
        raise ValueError(f'view must be the name of a view, got {view!r}')
    if not isinstance(network, Mapping):
        raise ValueError(f'network must be a dict, got {network!r}')


def _check_path(name: str, path: object) -> None:
    if path is not None and not isinstance(path, (str, Path)):
        raise ValueError(f'{name} must be a path, got {path!r}')
