"""Building blocks for networks; each is small and tested against a naive version of itself."""
