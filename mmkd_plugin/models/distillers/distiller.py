"""Distiller: named networks with transfers between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from mmengine.model import BaseModel, ModuleDict
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmkd_plugin.engine import Predictions, training_progress
from mmkd_plugin.fileio import deployed_learner, safe_loading
from mmkd_plugin.registry import MODELS, build_checked
from mmkd_plugin.structures import SIGNAL, Taps, build_fields

from ..views import ViewPreprocessor
from .base_network import BaseNetwork
from .build import bind_transfers, borrow_classifiers, build_networks
from .examine import Examination, examine
from .faults import distiller_faults, given
from .host_tools import adopt_export, extract_features
from .lazy_taps import LazyTaps, labels_and_indices
from .nodes import Learner, Teacher
from .phases import Phases
from .stored_outputs import store_outputs
from .teacher_cache import TeacherCache, plan_caches, teacher_outputs
from .teachers import load_network

__all__ = ['Distiller']


@MODELS.register_module()
class Distiller(BaseModel):
    """Learners, teachers and transfers: loss = Σ transfers + Σ label losses of the learners.

    Every network is probed once with a sample of zeros, so that connectors are sized and an impossible pair fails here and
    not in the middle of a run. With one learner and nothing else this is plain supervised training.

    Args:
        learners (dict): ``{name: fields of a Learner}``. ``None`` in place of an entry drops one that a base config names, here
            and below.
        deployed (str, optional): The learner that predicts, reading its own view alone. The only learner by default.
        teachers (dict, optional): ``{name: fields of a Teacher}``.
        transfers (dict, optional): ``{name: config of a Transfer}``.
        phases (dict, optional): ``{name: fields of a Phase}``: which terms are on, which learners are frozen, for how long.
        data_preprocessor (dict): Config of a :class:`~mmkd_plugin.models.ViewPreprocessor`.
        init_cfg (dict, optional): See mmengine's BaseModule.

    Raises:
        ValueError: A field, a name, a view or a tap is wrong, or shapes cannot be brought together. Everything that shows
            without building a network comes in one message, a line for each fault.
        FileNotFoundError: A teacher's checkpoint does not exist.
    """

    trains_weights = False  # networks that weigh the teachers; a MetaDistiller does

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
        if isinstance(data_preprocessor, Mapping):
            data_preprocessor = build_checked(data_preprocessor, MODELS, 'data_preprocessor')
        super().__init__(data_preprocessor, init_cfg)
        if not isinstance(self.data_preprocessor, ViewPreprocessor):
            raise ValueError(f'Distiller needs a ViewPreprocessor, got {type(self.data_preprocessor).__name__}')
        faults = distiller_faults(learners, deployed, teachers, transfers, phases, self.data_preprocessor.names)
        if faults:
            raise ValueError('\n'.join(faults))
        learners, teachers, transfers, phases = given(learners), given(teachers), given(transfers), given(phases)
        self.deployed, _ = deployed_learner(dict(learners=learners, deployed=deployed))
        trained = {name: build_fields(Learner, cfg, f"learner '{name}'") for name, cfg in learners.items()}
        frozen = {name: build_fields(Teacher, cfg, f"teacher '{name}'") for name, cfg in teachers.items()}
        self.reads = {name: node.reads for name, node in trained.items() if node.reads}
        nodes: dict[str, Learner | Teacher] = {**trained, **frozen}
        self.views: dict[str, str] = {name: node.view for name, node in nodes.items() if node.view is not None}
        self.views.update(store_outputs(frozen, self.data_preprocessor))
        self.ce_weights = {name: float(node.ce_weight) for name, node in trained.items()}
        self.init_from = {name: node.init_from for name, node in trained.items() if node.init_from}
        self.classifiers = {name: node.classifier for name, node in trained.items() if node.classifier}
        self.untrained = {name for name, node in frozen.items() if not (node.checkpoint or node.outputs)}

        networks = build_networks(trained, frozen, self.views, self.data_preprocessor)
        self.learners, self.teachers, taps, self._drawn = networks
        for name, teacher in frozen.items():
            if teacher.checkpoint:
                load_network(self.teachers[name], teacher.checkpoint)
        borrow_classifiers(self.classifiers, self.learners, self.teachers)
        self.transfers = ModuleDict({name: build_checked(cfg, MODELS, f"transfer '{name}'") for name, cfg in transfers.items()})
        bind_transfers(self.transfers, taps, self.learners, self.trains_weights)
        self.phases = Phases(phases, [*self.learners, *self.transfers], list(self.learners))
        self.enter_phase(None)
        self.use_caches({})
        for name, node in trained.items():
            if node.compile:  # in place, so that names of weights stay
                self.learners[name].compile(**(node.compile if isinstance(node.compile, Mapping) else {}))

    def _apply(self, fn, recurse: bool = True) -> Distiller:
        """Move or cast the teachers too, although they are not submodules."""
        self.teachers.apply_to_tensors(fn)
        return super()._apply(fn, recurse)

    def _load_from_state_dict(self, state_dict, prefix, *args) -> None:
        """Load the weights of an exported network too, as the deployed learner's."""
        adopt_export(state_dict, prefix, self.deployed, self.learners[self.deployed])
        super()._load_from_state_dict(state_dict, prefix, *args)

    def init_weights(self) -> None:
        """Initialise learners and connectors; called by the runner before training.

        The first learner gets the weights that it has without teachers, other learners and transfers: with the same seed, what
        methods make of a student is compared from one and the same start.

        Raises:
            RuntimeError: A teacher has no weights.
        """
        if self.untrained:
            raise RuntimeError(
                f'the teacher(s) {", ".join(sorted(self.untrained))} have no weights: give checkpoint=, or start the run with '
                '`mmkd train`, which trains teachers that have a config= first'
            )
        if not self._is_init:
            torch.set_rng_state(self._drawn)  # whatever was built after the first learner
            with safe_loading():  # of init_cfg=dict(type='Pretrained')
                super().init_weights()
            for name, checkpoint in self.init_from.items():
                load_network(self.learners[name], checkpoint)
            borrow_classifiers(self.classifiers, self.learners, self.teachers)

    def roles(self) -> dict[str, str]:
        """Return the role of everything that is tested after a run, by name: 'student' is deployed, a 'learner' is not."""
        return {name: 'student' if name == self.deployed else 'learner' for name in self.learners}

    def modules_of(self, name: str) -> list[nn.Module]:
        """Return the modules that a network's response goes through."""
        if name in self.teachers:
            return [self.teachers[name]]
        return [self.learners[part] for part in (name, *self.reads.get(name, ()))]

    def respond(self, data: dict, name: str | None = None) -> dict[str, Tensor]:
        """Return the response of a learner or a teacher to a batch of windows.

        Args:
            data (dict): A batch as the loader gives it.
            name (str, optional): Name of the network; the deployed learner by default.

        Returns:
            dict[str, Tensor]: ``logits``, ``(N, K)``; and ``present``, ``(N, )``, where windows lack what a teacher reads.
        """
        name = name or self.deployed
        inputs = self.data_preprocessor.encode(data, self.views_of(name))
        taps = LazyTaps(self, inputs, data_samples=data.get('data_samples'))[name]
        return {'logits': taps.logits, **({} if taps.present is None else {'present': taps.present})}

    def views_of(self, name: str) -> tuple[str, ...]:
        """Return the views that a network needs: its own, or those of the networks that it reads."""
        return tuple(self.views[branch] for branch in self.reads.get(name, (name,)))

    def streams_of(self, name: str) -> tuple[str, ...]:
        """Return the streams that a network needs beside the windows' signal."""
        return tuple(sorted({self.data_preprocessor.sources[view].stream for view in self.views_of(name)} - {SIGNAL}))

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams that some network needs beside the windows' signal."""
        return tuple(sorted({stream for name in self.views for stream in self.streams_of(name)}))

    def deploy(self, name: str) -> None:
        """Let another learner predict from now on."""
        self.deployed = name
        run = [*self.learners, *(name for name in self.teachers if name not in self.caches)]
        training = {view for network in run for view in self.views_of(network)}
        self.data_preprocessor.ask(training, self.inference_views())

    def plan_caches(self, root: str, data: str, dtype: str = 'float32') -> dict[str, TeacherCache]:
        """Return the cache of each teacher's outputs, see :func:`plan_caches`."""
        return plan_caches(self, root, data, dtype)

    def teacher_outputs(self, name: str, batches: Iterable[dict]) -> Iterator[Taps]:
        """Yield the taps of a teacher for batches of the loader, see :func:`teacher_outputs`."""
        return teacher_outputs(self, name, batches)

    def use_caches(self, caches: dict[str, TeacherCache]) -> None:
        """Read these teachers' outputs on training windows from now on, without making their views."""
        self.caches = dict(caches)
        self.deploy(self.deployed)

    def inference_views(self) -> tuple[str, ...]:
        """Return the views that a prediction needs."""
        return self.views_of(self.deployed)

    @property
    def memory_banks(self) -> tuple[str, ...]:
        """Transfers that keep a memory bank of the training samples."""
        return tuple(name for name, transfer in self.transfers.items() if transfer.has_memory_bank)

    def remember(self, labels: Callable[[], Tensor]) -> None:
        """Allocate the memory banks of the transfers.

        Args:
            labels (Callable): Returns the labels of the training samples, ``(n, )``; called only if there is a memory bank.
        """
        known = labels() if self.memory_banks else None
        for name in self.memory_banks:
            self.transfers[name].remember(known)

    @property
    def paced(self) -> tuple[str, ...]:
        """Transfers whose weights follow accuracies on the validation windows."""
        return tuple(name for name, transfer in self.transfers.items() if hasattr(transfer.weighting, 'observe'))

    def observe(self, predict: Callable[[str], Predictions], learners: bool = True) -> None:
        """Measure accuracies by what ``predict`` returns, a network's responses to the validation windows; of teachers once."""
        for transfer in (self.transfers[name] for name in self.paced):
            transfer.weighting.observe(predict, transfer.target.node if learners else None)

    def examine(self, data: dict) -> Examination:
        """Examine every transfer on one batch, see :func:`examine`."""
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
        """Set the mode; frozen learners stay in eval mode, so that their batch statistics do not change."""
        super().train(mode)
        for name in getattr(self, 'frozen', ()):
            self.learners[name].eval()
        return self

    def forward(self, inputs: dict[str, Tensor], data_samples: list[DataSample] | None = None, mode: str = 'tensor'):
        """Run the model.

        Args:
            inputs (dict[str, Tensor]): Views, as the data preprocessor makes them.
            data_samples (list[DataSample], optional): Labels, needed for the loss.
            mode (str): 'loss' returns ``{log name: Tensor}``, 'predict' data samples, 'tensor' the deployed learner's logits
                ``(N, K)``.

        Returns:
            dict[str, Tensor] | list[DataSample] | Tensor: As the mode says.

        Raises:
            ValueError: The mode is unknown.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples or [])
        if mode not in ('predict', 'tensor'):
            raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")
        logits = LazyTaps(self, inputs, data_samples=data_samples)[self.deployed].logits
        return logits if mode == 'tensor' else self.judge(self.deployed).predict(logits, data_samples)

    def extract_feat(self, inputs: Tensor | dict[str, Tensor], stage: str = 'neck') -> tuple[Tensor]:
        """Return what the deployed learner's classifier reads, see :func:`extract_features`."""
        return extract_features(self, inputs, stage)

    @property
    def backbone(self) -> nn.Module:
        """The deployed learner's backbone, as the host's tools ask for it."""
        return self.judge(self.deployed).backbone

    def judge(self, name: str) -> BaseNetwork:
        """Return the network whose head computes the loss and the prediction from a learner's logits."""
        return self.learners[self.reads.get(name, (name,))[0]]

    def loss(self, inputs: dict[str, Tensor], data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the terms of the objective, one for each learner and each transfer, and the weights of several teachers."""
        progress = training_progress()
        labels, index = labels_and_indices(data_samples)
        taps = LazyTaps(self, inputs, index, data_samples)
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
            if weight:
                weights = {f'weight_{name}/{source}': w for source, w in transfer.mean_weights(taps, labels).items()}
                # The host adds every value with "loss" in its name to the objective.
                terms.update({key: value for key, value in weights.items() if 'loss' not in key})
        return terms
