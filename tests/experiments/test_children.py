"""A process that a sweep has started ends with the sweep, however that ends."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from mmkd_plugin.cli import worker

ROOM = Path(__file__).parents[2] / 'mmkd_plugin' / 'experiments'
HEAD = f'import sys, time; sys.path.insert(0, {str(ROOM)!r}); from children import end_with_parent; '
# A child that takes a moment to keep what it has done.
CHILD = HEAD + (
    'import signal, os; from pathlib import Path; folder = Path(sys.argv[1]); '
    'signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.3), (folder / "kept").touch(), os._exit(143))); '
    'end_with_parent(); (folder / "pid").write_text(str(os.getpid())); time.sleep(60)'
)
PARENT = (
    'import os, subprocess, sys; env = {**os.environ, "MMKD_PARENT": str(os.getpid())}; '
    'subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], env=env).wait()'
)


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(process):
    try:
        return Path(f'/proc/{process}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_task_whose_log_cannot_be_written_fails_with_the_reason(tmp_path):
    (tmp_path / 'file').touch()
    messages = []
    assert not worker._redirect(str(tmp_path / 'file' / 'log.txt'), lambda kind, **facts: messages.append((kind, facts)))
    ((kind, facts),) = messages
    assert kind == 'failed'
    assert re.fullmatch(r'\S+/file/log\.txt cannot be written: \S+/file is a file, expected a folder', facts['reason'])


def test_a_child_ends_with_its_parent_and_keeps_what_it_has_done(tmp_path):
    parent = subprocess.Popen([sys.executable, '-c', PARENT, str(tmp_path), CHILD], stderr=subprocess.DEVNULL)
    wait_for(lambda: (tmp_path / 'pid').is_file() and (tmp_path / 'pid').read_text())
    child = int((tmp_path / 'pid').read_text())
    assert alive(child)
    parent.kill()
    parent.wait(30)
    wait_for(lambda: not alive(child))
    assert (tmp_path / 'kept').exists()


def test_a_child_whose_parent_has_gone_before_ends_at_once():
    done = subprocess.run(
        [sys.executable, '-c', HEAD + 'end_with_parent(); time.sleep(60)'], env={**os.environ, 'MMKD_PARENT': '1'}
    )
    assert done.returncode == -signal.SIGTERM
