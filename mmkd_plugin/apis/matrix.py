"""The runs of a sweep: every choice of its axes as a resolved config, with the teachers that it needs."""

from __future__ import annotations

import copy
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mmkd_plugin.deploy import settings_fingerprint
from mmkd_plugin.engine import current_reporter, show_log_by_reporter
from mmkd_plugin.experiments import Plan, Run, Sweep, Teacher, expand, pick
from mmkd_plugin.fileio import ConfigError, resolve_config
from mmkd_plugin.registry import DATASETS, TASK_UTILS

from .check import check_config, config_faults
from .config import load_config
from .overrides import data_of, set_fold
from .plan import teacher_title
from .provenance import method_name
from .teachers import prepare_teachers, run_settings, teacher_run_config, trained_starts, trained_teachers
from .train import train

__all__ = ['NAMED', 'SCRATCH', 'Planner', 'plan_sweep', 'prepare_teacher', 'telling_axes']

SCRATCH = 'supervised/student'  # the student without teachers, which every sweep makes once per data, fold and seed
OF_METHODS = ('model.', 'teachers.')  # keys that the student without teachers may not have
NAMED = ('method', 'data', 'fold', 'seed', 'quick')


def plan_sweep(sweep: Sweep, folder: str | Path, only: Mapping[str, Sequence[Any]] | None = None) -> Plan:
    """Resolve and check all runs of a sweep.

    Args:
        sweep (Sweep): From :func:`mmkd_plugin.experiments.parse_sweep`.
        folder (str | Path): Of the sweep; runs write below.
        only (Mapping[str, Sequence], optional): Values by axis; other runs are left out.

    Returns:
        Plan: Runs and teachers; each run once.

    Raises:
        ConfigError: Something in the sweep or in a config is wrong; the message lists all faults.
        FileNotFoundError: There is no such config, or the data do not exist.
    """
    planner = Planner(Path(folder))
    choices = expand(sweep, planner.count_folds)
    if planner.faults:
        raise ConfigError(planner.faults, sweep.source)
    scratch, notes = planner.scratch_of(choices, sweep)
    planner.axes = telling_axes(sweep, [*scratch, *choices])
    runs: dict[str, Run] = {}
    for choice in pick([*scratch, *choices], only or {}):
        run = planner.run_of(choice)
        if run is not None:
            runs.setdefault(run.key, run)
    if planner.faults:
        raise ConfigError(planner.faults, sweep.source)
    order = {seed: position for position, seed in enumerate(dict.fromkeys(run.seed for run in runs.values()))}
    ordered = sorted(runs.values(), key=lambda run: order[run.seed])
    return Plan(ordered, list(planner.teachers.values()), notes)


