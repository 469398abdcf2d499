"""The same checks for every proxy found, and their scores against published ones."""

import contextlib
import gc
import itertools
import os
import signal
import subprocess
import sys
import weakref
from concurrent.futures.process import BrokenProcessPool
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from zsnas import conformance, engine, registry
from zsnas.errors import StudyError
from zsnas.inputs import minibatches
from zsnas.score import Subject, score_network, score_shard
from zsnas.shards import shard_of
from zsnas.spaces import fbnet, nasbench201
from zsnas.structural import score_structural

# What applies to the networks here; the others have tests of their own.
APPLYING = [proxy for proxy in registry.proxies().values() if not registry.reason_against(proxy.name, "nasbench201")]
STRUCTURAL = [proxy for proxy in APPLYING if proxy.structural]
NETWORK = [proxy for proxy in APPLYING if proxy.of_networks]
ARCH = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
BATCHES = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], 8, 0)


def subjects(arch=ARCH, seed=0):
    return {
        precision: Subject(nasbench201, arch, "cifar10", seed, precision, BATCHES, "cpu")
        for precision in ("float32", "float64")
    }


@pytest.fixture(scope="module")
def together():
    return {score.proxy: score for score in engine.score(NETWORK, subjects())}


def test_names_and_facts():
    for proxy in registry.proxies().values():
        assert proxy.summary, f"{proxy.name} has no docstring"
        assert set(proxy.needs) <= {"net", "batches", "rng", *engine.PASSES, *registry.STRUCTURES, *proxy.members}


@pytest.mark.parametrize("proxy", NETWORK, ids=lambda proxy: proxy.name)
def test_alone_as_in_a_bundle_to_the_last_bit(proxy, together):
    (alone,) = engine.score([proxy], subjects())
    assert alone.status == "ok", alone.status
    assert alone.score == together[proxy.name].score
    assert alone.seconds > 0


def test_in_any_order(together):
    backwards = engine.score(NETWORK[::-1], subjects())
    assert {score.proxy: score.score for score in backwards} == {name: score.score for name, score in together.items()}


@pytest.mark.parametrize("proxy", NETWORK, ids=lambda proxy: proxy.name)
def test_nothing_shared_is_written_to(proxy):
    evaluation = engine.Evaluation(subjects()[proxy.precision])
    shared = {name: evaluation.result(name) for name in engine.PASSES if name != "shared_net"}
    before = {name: checksum(value) for name, value in shared.items()}
    state = checksum(list(evaluation.result("shared_net").state_dict().values()))
    torch_state = torch.get_rng_state()
    engine.score_one(proxy, evaluation)
    assert {name: checksum(value) for name, value in shared.items()} == before
    assert checksum(list(evaluation.result("shared_net").state_dict().values())) == state
    assert torch.equal(torch.get_rng_state(), torch_state), "draws from the global generator"


def checksum(value):
    """Of all tensors in nested lists and tuples."""
    if isinstance(value, torch.Tensor):
        return float(value.detach().double().sum()), float(value.detach().double().abs().sum())
    if isinstance(value, list | tuple):
        return tuple(map(checksum, value))
    return None


def test_seeds_change_scores_and_repeat_them():
    (first,), (again,), (other,) = (
        engine.score([registry.proxies()["snip"]], subjects(seed=seed)) for seed in (0, 0, 1)
    )
    assert first.score == again.score != other.score


def test_in_any_shard_with_any_number_of_workers(index):
    proxies = ["snip", "nwot", "synflow", "zen"]
    networks = shard_of(index, 3, 4)[["canonical", "connected"]]
    one = pd.DataFrame(score_shard(networks, "nasbench201", "cifar10", 0, proxies, BATCHES, 1, "cpu"))
    two = pd.DataFrame(score_shard(networks.iloc[::-1], "nasbench201", "cifar10", 0, proxies, BATCHES, 2, "cpu"))
    columns = ["canonical", "proxy", "score", "status"]
    one, two = (frame[columns].sort_values(["canonical", "proxy"], ignore_index=True) for frame in (one, two))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_shards_are_whole_disjoint_and_do_not_depend_on_the_number_asked_for(index):
    shards = [shard_of(index, shard, 1000) for shard in range(6)]
    assert [len(shard) for shard in shards] == [1000] * 5 + [425]
    assert pd.concat(shards).arch.is_unique
    pd.testing.assert_frame_equal(pd.concat([shard_of(index, shard, 500) for shard in (0, 1)]), shards[0])
    assert not shards[0].arch.is_monotonic_increasing


