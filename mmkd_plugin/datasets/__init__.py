"""From recordings to windows, split by subject; never from here to the models."""

from .audit import Manifest, audit, read_manifest
from .balance import split_oddities, split_table
from .protocols import FixedFolds, GroupedKFold, HoldOut, LeaveOneSubjectOut
from .readers import (
    HAPT,
    NAB,
    PAMAP2,
    UCIHAR,
    UTDMHAD,
    WISDM2019,
    ArrayRecordings,
    BasicMotions,
    GENEActiv,
    GeoTec,
    Part,
    Reader,
    SeglearnWatch,
    SmartFallMM,
    Tables,
    UCRArchive,
    UMAFall,
    WEDAFall,
    save_recordings,
)
from .recordings import Recording, Recordings
from .splits import SPLITS, resolve_subjects
from .store import ENGINES, convert, open_store
from .streams import Sensor, Stream
from .transforms import (
    CORRUPTIONS,
    Corrupt,
    Crop,
    DropChannels,
    Jitter,
    NormalizeSignal,
    PackWindows,
    RotateAxes,
    Scale,
    TimeWarp,
)
from .window_dataset import WindowDataset
from .window_streams import recorded_window
from .windows import Windows

__all__ = [
    'CORRUPTIONS',
    'ENGINES',
    'HAPT',
    'NAB',
    'PAMAP2',
    'SPLITS',
    'UCIHAR',
    'UTDMHAD',
    'WISDM2019',
    'ArrayRecordings',
    'BasicMotions',
    'Corrupt',
    'Crop',
    'DropChannels',
    'FixedFolds',
    'GENEActiv',
    'GeoTec',
    'GroupedKFold',
    'HoldOut',
    'Jitter',
    'LeaveOneSubjectOut',
    'Manifest',
    'NormalizeSignal',
    'PackWindows',
    'Part',
    'Reader',
    'Recording',
    'Recordings',
    'RotateAxes',
    'Scale',
    'SeglearnWatch',
    'Sensor',
    'SmartFallMM',
    'Stream',
    'Tables',
    'TimeWarp',
    'UCRArchive',
    'UMAFall',
    'WEDAFall',
    'WindowDataset',
    'Windows',
    'audit',
    'convert',
    'open_store',
    'read_manifest',
    'recorded_window',
    'resolve_subjects',
    'save_recordings',
    'split_oddities',
    'split_table',
]
