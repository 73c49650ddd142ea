"""Crystals: generate periodic structures, prove that they are stable, and close the discovery loop.

The question. Which arrangement of atoms does a composition take (crystal-structure prediction), and
which compositions and arrangements that nobody has made would be stable (de novo generation)? A
crystal is stable if no mixture of others with its composition has less energy: if its energy above
the convex hull [eV/atom] is zero. The space is vast, the known part small: 45,229 cells of up to 20
atoms make the benchmark MP-20, and GNoME's campaign (Merchant et al. 2023) alone proposed 2.2
million.

The data. A crystal is a cell, whose rows a, b, c are three lattice vectors [Angstrom], and N sites,
each with an atomic number and fractional coordinates in [0, 1). Networks see ``species`` (B, N)
int64 with 0 for no atom, ``frac`` (B, N, 3) and ``cell`` (B, 6), the log-polar coefficients of the
lattice. What must not matter does not: turning the crystal, renumbering its atoms, moving its
origin, taking another periodic image of a site. Energies are eV/atom, forces eV/Angstrom.

Reading order: ``lattice`` (six numbers for a cell), ``crystals`` (a batch), ``read``, ``own`` and
``write`` (from and to files), ``prototypes`` (structures that need no download), ``tabulate``
(training tables); ``nets.cspnet``, ``coupling`` and ``csp`` (predict a structure), ``dng`` (new
compositions as well); ``validity``, ``matcher``, ``csp_metrics`` and ``dng_metrics`` (judge);
``oracle``, ``relax`` and ``hull`` (is it stable), ``novelty`` (is it new); ``substitute``,
``compositions``, ``screening`` and ``discover`` (search for more); ``pyg`` and ``ase`` (to other
tools); ``commands`` (``fifth crystals``).
"""
