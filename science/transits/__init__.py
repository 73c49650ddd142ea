"""Exoplanet transits: find periodic dips in starlight, and say which of them are planets.

The question. A planet that crosses its star dims it by ``(Rp / R*)**2``: 1 % for a Jupiter, 84 ppm
for an Earth and a Sun. The same dip comes from eclipsing binaries, from a neighbour's light that
leaks into the aperture, from spots, and from the instrument. Of the 15,737 events that Kepler's
DR24 pipeline found and people labelled, 3,600 are planet candidates (PC), 9,596 astrophysical false
positives (AFP) and 2,541 no transits at all (NTP).

The data. A light curve is ``flux`` [relative, 1 = the star] at ``time`` [days, on the mission's own
zero]. An event is an ephemeris: period [days], epoch [days], duration [days or, in the archive's
tables, hours], depth [relative or ppm]. A network sees it folded on the period and binned: a global
view of 201 bins over the whole period and a local view of 61 bins over 2.5 durations either side,
each with median 0 and minimum -1.

Reading order: ``lightcurve`` (what a light curve is), ``read`` and ``clean`` (from files),
``flatten`` (remove the star's own changes), ``search`` and ``measure`` (find events), ``views``,
``shape`` and ``context`` (what the network sees), ``nets`` (the network), ``tabulate`` (training
tables), ``synth`` and ``inject`` (truth that we made ourselves), ``commands`` (``fifth transits``).
"""
