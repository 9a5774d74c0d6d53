"""Distiller: named networks, and the transfers between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from mmengine.model import BaseModel, ModuleDict
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmkd_plugin.engine import training_progress
from mmkd_plugin.fileio import deployed_learner
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Taps, shape_of

from ..views import ViewPreprocessor
from .examine import Examination, examine
from .lazy_taps import LazyTaps, labels_and_places
from .network import Network
from .phases import Phases
from .teacher_cache import TeacherCache, plan_caches, teacher_outputs
from .teachers import Teachers, load_network

__all__ = ['Distiller']


@MODELS.register_module()
class Distiller(BaseModel):
    """Learners, teachers and transfers: loss = Σ transfers + Σ learners' own label loss.

    Every network is probed once with a sample of zeros, so that connectors size themselves and an impossible pair fails here
    and not in the middle of a run. With one learner and nothing else this is plain supervised training.

    Args:
        learners (dict): ``{name: dict(view=, network=, ce_weight=1., init_from=None, classifier=None, compile=False)}``.
            ``network`` is the config of a :class:`Network` without sizes, ``init_from`` a checkpoint to start from,
            ``classifier`` a teacher whose last layer is taken over and frozen, ``compile`` True or the arguments of
            ``torch.compile``. With ``reads=[...]`` instead of ``view``, the network reads the taps of other learners and
            shares the classifier of the first: a :class:`CrossAttentionFusion`.
        deployed (str, optional): The learner that predicts, reading its own view alone. The only learner by default.
        teachers (dict, optional): ``{name: dict(config=, checkpoint=, view=, network=, use='best')}``, either of ``config`` and
            ``network``. ``None`` instead of a dict drops one that a base config names.
        transfers (dict, optional): ``{name: config of a Transfer}``; ``None`` drops one.
        phases (dict, optional): ``{name: fields of a Phase}``, in order: which terms are on, who is frozen, for how long.
        data_preprocessor (dict): Config of a :class:`~mmkd_plugin.models.ViewPreprocessor`.
        init_cfg (dict, optional): See mmengine's BaseModule.

    Raises:
        KeyError: A transfer names a network that is not there.
        ValueError: A view, a tap or a name is wrong, shapes cannot be brought together, or a teacher is read by no transfer.
        FileNotFoundError: A teacher's config or checkpoint is not there.
    """

    def __init__(
        self,
        learners: dict,
        deployed: str | None = None,
        teachers: dict | None = None,
        transfers: dict | None = None,
        phases: dict | None = None,
        data_preprocessor: dict | ViewPreprocessor | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if not isinstance(self.data_preprocessor, ViewPreprocessor):
            raise ValueError(f'Distiller needs a ViewPreprocessor, got {type(self.data_preprocessor).__name__}')
        learners, teachers, transfers = _given(learners), _given(teachers), _given(transfers)
        self.deployed, _ = deployed_learner(dict(learners=learners, deployed=deployed))
        for name, cfg in teachers.items():
            if 'network' not in cfg or 'view' not in cfg:
                raise ValueError(
                    f"teacher '{name}' needs view= and network=, which load_config takes from its config=; it has "
                    f'{", ".join(cfg) or "nothing"}'
                )
        clash = set(learners) & set(teachers) | set(learners) & set(transfers)
        if clash:
            raise ValueError(
                f'names must differ between learners, teachers and transfers; used twice: {", ".join(sorted(clash))}'
            )

        self.reads = {name: tuple(cfg['reads']) for name, cfg in learners.items() if 'reads' in cfg}
        self.views = {name: cfg['view'] for name, cfg in {**learners, **teachers}.items() if name not in self.reads}
        self.ce_weights = {name: float(cfg.get('ce_weight', 1.0)) for name, cfg in learners.items()}
        self.learners = ModuleDict(
            {name: self._build_network(name, cfg) for name, cfg in learners.items() if name not in self.reads}
        )
        self.teachers = Teachers({name: self._build_network(name, cfg) for name, cfg in teachers.items()})
        taps = self._probe()
        for name, branches in self.reads.items():
            self.learners[name] = self._build_fusion(name, learners[name]['network'], branches, taps)
        self.init_from = {name: cfg['init_from'] for name, cfg in learners.items() if cfg.get('init_from')}
        self.untrained = {name for name, cfg in teachers.items() if not cfg.get('checkpoint')}
        for name in self.teachers.keys() - self.untrained:
            load_network(self.teachers[name], teachers[name]['checkpoint'])
        self.classifiers = {name: cfg['classifier'] for name, cfg in learners.items() if cfg.get('classifier')}
        self._borrow_classifiers()
        self.transfers = ModuleDict({name: MODELS.build(cfg) for name, cfg in transfers.items()})
        self._bind(taps)
        self.phases = Phases(phases or {}, [*self.learners, *self.transfers], list(self.learners))
        self.enter_phase(None)
        self.use_caches({})
        for name, cfg in learners.items():
            if cfg.get('compile'):  # in place, so that names of weights stay
                self.learners[name].compile(**(cfg['compile'] if isinstance(cfg['compile'], dict) else {}))

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

    def _build_fusion(self, name: str, network: dict, branches: tuple[str, ...], taps: dict[str, Taps]) -> nn.Module:
        missing = [branch for branch in branches if branch not in self.learners]
        if missing:
            raise ValueError(f"network '{name}' reads {', '.join(missing)}, which is no learner with a view of its own")
        try:
            fusion = MODELS.build(network, default_args=dict(in_shapes=[shape_of(taps[b].stages[-1]) for b in branches]))
            with torch.no_grad():
                taps[name] = fusion.eval()(*[taps[branch] for branch in branches])
        except ValueError as error:
            raise ValueError(f"network '{name}': {error}") from error
        return fusion.train()

    def _borrow_classifiers(self) -> None:
        """Copy teachers' last layers into the learners that take them over, and freeze them there."""
        for name, teacher in self.classifiers.items():
            if teacher not in self.teachers:
                raise ValueError(f"learner '{name}' takes over the classifier of '{teacher}', which is no teacher")
            own, theirs = self.learners[name].classifier, self.teachers[teacher].classifier
            shapes = [None if layer is None else tuple(layer.weight.shape) for layer in (own, theirs)]
            if None in shapes or shapes[0] != shapes[1]:
                raise ValueError(
                    f"learner '{name}' cannot take over the classifier of '{teacher}': the shapes are {shapes[0]} and "
                    f'{shapes[1]}, and both must be one linear layer after global average pooling'
                )
            own.load_state_dict(theirs.state_dict())
            own.requires_grad_(False)

    @torch.no_grad()
    def _probe(self) -> dict[str, Taps]:
        """Taps that every network with a view gives for a sample of zeros."""
        networks: dict[str, Network] = {**self.learners, **self.teachers}
        taps = {}
        for name, network in networks.items():
            training = network.training
            taps[name] = network.eval()(self._zero_sample(self.views[name]))
            network.train(training)
        return taps

    @torch.no_grad()
    def _bind(self, taps: dict[str, Taps]) -> None:
        """Look every address up, size every connector."""
        for name, transfer in self.transfers.items():
            try:
                transfer.bind(taps)
                if transfer.target.node not in self.learners:
                    raise ValueError(f"'{transfer.target}' is a teacher's and cannot learn")
            except (KeyError, ValueError) as error:
                raise type(error)(f"transfer '{name}': {error.args[0]}") from error
        read = {source for transfer in self.transfers.values() for source in transfer.names} | set(self.classifiers.values())
        idle = self.teachers.keys() - read
        if idle:
            raise ValueError(f'no transfer reads the teacher(s) {", ".join(sorted(idle))}; set them to None or add a transfer')

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
            self._borrow_classifiers()

    def views_of(self, name: str) -> tuple[str, ...]:
        """Views that a network needs: its own, or those of the networks that it reads."""
        return tuple(self.views[branch] for branch in self.reads.get(name, (name,)))

    def deploy(self, name: str) -> None:
        """Let another learner predict from now on."""
        self.deployed = name
        run = [*self.learners, *(self.teachers.keys() - self.caches.keys())]
        training = {view for network in run for view in self.views_of(network)}
        self.data_preprocessor.ask(training, self.inference_views())

    def plan_caches(self, root: str, data: str, dtype: str = 'float32') -> dict[str, TeacherCache]:
        """Where each teacher's outputs are kept, see :func:`plan_caches`."""
        return plan_caches(self, root, data, dtype)

    def teacher_outputs(self, name: str, batches: Iterable[dict]) -> Iterator[Taps]:
        """Taps of a teacher for batches of the loader, see :func:`teacher_outputs`."""
        return teacher_outputs(self, name, batches)

    def use_caches(self, caches: dict[str, TeacherCache]) -> None:
        """Read these teachers' outputs on training windows from now on; their views are then not made."""
        self.caches = dict(caches)
        self.deploy(self.deployed)

    def inference_views(self) -> tuple[str, ...]:
        """Views that a prediction needs."""
        return self.views_of(self.deployed)

    def remember(self, labels: Callable[[], Tensor]) -> None:
        """Tell transfers that keep something of every training sample what the samples' labels are.

        Args:
            labels (Callable): Gives ``(n, )``; called only if some transfer asks.
        """
        keepers = [transfer for transfer in self.transfers.values() if transfer.keeps_samples]
        if keepers:
            found = labels()
            for transfer in keepers:
                transfer.remember(found)

    def examine(self, data: dict) -> Examination:
        """Look at every transfer on one batch, see :func:`examine`."""
        return examine(self, data)

    def enter_phase(self, name: str | None) -> None:
        """Switch terms on and learners off as a phase says; None switches everything on."""
        self.phase, self.active, frozen = name, self.phases.active(name), self.phases.frozen(name)
        for learner, network in self.learners.items():
            network.requires_grad_(learner not in frozen)
            if learner in self.classifiers:
                network.classifier.requires_grad_(False)
        self.frozen = frozen
        self.train(self.training)

    def train(self, mode: bool = True) -> Distiller:
        """Set the mode; frozen learners stay in eval mode, so that their batch statistics stand still."""
        super().train(mode)
        for name in getattr(self, 'frozen', ()):
            self.learners[name].eval()
        return self

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
        logits = LazyTaps(self, inputs)[self.deployed].logits
        return logits if mode == 'tensor' else self.judge(self.deployed).predict(logits, data_samples)

    def judge(self, name: str) -> Network:
        """The network whose head turns a learner's logits into a loss and a prediction."""
        return self.learners[self.reads.get(name, (name,))[0]]

    def loss(self, inputs: dict[str, Tensor], data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Terms of the objective, one for each learner and each transfer; their sum is what is minimised."""
        progress = training_progress()
        labels, index = labels_and_places(data_samples)
        taps = LazyTaps(self, inputs, index)
        terms = {}
        # A term that is switched off costs nothing: its networks are not even run.
        for name, weight in self.ce_weights.items():
            on = weight and name in self.active
            value = weight * self.judge(name).loss(taps[name].logits, data_samples) if on else labels.new_zeros(()).float()
            terms[f'loss_{name}'] = value
        for name, transfer in self.transfers.items():
            weight = transfer.schedule(progress) if name in self.active else 0.0
            value = transfer(taps, labels, weight, index) if weight else labels.new_zeros(()).float()
            terms[f'loss_{name}'] = value
        return terms


def _given(cfgs: dict | None) -> dict:
    """Leave out what a child config has set to None."""
    return {name: cfg for name, cfg in (cfgs or {}).items() if cfg is not None}
