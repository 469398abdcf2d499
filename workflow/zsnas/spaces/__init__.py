"""Search spaces, one per file, found by file name.

A space is a module with

* `ARCHITECTURES`, `CANONICAL`: how many architectures and how many canonical networks it has,
* `TASKS`: what its networks are trained for, `{task: {"classes": ..., "resolution": height = width in pixels}}`,
* `architectures()`: the index, one row per architecture (columns: docs/read-the-tables.md),
* `build(arch, task)`: the network of one architecture, initialised from torch's global generator; its method
  `forward_features(x)` gives the last feature maps before pooling.

The capitalised facts are literals: they are read from the source, without importing it.
"""
