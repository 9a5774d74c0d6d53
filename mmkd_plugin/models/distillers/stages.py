"""Stages of a run: which terms are on, who is frozen and at what rate, one after another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ['Stage', 'Stages']


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        epochs (tuple[float, float]): From which epoch to just before which. A run of other length stretches all stages alike.
        terms (tuple[str, ...]): Learners whose label loss, and arrows, are on.
        lr (float): Learning rate at its first step.
        frozen (tuple[str, ...]): Learners that stand still.
        decay (str): 'cosine' takes the rate to 0 at the stage's end, 'constant' leaves it.
    """

    epochs: tuple[float, float]
    terms: tuple[str, ...]
    lr: float
    frozen: tuple[str, ...] = ()
    decay: str = 'cosine'

    def rate(self, done: float) -> float:
        """Learning rate once a share of the stage, from 0 to 1, is done."""
        return self.lr * (1 + math.cos(math.pi * done)) / 2 if self.decay == 'cosine' else self.lr


class Stages:
    """Stages, found by the run's progress, so that a resumed run is where it was without any state of its own.

    Their order is that of their epochs and not that of the dict: the host sorts keys when it writes a config.

    Args:
        stages (Mapping): ``{name: fields of a Stage}``; none at all is a run with everything on throughout.
        terms (Sequence[str]): All learners and arrows.
        learners (Sequence[str]): All learners.

    Raises:
        ValueError: A stage names what is not there, leaves nothing on, or a field is wrong; there is a gap or an overlap.
    """

    def __init__(self, stages: Mapping[str, dict], terms: Sequence[str], learners: Sequence[str]) -> None:
        self.terms = tuple(terms)
        built = {name: self._build(name, cfg, learners) for name, cfg in stages.items() if cfg is not None}
        self.stages = dict(sorted(built.items(), key=lambda item: item[1].epochs))
        border = 0
        for name, stage in self.stages.items():
            if stage.epochs[0] != border:
                raise ValueError(f"stage '{name}' begins at epoch {stage.epochs[0]}, the one before it ends at {border}")
            border = stage.epochs[1]
        self.length = border

    def _build(self, name: str, cfg: dict, learners: Sequence[str]) -> Stage:
        try:
            cfg = {key: tuple(value) if key in ('epochs', 'terms', 'frozen') else value for key, value in cfg.items()}
            stage = Stage(**cfg)
        except TypeError as error:
            raise ValueError(f"stage '{name}' has the fields epochs, terms, lr, frozen and decay: {error}") from error
        for kind, given, known in (('terms', stage.terms, self.terms), ('frozen', stage.frozen, learners)):
            unknown = [entry for entry in given if entry not in known]
            if unknown:
                raise ValueError(f"stage '{name}', {kind}: there is no {', '.join(unknown)}; there are {', '.join(known)}")
        ordered = len(stage.epochs) == 2 and stage.epochs[0] < stage.epochs[1]
        if not ordered or not stage.terms or stage.decay not in ('cosine', 'constant'):
            raise ValueError(f"stage '{name}' needs epochs=[begin, end], a term, and decay 'cosine' or 'constant'; got {stage}")
        return stage

    def __bool__(self) -> bool:
        return bool(self.stages)

    def at(self, progress: float) -> tuple[str, float]:
        """Name of the stage at a share of the run, and the share of that stage that is done.

        Args:
            progress (float): From 0 to 1.

        Returns:
            tuple[str, float]: The last stage holds to the end.
        """
        place = progress * self.length
        for name, stage in self.stages.items():
            begin, end = stage.epochs
            # Rounding: a step that falls on a border belongs to the stage that begins there.
            if begin == 0 or place >= begin - 1e-9 * self.length:
                found = name, min(max((place - begin) / (end - begin), 0.0), 1.0)
        return found

    def active(self, name: str | None) -> frozenset[str]:
        """Terms that are on in a stage; all of them for None."""
        return frozenset(self.terms if name is None else self.stages[name].terms)

    def frozen(self, name: str | None) -> frozenset[str]:
        """Learners that stand still in a stage; none for None."""
        return frozenset(() if name is None else self.stages[name].frozen)

    def rate(self, progress: float) -> float:
        """Learning rate at a share of the run."""
        name, done = self.at(progress)
        return self.stages[name].rate(done)
