"""What the command line tools have in common."""

from __future__ import annotations

import argparse
from typing import Any

from mmengine.config import DictAction

__all__ = ['ConfigOptions', 'add_config_arguments']


class ConfigOptions(DictAction):
    """The host's ``KEY=VALUE``; a single value keeps its blanks, which folders of some archives have in their names."""

    @staticmethod
    def _parse_iterable(val: str) -> Any:
        val = val.strip('\'"')
        if ',' in val or val[:1] in ('(', '['):
            return DictAction._parse_iterable(val)
        return DictAction._parse_int_float_bool(val)


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``config``, ``--fold`` and ``--cfg-options``."""
    parser.add_argument('config', help='config file, for example configs/fam_kd.py')
    parser.add_argument('--fold', type=int, help="fold of the data's protocol, from 0")
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override the config; whatever is not about the model reaches the teachers too',
    )
