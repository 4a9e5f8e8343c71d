"""Images as one uint8 tensor on the device; normalised and augmented there, batch by batch."""
