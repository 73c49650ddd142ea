"""Networks that score transit-like events."""
