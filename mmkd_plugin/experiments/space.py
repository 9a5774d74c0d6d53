"""A search as it is written: a sweep, some of whose keys are chosen from ranges and lists of values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .filters import plain_value, read_conditions, unknown_fault
from .plan import AXES, KEYS, Sweep, parse_sweep

__all__ = ['OBJECTIVES', 'OF_A_TRIAL', 'Domain', 'Space', 'parse_space']

OWN = ('space', 'trials', 'objective', 'pruner', 'parallel', 'sampler_seed', 'average_over')
OF_A_TRIAL = ('fold', 'seed')  # axes over which the figure of a trial is always the mean
FIELDS = ('low', 'high', 'log', 'step', 'values', 'where', 'also')
OBJECTIVES = ('accuracy', 'macro_f1')
EXAMPLE = 'a list of values, or a range as dict(low=0.01, high=1.0, log=True)'


@dataclass(frozen=True)
class Domain:
    """Values that a key may have: a range of numbers, or a list.

    Attributes:
        low (float | int | None): Least value of a range; None of a list.
        high (float | int | None): Greatest value of a range.
        log (bool): Values are drawn evenly by their logarithm.
        step (float | int | None): Between two values of a range. With whole numbers, the range has whole numbers alone.
        values (tuple): Values of a list.
        where (tuple[Mapping, ...]): Runs that match one of these are searched; empty for all runs.
        also (tuple[str, ...]): Further keys that have the same value, as the weights of a method's transfers.
    """

    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    step: float | int | None = None
    values: tuple = ()
    where: tuple[Mapping[str, Any], ...] = ()
    also: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the range has whole numbers alone."""
        return all(isinstance(value, int) for value in (self.low, self.high, self.step))

    @property
    def ends(self) -> list:
        """All values of a list; the least and the greatest of a range."""
        kind = int if self.whole else float
        return list(self.values) if self.low is None or self.high is None else [kind(self.low), kind(self.high)]

    @property
    def labels(self) -> list:
        """The values of a list as names: a list or dict is its text."""
        return [value if _is_scalar(value) else json.dumps(value, sort_keys=True) for value in self.values]

    def shorten(self, value: Any) -> Any:
        """Return a number of a range with six digits, which people can read and copy; other values as they are."""
        short = float(f'{value:.6g}') if isinstance(value, float) and not self.values else value
        return short if self.low is None or self.high is None or self.low <= short <= self.high else value

    def value_of(self, choice: Any) -> Any:
        """Return the value that a number or name stands for."""
        return self.values[self.labels.index(choice)] if self.values else choice


@dataclass(frozen=True)
class Space:
    """What a file of ``configs/searches`` says.

    Attributes:
        sweep (Sweep): Each choice of its axes is searched on its own, but for fold, seed and ``average_over``, which make
            the runs of a trial.
        domains (dict[str, Domain]): Keys that are searched.
        trials (int): Of a choice; where the sweep is not fair, of the one that has the most keys.
        objective (str): Metric on the validation subjects; the mean over the runs of a trial counts.
        pruner (Mapping | None): Of optuna, ends trials whose validation curves are low.
        parallel (int): A trial is chosen when all those that are this many before it have ended.
        sampler_seed (int): Of optuna's sampler.
        average_over (tuple[str, ...]): Axes beside fold and seed over which the figure of a trial is the mean, as 'data'.
    """

    sweep: Sweep
    domains: dict[str, Domain]
    trials: int = 30
    objective: str = 'accuracy'
    pruner: Mapping[str, Any] | None = None
    parallel: int = 4
    sampler_seed: int = 0
    average_over: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """All keys that trials set."""
        return [name for key, domain in self.domains.items() for name in (key, *domain.also)]

    @property
    def of_a_trial(self) -> tuple[str, ...]:
        """Axes in which the runs of a trial differ."""
        return (*OF_A_TRIAL, *self.average_over)


def parse_space(content: Mapping[str, Any], source: str, settings: Sequence[str] = ()) -> Space:
    """Check the content of a search's file.

    Args:
        content (Mapping): As of :func:`~mmkd_plugin.experiments.plan.parse_sweep`, with ``space``, and where wanted ``trials``,
            ``objective``, ``pruner``, ``parallel``, ``sampler_seed`` and ``average_over``.
        source (str): The file, for messages.
        settings (Sequence[str]): Names at the top of a config, which may be searched too.

    Raises:
        ConfigError: Something is unknown or of a wrong form; the message lists all faults.
    """
    from mmkd_plugin.fileio import ConfigError  # heavy: not at import

    faults: list[str] = []
    sweep = Sweep({})
    try:
        sweep = parse_sweep(content, source, settings, (*KEYS, *OWN))
    except ConfigError as error:
        faults += error.faults
    space = content.get('space') or {}
    domains: dict[str, Domain] = {}
    average_over, wrong = _averaged(content.get('average_over'), _names(content.get('axes')))
    faults += wrong
    if not isinstance(space, Mapping):
        faults.append(f'space must be a dict, whose keys are those of a config; got {space!r}')
    else:
        taken = {name: kind for kind in ('base', 'axes') for name in _names(content.get(kind))}
        for key, given in space.items():
            if given is None:  # a child config has dropped the key
                continue
            domains[key], wrong = _domain(f'space {key}', given, (*OF_A_TRIAL, *average_over))
            faults += wrong
            for name in (key, *domains[key].also):
                faults += _key_faults(name, taken, settings)
                taken = taken if domains[key].where else {**taken, name: f'space {key}'}
    if not space:
        faults.append(f'there is no space; space = {{key: {EXAMPLE}}} says which keys are searched')
    faults += _option_faults(content)
    if faults:
        raise ConfigError(faults, source)
    given = {name: plain_value(content[name]) for name in OWN if name != 'space' and content.get(name) is not None}
    return Space(sweep, domains, **{**given, 'average_over': average_over})


