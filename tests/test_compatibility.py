import signal
import subprocess
import sys
import zipfile

import pytest

from mmkd_plugin.compatibility import check_host, quiet, require
from mmkd_plugin.failures import of_the_machine


def test_the_host_that_is_installed_will_do():
    assert check_host() is None


def test_a_missing_package_comes_with_the_command_that_installs_it():
    with pytest.raises(ImportError, match=r"needs mmabsent, which is not installed. Run: pip install 'onedl-mmabsent>=1,<2'"):
        check_host({'mmabsent': (('onedl-mmabsent', 'mmabsent'), '1', '2')})


@pytest.mark.parametrize('distributions', [('onedl-mmengine', 'mmengine'), ('absent-mmengine',)])
def test_a_version_out_of_range_comes_with_the_command_that_mends_it(distributions):
    pattern = rf"needs mmengine>=90,<91, but version 0\.\d+\.\d+ is installed. Run: pip install '{distributions[0]}>=90,<91'"
    with pytest.raises(ImportError, match=pattern):
        check_host({'mmengine': (distributions, '90', '91')})


def test_a_package_that_is_not_there_and_one_that_breaks_are_told_apart(tmp_path, monkeypatch):
    (tmp_path / 'mm_broken.py').write_text('import mm_absent.part\n')
    (tmp_path / 'mm_large.py').write_text("raise ImportError('x.so: failed to map segment from shared object')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name, reason in {
        'mm_absent.part': 'mm-absent, which is not installed',
        'mm_broken': "mm-broken, which cannot be imported: No module named 'mm_absent'",
        'mm_large': 'mm-large, which cannot be imported: x.so: failed to map segment from shared object',
    }.items():
        with pytest.raises(ImportError) as raised:
            require(name, 'a plot', 'mmkd_plugin[plot]')
        assert str(raised.value) == f"a plot needs {reason}. Run: pip install 'mmkd_plugin[plot]'"
        assert of_the_machine(raised.value) == (name == 'mm_large')
    assert require('zipfile', 'a plot', 'mmkd_plugin[plot]') is zipfile


def test_an_import_is_not_interrupted_halfway(tmp_path, monkeypatch):
    """Compiled modules abort the process, as that of onnx did in one of some hundred exports that were stopped."""
    code = 'import signal\nsignal.raise_signal(signal.SIGINT)\nWHOLE = True\n'
    (tmp_path / 'mm_interrupted.py').write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background ignore Ctrl-C
    try:
        with pytest.raises(KeyboardInterrupt):
            require('mm_interrupted', 'an export', 'mmkd_plugin[export]')
    finally:
        signal.signal(signal.SIGINT, before)
    assert sys.modules.pop('mm_interrupted').WHOLE


def test_imports_begin_without_the_host_and_go_without_noise_where_the_system_is_no_unix():
    """With the modules of Unix, `cli/test_main.py` says the same of a process of its own."""
    rooms = ', '.join(f'mmkd_plugin.{room}' for room in ('models.distillers', 'apis', 'experiments', 'cli.main'))
    code = f"""
import sys, mmkd_plugin
print({{'torch', 'numpy', 'mmengine'}} & sys.modules.keys())
sys.modules.update(fcntl=None, resource=None, pwd=None, termios=None)
import {rooms}
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, 'set()\n', '')


def test_what_is_printed_beside_the_noise_is_passed_on(capsys):
    with quiet():
        sys.stdout.write('Could not import OneDL\nsomething new\n')
    assert capsys.readouterr().out == 'something new\n'
