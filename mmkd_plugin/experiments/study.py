"""The trials of a search, chosen by optuna and kept in its journal.

A trial is chosen from those that are at least ``parallel`` before it, and from nothing else: neither the number of workers nor
the order in which they finish, nor a kill, changes what is tried.
"""

from __future__ import annotations

import glob
import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmkd_plugin.compatibility import require
from mmkd_plugin.failures import reworded

from .space import Domain

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

__all__ = ['PRUNERS', 'STRIDE', 'Study', 'import_optuna', 'open_journal', 'pruner_faults']

STRIDE = 1_000_000  # steps of a run's curve, before those of the trial's next run
PRUNERS = ('MedianPruner', 'PercentilePruner', 'ThresholdPruner')  # those that look at nothing but curves


def import_optuna() -> Any:
    """Import optuna, with its messages of every trial off.

    Raises:
        ImportError: Optuna is not installed.
    """
    optuna = require('optuna', 'a search', 'mmkd_plugin[optuna]')
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def pruner_faults(given: Any) -> list[str]:
    """List what is wrong with a pruner, as it stands in a search's file."""
    from mmkd_plugin.structures import suggest  # heavy: not at import

    if not isinstance(given, Mapping) or 'type' not in given:
        return [f"pruner must be a dict with type, as dict(type='MedianPruner', n_warmup_steps=5); got {given!r}"]
    kind = str(given['type'])
    if kind not in PRUNERS:
        question = suggest(kind, PRUNERS)
        return [f"there is no pruner '{kind}'; {question}{' ' if question else ''}pruners are {', '.join(PRUNERS)}"]
    pruner, arguments = getattr(import_optuna().pruners, kind), {key: value for key, value in given.items() if key != 'type'}
    known = [name for name in inspect.signature(pruner).parameters if name != 'self']
    unknown = [name for name in arguments if name not in known]
    if unknown:
        return [
            f"pruner: {kind} takes no '{name}'; {suggest(name, known) or 'its arguments are ' + ', '.join(known)}"
            for name in unknown
        ]
    try:
        pruner(**arguments)
    except (TypeError, ValueError) as error:
        return [f'pruner: {error}']
    return []


def open_journal(path: str | Path) -> optuna.storages.JournalStorage:
    """Open a journal, of which no other process writes meanwhile; what a kill has left of a line or of a lock is removed.

    Raises:
        ImportError: optuna is not installed.
        ValueError: A whole line is damaged.
    """
    optuna = import_optuna()
    path = Path(path)
    for lock in sorted(path.parent.glob(f'{glob.escape(path.name)}.lock*')):  # optuna's, for which it would wait half a minute
        lock.unlink(missing_ok=True)
    if path.is_file():
        with open(path, 'r+b') as file:
            content = file.read()
            file.truncate(content.rfind(b'\n') + 1)
        for number, line in enumerate(content.split(b'\n')[:-1], 1):
            if not _is_json(line):
                raise ValueError(f'{path}:{number} is damaged: it is not the line that was written')
    # Optuna trusts its lines, and stumbles anywhere over one that was changed.
    with reworded(f'{path} is damaged: optuna cannot follow it', passing=OSError, named=True):
        return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


