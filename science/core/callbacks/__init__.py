"""What happens beside learning: averaging, records, checkpoints, progress."""
