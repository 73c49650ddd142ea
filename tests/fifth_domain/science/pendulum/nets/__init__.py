"""Networks that listen to pendulums."""
