"""What the package never does with what it is given, whatever that is: docs/security.md has the whole table."""

import ast
import socket
from pathlib import Path

import numpy as np
import pytest
from helpers import call

from mmkd_plugin.deploy.demo import HOST, listen
from mmkd_plugin.fileio import read_config

PACKAGE = Path(__file__).parents[1] / 'mmkd_plugin'
FILES = sorted(PACKAGE.rglob('*.py'))
# Calls that run or fetch what a file says, or write where an archive says; and those that do so unless they are told not to.
NEVER = {
    *('eval', 'exec', 'compile', 'os.system', 'os.popen', 'pickle.load', 'pickle.loads', 'pickle.Unpickler', 'marshal.loads'),
    *('joblib.load', 'dill.loads', 'cloudpickle.loads', 'shelve.open', 'yaml.unsafe_load', 'yaml.full_load', 'runpy.run_path'),
    *(
        'shutil.unpack_archive',
        'urllib.request.urlopen',
        'requests.get',
        'torch.hub.load',
        'torch.hub.load_state_dict_from_url',
    ),
}
METHODS_NEVER = {'extract', 'extractall', 'load_url'}
OPTIONS = {
    'torch.load': ('weights_only', True),
    'np.load': ('allow_pickle', False),
    'np.save': ('allow_pickle', False),
    'np.lib.format.read_array': ('allow_pickle', False),
}


def calls(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def test_nothing_that_is_read_is_run_fetched_or_unpacked():
    found = []
    for file in FILES:
        for node, name in calls(file):
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            wanted = OPTIONS.get(name)
            if (
                name in NEVER
                or (isinstance(node.func, ast.Attribute) and node.func.attr in METHODS_NEVER)
                or (wanted and options.get(wanted[0]) != str(wanted[1]))
                or (
                    name == 'yaml.load'
                    and 'Loader' not in options
                    and [ast.unparse(arg) for arg in node.args[1:]] != ['_Loader']
                )
                or options.get('shell') == 'True'
            ):
                found.append(f'{file.relative_to(PACKAGE)}:{node.lineno}: {name}')
    assert found == []


def test_the_rule_finds_what_it_is_for(tmp_path):
    """Each kind of call, planted in a file."""
    (tmp_path / 'a.py').write_text('torch.load(p)\nnp.load(p)\nyaml.load(t, Loader)\narchive.extractall()\neval(t)\n')
    names = [name for _, name in calls(tmp_path / 'a.py')]
    assert names == ['torch.load', 'np.load', 'yaml.load', 'archive.extractall', 'eval']


def test_pickles_are_read_by_the_one_unpickler_that_makes_arrays_alone():
    """`mmkd import` reads those of other programs; no other file touches the module but to write."""
    users = {str(file.relative_to(PACKAGE)) for file in FILES if 'import pickle' in file.read_text()}
    assert users == {'fileio/pickles.py'}


def test_archives_name_no_place_on_disk(tmp_path):
    """Members of an .npz whose names lead out of the folder are arrays with odd names."""
    from mmkd_plugin.fileio import load_npz

    (tmp_path / 'in').mkdir()
    np.savez(tmp_path / 'in' / 'a.npz', **{'../out': np.arange(3), '/tmp/out': np.arange(2)})
    assert {name: len(array) for name, array in load_npz(tmp_path / 'in' / 'a.npz').items()} == {'../out': 3, '/tmp/out': 2}
    assert sorted(path.name for path in tmp_path.rglob('*')) == ['a.npz', 'in']


def test_a_config_is_code(tmp_path):
    """The other side of the line: whoever runs a config runs a program."""
    (tmp_path / 'config.py').write_text(f"from pathlib import Path\nPath(r'{tmp_path}', 'ran').touch()\n")
    read_config(tmp_path / 'config.py')
    assert (tmp_path / 'ran').exists()


def test_the_demo_is_on_loopback_alone(tmp_path):
    with listen(0) as listener:
        address, port = listener.getsockname()
        assert address == HOST == '127.0.0.1'
        with socket.create_connection((HOST, port), 10):
            pass
        for other in ('127.0.0.2', '::1'):  # another address of the machine is another listener
            with pytest.raises(OSError, match='refused|Cannot assign|not supported|unreachable'):
                socket.create_connection((other, port), 10)
    done = call('demo', 'student.pth', '--host', '0.0.0.0', folder=tmp_path)
    assert done.returncode == 2
    assert 'unrecognized arguments: --host 0.0.0.0' in done.stderr
