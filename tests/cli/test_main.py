"""The command itself: help, exit codes, and what goes wrong as one sentence. One process start per command."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from forks import run_program

from mmkd_plugin.cli.arguments import command_line
from mmkd_plugin.cli.errors import EXIT_CODES, run_command
from mmkd_plugin.cli.main import COMMANDS, build_parser

ROOT = Path(__file__).parents[2]
TINY = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'


@pytest.mark.parametrize('words', [[], *([name] for name in COMMANDS)], ids=' '.join)
def test_help_imports_nothing_heavy(words):
    code = (
        'import sys; from mmkd_plugin.cli import main; code = main(sys.argv[1:]); '
        "print({'torch', 'numpy', 'mmengine', 'mmcv', 'rich'} & sys.modules.keys()); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, '-c', code, *words, '--help'], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith(' '.join(['usage: mmkd', *words]))
    assert done.stdout.endswith('\nset()\n')


def test_help_lists_commands_and_exit_codes(mmkd):
    text = ' '.join(mmkd('--help').stdout.split())
    assert all(f'{name} {summary}' in text for name, summary in COMMANDS.items())
    assert all(f'{code} {meaning}' in text for code, meaning in EXIT_CODES.items())


def test_the_version_names_what_decides_a_run(mmkd):
    done = mmkd('--version')
    assert done.returncode == 0
    assert re.fullmatch(r'mmkd_plugin \d\S+, Python 3\.\S+, torch \S+, \S*mmengine \S+, \S*mmpretrain \S+\n', done.stdout)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ([], 'the following arguments are required: COMMAND'),
        (['trian'], "argument COMMAND: invalid choice: 'trian'"),
        (['train'], 'the following arguments are required: config'),
        (['train', 'x.py', '--cfg-option', 'a=1'], 'unrecognized arguments: --cfg-option a=1'),  # no abbreviations
        (['data', 'convert', 'x.py', '--work', '2'], 'unrecognized arguments: --work 2'),
        (['train', 'x.py', '--fold', 'a'], "argument --fold: invalid int value: 'a'"),
        (['test', 'x.py', '--cfg-options', 'student.pth'], "'student.pth' is not of the form KEY=VALUE"),
        (['cache', 'look', 'x.py'], "invalid choice: 'look'"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(words, message, mmkd):
    done = mmkd(*words)
    assert (done.returncode, done.stdout) == (2, '')
    assert message in done.stderr


def raising(error):
    def run(args):
        raise error

    return SimpleNamespace(run=run)


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (ValueError('weight is negative'), 'weight is negative'),
        (KeyError('there is no network gfa'), 'there is no network gfa'),
        (FileNotFoundError(2, 'No such file or directory', 'x.npz'), "[Errno 2] No such file or directory: 'x.npz'"),
        (ImportError('Ray is not installed'), 'Ray is not installed'),
        (FloatingPointError('the run has diverged'), 'the run has diverged'),
    ],
)
def test_an_expected_error_is_one_sentence(error, message, capsys, monkeypatch):
    monkeypatch.delenv('MMKD_TRACEBACK', raising=False)
    assert run_command(raising(error), None) == 1
    assert capsys.readouterr() == ('', f'error: {message}\n')
    monkeypatch.setenv('MMKD_TRACEBACK', '1')
    run_command(raising(error), None)
    assert re.match(rf'(?s)Traceback .*\nerror: {re.escape(message)}\n$', capsys.readouterr().err)


def test_an_operation_that_the_device_has_no_deterministic_form_of_is_no_fault_of_ours(capsys):
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        with pytest.raises(RuntimeError) as raised:
            torch.zeros(3).put_(torch.tensor([0]), torch.ones(1))
    finally:
        torch.use_deterministic_algorithms(before)
    assert run_command(raising(raised.value), None) == 1
    said = capsys.readouterr().err
    assert said.startswith('error: put_ does not have a deterministic implementation')
    assert said.count('\n') == 1
    assert 'randomness.deterministic=False' in said


def test_memory_that_a_device_lacks_is_said_with_what_takes_less(capsys):
    lacking = torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 1 GiB')
    assert run_command(raising(lacking), None) == 1
    assert capsys.readouterr().err.startswith(
        'error: CUDA out of memory. Smaller batches take less: train_dataloader.batch_size'
    )


@pytest.mark.parametrize(
    ('error', 'reason'),
    [
        (MemoryError(), 'memory is short: MemoryError'),
        (RuntimeError('could not create a primitive'), 'memory is short: could not create a primitive'),
        (
            RuntimeError("[enforce fail] data. DefaultCPUAllocator: can't allocate memory: 8 bytes"),
            'memory is short: [enforce fail] data',
        ),
        (OSError(12, 'Cannot allocate memory'), 'memory is short: [Errno 12] Cannot allocate memory'),
    ],
)
def test_memory_that_the_machine_lacks_is_no_fault_of_ours(error, reason, capsys):
    assert run_command(raising(error), None) == 1
    assert capsys.readouterr().err.startswith(f'error: {reason}. Smaller batches take less')


def test_a_thread_that_meets_a_full_disk_is_a_sentence(capsys):
    def run(args):
        thread = threading.Thread(target=lambda: os.write(full, b'scalars'))
        thread.start()
        thread.join()

    full = os.open('/dev/full', os.O_WRONLY)
    assert run_command(SimpleNamespace(run=run), None) == 0
    os.close(full)
    text = 'warning: a thread of this command has ended: [Errno 28] No space left on device\n'
    assert capsys.readouterr().err == text


@pytest.mark.parametrize('flush', [False, True])
def test_standard_output_on_a_full_disk_is_named(flush, capsys, monkeypatch):
    with open('/dev/full', 'w') as full:
        monkeypatch.setattr('sys.stdout', full)
        printing = SimpleNamespace(run=lambda args: full.write('figures') * 0 or (full.flush() if flush else 0))
        assert run_command(printing, None) == 1
        assert capsys.readouterr().err == 'error: standard output cannot be written: No space left on device\n'
        full.write('more')  # nobody complains when what is left is written at the end


@pytest.mark.parametrize('error', [RuntimeError('sizes differ'), KeyError('weight'), ValueError(), AssertionError('no')])
def test_an_unexpected_error_keeps_its_traceback(error, capsys):
    assert run_command(raising(error), None) == 70
    text = capsys.readouterr().err
    assert text.startswith('Traceback (most recent call last)')
    assert text.endswith('please report it, with the lines above and what `mmkd --version` prints\n')


def test_waiting_threads_are_passive_unless_the_user_has_chosen(mmkd, monkeypatch):
    monkeypatch.delenv('OMP_WAIT_POLICY', raising=False)
    mmkd('--help')
    assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'
    monkeypatch.setenv('OMP_WAIT_POLICY', 'ACTIVE')
    mmkd('--help')
    assert os.environ['OMP_WAIT_POLICY'] == 'ACTIVE'


def test_printed_commands_are_quoted():
    assert command_line('test', 'a b.py').endswith("test 'a b.py'")


@pytest.mark.parametrize('shell', ['bash', 'zsh', 'tcsh'])
def test_completion_knows_commands_and_options(shell, mmkd):
    script = mmkd('completion', shell)
    assert script.returncode == 0
    assert all(word in script.stdout for word in [*COMMANDS, 'cfg-options', 'corruptions', 'convert'])


def test_a_bash_completes(tmp_path, mmkd):
    (tmp_path / 'script').write_text(mmkd('completion', 'bash').stdout)
    code = 'source ./script; COMP_WORDS=(mmkd tr); COMP_CWORD=1; _shtab_mmkd mmkd tr mmkd; echo "${COMPREPLY[@]}"'
    done = subprocess.run(['bash', '-c', code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == 'train'


def test_every_command_has_a_shim_where_users_of_the_family_look():
    shims = {path.stem: path.read_text() for path in (ROOT / 'tools').glob('*.py')}
    assert shims.keys() >= COMMANDS.keys() - {'completion'}
    assert all(f"main(['{name}', *sys.argv[1:]])" in text for name, text in shims.items())


SHIMS = {
    'train': ['nowhere.py'],
    'test': ['nowhere.py', 'student_best.pth'],
    'sweep': ['nowhere.py'],
    'search': ['nowhere.py'],
    'report': ['nowhere.jsonl'],
    'doctor': ['nowhere.py'],
    'cache': ['verify', 'nowhere.py'],
    'data': ['convert', 'nowhere.py'],
    'show': ['graph', 'nowhere.py'],
}
SHIM = """
import runpy, sys
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.mark.parametrize('name', SHIMS)
def test_each_shim_is_the_command(name, tmp_path):
    """Arguments, the sentence and the exit code arrive; nothing is written."""
    done = run_program(SHIM, ROOT / 'tools' / f'{name}.py', *SHIMS[name], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, '')
    assert re.fullmatch(r'error: there (is no config|are no records) nowhere\..*\n', done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_process_of_its_own(tmp_path):
    """A printed command is typed in a shell; `test_wheel.py` starts a shim as a file."""
    done = subprocess.run(['bash', '-c', command_line('train', 'nowhere.py')], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, '')
    assert re.fullmatch(r'error: there is no config nowhere\..*\n', done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_all_commands_take_no_abbreviations():
    def parsers(parser):
        yield parser
        for action in parser._actions:
            for child in (action.choices or {}).values() if hasattr(action, 'add_parser') else ():
                yield from parsers(child)

    result = list(parsers(build_parser()))
    assert len(result) >= 1 + len(COMMANDS) + 3
    assert not any(parser.allow_abbrev for parser in result)
