"""What every science shares: tasks, configs, runs, datasets, reports. Knows no domain."""
