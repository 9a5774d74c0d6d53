"""What tests of whole runs share: shipped configs on the tiny data, commands called in this process."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import resource
import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
from mmengine.config import Config
from soaking.children import descendants as descendants
from soaking.children import give_up_rights as give_up_rights

from mmkd_plugin.apis import load_config
from mmkd_plugin.cli import main
from mmkd_plugin.deploy import Contract, Student, pack_student
from mmkd_plugin.fileio import load_checkpoint

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / 'configs'
TINY = 'basic_motions'
# Options of the command line with which all tests share their teachers.
TEACHERS = {'teachers.train_cfg.max_epochs': 1}


def tiny_config(leaf: str | Path, work_dir: str | Path, teacher_dir: Path, epochs: int = 1, **more) -> Config:
    """Load a config with the data BasicMotions and few epochs.

    These are 32 windows to train, 8 to validate and 40 to test, of 6 channels and 4 classes. A detector learns from three of the
    four; Walking is the anomaly.

    Args:
        leaf (str | Path): Config by its path below ``configs``, or a file that a test has written.
        work_dir (str | Path): Where the run writes.
        teacher_dir (Path): The fixture of this name.
        epochs (int): Length of the run; teachers learn for one.
        **more: Further arguments of :func:`mmkd_plugin.apis.load_config`.
    """
    options = {'train_cfg.max_epochs': epochs, **TEACHERS, 'teacher_dir': str(teacher_dir), **more.pop('cfg_options', {})}
    cfg = load_config(CONFIGS / leaf, str(work_dir), cfg_options=options, data=TINY, **more)
    if cfg.model.type == 'AnomalyDetector':
        for split in ('train', 'val', 'test'):
            cfg[f'{split}_dataloader'].dataset.normal = ['Badminton', 'Running', 'Standing']
        cfg.test_dataloader.dataset.anomalies = True
        cfg.data_preprocessor.num_classes = 3
    return cfg


def bare_weights(checkpoint: str | Path, folder: Path) -> str:
    """Write the weights of a checkpoint alone, which nobody knows the data of; return the path."""
    path = folder / f'bare_{Path(checkpoint).name}'
    torch.save(load_checkpoint(checkpoint)['state_dict'], path)
    return str(path)


def write_student(path: Path, contract: Contract, dataset=None) -> Path:
    """Write a student that has learned nothing: how one is used does not depend on what it knows.

    Args:
        path (Path): The file, as a run exports it.
        contract (Contract): Of the data.
        dataset (WindowDataset, optional): Windows out of which golden ones are taken.
    """
    network = dict(backbone=dict(type='WideResNet', dim=1, depth=16, widen_factor=1))
    if contract.normalizer is None:
        contract = dataclasses.replace(contract, normalizer=({'type': 'NormalizeSignal', 'method': 'zscore'},), view={})
    torch.manual_seed(0)
    state = Student(dataclasses.replace(contract, network=network)).network.state_dict()
    torch.save(pack_student(contract, state, network, {}, dataset), path)
    return path


def term_faults(result: dict) -> list[str]:
    """Return the doctor's faults but those of teachers, which have learned too briefly here to be above chance."""
    return [fault for fault in result['faults'] if not fault.startswith('teacher ')]


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


@contextlib.contextmanager
def chromium():
    """Start the system's browser; the test is skipped where there is none."""
    sync = pytest.importorskip('playwright.sync_api', reason='playwright is not installed: pip install playwright')
    program = shutil.which('chromium')
    if program is None:
        pytest.skip('chromium is not installed: apt-get install chromium')
    with sync.sync_playwright() as playwright:
        flags = ['--no-sandbox'] if os.geteuid() == 0 else []  # the sandbox does not start as root
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@contextlib.contextmanager
def full_disk(room: int):
    """Let the operating system refuse files of more bytes than there is room, as it does on a full disk."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def command_of(process: int) -> bytes:
    """Return the command line of a process; nothing if it has ended."""
    try:
        return Path(f'/proc/{process}/cmdline').read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b''