def _averaged(given: Any, axes: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the axes that are averaged over, and what is wrong with them."""
    if given is None:
        return (), []
    if not isinstance(given, (list, tuple)) or not all(isinstance(name, str) for name in given):
        return (), [f"average_over must be a list of axes, as ['data']; got {given!r}"]
    faults = ["average_over: methods are searched one by one, 'method' cannot be averaged over"] if 'method' in given else []
    known = [name for name in axes if name not in ('method', *OF_A_TRIAL)]
    faults += [
        f'average_over: {unknown_fault(name, known, "axis")}' for name in given if name not in (*known, 'method', *OF_A_TRIAL)
    ]
    return tuple(name for name in given if name not in OF_A_TRIAL), faults


def _names(names: Any) -> list[str]:
    return [name for name, value in names.items() if value is not None] if isinstance(names, Mapping) else []


def _key_faults(key: str, taken: Mapping[str, str], settings: Sequence[str]) -> list[str]:
    if key in AXES or key == 'quick':
        return [f'space: {key} is no key of a config; axes = dict({key}=[...]) makes runs of each']
    if '.' not in key and key not in settings:
        question = unknown_fault(key, settings, 'setting').partition('settings are')[0]
        return [f'space: {question}other keys have dots, as optim_wrapper.optimizer.lr']
    if key in taken:
        return [f'space: {key} is set by {taken[key]} too; a key is searched or set']
    return []


def _domain(title: str, given: Any, of_a_trial: Sequence[str]) -> tuple[Domain, list[str]]:
    """Return the domain of a key, and what is wrong with it."""
    if isinstance(given, Mapping):
        faults = [f'{title}: {unknown_fault(name, FIELDS, "field")}' for name in given if name not in FIELDS]
        where, wrong = read_conditions(given.get('where'), f'{title}: where')
        wrong += [
            f'{title}: where: the runs of a trial, one for each {name}, have the same values'
            for name in of_a_trial
            if any(isinstance(condition, Mapping) and name in condition for condition in where)
        ]
        also = given.get('also') or []
        if not isinstance(also, (list, tuple)) or not all(isinstance(name, str) for name in also):
            wrong.append(f'{title}: also must be a list of keys, got {also!r}')
        if faults or wrong:
            return Domain(), [*faults, *wrong]
        limits = {name: given[name] for name in ('low', 'high', 'log', 'step') if given.get(name) is not None}
        if 'values' in given and limits:
            return Domain(), [f'{title} is a list or a range; got values beside {", ".join(limits)}']
        if 'values' not in given:
            return Domain(**limits, where=where, also=tuple(also)), [f'{title}: {fault}' for fault in _range_faults(limits)]
        given = given['values']
    else:
        where, also = (), ()
    if not isinstance(given, (list, tuple)):
        return Domain(), [f'{title} must be {EXAMPLE}; got {given!r}']
    domain = Domain(values=tuple(plain_value(value) for value in given), where=where, also=tuple(also))
    labels = list(map(repr, domain.values))
    repeated = list(dict.fromkeys(label for label in labels if labels.count(label) > 1))
    faults = [] if labels else [f'{title}: the list of values is empty']
    return domain, faults + ([f'{title}: {", ".join(repeated)} stands in the list more than once'] if repeated else [])


def _range_faults(limits: Mapping[str, Any]) -> list[str]:
    missing = [name for name in ('low', 'high') if name not in limits]
    if missing:
        return [f'a range needs low and high; there is no {" and no ".join(missing)}']
    faults = [
        f'{name} must be a number, got {limits[name]!r}'
        for name in ('low', 'high', 'step')
        if name in limits and not _is_number(limits[name])
    ]
    log = limits.get('log', False)
    if not isinstance(log, bool):
        faults.append(f'log must be True or False, got {log!r}')
    if faults:
        return faults
    low, high, step = limits['low'], limits['high'], limits.get('step')
    if low >= high:
        faults.append(f'low must be below high, got low={low} and high={high}')
    if log is True and low <= 0:
        faults.append(f'log=True needs low above 0, got low={low}')
    if step is None or faults:
        return faults
    whole = all(isinstance(value, int) for value in (low, high, step))
    if step <= 0:
        faults.append(f'step must be above 0, got {step}')
    elif log and not (whole and step == 1):
        faults.append(f'log=True takes no step, but step=1 between whole numbers; got step={step}')
    elif abs((high - low) / step - round((high - low) / step)) > 1e-9:
        faults.append(f'steps of {step} from low={low} do not come to high={high}')
    return faults


def _option_faults(content: Mapping[str, Any]) -> list[str]:
    faults = []
    for name, least in (('trials', 1), ('parallel', 1), ('sampler_seed', 0)):
        value = content.get(name)
        if value is not None and not (isinstance(value, int) and not isinstance(value, bool) and value >= least):
            faults.append(f'{name} must be a whole number from {least}, got {value!r}')
    objective = content.get('objective')
    if objective is not None and objective not in OBJECTIVES:
        faults.append(unknown_fault(str(objective), OBJECTIVES, 'objective'))
    if content.get('pruner') is not None:
        from .study import pruner_faults

        faults += pruner_faults(content['pruner'])
    return faults


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))