class Study:
    """Trials of one method.

    Args:
        storage (JournalStorage): From :func:`open_journal`.
        name (str): Of the study; another search has another name.
        domains (Mapping[str, Domain]): Keys that are searched.
        parallel (int): A trial is chosen when all those that are this many before it have ended.
        seed (int): Of the sampler.
        pruner (Mapping, optional): As in the search's file.
    """

    def __init__(
        self,
        storage: optuna.storages.JournalStorage,
        name: str,
        domains: Mapping[str, Domain],
        parallel: int = 4,
        seed: int = 0,
        pruner: Mapping[str, Any] | None = None,
    ) -> None:
        self.optuna, self.domains, self.parallel, self.seed = import_optuna(), dict(domains), parallel, seed
        self.study = self.optuna.create_study(storage=storage, study_name=name, direction='maximize', load_if_exists=True)
        arguments = {key: value for key, value in (pruner or {}).items() if key != 'type'}
        self.pruner = getattr(self.optuna.pruners, pruner['type'])(**arguments) if pruner else None
        self._known: dict[tuple[int, int], optuna.Study] = {}
        self._trials: list[FrozenTrial] | None = None  # until one is added or told: optuna reads its file at every look

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, by their number."""
        if self._trials is None:
            self._trials = self.study.get_trials(deepcopy=False)
        return self._trials

    @property
    def ready(self) -> bool:
        """Whether the next trial can be chosen."""
        trials = self.trials
        return all(trial.state.is_finished() for trial in trials[: max(0, len(trials) - self.parallel + 1)])

    def ask(self) -> int:
        """Choose a trial and keep it, by one line of the journal; return its number."""
        number = len(self.trials)
        drawn = self._study_of(self._before(number), self._sampler(number)).ask(self._distributions).params
        params = {key: self.domains[key].shorten(value) for key, value in drawn.items()}
        running = self.optuna.trial.TrialState.RUNNING
        self.study.add_trial(self.optuna.trial.create_trial(state=running, params=params, distributions=self._distributions))
        self._trials = None
        return number

    def settings(self, number: int) -> dict[str, Any]:
        """Return the values that a trial gives to the keys."""
        params = self.trials[number].params
        return {
            name: self.domains[key].value_of(value) for key, value in params.items() for name in (key, *self.domains[key].also)
        }

    def is_low(self, number: int, curve: Mapping[int, float]) -> bool:
        """Return whether the pruner would end a trial after the last step; it sees the curves of that run alone, by epoch.

        Args:
            number (int): Of the trial.
            curve (Mapping[int, float]): Objective by step, up to now.
        """
        if self.pruner is None:
            return False
        index = max(curve) // STRIDE
        if (number, index) not in self._known:
            self._known[number, index] = self._study_of([self._run_of(trial, index) for trial in self._before(number)])
        running = self.optuna.trial.create_trial(
            state=self.optuna.trial.TrialState.RUNNING, intermediate_values=_epochs(curve, index)
        )
        return bool(self.pruner.prune(self._known[number, index], running))

    def _run_of(self, trial: FrozenTrial, index: int) -> FrozenTrial:
        """Return a trial with the curve of one of its runs alone."""
        return self.optuna.trial.create_trial(
            state=trial.state, value=trial.value, intermediate_values=_epochs(trial.intermediate_values, index)
        )

    def end(self, number: int, curve: Mapping[int, float], value: float | None = None, low: bool = False) -> None:
        """Keep what has become of a trial.

        Args:
            number (int): Of the trial.
            curve (Mapping[int, float]): Objective by step.
            value (float, optional): The objective; None for a trial that has not come to its end.
            low (bool): The trial counts as worse than others, since it was pruned or has diverged, and not as one that
                nothing is known of.
        """
        frozen = self.trials[number]
        trial = self.optuna.trial.Trial(self.study, frozen._trial_id)
        for step, figure in curve.items():
            if step not in frozen.intermediate_values:  # a kill between these lines and the last one has kept some
                trial.report(figure, step)
        states = self.optuna.trial.TrialState
        state = states.COMPLETE if value is not None else states.PRUNED if low else states.FAIL
        self.study.tell(number, value, state=state)
        self._trials = None
        self._known = {key: known for key, known in self._known.items() if key[0] != number}

    def _before(self, number: int) -> list[FrozenTrial]:
        """Return what is known when a trial is chosen: how those before have ended, and only the values of the last ones."""
        running = self.optuna.trial.TrialState.RUNNING
        return [
            trial
            if trial.number <= number - self.parallel
            else self.optuna.trial.create_trial(state=running, params=trial.params, distributions=trial.distributions)
            for trial in self.trials[:number]
        ]

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        """Return the sampler of one trial: after a kill it draws the same."""
        return self.optuna.samplers.TPESampler(seed=int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0]))

    def _study_of(self, trials: Sequence[FrozenTrial], sampler: optuna.samplers.BaseSampler | None = None) -> optuna.Study:
        """Return a study of these trials, in memory."""
        study = self.optuna.create_study(direction='maximize', sampler=sampler)
        study.add_trials(trials)
        return study

    @property
    def _distributions(self) -> dict[str, BaseDistribution]:
        return {key: self._distribution(domain) for key, domain in self.domains.items()}

    def _distribution(self, domain: Domain) -> BaseDistribution:
        kinds = self.optuna.distributions
        if domain.low is None or domain.high is None:
            return kinds.CategoricalDistribution(domain.labels)
        if domain.whole:
            return kinds.IntDistribution(int(domain.low), int(domain.high), log=domain.log, step=int(domain.step or 1))
        return kinds.FloatDistribution(float(domain.low), float(domain.high), log=domain.log, step=domain.step)


def _epochs(curve: Mapping[int, float], index: int) -> dict[int, float]:
    """Return the part of a curve that is of one run, by epoch."""
    return {step % STRIDE: value for step, value in curve.items() if step // STRIDE == index}
