"""The demo: a real server on a free port, clients over real websockets, and the page in a real browser."""

import asyncio
import base64
import contextlib
import dataclasses
import http.client
import json
import threading
import tracemalloc

import numpy as np
import pytest
import torch
from helpers import chromium
from students import FIELD, SMALL

from mmkd_plugin.deploy import StreamingInferencer, Student, load_student
from mmkd_plugin.deploy.replay import open_recording
from mmkd_plugin.fileio import read_config
from mmkd_plugin.functional import gramian_angular_field, signal_to_persistence_image

websockets = pytest.importorskip('websockets', reason="websockets is not installed: pip install 'mmkd_plugin[demo]'")
pytest.importorskip('fastapi', reason="fastapi is not installed: pip install 'mmkd_plugin[demo]'")
pytest.importorskip('uvicorn', reason="uvicorn is not installed: pip install 'mmkd_plugin[demo]'")

from websockets.sync.client import connect  # noqa: E402

from mmkd_plugin.deploy.demo import Limits, LiveSignal, build_server, listen, live  # noqa: E402
from mmkd_plugin.deploy.demo.messages import Pace, RefusalError  # noqa: E402
from mmkd_plugin.deploy.demo.pictures import Pictures  # noqa: E402

ROW = [0.1, 0.9, -0.1, 0, 0, 0]


@contextlib.contextmanager
def serving(signal):
    """Serve a signal in a thread; give the address."""
    with listen(0) as listener:
        server = build_server(signal, listener)
        thread = threading.Thread(target=server.run, kwargs={'sockets': [listener]})
        thread.start()
        try:
            yield f'127.0.0.1:{listener.getsockname()[1]}'
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


@pytest.fixture(scope='module')
def student(student_file):
    return load_student(student_file)


@pytest.fixture(scope='module')
def address(student):
    """Of a demo that takes samples, with few of everything."""
    with serving(LiveSignal(student, limits=Limits(bytes=20_000, samples=200, messages=30, pages=2))) as address:
        yield address


def ask(socket, **message):
    socket.send(json.dumps(message))
    return json.loads(socket.recv(60))


def told(socket, count):
    """Messages of a page until there are so many decisions, and these."""
    messages, rows = [], []
    while len(rows) < count:
        messages.append(json.loads(socket.recv(60)))
        rows += [row for row in messages[-1]['decisions'] if row]
    return messages, rows


def test_a_client_and_pages_get_the_decisions_of_a_stream(address, student, swing):
    samples, times = swing(6), np.arange(300) / 50
    times[130:] += 20
    with connect(f'ws://{address}/watch') as early, connect(f'ws://{address}/push') as client:
        about = json.loads(client.recv(60))['about']
        assert (about['channels'], about['rate'], about['pushed']) == (list(student.contract.channels), 50, True)
        assert about['limits'] == {'bytes': 20_000, 'samples': 200, 'messages': 30, 'pages': 2}
        assert json.loads(early.recv(60))['about'] == about
        answers = []
        for first in range(0, 300, 70):
            piece = slice(first, first + 70)
            answers += ask(client, samples=samples[piece].tolist(), times=times[piece].tolist())['decisions']
        answers += ask(client, end=True)['decisions']
        stream = StreamingInferencer(student)
        expected = stream.push(samples, times) + stream.end()
        assert answers == expected
        assert [row['recording'] for row in expected] == [''] * 4 + ['1'] * 5
        assert told(early, 9)[1] == expected
        with connect(f'ws://{address}/watch') as late:  # what happened before is told as well
            assert json.loads(late.recv(60))['about'] == about
            messages, rows = told(late, 9)
            assert rows == expected
            assert messages[0]['state'] == 'receives samples'
            assert (messages[-1]['frame']['samples'], messages[-1]['frame']['end']) == (50, pytest.approx(times[-1] + 0.02))


