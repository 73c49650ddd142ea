"""Weather on a sphere: numerical models, and emulators that learn from them.

The question. The air's state today, on a grid; what is it in a week, how sure is that, and what
does the answer cost?

Reading order. Models: ``sphere`` (spherical harmonics on a Gaussian grid), ``barotropic`` (one
layer of vorticity, the first numerical forecast), ``shallow`` (one layer with gravity waves),
``gcm`` (a whole atmosphere), ``simulate`` (its years), ``numerical`` (its forecasts). Data:
``variables`` and ``grid`` (names, units, cells), ``read`` (anybody's files), ``states`` (datasets
to channels), ``series``, ``boundary`` and ``windows`` (what a network learns from). Learning:
``nets``, ``trial``, ``judge``.
Units are SI; latitudes run from north to south, longitudes eastward from 0.
"""
