"""Locks: one holder, who is named; gone with the process, its forked children notwithstanding."""

import errno
import fcntl
import os
import re
import signal
import socket
import time

import pytest

from mmkd_plugin.fileio import LockedError, locked


def test_a_lock_names_its_holder_and_ends_with_the_block(tmp_path):
    path = tmp_path / 'new' / '.lock'
    with locked(path, 'the work directory run', print):
        with pytest.raises(LockedError) as caught, locked(path, 'the work directory run', print):
            pass
        pattern = (
            rf'the work directory run is in use by process {os.getpid()} on {re.escape(socket.gethostname())} since \d{{4}}-'
        )
        assert re.match(pattern, str(caught.value))
    with locked(path, 'the work directory run', print):
        pass


def hold(path, ready):
    """Hold a lock beside a forked worker, in a forked process, until somebody kills both."""
    os.setsid()
    with locked(path, 'the folder', print):
        if os.fork() != 0:
            os.write(ready, b'!')
        time.sleep(60)
    os._exit(0)


def test_a_killed_holder_holds_no_more_even_if_its_workers_live(tmp_path):
    """A data worker that was forked has the same open file."""
    path, (here, ready) = tmp_path / '.lock', os.pipe()
    holder = os.fork()
    if holder == 0:
        hold(path, ready)
    try:
        assert os.read(here, 1) == b'!'
        with (
            pytest.raises(LockedError, match=f'the folder is in use by process {holder} on'),
            locked(path, 'the folder', print),
        ):
            pass
        waits = []

        def kill(line):
            waits.append(line)
            os.kill(holder, signal.SIGKILL)

        start = time.monotonic()
        with locked(path, 'the folder', kill, wait=True):
            assert time.monotonic() - start < 30
        assert waits[0].startswith(f'waiting for the folder, which is in use by process {holder} on ')
    finally:
        os.killpg(holder, signal.SIGKILL)
        os.waitpid(holder, 0)


def test_a_file_system_without_locks_is_said_and_the_block_runs(tmp_path, monkeypatch):
    """No such file system can be had here: the system's answer is what one gives."""

    def refuse(handle, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, 'flock', refuse)
    lines = []
    with locked(tmp_path / '.lock', 'the folder x', lines.append):
        pass
    assert lines == [
        'the file system of the folder x has no locks (No locks available): let no other process write there meanwhile'
    ]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / 'file').touch()
    match = r'file/\.lock cannot be written: \S+/file is a file, expected a folder'
    with pytest.raises(OSError, match=match), locked(tmp_path / 'file' / '.lock', 'x', print):
        pass
