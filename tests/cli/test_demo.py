"""`mmkd demo`: what it prints, how it ends, and what cannot be shown."""

import json
import os
import signal
import socket
import sys
import threading
import urllib.request

import pytest

pytest.importorskip('fastapi', reason="fastapi is not installed: pip install 'mmkd_plugin[demo]'")
client = pytest.importorskip('websockets.sync.client', reason="websockets is not installed: pip install 'mmkd_plugin[demo]'")


@pytest.fixture
def taken():
    """A port on which another program listens."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ('words', 'number', 'code', 'printed'),
    [
        (['--speed', 'max'], signal.SIGINT, 130, 'the demo is at http://127.0.0.1:{0}/\n'),
        ([], signal.SIGTERM, 143, 'the demo is at http://127.0.0.1:{0}/\nsamples are taken at ws://127.0.0.1:{0}/push\n'),
    ],
)
def test_the_demo_ends_by_a_signal_with_pages_open(words, number, code, printed, replayed, mmkd):
    """Samples are taken, and a page watches, when the signal comes."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
    states = []

    def use():
        try:
            for _ in range(200):
                try:
                    page = client.connect(f'ws://127.0.0.1:{port}/watch')
                    break
                except OSError:
                    threading.Event().wait(0.05)
            with page, urllib.request.urlopen(f'http://127.0.0.1:{port}/', timeout=60) as answer:
                states.append(answer.status)
                page.recv(60)
                states.append(json.loads(page.recv(60))['state'])
                os.kill(os.getpid(), number)
                for _ in page:  # until the server closes it
                    pass
        except Exception as error:
            states.append(error)
            os.kill(os.getpid(), number)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background, it is ignored
    thread = threading.Thread(target=use)
    thread.start()
    recording = [replayed / 'a.csv'] if words else []
    done = mmkd('demo', replayed / 'student_best.pth', *recording, *words, '--port', port)
    thread.join()
    signal.signal(signal.SIGINT, before)
    assert (done.returncode, done.stdout) == (code, printed.format(port))
    assert done.stderr.splitlines()[-1] == 'stopped'
    assert states[0] == 200
    assert states[1].startswith(
        ('', f'replays {replayed}/a.csv as fast as the student decides') if words else 'waits for samples'
    )
    assert states[2].rcvd.code == 1012


def test_what_cannot_be_shown_is_one_sentence(replayed, taken, mmkd):
    for words, code, message in (
        (['--port', taken], 1, f'error: port {taken} is in use; --port N takes another one, --port 0 one that is free\n'),
        (['--port', '65536'], 2, "argument --port: '65536' is no port, a whole number from 0 to 65535"),
        (['--speed', 'max'], 1, 'error: --speed is of a replay, and no recording is given\n'),
        (['--hold', '0'], 1, 'error: hold must be a whole number, at least 1, got 0\n'),
        (['none.csv'], 1, 'error: none.csv does not exist\n'),
        ([replayed / 'short.csv'], 1, 'has no recording of a window, 20 samples at 10 Hz: the student would decide nothing\n'),
    ):
        done = mmkd('demo', replayed / 'student_best.pth', *words)
        assert (done.returncode, done.stdout) == (code, '')
        assert message in done.stderr


def test_without_the_extra_the_command_says_how(replayed, mmkd, monkeypatch):
    for name in [name for name in sys.modules if name.startswith('mmkd_plugin.deploy.demo')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'fastapi', None)
    done = mmkd('demo', replayed / 'student_best.pth')
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr == "error: a demo needs fastapi, which is not installed. Run: pip install 'mmkd_plugin[demo]'\n"
