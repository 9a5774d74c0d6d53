"""Compiled functions, also where nothing can be kept on disk."""

import warnings

import numba
import pytest

from mmkd_plugin.functional import parallel

SOURCE = 'def add(a, b):\n    return a + b\n'


def function_of_no_file():
    """A function whose file is not there, so that there is no folder beside it for what is compiled."""
    names = {}
    exec(compile(SOURCE, '/nonexistent/kernel.py', 'exec'), names)
    return names['add']


def test_without_a_folder_functions_are_compiled_and_it_is_said_once(monkeypatch):
    monkeypatch.setattr(parallel, '_WARNED', [])
    with pytest.warns(
        UserWarning, match='cannot be kept on disk and are compiled anew in every process: .*no locator available'
    ):
        assert parallel.compiled(function_of_no_file())(1, 2) == 3
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert parallel.compiled(function_of_no_file())(1.0, 2.0) == 3.0


def test_a_full_disk_costs_only_what_would_have_been_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, '_WARNED', [])
    monkeypatch.setattr(numba.config, 'CACHE_DIR', '')  # beside the file, whatever the environment says
    (tmp_path / 'kernel.py').write_text(SOURCE)
    names = {}
    exec(compile(SOURCE, str(tmp_path / 'kernel.py'), 'exec'), names)
    add = parallel.compiled(names['add'])
    (tmp_path / '__pycache__').rmdir()
    (tmp_path / '__pycache__').touch()  # a file, so that nothing can be written there
    with pytest.warns(UserWarning, match='cannot be kept on disk'):
        assert add(1, 2) == 3
