"""Weather on a sphere: numerical models, and (to come) emulators that learn from them.

The question. The air's state today, on a grid; what is it in a week, how sure is that, and what
does the answer cost?

Reading order: ``sphere`` (spherical harmonics on a Gaussian grid), ``barotropic`` (one layer of
vorticity, the first numerical forecast), ``shallow`` (one layer with gravity waves).
Units are SI; latitudes run from north to south, longitudes eastward from 0.
"""
