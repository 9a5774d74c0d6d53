# Logit standardisation (Sun et al., CVPR 2024): plain distillation of z-scores over the classes, at the published temperature
# and weight, which stand beside a label loss of 1 and carry tau squared there too. Without the ramp, which is not published, the
# student learns little: its logits begin almost equal, and the gradient of a z-score is one over their spread.
standardized = dict(
    type='ResponseTransfer',
    source='sig.logits',
    target='student.logits',
    tau=2.0,
    standardize=True,
    weight=dict(type='Ramp', value=9.0, over=0.25),
)
