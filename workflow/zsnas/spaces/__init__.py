"""Search spaces, one per file, found by file name.

A space is a module whose docstring says in its first line what it is. It has

* `ARCHITECTURES`, `CANONICAL`: how many architectures and how many canonical networks it has,
* `TASKS`: what its networks are trained for, `{task: {"classes": ..., "resolution": height = width in pixels}}`; in
  place of `classes`, `values` says how many real numbers are predicted, and `pixels`, height = width in pixels, that
  either is predicted for every pixel of a map,
* `architectures()`: the index, one row per architecture, in a fixed order. A space that is too large to enumerate is
  listed instead: `LISTED = {(file, alternative, ...): address}` names the files or folders, in the study's data_dir,
  that hold its members, of each tuple the first that is there, and `architectures(*paths)` is given their paths,
* `build(arch, task)`: the network of one architecture. Raises ValueError for a name that is none of the space's and for
  a disconnected architecture. Where a name does not tell the network, as a hash does not, the index has a column
  `design` and `build` is given that.

and, where its networks have such structure, what some structural proxies ask for and what a search changes:

* `cells(table)`: the cells of the index's architectures as graphs (`zsnas.cells`),
* `links(table)`: depth, width and long-range links of their cells (`zsnas.links`),
* `genes(table)`: the choices that make up the index's architectures, whole numbers (n, genes),

and, where they are not as usual, the facts

* `NETWORKS = "transformer"` where they are that; otherwise they are convolutional,
* `ACTIVATION`, the name of what its networks have between layers where that is not ReLU or ReLU6,
* `COLUMNS`, the names of what its index has beyond the columns of every space,
* `COUNTS`, those columns of its index of which a network's latency is a sum, each times a cost; `predicted-...` devices
  need them.

The capitalised facts are literals, or are imported by name from a module of the package where they are. Like the names
of the functions they are read from the source, without importing it.

The index begins with the columns `arch`, the benchmark's own name; `canonical`, the name of the one architecture that
stands for all that compute the same network, itself included; `iso_class`, the benchmark's own class; `reachable`, no
operation is dead; `connected`, the output depends on the input; `params` and `macs`, of the network as published. What
structural proxies read beyond these follows, such as `conv3x3`, `conv1x1`, `pool` and `skip`, how many of these a
published cell has, and the canonical cell's `depth` and `paths`. An architecture that stands for others has no dead
operation, unless the space is listed and the same network without it is no member.

A network is a torch module that maps images [B, 3, H, W] to logits [B, classes], to values [B, values], or to either
with pixels [B, ..., H, W]. Only canonical names are scored and measured, in any order and process, so its initial
weights come from torch's global generator and from nothing else. It does not keep state from one forward pass to the
next except BatchNorm's running statistics. Beside `forward` it has

* `forward_features(images)`: the last feature maps before pooling,
* `blocks`: the modules of this very object whose outputs are its feature maps from block to block, in order of
  execution: the stem, then each cell. Proxies of blocks, such as those of AZ-NAS, read them.

A transformer's blocks give tokens [B, N, C] instead of feature maps; its `forward_features` gives the patches' tokens
as a map. Where its task's loss is not cross-entropy, a network also has

* `loss(outputs, labels)`: the task's, a mean over samples.

ReLUs, convolutions and linear layers are torch's own modules, so that passes find them. Transposed convolutions and
other activations, as decoders have them, enter none of their lists.

The truths of its tasks are rows of config/sources.csv; real images of a new task need statistics in `zsnas.inputs`.
"""
