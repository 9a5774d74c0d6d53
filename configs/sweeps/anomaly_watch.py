# Anomaly detection on five grouped folds of the default data, with three seeds: simple detectors are rows of every run.
base = dict(data='watch_anomaly_folds')
axes = dict(method=['hidden_kd_anomaly'], fold='all', seed=[0, 1, 2])
