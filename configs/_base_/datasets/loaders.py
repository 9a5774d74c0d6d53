# Loaders of all data sets: windows are in memory or mapped, so that a worker would cost more than it saves.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(_scope_='mmkd_plugin'),  # the host's tools would look among its own data sets alone
)
val_dataloader = dict(
    batch_size=256,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(_scope_='mmkd_plugin'),  # the host's tools would look among its own data sets alone
)
test_dataloader = dict(
    batch_size=256,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(_scope_='mmkd_plugin'),  # the host's tools would look among its own data sets alone
)
