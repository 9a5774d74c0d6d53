# Early-stopped distillation (Cho & Hariharan, ICCV 2019): plain distillation that stops while the label loss goes on.
eskd = dict(
    type='ResponseTransfer',
    source='sig.logits',
    target='student.logits',
    tau=4.0,
    weight=dict(type='Interval', value=0.2, stop=0.6),  # a share of the run
)
