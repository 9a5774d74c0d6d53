"""Phases of a run: which terms are on, who is frozen and at what rate, one after another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ['Phase', 'Phases']


@dataclass(frozen=True)
class Phase:
    """One phase.

    Attributes:
        epochs (tuple[float, float]): From which epoch to just before which. A run of other length stretches all phases alike.
        terms (tuple[str, ...]): Learners whose label loss, and transfers, are on.
        lr (float): Learning rate at its first step.
        frozen (tuple[str, ...]): Learners that stand still.
        decay (str): 'cosine' takes the rate to 0 at the phase's end, 'constant' leaves it.
    """

    epochs: tuple[float, float]
    terms: tuple[str, ...]
    lr: float
    frozen: tuple[str, ...] = ()
    decay: str = 'cosine'

    def rate(self, done: float) -> float:
        """Learning rate once a share of the phase, from 0 to 1, is done."""
        return self.lr * (1 + math.cos(math.pi * done)) / 2 if self.decay == 'cosine' else self.lr


class Phases:
    """Phases, found by the run's progress, so that a resumed run is where it was without any state of its own.

    Their order is that of their epochs and not that of the dict: the host sorts keys when it writes a config.

    Args:
        phases (Mapping): ``{name: fields of a Phase}``; none at all is a run with everything on throughout.
        terms (Sequence[str]): All learners and transfers.
        learners (Sequence[str]): All learners.

    Raises:
        ValueError: A phase names what is not there, leaves nothing on, or a field is wrong; there is a gap or an overlap.
    """

    def __init__(self, phases: Mapping[str, dict], terms: Sequence[str], learners: Sequence[str]) -> None:
        self.terms = tuple(terms)
        built = {name: self._build(name, cfg, learners) for name, cfg in phases.items() if cfg is not None}
        self.phases = dict(sorted(built.items(), key=lambda item: item[1].epochs))
        border = 0
        for name, phase in self.phases.items():
            if phase.epochs[0] != border:
                raise ValueError(f"phase '{name}' begins at epoch {phase.epochs[0]}, the one before it ends at {border}")
            border = phase.epochs[1]
        self.length = border

    def _build(self, name: str, cfg: dict, learners: Sequence[str]) -> Phase:
        try:
            cfg = {key: tuple(value) if key in ('epochs', 'terms', 'frozen') else value for key, value in cfg.items()}
            phase = Phase(**cfg)
        except TypeError as error:
            raise ValueError(f"phase '{name}' has the fields epochs, terms, lr, frozen and decay: {error}") from error
        for kind, given, known in (('terms', phase.terms, self.terms), ('frozen', phase.frozen, learners)):
            unknown = [entry for entry in given if entry not in known]
            if unknown:
                raise ValueError(f"phase '{name}', {kind}: there is no {', '.join(unknown)}; there are {', '.join(known)}")
        ordered = len(phase.epochs) == 2 and phase.epochs[0] < phase.epochs[1]
        if not ordered or not phase.terms or phase.decay not in ('cosine', 'constant'):
            raise ValueError(f"phase '{name}' needs epochs=[begin, end], a term, and decay 'cosine' or 'constant'; got {phase}")
        return phase

    def __bool__(self) -> bool:
        return bool(self.phases)

    def at(self, progress: float) -> tuple[str, float]:
        """Name of the phase at a share of the run, and the share of that phase that is done.

        Args:
            progress (float): From 0 to 1.

        Returns:
            tuple[str, float]: The last phase holds to the end.
        """
        place = progress * self.length
        for name, phase in self.phases.items():
            begin, end = phase.epochs
            # Rounding: a step that falls on a border belongs to the phase that begins there.
            if begin == 0 or place >= begin - 1e-9 * self.length:
                found = name, min(max((place - begin) / (end - begin), 0.0), 1.0)
        return found

    def active(self, name: str | None) -> frozenset[str]:
        """Terms that are on in a phase; all of them for None."""
        return frozenset(self.terms if name is None else self.phases[name].terms)

    def frozen(self, name: str | None) -> frozenset[str]:
        """Learners that stand still in a phase; none for None."""
        return frozenset(() if name is None else self.phases[name].frozen)

    def rate(self, progress: float) -> float:
        """Learning rate at a share of the run."""
        name, done = self.at(progress)
        return self.phases[name].rate(done)
