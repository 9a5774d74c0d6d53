# Weight, temperature and rate of KD, and the rate of attention transfer: twenty trials each, on two folds of the default data.
base = dict(data='watch_folds')
axes = dict(method=['kd', 'at'], fold=[0, 1], seed=[0])
space = {
    'model.transfers.kd.weight': dict(low=0.01, high=2.0, log=True, where=dict(method='kd')),
    'model.transfers.kd.tau': dict(low=1, high=8, step=1, where=dict(method='kd')),
    'optim_wrapper.optimizer.lr': dict(low=0.005, high=0.2, log=True),
}
trials = 20
fair = True  # the best of many trials is better than the best of few by luck alone
pruner = dict(type='MedianPruner', n_startup_trials=5, n_warmup_steps=5)  # epochs of the first fold
