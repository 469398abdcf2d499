"""Training-free scores of neural architectures: computing them, measuring what they cost, and judging them."""


def proxy(
    function=None,
    *,
    paper="",
    larger_is_better=True,
    precision="float32",
    networks="any",
    relu=False,
    tasks="any",
    columns=(),
):
    """Declare a function a proxy: its parameter names are the passes it needs, its name is the proxy's.

    The facts given here are literals and are read from the source (see `zsnas.registry`); the function stays as it is.
    paper: where the score was published. precision: "float32", or "float64" for a score that single precision would
    drown in cancellation or overflow. networks: "convolutional" or "transformer" for a score that is defined for those
    alone. relu: True for a score of which ReLUs are on, which networks of other activations do not have. tasks: "image
    classes" for one that needs a single class for each image. columns: what a structural score reads in the index that
    not every space has there. A score also does not apply where a space lacks a structure that its parameters name.
    """
    return function if function else lambda function: function
