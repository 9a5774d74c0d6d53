# watch_anomaly_folds.py the other way round: its anomalies are normal. Settings of detectors are chosen on these windows.
_base_ = ['./watch_folds.py']
normal = ['ER', 'TRAP', 'ROW']
train_dataloader = dict(dataset=dict(normal=normal))
val_dataloader = dict(dataset=dict(normal=normal))
test_dataloader = dict(dataset=dict(normal=normal, anomalies=True))
data_preprocessor = dict(num_classes=3)
