# Anomaly detection on series of the Numenta benchmark, each cut in time, with three seeds.
base = {'test_evaluator.by': 'series'}
axes = dict(method=['hidden_kd_anomaly'], data=['nab'], seed=[0, 1, 2])
