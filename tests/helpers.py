"""What tests of whole runs share: shipped configs on the tiny data, commands called in this process."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from pathlib import Path
from subprocess import CompletedProcess

from mmengine.config import Config

from mmkd_plugin.apis import load_config
from mmkd_plugin.cli import main

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / 'configs'
TINY = CONFIGS / '_base_' / 'datasets' / 'basic_motions.py'
DATA = ('train_dataloader', 'val_dataloader', 'test_dataloader', 'data_preprocessor')
# Options of the command line with which all tests share their teachers.
TEACHERS = {'teachers.train_cfg.max_epochs': 1}


def keep_formatted_configs() -> None:
    """Keep the formatter's results: the host formats a run's whole config for every checkpoint, at half a second each."""
    import mmengine.config.config as host
    from yapf.yapflib import yapf_api

    plain, results = yapf_api.FormatCode, {}

    @functools.wraps(plain)
    def kept(text, **options):
        key = text, repr(options)
        if key not in results:
            results[key] = plain(text, **options)
        return results[key]

    for module in (yapf_api, host):  # one build of the host imports it when it is called, the other with the module
        if hasattr(module, 'FormatCode'):
            module.FormatCode = kept


def on_tiny_data(cfg: Config) -> Config:
    """Give a config the windows of BasicMotions: 32 to train, 8 to validate, 40 to test, of 6 channels and 4 classes.

    A config that scores anomalies keeps its task: of the four activities, Walking is the anomaly.
    """
    tiny = Config.fromfile(TINY)
    normal = cfg.train_dataloader.dataset.get('normal')
    for key in DATA:
        cfg[key] = tiny[key]
    if normal:
        for split in ('train', 'val', 'test'):
            cfg[f'{split}_dataloader'].dataset.normal = ['Badminton', 'Running', 'Standing']
        cfg.test_dataloader.dataset.anomalies = True
        cfg.data_preprocessor.num_classes = 3
    return cfg


def tiny_config(leaf: str | Path, work_dir: Path, teacher_dir: Path, epochs: int = 1, **more) -> Config:
    """Load a config, shipped (by its path below ``configs``) or written by a test, with the tiny data and few epochs."""
    options = {'train_cfg.max_epochs': epochs, **TEACHERS, 'teacher_dir': str(teacher_dir), **more.pop('cfg_options', {})}
    return on_tiny_data(load_config(CONFIGS / leaf, str(work_dir), cfg_options=options, **more))


def write_tiny(leaf: str | Path, path: Path, more: str = '') -> Path:
    """Write a shipped config with the tiny data as a file, for a command or a config to begin from."""
    on_tiny_data(Config.fromfile(CONFIGS / leaf)).dump(path)
    path.write_text(f'{path.read_text()}\n{more}\n')
    return path


def call(*words, folder: Path) -> CompletedProcess:
    """Call a command of ``mmkd`` in this process, as if it were started in a folder.

    A process of its own spends 5 s on imports; one start of every command is tested as such in ``cli/test_main.py``.

    Args:
        *words (Any): The command's name and its arguments.
        folder (Path): Working directory meanwhile.

    Returns:
        CompletedProcess: As of :func:`subprocess.run` with captured text.
    """
    out, err, here = io.StringIO(), io.StringIO(), Path.cwd()
    try:
        os.chdir(folder)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(word) for word in words])
    finally:
        os.chdir(here)
    return CompletedProcess(words, code, out.getvalue(), err.getvalue())