def test_disconnected_networks_are_failures(index):
    networks = index[~index.connected & (index.arch == index.canonical)][["canonical", "connected"]]
    names = [proxy.name for proxy in NETWORK]
    rows = score_shard(networks, "nasbench201", "cifar10", 0, names, BATCHES, 1, "cpu")
    assert len(rows) == len(NETWORK)
    assert {(row["status"], np.isnan(row["score"])) for row in rows} == {("error: disconnected network", True)}


@pytest.mark.parametrize("proxy", STRUCTURAL, ids=lambda proxy: proxy.name)
def test_structural_proxies_give_a_number_for_every_architecture(proxy, index):
    before = index.copy()
    scores = score_structural(proxy, "nasbench201", index)
    assert len(scores) == len(index) and (scores.status == "ok").all() and np.isfinite(scores.score).all()
    pd.testing.assert_frame_equal(index, before)
    backwards = score_structural(proxy, "nasbench201", index.iloc[::-1])
    np.testing.assert_array_equal(backwards.score[::-1], scores.score)


def test_live_sizes_are_those_of_the_canonical_network(index):
    live, published = (
        score_structural(registry.proxies()[name], "nasbench201", index) for name in ("live_params", "params")
    )
    of = published.set_index("arch").score
    assert (live.score == of[index.canonical].to_numpy()).all() and (live.score < published.score).any()


def test_a_series_in_another_order_is_of_the_architectures_it_names(index):
    proxy = SimpleNamespace(name="sorted", needs=("table",), function=lambda table: table.params.sort_values())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(registry, "reason_against", lambda name, space: "")
        scores = score_structural(proxy, "nasbench201", index)
        np.testing.assert_array_equal(scores.score, index.params)
        proxy.function = lambda table: pd.Series(table.params.to_numpy())
        assert score_structural(proxy, "nasbench201", index.iloc[1:]).status.unique().tolist() == [
            "error: ValueError: it returned a Series whose index is not that of the table"
        ]


def test_published_scores(shared):
    reference = conformance.read_reference(shared / "proxy_reference.csv")
    archs = reference.arch_str.unique()
    few = reference[reference.arch_str.isin([archs[0], archs[3], archs[-2], archs[-1]])]
    compared = conformance.compare(few)
    tolerance = compared.proxy.map(lambda name: conformance.EXCEPTIONS.get(name, (conformance.TOLERANCE,))[0])
    assert len(compared) >= 4 * 14
    assert (compared.difference <= tolerance).all(), compared[compared.difference > tolerance]


def test_conformance_names_what_it_cannot_compare(tmp_path):
    path = tmp_path / "reference.csv"
    for row, message in [("|conv~0|,params,3", "is not the name"), (f"{ARCH},odd,3", "has no proxy")]:
        path.write_text(f"arch_str,proxy,value\n{row}\n")
        with pytest.raises(StudyError, match=message):
            conformance.read_reference(path)


def test_conformance_takes_no_number_for_what_peers_cannot_score():
    cells = ["|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", ARCH]
    reference = pd.DataFrame({"arch_str": cells, "proxy": "l2_norm", "value": [3.0, np.inf]})
    assert conformance.compare(reference).difference.tolist() == [0, np.inf]


def test_conformance_leaves_aggregates_out():
    reference = pd.DataFrame({"arch_str": ARCH, "proxy": ["az_nas", "params"], "value": [3.0, 4.0]})
    assert conformance.compare(reference).proxy.tolist() == ["params"]


def test_conformance_notices_a_wrong_value(shared):
    reference = conformance.read_reference(shared / "proxy_reference.csv")
    one = reference[(reference.arch_str == reference.arch_str[0]) & (reference.proxy == "snip")]
    assert conformance.compare(one).difference.max() < 1e-9
    assert conformance.compare(one.assign(value=one.value * (1 + 1e-6))).difference.min() > 1e-7


