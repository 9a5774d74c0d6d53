import os
import zipfile

import numpy as np
import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.logging.history_buffer import HistoryBuffer
from writers.bytes import flip_byte

from mmkd_plugin.fileio import SAFE_GLOBALS, check_weights, file_hash, load_checkpoint, write_atomically


class Attack:
    def __reduce__(self):
        return os.system, ('touch attacked',)


def test_a_checkpoint_that_runs_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({'state_dict': {}, 'meta': Attack()}, tmp_path / 'evil.pth')
    with pytest.raises(ValueError, match='can be loaded with weights_only=True: .*nsupported'):
        load_checkpoint(tmp_path / 'evil.pth')
    assert not (tmp_path / 'attacked').exists()


def test_the_host_s_log_histories_are_read(tmp_path):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    torch.save({'state_dict': {}, 'message_hub': {'loss': history}, 'n': np.float64(3)}, tmp_path / 'a.pth')
    assert load_checkpoint(tmp_path / 'a.pth')['message_hub']['loss'].mean() == 1.5


def test_what_is_allowed_to_the_host_stays_allowed(tmp_path):
    """The upstream host resumes from its own checkpoints by torch.load alone, after teachers have been loaded."""
    torch.save({'state_dict': {}, 'message_hub': {'loss': HistoryBuffer([1.0], [1])}}, tmp_path / 'a.pth')
    with torch.serialization.safe_globals(SAFE_GLOBALS):
        load_checkpoint(tmp_path / 'a.pth')
        assert torch.load(tmp_path / 'a.pth', weights_only=True)['message_hub']['loss'].mean() == 1
    load_checkpoint(tmp_path / 'a.pth')
    assert not set(SAFE_GLOBALS) & set(torch.serialization.get_safe_globals())


def test_a_bare_state_dict_is_wrapped(tmp_path):
    torch.save({'weight': torch.ones(2)}, tmp_path / 'a.pth')
    assert load_checkpoint(tmp_path / 'a.pth')['state_dict']['weight'].sum() == 2


def test_missing_damaged_and_foreign_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no checkpoint'):
        load_checkpoint(tmp_path / 'none.pth')
    whole = tmp_path / 'whole.pth'
    torch.save({'weight': torch.ones(1000)}, whole)
    (tmp_path / 'half.pth').write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(ValueError, match='is not a checkpoint'):
        load_checkpoint(tmp_path / 'half.pth')
    with zipfile.ZipFile(whole) as written, zipfile.ZipFile(tmp_path / 'packed.pth', 'w', zipfile.ZIP_DEFLATED) as packed:
        for name in written.namelist():
            packed.writestr(name, written.read(name))
    with pytest.raises(ValueError, match=r'packed\.pth .*: its entry \S+ is compressed, as torch\.save leaves none'):
        load_checkpoint(tmp_path / 'packed.pth')
    (tmp_path / 'flipped.pth').write_bytes(whole.read_bytes())
    flip_byte(tmp_path / 'flipped.pth')  # in the middle of the weights, where torch itself does not look
    torch.load(tmp_path / 'flipped.pth', weights_only=True)
    with pytest.raises(ValueError, match=r'flipped\.pth .*: its entry whole/data/0 has changed since it was written'):
        load_checkpoint(tmp_path / 'flipped.pth')
    (tmp_path / 'text.pth').write_text('hello')
    with pytest.raises(ValueError, match='is not a checkpoint'):
        load_checkpoint(tmp_path / 'text.pth')
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match='holds a list, expected a dict'):
        load_checkpoint(tmp_path / 'list.pth')


def test_names_and_shapes_are_compared():
    wanted = {'a': torch.zeros(2, 3), 'b': torch.zeros(1)}
    check_weights(wanted, {'a': torch.ones(2, 3), 'b': torch.ones(1)}, 'it')
    with pytest.raises(ValueError, match=r'it does not fit the network: a: \(2, 4\), expected \(2, 3\); b: missing; c: not in'):
        check_weights(wanted, {'a': torch.zeros(2, 4), 'c': torch.zeros(1)}, 'it')


def test_a_file_is_whole_or_absent(tmp_path):
    path = tmp_path / 'deep' / 'a.bin'
    write_atomically(b'old', path)
    before = file_hash(path)
    with pytest.raises(TypeError):
        write_atomically('text instead of bytes', path)
    assert file_hash(path) == before
    assert os.listdir(path.parent) == ['a.bin']


def test_the_backend_of_the_checkpoint_hook(tmp_path):
    backend = get_file_backend(backend_args=dict(backend='atomic'))
    backend.put(b'123', tmp_path / 'a.pth')
    backend.put_text('abc', tmp_path / 'b.txt')
    assert (backend.get(tmp_path / 'a.pth'), backend.get_text(tmp_path / 'b.txt')) == (b'123', 'abc')
    assert sorted(os.listdir(tmp_path)) == ['a.pth', 'b.txt']


@pytest.mark.parametrize('weights', [0.5, 'x', [1], None], ids=str)
def test_weights_that_are_no_dict_are_refused(weights, tmp_path):
    torch.save({'state_dict': weights}, tmp_path / 'a.pth')
    kind = type(weights).__name__
    with pytest.raises(ValueError, match=rf'a\.pth holds a {kind} as its state_dict, expected a dict of weights$'):
        load_checkpoint(tmp_path / 'a.pth')


@pytest.mark.parametrize('name', ['meta', 'message_hub', 'golden'])
@pytest.mark.parametrize('value', [torch.zeros(2), torch.zeros(1), 0.0, [1]], ids=str)
def test_what_is_beside_the_weights_is_a_dict(name, value, tmp_path):
    """A tensor is neither true nor false where it is asked whether there is something."""
    torch.save({'state_dict': {}, name: value}, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=rf'a\.pth holds a {type(value).__name__} as its {name}, expected a dict$'):
        load_checkpoint(tmp_path / 'a.pth')
    torch.save({name: torch.zeros(2)}, tmp_path / 'a.pth')  # a parameter of that name
    assert load_checkpoint(tmp_path / 'a.pth')['state_dict'][name].shape == (2,)
