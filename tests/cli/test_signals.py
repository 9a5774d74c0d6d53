"""Commands that are stopped."""

import importlib
import os
import signal
import sys
import time
from types import SimpleNamespace

import pytest
from forks import run_program

from mmkd_plugin.cli.errors import run_command
from mmkd_plugin.cli.main import main


def test_ctrl_c_before_a_command_has_begun_is_no_traceback(capsys):
    class Words(list):
        def __iter__(self):
            raise KeyboardInterrupt

    assert main(Words(['train', 'kd'])) == 130
    assert capsys.readouterr() == ('', 'stopped\n')


def interrupted(number):
    def run(args):
        os.kill(os.getpid(), number)
        time.sleep(5)

    return SimpleNamespace(run=run, go_on=lambda args: 'mmkd more')


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_command_says_how_to_go_on(number, code, capsys):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background, it is ignored
    hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert run_command(interrupted(number), None) == code
    assert capsys.readouterr() == ('', 'stopped; to go on: mmkd more\n')
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == handlers
    signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGHUP, hangup)


class Stopping:
    """An object while whose end a signal comes: Python drops what is raised there."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        os.kill(os.getpid(), self.number)
        time.sleep(0.01)


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_python_drops_comes_again(number, code, capsys):
    """One of sixty Ctrl-C at the start of a training came in a callback of an import, and the training went on to its end."""

    def run(args):
        Stopping(number)
        time.sleep(5)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    hook = sys.unraisablehook
    start = time.monotonic()
    assert run_command(SimpleNamespace(run=run), None) == code
    assert capsys.readouterr() == ('', 'stopped\n')
    assert time.monotonic() - start < 4
    assert sys.unraisablehook is hook
    signal.signal(signal.SIGINT, before)


DEAF = """
import os, signal, time
try:
    os.kill(os.getpid(), {number})
    time.sleep(0.01)
except BaseException:
    pass
"""


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_waits_for_the_end_of_imports(number, code, tmp_path, monkeypatch, capsys):
    """Two of thirty Ctrl-C came while SciPy's compiled code was imported, which cleared them."""
    (tmp_path / 'a_deaf_module.py').write_text(DEAF.format(number=int(number)))
    (tmp_path / 'a_package_of_it.py').write_text('import a_deaf_module\nimport time\ntime.sleep(0.2)\nimported = True\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'a_package_of_it', raising=False)
    monkeypatch.delitem(sys.modules, 'a_deaf_module', raising=False)
    done = []

    def run(args):
        import a_package_of_it

        done.append(a_package_of_it.imported)
        time.sleep(5)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    start = time.monotonic()
    assert run_command(SimpleNamespace(run=run), None) == code
    assert capsys.readouterr() == ('', 'stopped\n')
    assert done == [True]
    assert time.monotonic() - start < 4
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(('presses', 'patience'), [(1, 0.2), (2, 60)])
def test_imports_that_do_not_end_are_left(presses, patience, tmp_path, monkeypatch, capsys):
    """After ten seconds, and at once when Ctrl-C is pressed again."""
    press = 'os.kill(os.getpid(), signal.SIGINT)\n' * presses
    (tmp_path / 'a_slow_module.py').write_text(f'import os, signal, time\n{press}time.sleep(5)\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'a_slow_module', raising=False)
    monkeypatch.setattr('mmkd_plugin.cli.signals.PATIENCE', patience)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    start = time.monotonic()
    assert run_command(SimpleNamespace(run=lambda args: importlib.import_module('a_slow_module')), None) == 130
    assert capsys.readouterr() == ('', 'stopped\n')
    assert time.monotonic() - start < 4
    signal.signal(signal.SIGINT, before)


def test_an_interruption_that_the_host_has_turned_into_an_error_is_one(capsys):
    def run(args):
        try:
            raise KeyboardInterrupt
        except BaseException:
            raise SyntaxError('Failed to format the config file')  # noqa: B904 - as the host does

    assert run_command(SimpleNamespace(run=run), None) == 130
    assert capsys.readouterr().err == 'stopped\n'


NO_THREAD = """
import resource, threading
from types import SimpleNamespace
from mmkd_plugin.cli import signals
from mmkd_plugin.cli.errors import run_command

class Starved(threading.Thread):
    def _bootstrap(self):  # the first that a new thread calls, and what has no memory where there is none
        raise MemoryError

resource.setrlimit(resource.RLIMIT_AS, (2**46, resource.getrlimit(resource.RLIMIT_AS)[1]))
signals.BEGIN = 0.2
begun = threading.Thread.start
code = run_command(SimpleNamespace(run=lambda args: Starved(daemon=True).start()), None)
print(code, threading.Thread.start is begun)
"""


def test_a_thread_that_has_no_memory_to_begin_is_no_wait_for_ever():
    """Found by the soak: a training that was starved as TensorBoard's thread began neither went on nor ended."""
    done = run_program(NO_THREAD)
    assert done.stdout == '1 True\n'
    assert done.stderr.splitlines()[-1].startswith('error: memory is short: a thread has not begun within 0.2 s')
