"""ExternalNetwork: a module from outside of the package, read at taps that the config names."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from mmpretrain.models.heads import ClsHead
from torch import Tensor, nn
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from mmkd_plugin.failures import reworded
from mmkd_plugin.registry import MODELS, build_checked
from mmkd_plugin.structures import Taps, accepted_arguments, suggest, unknown_name

from .base_network import BaseNetwork

__all__ = ['ExternalNetwork']

NAMED = ('logits', 'embedding', 'stages')  # taps that a config can name
PREFIX = 'external.'  # of all weights


@MODELS.register_module()
class ExternalNetwork(BaseNetwork):
    """Any ``torch.nn.Module`` that classifies samples of a view: a teacher from elsewhere, or a learner of its own config.

    A module that returns logits is traced, and cut open at the submodules that ``taps`` names, by torchvision's feature
    extraction (https://docs.pytorch.org/vision/stable/feature_extraction.html): no hook is set, and what no tap needs is not
    run. A module that cannot be traced, since its code decides by values, returns a dict of tensors itself; ``taps`` then
    names its keys.

    Weights are those that the factory gives, or those of ``checkpoint``; a state dict of the module itself is one.

    Args:
        factory (str): Function or class that makes the module, ``'package.module:function'``. It is imported and called: a
            config is code, and no file of weights can name one.
        sample_shape (tuple[int, ...]): Shape of one sample of the view, ``(C, *S)``; the factory gets it where it has an
            argument of this name, and so the next.
        num_classes (int): Number of classes K.
        arguments (dict, optional): Further arguments of the factory.
        taps (dict, optional): ``logits`` and ``embedding``, a name each, and ``stages``, a list of names, shallow to deep: of
            submodules (``'layer1'``), of other steps of the traced module (``'flatten'``), or keys of the dict that the module
            returns. By default, the last step gives the logits, and of a dict the keys 'logits', 'embedding', 'stages.0' and
            so on are read.
        classifier (str, optional): Name of the linear submodule that reads the last stage after global average pooling, so
            that there are class activation maps.
        head (dict, optional): Config of a head without layers, for label loss and predictions; ``ClsHead`` by default.

    Raises:
        ValueError: The factory cannot be found or called, a name is unknown, the module cannot read such a sample, or a tap has
            another shape than its kind.

    Attributes:
        from_config_alone (bool): That no file of weights may have such a network built.
    """

    from_config_alone = True

    def __init__(
        self,
        factory: str,
        sample_shape: tuple[int, ...],
        num_classes: int,
        arguments: Mapping[str, Any] | None = None,
        taps: Mapping[str, Any] | None = None,
        classifier: str | None = None,
        head: dict | None = None,
    ) -> None:
        super().__init__()
        self.factory, self.sample_shape, self._linear = factory, tuple(sample_shape), classifier
        module = _make(factory, dict(arguments or {}), dict(sample_shape=self.sample_shape, num_classes=num_classes))
        output = self._run(module.eval(), torch.zeros(1, *self.sample_shape))
        own = set(module.state_dict())
        if isinstance(output, Tensor):
            self.names, module = _cut_open(module, factory, _tap_names(taps))
        elif isinstance(output, Mapping):
            self.names = _keys(output, factory, _tap_names(taps))
        else:
            raise ValueError(f'{factory} returns a {type(output).__name__}, expected a tensor of logits, or a dict of tensors')
        self.external = module
        self._unread = own - set(module.state_dict())
        self.head = build_checked(head or dict(type='ClsHead'), MODELS, 'head')
        if not isinstance(self.head, ClsHead) or any(True for _ in self.head.parameters()):
            raise ValueError(f'head {type(self.head).__name__} has layers of its own, expected one without, as ClsHead')
        self.eval()
        self._check_taps(num_classes)
        if classifier is not None:
            self._check_classifier(classifier)
        if isinstance(output, Tensor) and 'logits' not in (taps or {}):
            self._check_default(output)
        self.train()

    def init_weights(self) -> None:
        """Keep the weights that the factory has given."""

    @property
    def classifier(self) -> nn.Linear | None:
        """The linear layer that ``classifier`` names, else None."""
        layer = None if self._linear is None else self.external.get_submodule(self._linear)
        return layer if isinstance(layer, nn.Linear) else None

    @property
    def classifier_kind(self) -> str:
        """Kind of the classifier, for messages."""
        return f'that of {self.factory}'

    def own_weights(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the weights of a checkpoint by the names that they have here; the module's own are accepted too."""
        if not any(name.startswith(PREFIX) for name in state):
            state = {f'{PREFIX}{name}': value for name, value in state.items() if name not in self._unread}
        return state

    def forward(self, x: Tensor) -> Taps:
        """Run the module once.

        Args:
            x (Tensor): ``(N, C, *S)``.

        Returns:
            Taps: The named taps; the others are None.
        """
        outputs = self.external(x)
        return self.assemble({tap: outputs[name] for tap, name in self.names.items()})

    @torch.no_grad()
    def _run(self, module: nn.Module, x: Tensor) -> Any:
        with reworded(f'{self.factory} cannot read a sample of shape {self.sample_shape}', named=True):
            return module(x)

    def _check_taps(self, num_classes: int) -> None:
        """See that the taps are what their names say."""
        outputs = self._run(self.external, torch.zeros(1, *self.sample_shape))
        for tap, name in self.names.items():
            value = outputs[name]
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            fits = isinstance(value, Tensor) and len(value) == 1 and (value.dim() == 2 or (value.dim() > 2 and '.' in tap))
            if not fits or (tap == 'logits' and value.shape[1] != num_classes):
                expected = {'logits': f'(1, {num_classes})', 'embedding': '(1, C)'}.get(tap, '(1, C, *S)')
                more = ''
                if tap == 'logits':
                    more = '; the factory gets num_classes where it has such an argument, and others by arguments=dict(...)'
                raise ValueError(f"{self.factory}: '{name}' gives {shape} for {tap}, expected {expected}{more}")

    def _check_classifier(self, name: str) -> None:
        """See that the named layer, after global average pooling of the last stage, gives the logits."""
        layers = [each for each, layer in self.external.named_modules() if isinstance(layer, nn.Linear)]
        where = f"{self.factory}: classifier='{name}'"
        if name not in layers:
            raise ValueError(f'{where}: {unknown_name("linear layer", name, layers)}')
        if 'stages.0' not in self.names:
            raise ValueError(f'{where} reads a stage, and taps name none')
        sample = torch.randn(2, *self.sample_shape, generator=torch.Generator().manual_seed(0))
        taps: Taps = self._run(self, sample)
        again = taps.classify(taps.stages[-1])
        if again.shape != taps.logits.shape or not torch.allclose(again, taps.logits, rtol=1e-3, atol=1e-4):
            raise ValueError(f'{where} does not give the logits from the last stage after global average pooling')

    def _check_default(self, output: Tensor) -> None:
        """See that the last step gives what the module returns."""
        taps: Taps = self._run(self, torch.zeros(1, *self.sample_shape))
        if taps.logits.shape != output.shape or not torch.allclose(taps.logits, output, equal_nan=True):
            raise ValueError(f"{self.factory} does not return its last step, '{self.names['logits']}': name logits in taps")


def _make(factory: str, arguments: dict[str, Any], sizes: dict[str, Any]) -> nn.Module:
    """Import and call the factory."""
    function = _find(factory)
    accepted = accepted_arguments(function)
    unknown = [name for name in arguments if name not in accepted.names and not accepted.open]
    if unknown:
        question = suggest(unknown[0], accepted.names) or f'its arguments are {", ".join(accepted.names) or "none"}'
        raise ValueError(f"{factory} takes no '{unknown[0]}'; {question}")
    sizes = {name: size for name, size in sizes.items() if name in accepted.names and name not in arguments}
    missing = [name for name in accepted.required if name not in arguments and name not in sizes]
    if missing:
        raise ValueError(f'{factory} needs {", ".join(missing)}: arguments=dict(...)')
    with reworded(f'{factory} cannot be built', named=True):
        module = function(**sizes, **arguments)
    if not isinstance(module, nn.Module):
        raise ValueError(f'{factory} gives a {type(module).__name__}, expected a torch.nn.Module')
    return module


def _find(factory: str) -> Callable:
    place, _, name = factory.partition(':') if isinstance(factory, str) else ('', '', '')
    if not place or not name.isidentifier():
        raise ValueError(f"factory must be 'package.module:function', got {factory!r}")
    with reworded(f'factory {factory}: {place} cannot be imported', named=True):
        module = importlib.import_module(place)
    function = getattr(module, name, None)
    if not callable(function):
        question = suggest(name, [each for each, value in vars(module).items() if callable(value)])
        raise ValueError(f"factory {factory}: {place} has no function '{name}'{'; ' if question else ''}{question}")
    return function


def _tap_names(taps: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the names by tap, with a tap for each stage."""
    names: dict[str, str] = {}
    for tap, name in (taps or {}).items():
        if tap not in NAMED:
            raise ValueError(f'taps: {unknown_name("tap", tap, NAMED)}')
        several = tap == 'stages' and isinstance(name, Sequence) and not isinstance(name, str)
        if not all(isinstance(each, str) for each in (name if several else [name])) or (tap == 'stages') != several:
            expected = 'a list of names' if tap == 'stages' else 'a name'
            raise ValueError(f'taps: {tap} must be {expected}, got {name!r}')
        names.update({f'{tap}.{level}': each for level, each in enumerate(name)} if several else {tap: name})
    return names


def _keys(output: Mapping, factory: str, names: dict[str, str]) -> dict[str, str]:
    """Return the keys of a module's dict by tap."""
    if not names:
        levels = itertools.takewhile(lambda tap: tap in output, (f'stages.{level}' for level in itertools.count()))
        names = {tap: tap for tap in (*levels, 'embedding', 'logits') if tap in output}
    unknown = [name for name in names.values() if name not in output]
    if unknown or 'logits' not in names:
        reason = unknown_name('key', unknown[0], list(output)) if unknown else f'no tap is logits; it has {", ".join(output)}'
        raise ValueError(f'{factory} returns a dict, and taps name its keys: {reason}')
    return names


def _cut_open(module: nn.Module, factory: str, names: dict[str, str]) -> tuple[dict[str, str], nn.Module]:
    """Return names by tap, and a module that gives the steps of these names as a dict."""
    advice = "let the module return a dict of tensors, {'logits': ..., 'embedding': ..., 'stages.0': ...}"
    with reworded(f'{factory} cannot be traced, so {advice}'):
        steps = get_graph_node_names(module, suppress_diff_warning=True)[1]
    names = {'logits': steps[-1], **names}
    parts = [name for name, _ in module.named_modules() if any(step.startswith(f'{name}.') for step in steps)]
    for tap, name in names.items():
        if name not in steps and name not in parts:
            children = [child for child, _ in module.named_children()]
            question = suggest(name, [*parts, *steps]) or f'its submodules are {", ".join(children)}'
            raise ValueError(f"{factory} has no step '{name}', which taps name for {tap}; {question}")
    return names, create_feature_extractor(module, {name: name for name in names.values()}, suppress_diff_warning=True)
