"""The shape of an image."""

ImageShape = tuple[int, int, int]
"""(channels, height, width)"""