def test_hessian_product_equals_torchs_own():
    subject = subjects()["float64"]
    evaluation = engine.Evaluation(subject)
    net = subject.net()
    (images, labels), _ = subject.batches()
    weights = [module.weight for module in engine.passes.layers(net)]
    gradients = torch.autograd.grad(F.cross_entropy(net(images), labels), weights, create_graph=True)
    expected = torch.autograd.grad(gradients, weights, [weight.detach() for weight in weights])
    for ours, theirs in zip(evaluation.result("hessian_weights"), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)
    # In any other direction than the weights' own.
    directions = [torch.randn_like(weight, dtype=torch.float64) for weight in weights]
    expected = torch.autograd.grad(
        torch.autograd.grad(F.cross_entropy(net(images), labels), weights, create_graph=True), weights, directions
    )
    backward, layers = evaluation.result("backward"), evaluation.result("layers")
    product = torch.autograd.grad(backward.weights, [layer.weight for layer in layers], directions)
    for ours, theirs in zip(product, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_only_a_hessian_product_keeps_the_graph_of_the_backward_pass():
    for wanted, kept in [({"backward"}, False), ({"backward", "hessian_weights"}, True)]:
        gradients = engine.Evaluation(subjects()["float32"], wanted).result("backward")
        assert {gradient.requires_grad for part in gradients for gradient in part} == {kept}


# In the middle of a shard.
KILLED = "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|none~0|avg_pool_3x3~1|avg_pool_3x3~2|"


def killed_at_times(canonical, *given):
    """What a system without memory left does to the process of one network."""
    if canonical == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    return score_network(canonical, *given)


SHARD = "nasbench201", "cifar10", 0, ["l2_norm", "snip"], BATCHES


@pytest.fixture(scope="module")
def whole(index):
    """The networks of a shard, and their rows where no process is killed."""
    networks = shard_of(index, 0, 5)[["canonical", "connected"]]
    assert networks.canonical.tolist().index(KILLED) == 2
    return networks, pd.DataFrame(score_shard(networks, *SHARD, 1, "cpu"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_process_costs_its_network_alone(whole, monkeypatch, workers):
    networks, whole = whole
    monkeypatch.setattr("zsnas.score.score_network", killed_at_times)
    spared = pd.DataFrame(score_shard(networks, *SHARD, workers, "cpu"))
    lost = spared.canonical == KILLED
    assert spared.status[lost].tolist() == ["error: killed, as happens where memory runs out"] * 2
    columns = ["canonical", "proxy", "seed", "score", "status"]
    pd.testing.assert_frame_equal(spared[columns][~lost], whole[columns][~lost], check_exact=True)
    assert spared.canonical.tolist() == whole.canonical.tolist() and spared.score[lost].isna().all()


def test_workers_end_with_a_process_that_is_killed():
    """They hold its standard output open as long as they live."""
    code = (
        "import multiprocessing, os, time\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from zsnas.score import start_worker\n"
        "pool = ProcessPoolExecutor(1, multiprocessing.get_context('spawn'), start_worker)\n"
        "print(pool.submit(os.getpid).result(), flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    worker = int(process.stdout.readline())
    process.kill()
    try:
        process.communicate(timeout=20)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def never_starts():
    os.kill(os.getpid(), signal.SIGKILL)


def test_where_no_process_starts_no_network_is_blamed(index, monkeypatch):
    monkeypatch.setattr("zsnas.score.start_worker", never_starts)
    networks = shard_of(index, 0, 5)[["canonical", "connected"]]
    with pytest.raises(BrokenProcessPool):
        score_shard(networks, "nasbench201", "cifar10", 0, ["l2_norm"], BATCHES, 1, "cpu")


def test_seconds_shared_add_up_to_all_that_was_spent(monkeypatch):
    evaluations = []
    initialise = engine.Evaluation.__init__

    def remember(self, *given):
        evaluations.append(self)
        initialise(self, *given)

    monkeypatch.setattr(engine.Evaluation, "__init__", remember)
    scores = engine.score(NETWORK, subjects())
    spent = sum(sum(evaluation.seconds.values()) for evaluation in evaluations)
    assert sum(score.seconds_shared for score in scores) == pytest.approx(spent)
    by_name = {score.proxy: score for score in scores}
    passes = engine.passes_of(registry.proxies()["snip"].function)
    (single,) = [evaluation for evaluation in evaluations if "snip" in evaluation.seconds]
    assert by_name["snip"].seconds == pytest.approx(sum(single.seconds[name] for name in [*passes, "snip"]))


FBNET = "_".join("0" * 22)  # its blocks have depthwise convolutions


def fbnet_in(precision):
    batches = minibatches("noise", "cifar100", fbnet.TASKS["cifar100"], 2, 0)
    return Subject(fbnet, FBNET, "cifar100", 0, precision, batches, "cpu")


def test_channels_come_last_in_memory_but_for_depthwise_convolutions_in_double_precision():
    assert fbnet_in("float64").layout == torch.contiguous_format
    assert {given.layout for given in [fbnet_in("float32"), *subjects().values()]} == {torch.channels_last}


def test_the_layout_in_memory_changes_no_score():
    given, scores = fbnet_in("float64"), []
    for given.layout in (torch.contiguous_format, torch.channels_last):
        assert given.net().stem[0].weight.is_contiguous(memory_format=given.layout)
        scores += engine.score([registry.proxies()["zico"]], {"float64": given})
    assert scores[0].score == pytest.approx(scores[1].score, rel=1e-6)


def test_no_image_has_a_number_where_nothing_is_a_number():
    """NaN in, no number out: of proxies that run the network themselves, which share no check of it."""
    nothing = [(torch.full_like(images, torch.nan), labels) for images, labels in BATCHES]
    given = {it: Subject(nasbench201, ARCH, "cifar10", 0, it, nothing, "cpu") for it in ("float32", "float64")}
    own = [
        registry.proxies()[name] for name in ("gradsign", "zico", "ntk_cond", "near", "vkdnw", "nwot_bw", "jacob_cov")
    ]
    assert [score.proxy for score in engine.score(own, given) if score.status == "ok"] == []


def test_epe_nas_of_many_classes_says_where_no_class_has_two_images():
    jacobian, logits = torch.ones(3, 4), torch.ones(3, 101)
    with pytest.raises(ValueError, match="no class has two images"):
        registry.proxies()["epe_nas"].function(jacobian, torch.tensor([5, 6, 7]), logits)


class Overflowing(Subject):
    def net(self):
        net = super().net()
        net.last[0].bias.data[:] = torch.finfo(self.dtype).max  # what follows sums to infinity
        net.classifier.weight.data[:] = 1
        return net


class Silent(Subject):
    """Its last ReLUs are off for all images, so that they have the same outputs."""

    def net(self):
        net = super().net()
        net.last[0].weight.data.zero_()
        net.last[0].bias.data.fill_(-1)
        return net


@pytest.mark.parametrize("kind", [Overflowing, Silent])
def test_what_reads_the_forward_pass_has_no_score_where_outputs_are_infinite_or_constant(kind):
    readers = [proxy for proxy in NETWORK if "forward" in engine.passes_of(proxy.function)]
    degenerate = {it: kind(nasbench201, ARCH, "cifar10", 0, it, BATCHES, "cpu") for it in ("float32", "float64")}
    assert len(readers) > 10
    assert [score.proxy for score in engine.score(readers, degenerate) if score.status == "ok"] == []


class Smooth(Subject):
    """Without any ReLU, as some cells are that only pool."""

    def net(self):
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))
        net.blocks = []
        return net


def test_where_no_relu_is_agreements_say_so():
    readers = [registry.proxies()[name] for name in ("nwot", "nwot_bw", "linear_regions")]
    scores = engine.score(readers, {"float32": Smooth(nasbench201, ARCH, "cifar10", 0, "float32", BATCHES, "cpu")})
    assert {score.status for score in scores} == {"error: ValueError: the network has no ReLU"}


def fails(grads):
    raise ValueError("no such thing\nsecond line")


def runs_out(grads):
    return torch.empty(2**60)


def gives_nan(grads):
    return [torch.tensor(1.0), torch.tensor(float("nan"))]


def gives_infinity(grads):
    return torch.tensor(float("-inf"))


def gives_nothing(grads):
    return None


def exits(grads):
    sys.exit(3)


def gives_no_layers(grads):
    return []


def gives_text(grads):
    return "3.5"


def gives_complex(grads):
    return [np.complex128(1 + 2j)]


def forbids_gradients(rng):
    torch.set_grad_enabled(False)
    return 1.0


def sets_the_precision(rng):
    torch.set_default_dtype(torch.float64)
    return 1.0


@pytest.mark.parametrize(
    ("function", "status"),
    [
        (fails, "error: ValueError: no such thing"),
        (runs_out, "error: out of memory at batch 8"),
        (gives_nan, "nan"),
        (gives_infinity, "inf"),
        (gives_nothing, "error: TypeError: float() argument must be a string or a real number, not 'NoneType'"),
        (exits, "error: SystemExit: 3"),
        (gives_no_layers, "error: ValueError: it returned no values to sum"),
        (gives_text, "error: TypeError: it returned '3.5', which is no real number"),
        (gives_complex, "error: TypeError: it returned np.complex128(1+2j), which is no real number"),
        (forbids_gradients, "ok"),
        (sets_the_precision, "ok"),
    ],
)
def test_failures_become_statuses_and_spare_the_others(function, status):
    faulty = SimpleNamespace(name=function.__name__, precision="float32", function=function)
    planted, snip = engine.score([faulty, registry.proxies()["snip"]], subjects())
    assert planted.status == status and np.isnan(planted.score) == (status != "ok")
    assert snip.status == "ok"
    assert torch.is_grad_enabled() and torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("function", [fails, runs_out], ids=lambda it: it.__name__)
def test_a_failed_network_leaves_no_memory_to_be_collected(monkeypatch, function):
    """Else the network after one that ran out of memory would run out of it as well."""
    monkeypatch.setitem(engine.PASSES, "loss", lambda forward: function(forward))
    given = subjects()
    held = weakref.ref(given["float32"])  # by the evaluation, as its tensors are
    gc.disable()
    try:
        scores = engine.score([registry.proxies()[name] for name in ("snip", "grad_norm", "nwot")], given)
        del given
        assert [score.status == "ok" for score in scores] == [False, False, True]
        assert held() is None
    finally:
        gc.enable()


def test_a_failed_pass_fails_all_who_need_it(monkeypatch):
    def loss(forward, labels):
        raise RuntimeError("no loss")

    monkeypatch.setitem(engine.PASSES, "loss", loss)
    snip, nwot = engine.score([registry.proxies()[name] for name in ("snip", "nwot")], subjects())
    assert (snip.status, nwot.status) == ("error: RuntimeError: no loss", "ok")


@pytest.fixture
def only_proxies(tmp_path, monkeypatch):
    """An empty folder where proxies are looked for."""
    known = registry.known_needs()
    monkeypatch.setattr(registry, "PACKAGE", tmp_path)
    monkeypatch.setattr(registry, "known_needs", lambda: known)
    (tmp_path / "proxies").mkdir()
    return tmp_path / "proxies"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("@proxy\ndef odd(grad):", r"unknown need of proxy 'odd' 'grad' in .*odd\.py; did you mean 'grads'\?"),
        ("@proxy(paper=PAPER)\ndef odd(grads):", r"odd\.py: write paper out, for it is read without running the file"),
        ("@proxy(papr='x')\ndef odd(grads):", r"unknown fact of proxy 'odd' 'papr' in .*; did you mean 'paper'\?"),
        ("@proxy\ndef odd(table, grads):", r"'odd' in .*odd\.py reads 'table', which is of all architectures at once"),
        ("@proxy\ndef oracle(grads):", r"'oracle' in .*odd\.py has the name of a column of the study; rename it"),
        (
            "@proxy(precision='double')\ndef odd(grads):",
            r"unknown precision of proxy 'odd' 'double' in .*; known: float32",
        ),
        ("@proxy(larger_is_better='no')\ndef odd(grads):", r"'odd' in .*odd\.py: larger_is_better is 'no', .* no bool"),
        ("@proxy('a paper')\ndef odd(grads):", r"'odd' in .*odd\.py: write facts with their names"),
        ("@proxy\nclass odd:", r"'odd' in .*odd\.py is no function"),
        ("@proxy\ndef odd():", r"'odd' in .*odd\.py reads nothing"),
        # Their times, kept by name, would be mixed up.
        ("@proxy\ndef jacobian(grads):", r"'jacobian' in .*odd\.py has the name of a need of proxies"),
        (
            "@proxy\ndef plain(grads):\n    return 0\n@proxy\ndef odd(plain, grads):",
            r"proxy 'odd' in .*odd\.py .* cannot read 'grads'",
        ),
    ],
)
def test_a_wrong_declaration_is_refused_before_anything_runs(only_proxies, line, message):
    (only_proxies / "odd.py").write_text(f'"""Doc."""\n{line}\n    return 0\n')
    with pytest.raises(registry.StudyError, match=message):
        registry.proxies.__wrapped__()


def test_a_name_declared_twice_is_refused(only_proxies):
    for name in ("one.py", "two.py"):
        (only_proxies / name).write_text('"""Doc."""\n@proxy\ndef same(grads):\n    return 0\n')
    with pytest.raises(registry.StudyError, match=r"'same' is declared in .*one\.py and in .*two\.py"):
        registry.proxies.__wrapped__()


def test_noise_and_labels_are_the_same_for_all_and_differ_by_seed_and_task():
    draws = [
        minibatches("noise", task, nasbench201.TASKS[task], 4, seed)
        for task, seed in [("cifar10", 0), ("cifar10", 0), ("cifar10", 1), ("cifar100", 0)]
    ]
    same = [torch.equal(a[0][0], b[0][0]) for a, b in itertools.pairwise(draws)]
    assert same == [True, False, False]
    assert not torch.equal(draws[0][0][0], draws[0][1][0])
