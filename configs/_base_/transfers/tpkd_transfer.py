# TPKD (Jeon et al. 2024): responses, similarity maps of all stages merged over the teachers, and their orthogonality. Shares of the
# teachers are those of the published comparisons on PAMAP2, and so is the maps' weight.
shares = dict(type='Fixed', sig=0.3, gaf=0.4, pi=0.3)
stages = dict(source=['sig.stages', 'gaf.stages', 'pi.stages'], target='student.stages', weighting=shares)
tpkd = dict(
    responses=dict(
        type='ResponseTransfer',
        source=['sig.logits', 'gaf.logits', 'pi.logits'],
        target='student.logits',
        tau=4.0,
        weighting=shares,
        weight=0.2,
    ),
    maps=dict(type='MergedSimilarityTransfer', weight=200.0, **stages),
    orthogonality=dict(type='MergedSimilarityTransfer', orthogonality=True, weight=1.0, **stages),
)
