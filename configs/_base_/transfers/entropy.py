# Entropy-based weights (Kwon et al., ICPR 2020): a teacher has less weight on a sample where its response is uncertain.
entropy = dict(
    type='ResponseTransfer',
    source=['sig.logits', 'gaf.logits', 'pi.logits'],
    target='student.logits',
    tau=4.0,
    weighting=dict(type='Entropy'),
    weight=0.2,
)
