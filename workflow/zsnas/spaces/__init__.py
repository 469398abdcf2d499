"""Search spaces, one per file, found by file name.

A space is a module with

* `ARCHITECTURES`, `CANONICAL`: how many architectures and how many canonical networks it has,
* `TASKS`: what its networks are trained for, `{task: {"classes": ..., "resolution": height = width in pixels}}`,
* `architectures()`: the index, one row per architecture (columns: docs/read-the-tables.md),
* `build(arch, task)`: the network of one architecture, initialised from torch's global generator; its method
  `forward_features(x)` gives the last feature maps before pooling.

and, where its networks have such structure, what some structural proxies ask for:

* `cells(table)`: the cells of the index's architectures as graphs (`zsnas.cells`),
* `links(table)`: depth, width and long-range links of their cells (`zsnas.links`),
* `NETWORKS = "transformer"` where they are that; otherwise they are convolutional.

The capitalised facts are literals and, like the names of the functions, are read from the source, without importing it.
"""