def telling_axes(sweep: Sweep, choices: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the keys of configs that tell runs of one method apart in tables.

    These are axes of more than one value, and keys that some choices of a method on the same data have and others do not, as
    where the student without teachers is made beside one that is trained otherwise. Keys of teachers' configs are not among
    the latter: they change nothing of a student without teachers, which is made once.
    """
    groups: dict[tuple, list[Mapping]] = defaultdict(list)
    for choice in choices:
        groups[resolve_config(choice['method']), choice.get('data') or _own_data(choice['method'])].append(choice)
    mixed = {name for group in groups.values() for name in set().union(*group) if any(name not in choice for choice in group)}
    telling = {name for name in mixed if not name.startswith('teachers.')}
    telling |= {name for name, axis in sweep.axes.items() if len(axis.values) > 1}
    return tuple(name for name in {**sweep.axes, **sweep.base} if name not in NAMED and name in telling)


class Planner:
    """Reads each config once, and checks it once for each data.

    Args:
        folder (Path): Runs write below.

    Attributes:
        axes (tuple[str, ...]): Keys of the config that stand beside a method's name in tables; set once all choices are known.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.axes: tuple[str, ...] = ()
        self.faults: list[str] = []
        self.teachers: dict[str, Teacher] = {}
        self._configs: dict[str, Config | None] = {}
        self._checked: set[int] = set()
        self._resolved: dict[str, tuple[Config, dict, tuple[str, ...]] | None] = {}

    def config_of(self, choice: Mapping[str, Any]) -> Config | None:
        """Return the config of a choice, without fold and seed; None, and a fault, where something is wrong with it."""
        arguments = _arguments(choice)
        key = json.dumps(arguments, sort_keys=True, default=str)
        if key not in self._configs:
            try:
                self._configs[key] = load_config(**arguments)
            except ConfigError as error:
                self._refuse(choice, error.faults)
                self._configs[key] = None
        return self._configs[key]

    def _refuse(self, choice: Mapping[str, Any], faults: Sequence[str]) -> None:
        sentences = [f'{choice["method"]}: {fault.replace("--cfg-options ", "key ")}' for fault in faults]
        self.faults += [sentence for sentence in sentences if sentence not in self.faults]

    def count_folds(self, choice: Mapping[str, Any]) -> int:
        """Return the number of folds of a choice's data; one, and a fault, where there is no such number."""
        cfg = self.config_of(choice)
        if cfg is None:
            return 1
        init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
        settings = dict(cfg.train_dataloader.dataset)
        subjects = dict(settings.get('subjects') or {})
        if 'type' not in subjects or subjects['type'] == 'HoldOut':
            reason = 'draws any number of folds' if 'type' in subjects else 'names the subjects of its splits'
            needed = "fold='all' needs data that are split by a protocol with a number of folds"
            self._refuse(choice, [f'{needed}; {cfg.get("data") or "this config"} {reason}'])
            return 1
        dataset = DATASETS.build({**settings, 'subjects': {**subjects, 'fold': 0}})
        return len(TASK_UTILS.build(subjects).folds(sorted({r.subject for r in dataset.data.recordings})))

    def scratch_of(self, choices: Sequence[Mapping[str, Any]], sweep: Sweep) -> tuple[list[dict], list[str]]:
        """Return a choice of the student without teachers for all data, folds and seeds, and why there may be none."""
        base = {name: value for name, value in sweep.base.items() if not name.startswith(OF_METHODS)}
        scratch, notes = [], []
        for choice in choices:
            cfg = self.config_of(choice)
            if cfg is None or cfg.model.type != 'Distiller':
                continue
            own = choice.get('data') or _own_data(choice['method'])
            if own is None:
                notes.append(
                    f'no student without teachers for {method_name(choice["method"])}: its data are in the config itself'
                )
                continue
            kept = {name: choice[name] for name in ('fold', 'seed') if name in choice}
            scratch.append({**base, **kept, 'method': SCRATCH, 'data': own})
        return scratch, list(dict.fromkeys(notes))

    def run_of(self, choice: Mapping[str, Any]) -> Run | None:
        """Return the run of a choice; None, and a fault, where something is wrong with it."""
        arguments = {**_arguments(choice), 'seed': int(choice.get('seed', 0)), 'fold': choice.get('fold')}
        resolved = self._resolve(choice, arguments)
        if resolved is None:
            return None
        cfg, learned, teachers = resolved
        learned = {**learned, 'randomness': {**learned.get('randomness', {}), 'seed': arguments['seed']}}
        settings = {name: choice[name] for name in self.axes if name in choice}
        method = method_name(cfg.filename)
        content = json.dumps([method, settings, settings_fingerprint(learned)], sort_keys=True)
        key = hashlib.sha256(content.encode()).hexdigest()[:16]
        fold, data = choice.get('fold'), cfg.get('data') or 'data'
        name = f'{"" if fold is None else f"fold{fold}-"}seed{arguments["seed"]}-{key[:8]}'
        arguments['work_dir'] = str(self.folder / data / method / name)
        return Run(key, method, data, fold, arguments['seed'], settings, arguments, teachers)

    def _resolve(self, choice: Mapping[str, Any], arguments: dict) -> tuple[Config, dict, tuple[str, ...]] | None:
        """Return config, settings that decide, and teachers' folders of a choice without its seed."""
        key = json.dumps({**arguments, 'seed': None}, sort_keys=True, default=str)
        if key in self._resolved:
            return self._resolved[key]
        self._resolved[key], first = None, self.config_of(choice)
        if first is None:
            return None
        cfg = copy.deepcopy(first)
        faults = [] if choice.get('fold') is None else set_fold(cfg, choice['fold'])
        if not faults and id(first) not in self._checked:  # in full once for each data: every run is checked when it starts
            self._checked.add(id(first))
            faults = config_faults(cfg)
        if faults:
            self._refuse(choice, faults)
            return None
        try:
            learned = run_settings(cfg)
        except (ValueError, OSError) as error:
            self._refuse(choice, [str(error)])
            return None
        needed = _teachers_of(cfg, learned)
        for path, (kind, name) in needed.items():
            title = teacher_title(name if kind == 'teachers' else f'{name} (start)')
            same = repr((name, cfg.model[kind][name].get('config'), cfg.get('data'), cfg.cfg_options))
            self.teachers.setdefault(path, Teacher(path, f'{title}, {path}', same, dict(arguments)))
        self._resolved[key] = cfg, learned, tuple(needed)
        return self._resolved[key]


def _arguments(choice: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of :func:`load_config` without fold and seed."""
    options = {name: value for name, value in choice.items() if name not in NAMED}
    return dict(path=choice['method'], data=choice.get('data'), quick=bool(choice.get('quick')), cfg_options=options)


def _own_data(method: str) -> str | None:
    """Return what ``data`` has to be for the data that a config has without it."""
    path = data_of(resolve_config(method))
    return None if path is None else str(path)


def _teachers_of(cfg: Config, learned: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return kind and name of the networks that are trained before a run, by their folder."""
    root, needed = cfg.get('teacher_dir', 'work_dirs/teachers'), {}
    for kind, trained in (('learners', trained_starts), ('teachers', trained_teachers)):
        for name in trained(cfg):
            needed[str(Path(root, learned['model'][kind][name]['weights']))] = kind, name
    return needed


def _find_teacher(cfg: Config, folder: str) -> tuple[str, str]:
    needed = _teachers_of(cfg, run_settings(cfg))
    if folder not in needed:
        raise ValueError(
            f'the run has no teacher in {folder}, but in {", ".join(needed) or "none"}: config, data or weights are not those '
            'that it was planned with; start the command again'
        )
    return needed[folder]


def teacher_config_of(cfg: Config, folder: str) -> Config:
    """Return the config that trains a teacher of a run, or the start of a learner, by its folder."""
    kind, name = _find_teacher(cfg, folder)
    entries = cfg.model.teachers if kind == 'teachers' else trained_starts(cfg)
    return teacher_run_config(cfg, name, entries[name])


def prepare_teacher(cfg: Config, folder: str) -> None:
    """Train one teacher of a run, or the start of a learner, unless that is done.

    Args:
        cfg (Config): Of the run.
        folder (str): Of the teacher.

    Raises:
        ConfigError: Something in the config is wrong.
        ValueError: The run has no such teacher.
    """
    cfg = copy.deepcopy(cfg)
    show_log_by_reporter(MMLogger.get_current_instance())
    manifest = check_config(cfg)
    kind, name = _find_teacher(cfg, folder)
    current_reporter().plan([], [teacher_title(name if kind == 'teachers' else f'{name} (start)')])
    if kind == 'teachers':
        cfg.model.teachers = {name: cfg.model.teachers[name]}
        for start in trained_starts(cfg):
            cfg.model.learners[start].pop('init_from')
    else:
        cfg.model.teachers = {}
        for start in trained_starts(cfg):
            if start != name:
                cfg.model.learners[start].pop('init_from')
    prepare_teachers(cfg, train, manifest)
