"""Phases of a staged run: terms that are on, learners that are frozen and the learning rate, one phase after another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmkd_plugin.structures import build_fields, check_number, unknown_name

__all__ = ['Phase', 'Phases']


@dataclass(frozen=True)
class Phase:
    """One phase of a staged run.

    Attributes:
        epochs (tuple[float, float]): First epoch, and the epoch before which the phase ends. A run of another length
            stretches all phases alike.
        terms (tuple[str, ...]): Learners whose label loss, and transfers, are on.
        lr (float): Learning rate at the first step, at least 0.
        frozen (tuple[str, ...]): Learners that are not trained.
        decay (str): 'cosine' takes the rate to 0 at the phase's end, 'constant' leaves it.
    """

    epochs: tuple[float, float]
    terms: tuple[str, ...]
    lr: float
    frozen: tuple[str, ...] = ()
    decay: str = 'cosine'

    def __post_init__(self) -> None:
        for name in ('epochs', 'terms', 'frozen'):
            values = getattr(self, name)
            if not isinstance(values, (list, tuple)):
                raise ValueError(f'{name} must be a list, got {values!r}')
            object.__setattr__(self, name, tuple(values))
        for epoch in self.epochs:
            check_number('epochs', epoch)
        if len(self.epochs) != 2 or not self.epochs[0] < self.epochs[1]:
            raise ValueError(f'epochs must be [begin, end] with begin below end, got {list(self.epochs)}')
        if not self.terms:
            raise ValueError('terms must name at least one learner or transfer')
        check_number('lr', self.lr)
        if self.decay not in ('cosine', 'constant'):
            raise ValueError(f"decay must be 'cosine' or 'constant', got {self.decay!r}")

    def rate(self, done: float) -> float:
        """Return the learning rate after a share of the phase, from 0 to 1."""
        return self.lr * (1 + math.cos(math.pi * done)) / 2 if self.decay == 'cosine' else self.lr


class Phases:
    """Phases by the run's progress, so that a resumed run needs no state of its own to go on in its phase.

    Their order is that of their epochs and not that of the dict: the host sorts keys when it writes a config.

    Args:
        phases (Mapping): ``{name: fields of a Phase}``; where empty, every term is on throughout the run.
        terms (Sequence[str]): Names of all learners and transfers.
        learners (Sequence[str]): Names of all learners.

    Raises:
        ValueError: A name is unknown, no term is on, a field is wrong, or there is a gap or an overlap between phases.
    """

    def __init__(self, phases: Mapping[str, dict], terms: Sequence[str], learners: Sequence[str]) -> None:
        self.terms = tuple(terms)
        built = {name: self._build(name, cfg, learners) for name, cfg in phases.items() if cfg is not None}
        self.phases = dict(sorted(built.items(), key=lambda item: item[1].epochs))
        border: float = 0
        for name, phase in self.phases.items():
            if phase.epochs[0] != border:
                raise ValueError(f"phase '{name}' begins at epoch {phase.epochs[0]}, the one before it ends at {border}")
            border = phase.epochs[1]
        self.length = border

    def _build(self, name: str, cfg: dict, learners: Sequence[str]) -> Phase:
        phase = build_fields(Phase, cfg, f"phase '{name}'")
        unknown = [f'terms: {unknown_name("term", term, self.terms)}' for term in phase.terms if term not in self.terms]
        unknown += [f'frozen: {unknown_name("learner", n, learners)}' for n in phase.frozen if n not in learners]
        if unknown:
            raise ValueError('\n'.join(f"phase '{name}', {sentence}" for sentence in unknown))
        return phase

    def __bool__(self) -> bool:
        return bool(self.phases)

    def at(self, progress: float) -> tuple[str, float]:
        """Return the name of the phase at a share of the run, and the share of the phase that is done.

        Args:
            progress (float): From 0 to 1.

        Returns:
            tuple[str, float]: Name and share; the last phase lasts to the end.
        """
        epoch = progress * self.length
        for name, phase in self.phases.items():
            begin, end = phase.epochs
            # Rounding: a step that falls on a border belongs to the phase that begins there.
            if begin == 0 or epoch >= begin - 1e-9 * self.length:
                current = name, min(max((epoch - begin) / (end - begin), 0.0), 1.0)
        return current

    def active(self, name: str | None) -> frozenset[str]:
        """Return the terms that are on in a phase; all terms for None."""
        return frozenset(self.terms if name is None else self.phases[name].terms)

    def frozen(self, name: str | None) -> frozenset[str]:
        """Return the learners that are frozen in a phase; no learner for None."""
        return frozenset(() if name is None else self.phases[name].frozen)

    def rate(self, progress: float) -> float:
        """Return the learning rate at a share of the run."""
        name, done = self.at(progress)
        return self.phases[name].rate(done)
