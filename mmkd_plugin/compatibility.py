"""Check that the packages this one plugs into are there, and recent enough."""

from __future__ import annotations

import importlib

# import name -> (distribution of the maintained build, first version that works, first version that does not)
HOST = {
    'mmengine': ('onedl-mmengine', '0.10.7', '1.0.0'),
    'mmcv': ('onedl-mmcv', '2.0.0', '3.0.0'),
    'mmpretrain': ('onedl-mmpretrain', '1.2.0', '2.0.0'),
}


def check_host(host: dict[str, tuple[str, str, str]] = HOST) -> None:
    """Import each host package and compare its version with the range that is known to work.

    Args:
        host (dict): ``{import name: (distribution, lowest version, first version too new)}``.

    Raises:
        ImportError: A package is missing or outside its range; the message holds the pip command that mends it.
    """
    for name, (distribution, lowest, too_new) in host.items():
        mend = f"pip install '{distribution}>={lowest},<{too_new}'"
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            # mmcv's own missing parts show here too: name what was really missing.
            raise ImportError(f'mmkd_plugin needs {name}, but {error.name!r} cannot be imported. Run: {mend}') from error
        from mmengine.utils import digit_version  # mmengine is the first of the host packages

        if not digit_version(lowest) <= digit_version(module.__version__) < digit_version(too_new):
            raise ImportError(
                f'mmkd_plugin needs {name}>={lowest},<{too_new}, but version {module.__version__} is installed. Run: {mend}'
            )
