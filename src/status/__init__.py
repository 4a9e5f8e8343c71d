"""Where runs stand, what is left to train, how long that takes, and the disk used. Imports no PyTorch."""
