# PAMAP2 (Reiss & Stricker, ISWC 2012) by the published protocol: 9 subjects, 12 activities, 40 channels at 33.3 Hz; each subject is
# tested once, --fold 0 is subject 101.
_base_ = './loaders.py'
data_root = 'data/PAMAP2_Dataset'
window = 100  # samples: 3 s at 33.3 Hz
dataset = dict(
    type='WindowDataset',
    reader=dict(type='PAMAP2', root=data_root),
    window=window,
    step=22,  # samples: 0.66 s
    # Two validate: 109, who follows 108, has rope jumping only. Fold 8 tests 109.
    subjects=dict(type='LeaveOneSubjectOut', fold=0, val=2),
    # To [0, 1] by the training subjects. The published comparisons have fixed ranges and clip to [0, 0.99]: low and high give
    # fixed ranges here.
    pipeline=[dict(type='NormalizeSignal', method='minmax'), dict(type='PackWindows')],
)
train_dataloader = dict(batch_size=64, dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(
    type='ViewPreprocessor',
    shape=(40, window),
    num_classes=12,
    views=dict(
        # Scaled by the training subjects, not window by window: a Gramian field of its own range forgets posture and amplitude.
        gaf=dict(type='GramianAngularField', scale=(0, 1)),
        # Published: 64 pixels over births from −1 to 1, of which signals in [0, 1] use one half, so that 32 pixels over [0, 1] are
        # as wide. Published, too: sigma, the shortest life that counts, division by the image's maximum.
        pi=dict(
            type='PersistenceImage',
            image_size=32,
            birth_range=(0, 1),
            persistence_range=(0, 1),
            sigma=0.015,
            min_persistence=0.01,
            normalize=True,
        ),
        # Bins of an eighth of the range, distances in ranges, decibels above the power of an amplitude of .003 ranges.
        mtf=dict(type='MarkovTransitionField', bins=8, strategy='uniform', scale=(0, 1)),
        rp=dict(type='RecurrencePlot'),
        stft=dict(type='Spectrogram', floor=1e-5),
        cwt=dict(type='Scalogram', floor=1e-5),
    ),
)