@pytest.mark.parametrize(
    ('message', 'code', 'sentence'),
    [
        (b'\x00', 1003, 'the message is binary, expected JSON text'),
        ('samples', 1007, 'the message is no JSON: Expecting value: line 1 column 1 (char 0)'),
        ('[' * 9000, 1007, 'the message is no JSON: '),
        ('9' * 9000, 1007, 'the message is no JSON: '),
        ('[]', 1007, 'the message is a list of 0, expected an object of samples, times and end'),
        ('{}', 1007, 'the message is an object of 0, expected an object of samples, times and end'),
        ({'sample': [ROW]}, 1007, "the message has the key 'sample', expected samples, times or end; did you mean 'samples'?"),
        ({'end': 1}, 1007, 'end is 1, expected true or false'),
        ({'samples': 3}, 1007, 'the message has 3, expected a list of 200 at most'),
        ({'samples': [ROW] * 201}, 1009, 'the message has 201 samples, expected a list of 200 at most'),
        ({'samples': [ROW, 3]}, 1007, 'sample 1 of the message is 3, expected one number for each channel'),
        ({'samples': [[True] * 6]}, 1007, 'sample 0 of the message is a list of 6, expected one number for each channel'),
        ({'samples': [ROW, ROW[1:]]}, 1007, 'the message: the rows of the signal have different lengths, expected (T, 6)'),
        ({'samples': [ROW[1:]]}, 1007, 'the message: the signal has shape (1, 5), expected (T, 6)'),
        (
            {'samples': [[*ROW[1:], np.nan]]},
            1007,
            'the message: 1 value(s) are NaN or infinite, the first in gyr_z at sample 0',
        ),
        ({'samples': [[*ROW[1:], 10**400]]}, 1007, 'the message: the signal has the type object, expected numbers'),
        ({'samples': [ROW], 'times': 0}, 1007, 'times is 0, expected seconds, one for each sample'),
        ({'samples': [ROW], 'times': []}, 1007, 'the message has 0 times, expected one for each of its 1 samples'),
        ({'samples': [ROW] * 2, 'times': [1, 0]}, 1007, 'stream:2: time goes back by 1 s, expected 0.02 s more'),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_cannot_be_taken_is_one_sentence_and_a_code(message, code, sentence, address):
    with connect(f'ws://{address}/push') as client:
        client.recv(60)
        client.send(json.dumps(message) if isinstance(message, dict) else message)
        error = json.loads(client.recv(60))['error']
        assert error.startswith(sentence)
        with pytest.raises(websockets.ConnectionClosed):
            client.recv(60)
        assert (client.close_code, client.close_reason) == (code, error.encode()[:120].decode(errors='ignore'))


def test_size_rate_and_number_are_limited(address):
    with connect(f'ws://{address}/push') as client:
        client.recv(60)
        with connect(f'ws://{address}/push') as second:
            assert json.loads(second.recv(60)) == {'error': 'another client pushes samples'}
            with pytest.raises(websockets.ConnectionClosed, match='another client'):
                second.recv(60)
            assert second.close_code == 1013
        client.send(' ' * 20_001)
        with pytest.raises(websockets.ConnectionClosed, match='20001 bytes'):
            client.recv(60)
        assert client.close_code == 1009
    with connect(f'ws://{address}/push') as client:
        client.recv(60)
        for _ in range(31):
            client.send('{"samples": []}')
        assert [json.loads(client.recv(60)) for _ in range(30)] == [{'decisions': []}] * 30
        assert json.loads(client.recv(60)) == {
            'error': 'more than 30 messages in a second: put several samples into one message'
        }
        with pytest.raises(websockets.ConnectionClosed):
            client.recv(60)
        assert client.close_code == 1008
    with connect(f'ws://{address}/watch') as page, connect(f'ws://{address}/watch') as second:
        told(page, 0), second.recv(60), second.recv(60)
        with connect(f'ws://{address}/watch') as third:
            third.recv(60)
            assert json.loads(third.recv(60)) == {'error': 'no more than 2 page(s) may watch at a time'}
        second.send('{}')
        while 'error' not in (answer := json.loads(second.recv(60))):
            pass
        assert answer['error'] == 'a page only watches; samples are taken at /push'


def test_a_pace_counts_every_second():
    seconds = iter([0, 0.1, 0.2, 1.0, 1.05])
    pace = Pace(3, lambda: next(seconds))
    for _ in range(4):
        pace.count()
    with pytest.raises(RefusalError, match='more than 3 messages in a second'):
        pace.count()


def test_only_pages_of_the_demo_itself_are_answered(address):
    port = address.rpartition(':')[2]
    sentence = f'127.0.0.1:{port} and localhost:{port}'
    for host, origin, status in (
        (address, None, 200),
        (f'localhost:{port}', None, 200),
        ('evil.example', None, 403),  # a name that leads here
        (f'evil.example:{port}', f'http://evil.example:{port}', 403),
        ('127.0.0.1', None, 403),
        (address, 'http://evil.example', 403),
        (address, f'https://{address}', 403),
        (address, f'http://localhost:{port}', 403),
        (address, 'http://localhost:3000', 403),
        (address, 'null', 403),
        (address, f'http://{address}', 200),
    ):
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request('GET', '/', headers={'Host': host, **({'Origin': origin} if origin else {})})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == status, (host, origin)
        assert status == 200 or sentence in text or f'only http://{host}' in text
        policy = answer.getheader('Content-Security-Policy')
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.getheader('Access-Control-Allow-Origin') is None
        connection.close()


def test_another_page_gets_no_websocket(address):
    for path in ('watch', 'push'):
        for origin in ('http://evil.example', 'http://localhost:3000', 'null'):
            with pytest.raises(websockets.InvalidStatus) as caught:
                connect(f'ws://{address}/{path}', origin=origin)
            assert caught.value.response.status_code == 403
            assert f'origin {origin} is not answered'.encode() in caught.value.response.body
        with connect(f'ws://{address}/{path}', origin=f'http://{address}') as socket:
            assert 'about' in json.loads(socket.recv(60))


def test_there_is_nothing_but_the_page(address):
    connection = http.client.HTTPConnection(address, timeout=60)
    for path in ('/docs', '/openapi.json', '/page.html', '/../setup.py', '/page/page.css'):
        connection.request('GET', path)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (404, {'detail': 'Not Found'})
    connection.request('POST', '/')
    assert connection.getresponse().status == 405


def test_a_slow_page_loses_no_decision_and_a_stuck_one_is_left(student, swing, monkeypatch):
    """Whose memory is bounded: the samples wait, until the page has taken what there is or its time is over."""
    monkeypatch.setattr(live, 'WAITING', 20)
    monkeypatch.setattr(live, 'PATIENCE', 0.3)
    monkeypatch.setattr(live, 'KEPT', 50)
    samples = swing(4)
    signal = LiveSignal(student, hop=1)
    rows, most = [], 0

    async def slow(text):  # asked ten times a second
        rows.extend(row for row in json.loads(text)['decisions'] if row)

    async def push():
        nonlocal most
        async with signal.pusher() as take:
            for first in range(0, len(samples), 20):
                await take(samples[first : first + 20], None, False)
                most = max([most, *(len(page.waiting) for page in signal._pages)])

    async def run():
        stuck = asyncio.create_task(signal.watch(lambda text: asyncio.sleep(60)))
        watching = asyncio.create_task(signal.watch(slow))
        await asyncio.sleep(0)
        await asyncio.wait_for(push(), 60)
        with pytest.raises(RefusalError, match=r'nothing was taken for 0\.3 s'):
            await stuck
        while len(rows) < 151 and not watching.done():
            await asyncio.sleep(0.01)
        watching.cancel()

    asyncio.run(run())
    stream = StreamingInferencer(student, hop=1)
    assert rows == stream.push(samples) + stream.end()
    assert most <= 20
    assert len(signal._recent) == 50


@pytest.mark.soak
def test_memory_stays_flat_over_an_hour(student, swing):
    samples = swing(60)
    signal = LiveSignal(student)

    async def nothing(text):
        await asyncio.sleep(0)

    async def run():
        watching = asyncio.create_task(signal.watch(nothing))
        sizes = []
        async with signal.pusher() as take:
            for _ in range(6):
                for _ in range(10):
                    await take(samples, None, False)
                sizes.append(tracemalloc.get_traced_memory()[0])
        watching.cancel()
        return sizes

    tracemalloc.start()
    sizes = asyncio.run(run())
    tracemalloc.stop()
    assert max(sizes[1:]) - min(sizes[1:]) < 300_000


def pixels(image):
    size = image['size']
    drawn = np.frombuffer(base64.b64decode(image['pixels']), np.uint8).reshape(-1, size, size)[:, ::-1]
    return image['low'] + drawn / 255 * (image['high'] - image['low'])


def test_images_are_those_of_the_package(student, swing):
    """By the shipped settings, in standard deviations; those that the student reads, by its contract."""
    samples = swing(1)
    frame = Pictures(student).draw(2.0, samples)
    statistics = student.contract.statistics
    deviations = ((samples - np.array(statistics['mean'])) / np.array(statistics['std'])).T.astype(np.float32)
    views = read_config('mmkd_plugin::configs/_base_/datasets/zscore_views.py').data_preprocessor.views
    field = gramian_angular_field(np.clip(deviations / 3, -1, 1), 32, sample_range=None)
    assert np.abs(pixels(frame['images'][0]) - field).max() < 1.001 / 255
    options = {key: value for key, value in views.pi.items() if key != 'type'}
    persistence = signal_to_persistence_image(deviations, **options)
    assert np.abs(pixels(frame['images'][1]) - persistence).max() < persistence.max() / 500
    assert (frame['start'], frame['end']) == (2.0, 3.0)
    assert np.abs(np.array(frame['signal']).T - samples).max() < 1e-4
    assert np.all(np.array(frame['low']) <= samples.min(0))
    assert Pictures(student).draw(0.0, samples[:49])['images'] == []
    view = {**FIELD, 'method': 'difference'}
    reader = Student(dataclasses.replace(student.contract, view=view, network=dict(backbone=SMALL)))
    pictures = Pictures(reader)
    read = reader.encode(torch.from_numpy(samples.T)[None])[0].numpy()
    assert np.abs(pixels(pictures.draw(0.0, samples)['images'][0]) - read).max() < 1.001 / 255
    assert pictures.reads == 'Gramian angular field'
    assert pictures.facts[0]['note'].startswith("As the student reads it (method='difference'")
    assert pictures.facts[1]['note'].startswith('Settings of the shipped data sets')


def test_dense_signals_keep_their_peaks(student):
    samples = np.zeros((5000, 6), np.float32)
    samples[3217, 2], samples[1234, 3] = 5, -7
    signal = np.array(Pictures(student).draw(0.0, samples)['signal'])
    assert signal.shape == (6, 512)
    assert (signal[2].max(), signal[3].min()) == (5, -7)


@pytest.fixture
def recording(tmp_path, student, swing):
    """A table of 8 s, with a gap; markup in its name."""
    path = tmp_path / '<b>monday.csv'
    times = np.arange(400) / 50
    times[250:] += 9
    names = ','.join(('time', *student.contract.channels))
    np.savetxt(path, np.column_stack([times, swing(8)]), delimiter=',', header=names, comments='')
    return path


def test_the_page_shows_the_decisions_of_a_stream_and_the_images(student, recording):
    replay = open_recording(student, recording)
    expected = []
    for stream, source in open_recording(student, recording):
        for name, samples, begin in source.recordings:
            stream.begin(name, begin)
            expected += stream.push(samples) + stream.end()
    with serving(LiveSignal(student, replay, speed=20.0)) as address, chromium() as browser:
        window = browser.new_page(viewport={'width': 1280, 'height': 900})
        asked, told = [], []
        window.on('request', lambda request: asked.append(request.url))
        window.on('console', lambda message: told.append(message.text))
        window.on('pageerror', lambda error: told.append(str(error)))
        window.goto(f'http://{address}/')
        state = window.locator('#state')
        state.filter(has_text='has replayed').wait_for(timeout=60_000)
        rows = window.eval_on_selector_all('#rows tbody tr', 'rows => rows.map(r => [...r.cells].map(c => c.textContent))')
        assert rows[::-1] == [
            [f'{row["source"]} {row["recording"]}', f'{row["start"]:.2f} s', f'{row["end"]:.2f} s', row['class'], share(row)]
            for row in expected
        ]
        assert window.locator('#class').text_content() == expected[-1]['class']
        classes = window.eval_on_selector_all('#classes tr', 'rows => rows.map(r => [...r.cells].map(c => c.textContent))')
        assert [(name, text) for name, _, text in classes] == [
            (name, share({'probability': value})) for name, value in expected[-1]['probabilities'].items()
        ]
        samples = replay[0][1].recordings[-1][1]
        (frame, *images), seconds = drawn(Pictures(student).draw(0.0, samples[-50:])), window.locator('#window').text_content()
        assert seconds == f'Last window, {expected[-1]["start"]:.2f} s to {expected[-1]["end"]:.2f} s'
        assert (
            window.eval_on_selector_all('svg path', 'paths => paths.map(p => p.getAttribute("d").split("L").length)') == frame
        )
        for column, image in enumerate(images):
            shown = window.eval_on_selector_all(
                f'.image:nth-child({column + 2}) canvas',
                """all => all.map(c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 == 0))""",
            )
            assert np.array_equal(np.array(shown), image)
        assert {url.rpartition('/')[0] for url in asked if not url.startswith('data:')} <= {
            f'http://{address}',
            f'ws://{address}',
        }
        assert told == []
        use(window, state, len(expected))
        window.close()


def share(row):
    return f'{100 * row["probability"]:.1f} %'


def drawn(frame):
    """Number of points of each signal, and the pixels of each view."""
    images = [np.frombuffer(base64.b64decode(image['pixels']), np.uint8) for image in frame['images']]
    return [[len(row) for row in frame['signal']], *(image.reshape(6, -1) for image in images)]


def use(window, state, count):
    """Pause by the keyboard, begin the replay again, fit a narrow window."""
    window.keyboard.press('Tab')
    assert window.evaluate('document.activeElement.id') == 'pause'
    assert window.evaluate('getComputedStyle(document.activeElement).outlineStyle') == 'solid'
    window.keyboard.press('Space')
    assert window.locator('#pause').get_attribute('aria-pressed') == 'true'
    window.set_viewport_size({'width': 400, 'height': 800})
    window.reload()
    state.filter(has_text='has replayed').wait_for(timeout=60_000)
    assert window.locator('#count').text_content() == f'{count} since the signal began; the newest first'
    assert window.evaluate('document.documentElement.scrollWidth') == 400
    assert window.evaluate("document.querySelectorAll('b').length") == 0  # the name of the file is text
    window.emulate_media(color_scheme='dark')
    assert window.evaluate('getComputedStyle(document.body).backgroundColor') == 'rgb(20, 24, 29)'
