"""What runs again after a change: exactly what the change touches. A tiny study runs once; copies of it are changed."""

import os
import re
import shutil
from collections import Counter
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from runs import CHECKOUT, copy_checkout, counted, snakemake

PROXIES = Path("workflow/zsnas/proxies")
GATHERED = "results/scores/nasbench201/cifar10/scores.parquet"
FIGURES = ["correlation_figure", "proxy_correlation_figure", "scores_figure", "cost_figure"]
STUDY = {"join": 1, "study": 1, "manifest": 1, "analysis": 3, "table": 3} | dict.fromkeys(FIGURES, 1)
SCORES = {"scores": 1} | STUDY
# A device brings tables and figures; what scores cost does not depend on it.
OF_DEVICES = ["pareto_figure", "trust_figure", "fronts_figure", "devices_figure"]
LATENCY = {"latency": 1} | STUDY | {"analysis": 7, "table": 7} | dict.fromkeys(OF_DEVICES, 1)


class Study:
    """A study in a copy of the checkout, and its config."""

    def __init__(self, directory, config):
        self.directory, self.config = directory, config

    def jobs(self, *arguments):
        """Jobs per rule that a run would do."""
        return counted(self.run("-n", *arguments))

    def run(self, *arguments, **options):
        (self.directory / "config/study.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))
        # One thread each, for they spend their time starting: two then start at a time.
        cores = "-c2", "--set-threads", "score=1", "structural=1"
        return snakemake(self.directory, *arguments, *cores, "--configfile", "config/study.yaml", **options)

    def executed(self, target):
        """Jobs per rule that a run really did for a target; after it, nothing is left to do."""
        output = self.run(target)
        assert self.jobs(target) == {}
        return Counter(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", output))

    def append(self, file, text):
        with (self.directory / file).open("a") as opened:
            opened.write(text)

    def shard(self, number):
        (file,) = self.directory.glob(f"results/scores/**/nwot/**/{number:04d}.parquet")
        return file


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished study of two shards and two bundles: one of two proxies, and a loose proxy that is its own."""
    study = Study(
        copy_checkout(tmp_path_factory.mktemp("finished")), yaml.safe_load((CHECKOUT / "tests/tiny.yaml").read_text())
    )
    study.config["spaces"]["nasbench201"]["architectures"] = 4
    study.config["proxies"] = ["params", "random", "nwot", "l2_norm", "plain"]
    study.config["bundles"] = {"pair": ["l2_norm", "plain"]}
    study.config["data_dir"] = "data"
    (study.directory / "data").mkdir()
    study.run()
    return study


@pytest.fixture
def study(finished, tmp_path):
    """A copy of the finished study, to change at will."""
    shutil.copytree(finished.directory, tmp_path / "study", symlinks=True)
    return Study(tmp_path / "study", deepcopy(finished.config))


def test_nothing_changed(study):
    assert study.jobs() == {}


def test_code_touched(study):
    for file in study.directory.glob("workflow/zsnas/**/*.py"):
        os.utime(file)
    assert study.jobs() == {}
    assert study.executed(GATHERED) == {}


def test_proxy_edited(study):
    study.append(PROXIES / "nwot.py", "\n# another version\n")
    assert study.jobs() == {"score": 2} | SCORES
    assert study.executed(GATHERED) == {"score": 2, "scores": 1}


def test_helper_of_a_proxy_edited(study):
    """A file that a proxy imports is code of that proxy, and of no other."""
    (study.directory / PROXIES / "_helper.py").write_text("SCALE = 1\n")
    study.append(PROXIES / "nwot.py", "\nfrom zsnas.proxies import _helper\n")
    study.run(GATHERED)
    study.append(PROXIES / "_helper.py", "# another version\n")
    assert study.jobs(GATHERED) == {"score": 2, "scores": 1}


def test_program_of_aggregates_edited(study):
    """Their members are not scored again, though VKDNW's file has an aggregate too."""
    study.config["proxies"].append("vkdnw")
    study.run(GATHERED)
    study.append("workflow/zsnas/aggregate.py", "\n# another version\n")
    assert study.jobs(GATHERED) == {}


def test_proxy_of_a_bundle_edited(study):
    study.append(PROXIES / "plain.py", "\n# another version\n")
    assert study.jobs() == {"score": 2} | SCORES


def test_structural_proxy_edited(study):
    study.append(PROXIES / "random.py", "\n# another version\n")
    assert study.jobs() == {"structural": 1} | STUDY


def test_unused_proxy_edited(study):
    study.append(PROXIES / "synflow.py", "\n# another version\n")
    assert study.jobs() == {}


def test_proxy_added(study):
    """The very example of docs/add-a-proxy.md: its file alone changes nothing; in the config, its own jobs run."""
    (example,) = re.findall(r"```python\n(.*?)```", (CHECKOUT / "docs/add-a-proxy.md").read_text(), re.DOTALL)
    (study.directory / PROXIES / "log_grad_norm.py").write_text(example)
    assert study.jobs() == {}
    study.config["proxies"].append("log_grad_norm")
    assert study.jobs() == {"score": 2} | SCORES
    output = study.run("results/study.parquet")
    assert counted(output) == {"score": 2} | dict.fromkeys(["scores", "join", "study"], 1)
    scored = re.findall(r"Score shard (\d+) of nasbench201, cifar10 by (.*)\.", output)
    assert sorted(scored) == [("0000", "log_grad_norm"), ("0001", "log_grad_norm")]
    sampled = pd.read_parquet(study.directory / "results/study.parquet").query("sampled")
    assert sampled.log_grad_norm.notna().any()


def test_aggregate_added(study):
    """Its members are computed, without being shown, and itself where their scores meet."""
    study.config["proxies"].append("swap_reg")
    assert study.jobs() == {"score": 2, "aggregates": 1} | SCORES
    study.run("results/study.parquet")
    frame = pd.read_parquet(study.directory / "results/study.parquet")
    assert (
        "swap" not in frame
        and frame.swap_reg[frame.sampled].notna().any()
        and frame.swap_reg[~frame.sampled].isna().all()
    )
    study.append("workflow/zsnas/aggregate.py", "\n# another version\n")
    assert study.jobs("results/study.parquet") == {"aggregates": 1, "join": 1, "study": 1}


def test_proxy_removed(study):
    study.config["proxies"].remove("nwot")
    assert study.jobs() == SCORES


def test_more_architectures(study):
    study.config["spaces"]["nasbench201"]["architectures"] = 6
    assert study.jobs() == {"score": 2} | SCORES
    assert study.executed(GATHERED) == {"score": 2, "scores": 1}


def test_fewer_architectures(study):
    study.config["spaces"]["nasbench201"]["architectures"] = 3
    assert study.jobs() == SCORES


SPACE = "workflow/zsnas/spaces/nasbench201.py"


def test_space_edited(study):
    """What it reads lists by is no part of its networks."""
    study.append(SPACE, "\nfrom zsnas.readers import swap\n")
    assert study.executed(GATHERED) == {"architectures": 1, "score": 4, "scores": 1}
    study.append("workflow/zsnas/readers/table.py", "\n# another version\n")  # swap reads by it
    assert study.executed(GATHERED) == {"architectures": 1, "scores": 1}


def test_index_listed_anew(study):
    """Its age does not matter, what is in it does, and it does not hide what else has changed."""
    study.append("workflow/zsnas/index.py", "\n# another version\n")
    assert study.executed(GATHERED) == {"architectures": 1, "scores": 1}
    study.append("workflow/zsnas/index.py", "\n# yet another\n")
    study.append(PROXIES / "nwot.py", "\n# another version\n")
    assert study.executed(GATHERED) == {"architectures": 1, "score": 2, "scores": 1}
    index = study.directory / "results/spaces/nasbench201/architectures.parquet"
    index.unlink()
    assert study.jobs(GATHERED) == {}
    study.append(PROXIES / "nwot.py", "\n# yet another\n")
    assert study.executed(GATHERED) == {"architectures": 1, "score": 2, "scores": 1}
    os.utime(index)
    assert study.jobs(GATHERED) == {}
    pd.read_parquet(index).iloc[:-1].to_parquet(index)
    assert study.jobs(GATHERED) == {"score": 4, "scores": 1}


def test_sampled_from_a_truth(study):
    """Its networks alone are scored and measured, and again only where they are others."""
    index = pd.read_parquet(study.directory / "results/spaces/nasbench201/architectures.parquet")
    networks = index[index.connected].canonical.drop_duplicates().iloc[::1000].tolist()

    def publish(kept):
        truth = pd.DataFrame({"arch": kept, "accuracy": range(50, 50 + len(kept))})
        truth.to_csv(study.directory / "data/few.csv", index=False)

    def scored():
        return set(pd.read_parquet(study.directory / GATHERED).canonical)

    row = (
        "nasbench201,cifar10,few,table,few.csv,accuracy,accuracy,true,test,200,1,4,,,https://example.org/few.csv,MIT\n"
    )
    study.append("config/sources.csv", row)
    publish(networks[:4])
    study.config["devices"] = ["local-torch-float32-batch1-threads1"]
    study.config["spaces"]["nasbench201"] |= {"sampled_from": "few", "tasks": {"cifar10": ["few"]}}
    study.config |= {"proxies": ["params", "nwot"], "bundles": {}}
    first = {"truth": 1, "sampled_from": 1, "score": 2, "scores": 1}
    assert study.executed(GATHERED) == first
    assert scored() == set(networks[:4])
    latency = f"results/latency/nasbench201/cifar10/{study.config['devices'][0]}.parquet"
    assert study.executed(latency) == {"measure": 2, "latency": 1}
    assert set(pd.read_parquet(study.directory / latency).canonical) == set(networks[:4])
    for edited, job in (("truth", "truth"), ("index", "architectures")):
        study.append(f"workflow/zsnas/{edited}.py", "\n# another version\n")
        done = study.executed("results/study.parquet").keys()
        assert job in done and not {"score", "measure"} & done
    publish(networks[1:5])
    assert study.executed(GATHERED) == first
    assert scored() == set(networks[1:5])


def test_file_gone(study):
    """What was read of it stays, even where the program that read it is another by now."""
    space = pd.read_parquet(study.directory / "results/spaces/nasbench201/architectures.parquet")
    file = study.directory / "data/nats_tss.parquet"
    pd.DataFrame({"arch": space.arch, "cifar10_test_acc": np.linspace(10, 95, len(space))}).to_parquet(file)
    study.config["spaces"]["nasbench201"]["tasks"]["cifar10"] = ["nats_test"]
    study.run()
    file.unlink()
    assert study.jobs() == {}
    study.append("workflow/zsnas/truth.py", "\n# another version\n")
    assert study.jobs() == {}
    study.append("workflow/zsnas/judge/cost.py", "\n# another version\n")
    # The figure is drawn again, for its caption tells of the truth.
    assert study.jobs() == {"analysis": 1, "table": 1, "manifest": 1, "cost_figure": 1}
    (study.directory / "results/truth/nasbench201/cifar10/nats_test.parquet").unlink()
    assert "put it into data_dir" in study.run("-n", fails=True)


def test_list_of_a_space_gone(study, shared):
    """Its index does for networks to come as well."""
    file = study.directory / "data/vit_bench_101.parquet"
    shutil.copy(shared / file.name, file)
    study.config["spaces"] = {"pit": {"architectures": 1, "tasks": {"cifar100": []}}}
    study.config |= {"proxies": ["params", "l2_norm"], "bundles": {}, "batch": 2}
    gathered = "results/scores/pit/cifar100/scores.parquet"
    assert study.executed(gathered) == {"architectures": 1, "score": 1, "scores": 1}
    file.unlink()
    assert study.jobs(gathered) == {}
    study.config["seeds"].append(1)
    assert study.executed(gathered) == {"score": 1, "scores": 1}


def test_truth_named_later(study):
    """Without any, networks are scored all the same."""
    study.config["spaces"]["nasbench201"]["tasks"]["cifar10"] = []
    study.config |= {"proxies": ["params", "nwot"], "bundles": {}}
    shutil.rmtree(study.directory / "results" / "scores")
    shutil.rmtree(study.directory / "results" / "tables")
    assert counted(study.run())["score"] == 2
    assert [file.name for file in (study.directory / "results/tables").glob("*.csv")] == ["cost.csv"]
    study.config["spaces"]["nasbench201"]["tasks"]["cifar10"] = ["analog_nasbench"]
    jobs = study.jobs()
    assert jobs["correlation_figure"] == 1 and "score" not in jobs


def test_images_made_again(study):
    """The same ones make nothing due, whatever made them anew; others do."""
    shown = {"images": np.zeros((8, 32, 32, 3), np.uint8), "labels": np.arange(8)}
    np.savez(study.directory / "data/images.npz", **shown)
    study.config |= {"inputs": "images", "images": {"cifar10": "images.npz"}, "proxies": ["params", "l2_norm"]}
    assert study.executed(GATHERED) == {"images": 1, "score": 2, "scores": 1}
    study.append("workflow/zsnas/images.py", "\n# another version\n")
    assert study.executed(GATHERED) == {"images": 1, "scores": 1}
    study.config["seeds"].append(1)
    (study.directory / "results/images/nasbench201/cifar10.npz").unlink()
    assert study.executed(GATHERED) == {"images": 1, "score": 2, "scores": 1}
    shown["images"] += 1
    np.savez(study.directory / "data/images.npz", **shown)
    assert study.executed(GATHERED) == {"images": 1, "score": 4, "scores": 1}


def test_seed_added(study):
    study.config["seeds"].append(1)
    assert study.jobs() == {"score": 4} | SCORES
    assert study.executed(GATHERED) == {"score": 4, "scores": 1}


def test_task_added(study):
    truth = pd.DataFrame({"arch": ["any"], "cifar100_test_acc": [50.0]})
    truth.to_parquet(study.directory / "data/nats_tss.parquet")
    study.config["spaces"]["nasbench201"]["tasks"]["cifar100"] = ["nats_test"]
    added = {"truth": 1, "score": 4, "scores": 1}
    # What reads the rows of its own task alone is drawn for the new one only.
    assert study.jobs() == added | STUDY | dict.fromkeys(FIGURES, 2) | {"proxy_correlation_figure": 1}
    assert study.executed(GATHERED.replace("cifar10", "cifar100")) == {"score": 4, "scores": 1}


def test_more_replicates(study):
    study.config["replicates"] = 2 * study.config["replicates"]
    figures = dict.fromkeys(["correlation_figure", "scores_figure", "cost_figure"], 1)
    assert study.jobs() == {"analysis": 1, "table": 1, "manifest": 1} | figures


def test_analysis_edited(study):
    study.append("workflow/zsnas/judge/cost.py", "\n# another version\n")
    assert study.jobs() == {"analysis": 1, "table": 1, "manifest": 1, "cost_figure": 1}


def test_device_added(study):
    study.config["devices"] = ["local-torch-float32-batch1-threads1"]
    assert study.jobs() == {"measure": 2} | LATENCY
    gathered = f"results/latency/nasbench201/cifar10/{study.config['devices'][0]}.parquet"
    assert study.executed(gathered) == {"measure": 2, "latency": 1}


def test_table_deleted(study):
    (study.directory / "results/tables/selection.csv").unlink()
    assert study.jobs() == {"table": 1}


def test_jobs_left_undone(study):
    """A forced fault: jobs were never ready, which Snakemake with keep-going takes for all being well."""
    snakefile, target = study.directory / "Snakefile", "results/tables/selection.csv"
    snakefile.write_text(snakefile.read_text().replace("workflow.scheduler.remaining_jobs", "list(workflow.dag.jobs)"))
    (study.directory / target).unlink()
    output = study.run(target, fails=True)
    assert re.search(r"^error: \d+ jobs were left undone, such as \w+: run the same command again$", output, re.M)


def test_figure_edited(study):
    study.append("workflow/scripts/figure_cost.py", "\n# another version\n")
    assert study.jobs() == {"cost_figure": 1}
    figure = "results/figures/cost-nasbench201-cifar10-analog_nasbench.png"
    assert study.executed(figure) == {"cost_figure": 1}


def test_shard_deleted(study):
    """It is computed again, though it has been gathered."""
    study.shard(1).unlink()
    assert study.jobs() == {"score": 1} | SCORES


def test_shard_truncated(study):
    """A damaged shard is refused by name; without it, only it is computed again."""
    shard = study.shard(1)
    shard.write_bytes(shard.read_bytes()[:-100])
    name = str(shard.relative_to(study.directory))
    refusal = study.run(GATHERED, fails=True)
    assert f"error: {name} is damaged" in refusal and "delete it" in refusal
    shard.unlink()
    assert study.jobs() == {"score": 1} | SCORES


def test_edited_proxy_reaches_the_tables(study):
    study.append(PROXIES / "nwot.py", "\n# another version\n")
    table = "results/tables/selection.csv"
    promised = study.jobs(table)
    assert promised == {"score": 2} | dict.fromkeys(["scores", "join", "study", "analysis", "table"], 1)
    assert study.executed(table) == promised


def test_checkout_moved(study):
    study.directory = study.directory.rename(study.directory.with_name("moved"))
    assert study.jobs() == {}
