"""What a run was made of: code, environment, data, numbers; files are the truth."""
