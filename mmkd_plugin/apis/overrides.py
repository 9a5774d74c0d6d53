"""Changes of a config that the command line makes by options of their own: data, fold, length, precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict

from mmkd_plugin.fileio import ConfigError, config_files, read_config, shipped_configs
from mmkd_plugin.registry import MODELS, find_type
from mmkd_plugin.structures import SIGNAL, suggest

__all__ = [
    'augment',
    'data_of',
    'require_streams',
    'set_amp',
    'set_data',
    'set_data_root',
    'set_fold',
    'set_loaders',
    'shorten',
]

SPLITS = ('train', 'val', 'test')
DATASETS = '_base_/datasets'
QUICK = dict(max_epochs=2, max_iters=100)  # enough to see that everything works, too few for a result


def data_of(path: str | Path) -> Path | None:
    """Return the file that a config takes its data from, if there is one.

    That is the nearest of its bases in a folder ``datasets`` that holds a whole data set; others hold parts, as loaders.
    """
    files = [file for file in config_files(path) if file.parent.name == 'datasets']
    return next((file for file in files if not _missing(read_config(file))), None)


def set_data(cfg: Config, data: str, own: Path | None = None) -> str:
    """Put other data in the place of a config's own; evaluators stay.

    Args:
        cfg (Config): Changed in place.
        data (str): A name among ``configs/_base_/datasets``, or the path of such a file.
        own (Path, optional): File that the config's own data are from; the keys that it has set go.

    Returns:
        str: Name of the data.

    Raises:
        ConfigError: There are no such data, or the file lacks a split or ``data_preprocessor``.
    """
    if not Path(data).is_file() and data not in shipped_configs(DATASETS):
        known = [name for name in shipped_configs(DATASETS) if not _missing(read_config(f'configs/{DATASETS}/{name}.py'))]
        question = f'{suggest(data, known)} known are'.strip()
        raise ConfigError(f'--data {data}: there is no such file and no such name; {question} {", ".join(known)}')
    path = data if Path(data).is_file() else f'configs/{DATASETS}/{data}.py'
    replacement = read_config(path)
    missing = _missing(replacement)
    if missing:
        raise ConfigError(f'--data {data}: {path} is not the config of a data set, it has no {", ".join(missing)}')
    for key in () if own is None else read_config(own).keys():
        cfg._cfg_dict.pop(key, None)
    for key, value in replacement.items():
        cfg[key] = value
    return Path(path).stem


def _missing(cfg: Config) -> list[str]:
    """Return what a config of data must have and has not."""
    splits = [f'{split}_dataloader' for split in SPLITS if not (cfg.get(f'{split}_dataloader') or {}).get('dataset')]
    return splits + ([] if cfg.get('data_preprocessor') else ['data_preprocessor'])


def _datasets(cfg: Config) -> Iterator[tuple[str, ConfigDict]]:
    """Yield name and config of every split's data set."""
    for split in SPLITS:
        yield split, (cfg.get(f'{split}_dataloader') or {}).get('dataset') or {}


def set_data_root(cfg: Config) -> list[str]:
    """Let ``--cfg-options data_root=...`` reach the readers; in a config's text the variable has been read already.

    Returns:
        list[str]: A sentence if a split has no reader.
    """
    for split, dataset in _datasets(cfg):
        if not isinstance(dataset.get('reader'), dict):
            return [f'data_root={cfg.data_root} needs data that a reader reads; the {split} split has none']
        dataset['reader']['root'] = cfg.data_root
    return []


def set_fold(cfg: Config, fold: int) -> list[str]:
    """Choose the fold of the data's protocol.

    Returns:
        list[str]: A sentence if a split names its subjects.
    """
    for split, dataset in _datasets(cfg):
        subjects = dataset.get('subjects', {})
        if not isinstance(subjects, dict) or 'type' not in subjects:
            return [
                f'--fold {fold} needs data that are split by a protocol, for example '
                f"subjects=dict(type='LeaveOneSubjectOut', fold=0); the {split} split of this config names its subjects"
            ]
        subjects['fold'] = fold
    return []


def require_streams(cfg: Config) -> None:
    """Leave the windows out that lack a stream which a learner reads, or a detector's teacher: there is no response to them.

    Windows that lack what a teacher reads stay; that teacher has no weight for them.
    """
    views = (cfg.get('data_preprocessor') or {}).get('views') or {}
    model = cfg.get('model') or {}
    nodes = [*(model.get('learners') or {}).values()]
    if getattr(find_type(MODELS, model.get('type')), 'reads_teachers', False):
        nodes += (model.get('teachers') or {}).values()
    entries = [views.get(node.get('view')) for node in nodes if isinstance(node, Mapping)]
    streams = {str(entry['stream']) for entry in entries if isinstance(entry, Mapping) and entry.get('stream')} - {SIGNAL}
    for _, dataset in _datasets(cfg) if streams else ():
        given = dataset.get('required', ())
        dataset['required'] = sorted(streams | {given} if isinstance(given, str) else streams | set(given))


def augment(cfg: Config) -> None:
    """Let training windows go through the transforms of ``augment`` first, those of other sensors too.

    So a config says how it augments whatever data it is trained on.
    """
    dataset = (cfg.get('train_dataloader') or {}).get('dataset')
    if dataset and cfg.get('augment') is not None:
        dataset['augment'] = cfg.augment


def set_loaders(cfg: Config) -> None:
    """Let workers live on between epochs, and batches go to a GPU from pinned memory, unless the config says otherwise."""
    pinned = torch.cuda.is_available()
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader')
        if loader:
            workers = loader.get('num_workers', 0)
            loader.setdefault('persistent_workers', isinstance(workers, int) and workers > 0)
            loader.setdefault('pin_memory', pinned)
    if pinned and cfg.get('data_preprocessor'):
        cfg.data_preprocessor.setdefault('non_blocking', True)


def set_amp(cfg: Config) -> None:
    """Turn the optimiser wrapper into the one for automatic mixed precision."""
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def shorten(cfg: Config) -> None:
    """Shorten a run to a first look, and mark it: ``quick = True``."""
    for key, most in QUICK.items():
        if key in cfg.train_cfg:
            cfg.train_cfg[key] = min(most, cfg.train_cfg[key])
            interval = cfg.train_cfg.get('val_interval', 1 if key == 'max_epochs' else most)
            cfg.train_cfg.val_interval = min(interval, cfg.train_cfg[key])
    cfg.quick = True
