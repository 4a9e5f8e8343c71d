"""What the files of a run's folder are called and hold. Imports no PyTorch."""

SCHEMA = 2
"""Version of the records' columns and files; readers refuse others."""

MASKS_FILE = "masks.safetensors"
