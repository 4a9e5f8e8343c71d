"""One module per kind of figure: records in, `FigureSpec` out."""
