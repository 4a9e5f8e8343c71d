"""Settings: the schema behind `conf/`, parts that users may replace, checks and their messages."""
