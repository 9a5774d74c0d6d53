import importlib
import os
import sys

import pytest
from writers.lines import FORMAT, write


@pytest.fixture
def formats(tmp_path, monkeypatch):
    """The module of the format, and a folder with seven parts in it, one of them without a recording."""
    (tmp_path / 'code').mkdir()
    (tmp_path / 'code' / 'lines_format.py').write_text(FORMAT)
    monkeypatch.syspath_prepend(tmp_path / 'code')
    monkeypatch.setenv('PYTHONPATH', f'{tmp_path / "code"}{os.pathsep}{os.environ.get("PYTHONPATH", "")}')
    write(tmp_path / 'data', [1, 2, -1, 3, 4, 5, 6])
    yield importlib.import_module('lines_format')
    del sys.modules['lines_format']
