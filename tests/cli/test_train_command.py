"""What a training run shows, and how it ends when it is interrupted."""

import os
import pty
import re
import shlex
import signal
import sys

from forks import can_fork, execute
from helpers import CONFIGS

from mmkd_plugin.cli.arguments import command_line
from mmkd_plugin.fileio import load_checkpoint

TINY = CONFIGS / 'basic_motions' / 'fam_kd.py'
OPTIONS = ['train_cfg.max_epochs=2', 'teachers.train_cfg.max_epochs=2', 'model.teachers.pi=None', 'model.transfers.fam_pi=None']
EPOCHS = 20  # of a run that is stopped: long enough to be stopped, short enough to be waited for
OPTIONS += ['model.transfers.aver.source=[sig.logits,gaf.logits]']
CLOCK, METRIC = r'\d+:\d\d', r'accuracy [\d.]+ %'


def test_a_run_shows_its_plan_epochs_and_table_and_a_command_that_works(mmkd, tmp_path):
    options = ['train_cfg.max_epochs=8', *OPTIONS[1:]]
    done = mmkd('train', TINY, '--work-dir', 'my run', '--cfg-options', *options)
    assert (done.returncode, done.stderr) == (0, '')
    lines = done.stdout.splitlines()
    assert lines[:5] == [
        'data basic_motions: train 32 windows (8 per class), val 8 windows (2 per class), test 40 windows (10 per class)',
        'learns: student (reads sig)',
        'teachers: sig (reads sig), gaf (reads gaf)',
        'terms: aver, fam_sig, fam_gaf, beside the loss on the labels',
        'writes into: my run',
    ]
    assert re.match(r"teacher 'sig': training .*sig\.py into work_dirs/teachers/sig-", lines[5])
    reports = [line for line in lines if re.match(r'\d/3 ', line)]
    patterns = [
        rf'1/3 teacher sig: 2 epochs in {CLOCK}, best {METRIC} on validation',
        rf'2/3 teacher gaf: 2 epochs in {CLOCK}, best {METRIC} on validation',
        *(rf'3/3 student: epoch {epoch}/8, loss [\d.]+, {METRIC}, {CLOCK} left' for epoch in range(1, 8)),
        rf'3/3 student: epoch 8/8, loss [\d.]+, {METRIC}',
        rf'3/3 student: 8 epochs in {CLOCK}, best {METRIC} on validation',
    ]
    assert len(reports) == len(patterns)
    assert all(re.fullmatch(pattern, line) for pattern, line in zip(patterns, reports)), reports
    assert done.stdout.count('terms of iteration 1') == 1  # not of a teacher, which has one term
    # Teachers of few epochs may be at chance level, which is said twice.
    lines = [line for line in lines if 'the doctor found: teacher' not in line]
    # The shipped config has one more teacher (its two lines, its term and its row) and twelve more epochs.
    assert len(lines) + 4 + 12 < 60
    assert not re.search('mmengine|Config:|FileClient|Hooks|last_checkpoint|previous best|esumed', done.stdout)
    (log,) = (tmp_path / 'my run').glob('*/*.log')
    for part in ('System environment', 'Config:\n', 'Hooks will be executed', 'Epoch(train) [8][2/2]', 'terms of'):
        assert part in log.read_text()

    command = lines[-1].removeprefix('next: ')
    assert command.startswith(f'{command_line("test")} ')  # that this starts a process is tested in test_main.py
    assert command.endswith(f"'my run/student_best.pth' --work-dir 'my run' --cfg-options {shlex.join(options)}")
    tested = mmkd('test', *shlex.split(command.removeprefix(command_line('test'))))
    assert (tested.returncode, tested.stderr) == (0, '')
    assert re.fullmatch(
        r'\{"checkpoint": "my run/student_best\.pth", "test": \{"accuracy": [\d.]+, "macro_f1": [\d.]+\}\}\n', tested.stdout
    )


def test_verbose_brings_the_log_of_the_host_back(mmkd, tmp_path):
    done = mmkd('train', TINY, '--verbose', '--cfg-options', *OPTIONS[:1], 'model.teachers=None', 'model.transfers=None')
    assert done.returncode == 0
    assert re.search(r'mmengine - .*INFO.* - Epoch\(train\)  ?\[1\]\[\d/\d\]', done.stdout)
    assert 'Hooks will be executed' in done.stdout
    assert '1/1 student' not in done.stdout  # the log says it
    assert 'learns: student (reads sig)' in done.stdout


def test_a_run_that_fails_is_one_sentence_and_its_traceback_is_in_the_log(mmkd, tmp_path):
    options = ['train_cfg.max_epochs=9', 'optim_wrapper.optimizer.lr=1e30', 'model.teachers=None', 'model.transfers=None']
    done = mmkd('train', TINY, '--work-dir', 'run', '--cfg-options', *options)
    assert done.returncode == 1
    assert re.fullmatch(
        r'error: the run has diverged in the validation after iteration 2: .*a weight or the rate is too high\n', done.stderr
    )
    assert 'Traceback' not in done.stdout
    (log,) = (tmp_path / 'run').glob('*/*.log')
    assert 'Traceback (most recent call last)' in log.read_text()


def start(tmp_path, epochs):
    """Start a training of the student alone on a terminal; give the process and what the terminal shows from now on."""
    options = [f'train_cfg.max_epochs={epochs}', 'model.teachers=None', 'model.transfers=None']
    command = ['-m', 'mmkd_plugin', 'train', str(TINY), '--work-dir', 'a run', '--cfg-options', *options]
    process, terminal = pty.fork()
    if process == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # where the tests run in the background, it is ignored
        os.chdir(tmp_path)
        os.environ.update(TERM='xterm', COLUMNS='80')
        if can_fork():
            signal.signal(signal.SIGINT, signal.default_int_handler)  # as of a Python that is started
            execute("import runpy; runpy.run_module('mmkd_plugin', run_name='__main__')", command[1:])
        os.execv(sys.executable, [sys.executable, *command])
    return process, terminal


def read_until(terminal, pattern=None):
    """Read what a terminal shows until a pattern comes or the process ends."""
    shown = b''
    while pattern is None or not re.search(pattern, shown):
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the process has ended
            break
    return shown


def test_an_interrupted_run_names_the_command_that_goes_on(tmp_path, mmkd):
    process, terminal = start(tmp_path, EPOCHS)
    shown = read_until(terminal, rb'epoch \d+/20, loss [\d.]+, accuracy')
    assert b'1/1 student' in shown
    os.write(terminal, b'\x03')  # Ctrl-C, as a key that is pressed
    text = read_until(terminal).decode()
    assert '…' not in shown.decode() + text  # the live line fits
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 130
    assert 'Traceback' not in text
    sentence = re.search(r'stopped; to go on: (.*)\r\n', text)[1]
    assert sentence.endswith(
        f"train {TINY} --work-dir 'a run' --cfg-options train_cfg.max_epochs={EPOCHS} model.teachers=None model.transfers=None --resume"
    )
    epoch = load_checkpoint((tmp_path / 'a run' / 'last_checkpoint').read_text())['meta']['epoch']
    assert epoch >= 1
    done = mmkd(*shlex.split(sentence[sentence.index('train ') :]))
    assert done.returncode == 0
    assert f'1/1 student: epoch {epoch + 1}/{EPOCHS}, ' in done.stdout
    assert f'student: epoch {epoch}/' not in done.stdout
