"""The demo: a real server on a free port, and clients over real websockets."""

import asyncio
import http.client
import json
import tracemalloc

import numpy as np
import pytest
from serving import connect, serving, websockets

from mmkd_plugin.deploy import StreamingInferencer, load_student
from mmkd_plugin.deploy.demo import LiveSignal, MessageLimits, live
from mmkd_plugin.deploy.demo.messages import Pace, RefusalError

ROW = [0.1, 0.9, -0.1, 0, 0, 0]


@pytest.fixture(scope='module')
def student(student_file):
    return load_student(student_file)


@pytest.fixture(scope='module')
def address(student):
    """Of a demo that takes samples, with few of everything."""
    with serving(LiveSignal(student, limits=MessageLimits(bytes=20_000, samples=200, messages=30, pages=2))) as address:
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
