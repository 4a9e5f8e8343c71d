"""Many trainings of one specification at once."""
