"""The shell around Algorithm 1: sessions, the driver, and engines put to work."""
