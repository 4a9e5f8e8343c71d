"""The paper's models, built and initialised as PROTOCOL 3.3 and 3.4 say, and those of torchvision and timm."""
