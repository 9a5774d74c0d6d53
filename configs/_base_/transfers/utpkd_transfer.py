# Uncertainty-aware TPKD (Jeon et al. 2024): TPKD with a signal teacher and one on persistence images, of which the one whose response
# to a sample is more uncertain has less weight there, in the response and in the sample's row of the similarity maps. Weights are
# those of TPKD.
certainty = dict(type='Entropy')
maps_of_both = dict(source=['sig.stages', 'pi.stages'], target='student.stages', weighting=certainty)
utpkd = dict(
    responses=dict(
        type='ResponseTransfer',
        source=['sig.logits', 'pi.logits'],
        target='student.logits',
        tau=4.0,
        weighting=certainty,
        weight=0.2,
    ),
    maps=dict(type='MergedSimilarityTransfer', weight=200.0, **maps_of_both),
    orthogonality=dict(type='MergedSimilarityTransfer', orthogonality=True, weight=1.0, **maps_of_both),
)
