# Numenta anomaly benchmark (github.com/numenta/NAB), series with known causes. Every series is cut in time: 40 % to train, 20 %
# to validate, the rest to test.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/NAB'
window = 64  # samples, 5 minutes apart in most series
dataset = dict(
    type='WindowDataset',
    reader=dict(type='NAB', root=data_root, category='realKnownCause', early=0.4, middle=0.2),
    normal=[
        'ambient_temperature_system_failure',
        'cpu_utilization_asg_misconfiguration',
        'ec2_request_latency_system_failure',
        'machine_temperature_system_failure',
        'nyc_taxi',
        'rogue_agent_key_hold',
        'rogue_agent_key_updown',
    ],
    window=window,
    step=16,
    subjects=dict(train=['early'], val=['middle'], test=['late']),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', anomalies=True, **dataset))
data_preprocessor = dict(shape=(1, window), num_classes=7)  # the series
