"""What the page of the demo shows: images as the package makes them, and the decisions of a stream, in a real browser."""

import base64
import dataclasses

import numpy as np
import pytest
import torch
from helpers import chromium
from serving import serving
from students import FIELD, SMALL

from mmkd_plugin.deploy import Student, load_student
from mmkd_plugin.deploy.demo import LiveSignal
from mmkd_plugin.deploy.demo.pictures import Pictures
from mmkd_plugin.deploy.replay import open_recording
from mmkd_plugin.fileio import read_config
from mmkd_plugin.functional import close_essential_persistence, gramian_angular_field, signal_to_persistence_image


@pytest.fixture(scope='module')
def student(student_file):
    return load_student(student_file)


def pixels(image):
    shape = (-1, image['height'], image['width'])
    drawn = np.frombuffer(base64.b64decode(image['pixels']), np.uint8).reshape(shape)[:, ::-1]
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
    options = {key: value for key, value in views.pi.items() if key not in ('type', 'essential')}
    closed = close_essential_persistence(torch.from_numpy(deviations)).numpy()
    persistence = signal_to_persistence_image(closed, **options)
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
    view = dict(type='Spectrogram', segment=None, hop=None, window='hann', floor=1e-3)  # no square, and none of the usual two
    reader = Student(dataclasses.replace(student.contract, view=view, network=dict(backbone=SMALL)))
    pictures = Pictures(reader)
    read = reader.encode(torch.from_numpy(samples.T)[None])[0].numpy()
    drawn_last = pictures.draw(0.0, samples)['images'][2]
    assert np.abs(pixels(drawn_last) - read).max() < read.max() / 500
    assert [facts['title'] for facts in pictures.facts] == ['Gramian angular field', 'Persistence image', 'Spectrogram']
    assert pictures.reads == 'Spectrogram'


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
