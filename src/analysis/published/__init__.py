"""The paper's curves, read off its figures (the CSV files here), and how far ours are from them.

`fig2` to `fig5`: CIFAR10, CNN, from the authors' ICLR presentation; `readme`: CIFAR10, ResNet18, from their README.
Each row: a marker's value with its reading error (about a 95 % bound) and whether it was freely visible ("measured")
or partly hidden ("interpolated"). `errorbars_visible.csv`: half lengths of the error bars that could be read.
"""
