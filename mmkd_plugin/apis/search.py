"""What a search tries, resolved and checked before anything is trained, and its winner as a config."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd_plugin.experiments import Run, SearchPlan, Space, StudyPlan, Teacher, expand, pick
from mmkd_plugin.experiments.filters import Choice, check_filters, matches
from mmkd_plugin.experiments.space import OF_A_TRIAL
from mmkd_plugin.fileio import ConfigError

from .checks import validation_metrics
from .matrix import Planner, telling_axes
from .provenance import method_name

__all__ = ['plan_search']


def plan_search(space: Space, folder: str | Path, only: Mapping[str, Sequence[Any]] | None = None) -> SearchPlan:
    """Resolve and check a search: every config with its own values, and with those at the ends of the space.

    Args:
        space (Space): From :func:`mmkd_plugin.experiments.parse_space`.
        folder (str | Path): Of the search; runs write below.
        only (Mapping[str, Sequence], optional): Values by axis; others are left out.

    Returns:
        SearchPlan: A study for each choice of the axes, but for those over which a trial is the mean.

    Raises:
        ConfigError: Something in the space or in a config is wrong; the message lists all faults.
        FileNotFoundError: There is no such config, or the data do not exist.
    """
    planner = Planner(Path(folder))
    choices = expand(space.sweep, planner.count_folds)
    if planner.faults:
        raise ConfigError(planner.faults, space.sweep.source)
    axes = telling_axes(space.sweep, choices)
    planner.axes = (*axes, *space.keys)
    for key, domain in space.domains.items():
        check_filters(domain.where, choices, f'space {key}: where', space.sweep.source, space.sweep.axes)
    groups = _groups(pick(choices, only or {}), space.of_a_trial)
    unfit = [_metric_faults(planner.config_of(group[0]), group[0], space) for group in groups]
    faults = [fault for faults in unfit for fault in faults]
    studies = [_study(group, planner, space, axes) for group, wrong in zip(groups, unfit) if not wrong]
    faults += _budget_faults(studies, space)
    if faults or planner.faults:
        raise ConfigError([*planner.faults, *faults], space.sweep.source)
    studies = [dataclasses.replace(study, trials=trials) for study, trials in zip(studies, _budget(studies, space))]
    members = {study.name: group for study, group in zip(studies, groups)}

    def make(study: StudyPlan, values: Mapping[str, Any]) -> tuple[list[Run], list[Teacher]]:
        planner.faults.clear()
        runs = [run for choice in members[study.name] if (run := planner.run_of({**choice, **values})) is not None]
        if planner.faults:
            raise ConfigError(planner.faults, space.sweep.source)
        needed = {path for run in runs for path in run.teachers}
        return runs, [teacher for teacher in planner.teachers.values() if teacher.key in needed]

    own = {path for study in studies for run in study.runs for path in run.teachers}
    return SearchPlan(space, studies, [t for t in planner.teachers.values() if t.key in own], make)


def _groups(choices: Sequence[Choice], of_a_trial: Sequence[str]) -> list[list[Choice]]:
    """Sort choices into those that differ in the axes of a trial alone."""
    groups: dict[str, list[Choice]] = {}
    for choice in choices:
        key = {name: value for name, value in choice.items() if name not in of_a_trial}
        groups.setdefault(json.dumps(key, sort_keys=True, default=str), []).append(choice)
    return list(groups.values())


def _study(group: list[Choice], planner: Planner, space: Space, axes: Sequence[str]) -> StudyPlan:
    """Return the plan of a study; faults of its configs are the planner's."""
    first = group[0]
    choice = {name: value for name, value in first.items() if name not in space.of_a_trial}
    domains = {
        key: domain
        for key, domain in space.domains.items()
        if not domain.where or any(matches(choice, condition) for condition in domain.where)
    }
    runs = [run for own in group if (run := planner.run_of(own)) is not None]
    for index, own in itertools.product(
        range(max((len(domain.ends) for domain in domains.values()), default=0)), _groups(group, OF_A_TRIAL)
    ):
        ends = {
            name: domain.ends[min(index, len(domain.ends) - 1)]
            for key, domain in domains.items()
            for name in (key, *domain.also)
        }
        planner.run_of({**own[0], **ends})
    method = runs[0].method if runs else method_name(first['method'])
    settings = ', '.join(f'{name}={first[name]}' for name in axes if name in choice)
    data = ' and '.join(dict.fromkeys(run.data for run in runs)) or str(first.get('data'))
    decides = [
        [run.key for run in runs],
        {key: dataclasses.asdict(dataclasses.replace(domain, where=())) for key, domain in domains.items()},
        [space.objective, space.pruner, space.parallel, space.sampler_seed],
    ]
    fingerprint = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:8]
    title = f'{method}{f" ({settings})" if settings else ""} on {data}'
    return StudyPlan(f'{title} {fingerprint}', title, choice, domains, space.trials, runs)


def _budget(studies: Sequence[StudyPlan], space: Space) -> list[int]:
    """Return the number of trials of every study: the same for all, or in proportion to the keys that there are to choose."""
    most = max(len(study.domains) for study in studies)
    return [
        space.trials if space.sweep.fair else max(1, math.ceil(space.trials * len(study.domains) / most)) for study in studies
    ]


def _budget_faults(studies: Sequence[StudyPlan], space: Space) -> list[str]:
    idle = [study.title for study in studies if not study.domains]
    if studies and len(idle) == len(studies):
        return [f'space: no key is searched for {", ".join(idle)}; look at its where']
    return [f'fair=True: every method needs a key that is searched; {title} has none' for title in idle if space.sweep.fair]


def _metric_faults(cfg: Config | None, choice: Choice, space: Space) -> list[str]:
    """See that a config measures the objective, and writes down the curves that the pruner reads."""
    if cfg is None:
        return []
    faults, name = [], choice['method']
    known = validation_metrics(cfg)
    if cfg.model.type == 'AnomalyDetector':
        faults.append(f'{name} is a detector; a search needs a classifier, which has accuracy and macro_f1 on validation')
    elif known and space.objective not in known:
        faults.append(f'{name}: val_evaluator gives no {space.objective}, the objective; its metrics are {", ".join(known)}')
    backends = [str(backend.get('type')) for backend in (cfg.get('visualizer') or {}).get('vis_backends') or ()]
    if space.pruner is not None and not any(kind.endswith('LocalVisBackend') for kind in backends):
        faults.append(f"{name}: a pruner reads curves; visualizer.vis_backends has no dict(type='LocalVisBackend')")
    return faults
