"""Pictures of a run while it goes on, through the host's visualizer into TensorBoard, MLflow, W&B or files."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, get_state_dict, weights_to_cpu
from mmengine.runner.base_loop import BaseLoop
from torch import nn

from mmkd_plugin.engine import batches_in_order, predict_windows, same_random_state
from mmkd_plugin.models.distillers import Distiller
from mmkd_plugin.registry import HOOKS, find_type
from mmkd_plugin.structures import unknown_name
from mmkd_plugin.visualization import (
    draw_confusion,
    draw_embeddings,
    draw_errors,
    draw_filters,
    draw_graph,
    draw_maps,
    draw_views,
    figure_pixels,
    new_figure,
)

from .embed import network_embeddings, place_embeddings
from .filters import frequency_attentions, frequency_filters
from .graph import config_graph
from .predict import build_loader, load_deployed, metainfo_of
from .show import activation_maps, confused_windows, window_views
from .test import Evaluation

__all__ = ['PictureHook', 'picture_faults']

SPLIT = 'val'  # the test windows are looked at after training


@HOOKS.register_module()
class PictureHook(Hook):
    """Hook that draws pictures of ``mmkd show`` of the validation windows, and gives them to the runner's visualizer.

    The network is as it is then; what a moving average has made of it where there is one. The run is left unchanged: its random
    numbers too. A picture that cannot be drawn is a warning.

    Args:
        pictures (Sequence[str]): Names among views, graph, errors, confusion, cam, filters, embeddings.
        interval (int, optional): Pictures are drawn at validations after a multiple of so many epochs, or iterations in a run
            without epochs, and at the end; by default only at the end.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: A picture is unknown, or the interval is below 1.
    """

    def __init__(self, pictures: Sequence[str] = ('confusion', 'errors'), interval: int | None = None) -> None:
        if not pictures or isinstance(pictures, str):
            raise ValueError(f'pictures must be a list of names among {", ".join(PICTURES)}, got {pictures!r}')
        for name in pictures:
            if name not in PICTURES:
                raise ValueError(unknown_name('picture', name, PICTURES))
        if interval is not None and interval < 1:
            raise ValueError(f'interval must be at least 1, got {interval}')
        new_figure()
        self.pictures, self.interval = tuple(dict.fromkeys(pictures)), interval
        self._drawn: int | None = None

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:
        """Draw where the interval is over."""
        if self.interval and isinstance(runner._train_loop, BaseLoop) and _step(runner) % self.interval == 0:
            self._draw(runner)

    def after_train(self, runner) -> None:
        """Draw what the run has come to."""
        self._draw(runner)

    def _draw(self, runner) -> None:
        step, begin = _step(runner), time.perf_counter()
        if not is_main_process() or step == self._drawn:
            return
        self._drawn, drawn = step, []
        with tempfile.TemporaryDirectory() as folder, same_random_state():
            path = Path(folder, f'step_{step}.pth')
            torch.save(_checkpoint(runner), path)
            for name in self.pictures:
                try:
                    figure = PICTURES[name](runner.cfg, path)
                except (OSError, RuntimeError, ValueError) as error:  # a run of hours does not end for a picture
                    runner.logger.warning(f"picture '{name}' is left out: {error}")
                    continue
                if figure is not None:
                    runner.visualizer.add_image(name, figure_pixels(figure), step)
                    drawn.append(name)
        if drawn:
            runner.logger.info(f'pictures: {", ".join(drawn)} in {time.perf_counter() - begin:.1f} s')


def picture_faults(model: nn.Module, hooks: Iterable[tuple[str, Any]]) -> list[str]:
    """List pictures that a model has nothing for.

    Args:
        model (nn.Module): As it is built from the config.
        hooks (Iterable[tuple[str, Any]]): Configs of hooks, each with its place in the config.
    """
    return [
        f"{where}: no transfer has a FrequencyAttention, whose filters the picture 'filters' shows"
        for where, hook in hooks
        if isinstance(hook, Mapping)
        and find_type(HOOKS, hook.get('type')) is PictureHook
        and 'filters' in (hook.get('pictures') or ())
        if not (isinstance(model, Distiller) and any(True for _ in frequency_attentions(model)))
    ]


def _step(runner) -> int:
    """Return where the host puts the figures of a validation: at the epoch, or at the iteration in a run without epochs."""
    return runner.epoch if isinstance(runner.train_loop, EpochBasedTrainLoop) else runner.iter


def _checkpoint(runner) -> dict:
    """Return weights and contract as a checkpoint of the run would hold them now."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    checkpoint = dict(state_dict=weights_to_cpu(get_state_dict(model)), meta=dict(seed=runner.seed))
    runner.call_hook('before_save_checkpoint', checkpoint=checkpoint)  # contract, moving average
    return checkpoint


def _views(cfg: Config, checkpoint: Path) -> Any:
    return draw_views(*window_views(cfg, SPLIT))


def _graph(cfg: Config, checkpoint: Path) -> Any:
    return draw_graph(config_graph(cfg), 'networks and transfers')


def _errors(cfg: Config, checkpoint: Path) -> Any:
    worst, wrong, windows = confused_windows(cfg, checkpoint, SPLIT)
    return draw_errors(worst, f'{wrong:,} of {windows:,} {SPLIT} windows are taken for another class') if worst else None


def _confusion(cfg: Config, checkpoint: Path) -> Any:
    loader = build_loader(cfg, SPLIT)
    predictions = predict_windows(load_deployed(cfg, checkpoint, loader, split=SPLIT), batches_in_order(loader)).known()
    classes = tuple(metainfo_of(loader)['classes'])
    score = Evaluation({}, predictions, classes).score()
    if score is None:
        raise ValueError(f'no window of the {SPLIT} split has a class and a response that is finite')
    title = f'accuracy {100 * score["accuracy"]:.2f} % on {score["n"]:,} {SPLIT} windows'
    return draw_confusion(score['confusion'], classes, title)


def _cam(cfg: Config, checkpoint: Path) -> Any:
    return draw_maps(*activation_maps(cfg, checkpoint, SPLIT))


def _filters(cfg: Config, checkpoint: Path) -> Any:
    return draw_filters(frequency_filters(cfg, checkpoint), 'filters of frequency attention')


def _embeddings(cfg: Config, checkpoint: Path) -> Any:
    embeddings = network_embeddings(cfg, checkpoint, SPLIT)
    return draw_embeddings(place_embeddings(embeddings), f'{len(embeddings[0].windows):,} {SPLIT} windows')


PICTURES: dict[str, Callable[[Config, Path], Any]] = dict(
    views=_views,
    graph=_graph,
    errors=_errors,
    confusion=_confusion,
    cam=_cam,
    filters=_filters,
    embeddings=_embeddings,
)
