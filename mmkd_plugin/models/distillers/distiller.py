"""Distiller: named networks, and the arrows between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from mmengine.model import BaseModel, ModuleDict
from mmpretrain.structures import DataSample
from torch import Tensor

from mmkd_plugin.engine import training_progress
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Taps

from ..views import ViewPreprocessor
from .network import Network
from .teachers import Teachers, deployed_learner, load_network, teacher_config

__all__ = ['Distiller', 'LazyTaps']


@MODELS.register_module()
class Distiller(BaseModel):
    """Learners, teachers and transfers: loss = Σ arrows + Σ learners' own label loss.

    Every network is probed once with a sample of zeros, so that connectors size themselves and an impossible pair fails here
    and not in the middle of a run. With one learner and nothing else this is plain supervised training.

    Args:
        learners (dict): ``{name: dict(view=, network=, ce_weight=1., init_from=None)}``. ``network`` is the config of a
            :class:`Network` without sizes, ``init_from`` a checkpoint to start from.
        deployed (str, optional): The learner that predicts, reading its own view alone. The only learner by default.
        teachers (dict, optional): ``{name: dict(config=, checkpoint=, view=, network=, use='best')}``, either of ``config`` and
            ``network``. ``None`` instead of a dict drops one that a base config names.
        transfers (dict, optional): ``{name: config of a Transfer}``; ``None`` drops one.
        data_preprocessor (dict): Config of a :class:`~mmkd_plugin.models.ViewPreprocessor`.
        init_cfg (dict, optional): See mmengine's BaseModule.

    Raises:
        KeyError: An arrow names a network that is not there.
        ValueError: A view, a tap or a name is wrong, shapes cannot be brought together, or a teacher is read by no arrow.
        FileNotFoundError: A teacher's config or checkpoint is not there.
    """

    def __init__(
        self,
        learners: dict,
        deployed: str | None = None,
        teachers: dict | None = None,
        transfers: dict | None = None,
        data_preprocessor: dict | ViewPreprocessor | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if not isinstance(self.data_preprocessor, ViewPreprocessor):
            raise ValueError(f'Distiller needs a ViewPreprocessor, got {type(self.data_preprocessor).__name__}')
        learners, teachers, transfers = _given(learners), _given(teachers), _given(transfers)
        self.deployed, _ = deployed_learner(dict(learners=learners, deployed=deployed))
        teachers = {name: teacher_config(name, cfg) for name, cfg in teachers.items()}
        clash = set(learners) & set(teachers) | set(learners) & set(transfers)
        if clash:
            raise ValueError(
                f'names must differ between learners, teachers and transfers; used twice: {", ".join(sorted(clash))}'
            )

        self.views = {name: cfg['view'] for name, cfg in {**learners, **teachers}.items()}
        self.ce_weights = {name: float(cfg.get('ce_weight', 1.0)) for name, cfg in learners.items()}
        self.learners = ModuleDict({name: self._build_network(name, cfg) for name, cfg in learners.items()})
        self.init_from = {name: cfg['init_from'] for name, cfg in learners.items() if cfg.get('init_from')}
        self.teachers = Teachers({name: self._build_network(name, cfg) for name, cfg in teachers.items()})
        self.untrained = {name for name, cfg in teachers.items() if not cfg.get('checkpoint')}
        for name in self.teachers.keys() - self.untrained:
            load_network(self.teachers[name], teachers[name]['checkpoint'])
        self.transfers = ModuleDict({name: MODELS.build(cfg) for name, cfg in transfers.items()})
        self._bind()

        training = {self.views[name] for name in [*self.learners, *self.teachers]}
        self.data_preprocessor.ask(training, [self.views[self.deployed]])

    def _build_network(self, name: str, cfg: dict) -> Network:
        try:
            self.data_preprocessor.check(cfg['view'])
            sample = self._zero_sample(cfg['view'])
            sizes = dict(type='Network', sample_shape=tuple(sample.shape[1:]), num_classes=self.data_preprocessor.num_classes)
            return MODELS.build({**sizes, **cfg['network']})
        except KeyError as error:
            raise KeyError(f"network '{name}': {error.args[0]}") from error
        except ValueError as error:
            raise ValueError(f"network '{name}': {error}") from error

    def _zero_sample(self, view: str) -> Tensor:
        signal = torch.zeros(1, *self.data_preprocessor.shape)
        return self.data_preprocessor.make(signal, [view])[view]  # (1, C, *S)

    @torch.no_grad()
    def _bind(self) -> None:
        """Probe every network, look every address up, size every connector."""
        networks: dict[str, Network] = {**self.learners, **self.teachers}
        taps = {}
        for name, network in networks.items():
            training = network.training
            taps[name] = network.eval()(self._zero_sample(self.views[name]))
            network.train(training)
        for name, transfer in self.transfers.items():
            try:
                transfer.bind(taps)
                if transfer.target.node not in self.learners:
                    raise ValueError(f"'{transfer.target}' is a teacher's and cannot learn")
            except (KeyError, ValueError) as error:
                raise type(error)(f"transfer '{name}': {error.args[0]}") from error
        idle = self.teachers.keys() - {source for transfer in self.transfers.values() for source in transfer.names}
        if idle:
            raise ValueError(f'no arrow reads the teacher(s) {", ".join(sorted(idle))}; set them to None or add a transfer')

    def _apply(self, fn, recurse: bool = True) -> Distiller:
        """Moves and casts reach the teachers too, although they are no submodules."""
        self.teachers.apply_to_tensors(fn)
        return super()._apply(fn, recurse)

    def init_weights(self) -> None:
        """Initialise learners and connectors; called by the runner before training.

        Raises:
            RuntimeError: A teacher has no weights.
        """
        if self.untrained:
            raise RuntimeError(
                f'the teacher(s) {", ".join(sorted(self.untrained))} have no weights: give checkpoint=, or start the run with '
                'tools/train.py, which trains teachers that have a config= first'
            )
        if not self._is_init:
            super().init_weights()
            for name, checkpoint in self.init_from.items():
                load_network(self.learners[name], checkpoint)

    def forward(self, inputs: dict[str, Tensor], data_samples: list[DataSample] | None = None, mode: str = 'tensor'):
        """Run the model.

        Args:
            inputs (dict[str, Tensor]): Views, as the data preprocessor makes them.
            data_samples (list[DataSample], optional): Labels, needed for the loss.
            mode (str): 'loss' gives ``{log name: Tensor}``, 'predict' data samples, 'tensor' the deployed learner's logits
                ``(N, K)``.

        Returns:
            dict[str, Tensor] | list[DataSample] | Tensor: As the mode says.

        Raises:
            ValueError: The mode is unknown.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode not in ('predict', 'tensor'):
            raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")
        network = self.learners[self.deployed]
        logits = network(inputs[self.views[self.deployed]]).logits
        return logits if mode == 'tensor' else network.predict(logits, data_samples)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Terms of the objective, one for each learner and each arrow; their sum is what is minimised."""
        progress = training_progress()
        labels = torch.cat([sample.gt_label for sample in data_samples])  # (N, )
        taps = LazyTaps(self, inputs)
        terms = {}
        for name, learner in self.learners.items():
            terms[f'loss_{name}'] = self.ce_weights[name] * learner.loss(taps[name].logits, data_samples)
        for name, transfer in self.transfers.items():
            weight = transfer.schedule(progress)
            # An arrow that is switched off costs nothing: its teacher is not even run.
            terms[f'loss_{name}'] = transfer(taps, labels, weight) if weight else labels.new_zeros((), dtype=torch.float32)
        return terms


class LazyTaps(Mapping):
    """Taps by network name, each network run when it is first read."""

    def __init__(self, distiller: Distiller, inputs: dict[str, Tensor]) -> None:
        self.distiller, self.inputs = distiller, inputs
        self.taps: dict[str, Taps] = {}

    def __getitem__(self, name: str) -> Taps:
        if name not in self.taps:
            view = self.inputs[self.distiller.views[name]]
            if name in self.distiller.teachers:
                with torch.no_grad():
                    self.taps[name] = self.distiller.teachers[name](view)
            else:
                self.taps[name] = self.distiller.learners[name](view)
        return self.taps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.distiller.views)

    def __len__(self) -> int:
        return len(self.distiller.views)


def _given(cfgs: dict | None) -> dict:
    """Leave out what a child config has set to None."""
    return {name: cfg for name, cfg in (cfgs or {}).items() if cfg is not None}
