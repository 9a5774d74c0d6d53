default_scope = 'mmkd_plugin'
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, ignore_last=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='CheckpointHook',
        interval=1,
        # The host removes before it writes: with one kept, a kill in between would leave none.
        max_keep_ckpts=2,
        save_best='accuracy/top1',
        rule='greater',
        backend_args=dict(backend='atomic'),
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    contract=dict(type='ContractHook'),  # checkpoints know the data that they have learned from, and are held against others
)
custom_hooks = [
    dict(type='ResumeHook'),
    dict(type='EpochHook'),  # random transforms draw by the run's seed and the epoch
    dict(type='MemoryBankHook'),  # labels for transfers that keep a memory bank of the training samples
    dict(type='PhaseHook'),  # terms and learning rate of a staged run
    dict(type='CalibrationHook'),  # threshold of a detector
    # Outputs of frozen teachers are computed once per window where nothing random happens to it and they fit, in GiB.
    dict(type='TeacherCacheHook', mode='auto', limit=4.0, dtype='float32'),
    dict(type='DoctorHook', iterations=1),  # says which transfers have no gradient
    dict(type='FiniteLossHook', interval=10),  # a run whose loss or validation is NaN ends, and gives no table
]
val_evaluator = [dict(type='Accuracy'), dict(type='SingleLabelMetric', items=['f1-score'])]
test_evaluator = val_evaluator
vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
visualizer = dict(type='UniversalVisualizer', vis_backends=vis_backends)
env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0), dist_cfg=dict(backend='nccl'))
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0, deterministic=True)
teacher_dir = 'work_dirs/teachers'  # where teachers that are trained on first use are kept
