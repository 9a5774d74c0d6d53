"""``mmkd demo``: a page in the browser that shows a signal, images of it, and what an exported student decides."""

from __future__ import annotations

import argparse

from .stream import OPTIONS, add_stream_arguments

__all__ = ['add_arguments', 'run']

PORT = 8765


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('checkpoint', help='exported student, <work_dir>/student_best.pth')
    parser.add_argument(
        'recording',
        nargs='?',
        help='CSV, Parquet, .npy or .npz, or a folder that recordings.yml or a reader describes; without one, a client pushes '
        'samples over a websocket',
    )
    parser.add_argument(
        '--port', type=_port, default=PORT, metavar='N', help=f'of 127.0.0.1, 0 for one that is free; {PORT} by default'
    )
    add_stream_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Serve the page until Ctrl-C or SIGTERM."""
    from mmkd_plugin.deploy import load_student
    from mmkd_plugin.deploy.demo import HOST, LiveSignal, build_server, listen
    from mmkd_plugin.deploy.replay import open_recording

    from .console import warnings_on_stderr

    if args.recording is None and args.speed != 1:
        raise ValueError('--speed is of a replay, and no recording is given')
    options = {'rate': args.rate, **{name: getattr(args, name) for name in OPTIONS}}
    with warnings_on_stderr():
        student = load_student(args.checkpoint)
        replay = [] if args.recording is None else open_recording(student, args.recording, **options)
        live = LiveSignal(student, replay, args.speed, **options)
        with listen(args.port) as listener:
            address = f'{HOST}:{listener.getsockname()[1]}'
            print(f'the demo is at http://{address}/', flush=True)
            if not replay:
                print(f'samples are taken at ws://{address}/push', flush=True)
            build_server(live, listener).run(sockets=[listener])


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f'{text!r} is no port, a whole number from 0 to 65535')
