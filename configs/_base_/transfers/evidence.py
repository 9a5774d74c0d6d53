# Evidence of the signal teacher (when) and of the image teacher (where) for the cross attention between the branches.
evidence = dict(
    type='EvidenceTransfer',
    source=['sig.stages.2', 'gaf.cam'],
    target='fusion.attention',
    fusion='outer',  # or 'time'
    weight=1000.0,  # entries of the maps are about 1 over their number
)
