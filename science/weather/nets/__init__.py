"""Networks that step weather forward."""
