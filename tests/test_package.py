"""What is shipped: the wheel and the sdist, and corr as it works from an installed wheel."""

import ast
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def tracked(*folders: str) -> set[str]:
    """The files that git tracks in folders of the repository."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("needs a checkout by git, to know which files belong to the project")
    return {name for name in done.stdout.split("\0") if name and (ROOT / name).exists()}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with a wheel and an sdist, built from the tracked files and some that are not."""
    source = tmp_path_factory.mktemp("source")
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    for name in ("corr/__pycache__/x.pyc", "runs/a/weights.safetensors", "corr/wandb/log.txt"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(b"ignored by git")
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    return next(built.glob("corr_toolkit-*.whl"))


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_holds_the_package_its_recipes_and_cards(wheel):
    expected = tracked("corr")
    for folder in ("recipes", "datasets"):
        expected |= {f"corr/_data/{name}" for name in tracked(folder)}
    info = {name for name in names_in(wheel) if ".dist-info/" in name}
    assert names_in(wheel) - info == expected
    assert any(name.endswith("licenses/LICENSE") for name in info)
    assert "corr/_data/recipes/smoke/patch.yaml" in expected
    assert "corr/py.typed" in expected


def test_wheel_adds_only_corr_at_the_top(wheel):
    tops = {name.split("/")[0] for name in names_in(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"corr"}


def test_sdist_can_be_built_and_tested_from(built):
    with tarfile.open(next(built.glob("corr_toolkit-*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked("corr", "recipes", "datasets", "tests") <= names
    assert {"LICENSE", "README.md", "Makefile", "constraints.txt", "pyproject.toml"} <= names
    assert not [
        name for name in names if name.endswith(".pyc") or name.startswith(("runs", "demo"))
    ]
    assert "corr/wandb/log.txt" not in names


def test_licence_and_size(wheel):
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0" in text
    assert wheel.stat().st_size < 25e6


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The Python of a clean environment with the wheel; it sees this one's other packages."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})["purelib"]
    install = ["-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, *install, "--quiet", str(wheel)], check=True, timeout=300)
    # Dependencies come from here; the checkout itself is left out, for it is a .pth of its own.
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python


def run(python: Path, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [python, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_installed_wheel_finds_its_own_files(installed, tmp_path):
    code = (
        "import corr, corr.resources as r; "
        "print(*map(str, (corr.__file__, r.recipes_root(), r.cards_root(), r.weights_root())))"
    )
    for path in run(installed, "-c", code, cwd=tmp_path).split():
        assert path.startswith(str(installed.parents[1])), path
        assert str(ROOT) not in path
    command = str(installed.with_name("corr"))
    assert "smoke/patch" in run(Path(command), "recipes", cwd=tmp_path)
    assert "kitti-2012" in run(Path(command), "datasets", cwd=tmp_path)
    assert "census" in run(Path(command), "models", cwd=tmp_path)


def test_no_top_level_datasets_package(installed, tmp_path):
    """Hugging Face's `datasets` must stay what it is."""
    code = "import importlib.util as u; print([u.find_spec(n) for n in ('recipes', 'datasets')])"
    assert run(installed, "-c", code, cwd=tmp_path).strip() == "[None, None]"
    assert not list((ROOT / "datasets").rglob("*.py"))


def test_shipped_networks_are_whole():
    for folder in (ROOT / "corr" / "weights").glob("*/"):
        names = {path.name for path in folder.iterdir()}
        assert names == {"network.yaml", "weights.safetensors", "card.md", "figures.yaml"}, (
            folder.name
        )


def dependencies(*, dev: bool = False) -> set[str]:
    """What pyproject.toml asks for, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = (
        project["dependencies"] + extras["cpu"] + extras["export"] + (extras["dev"] if dev else [])
    )
    return {normal(re.split(r"[\s\[><=!~;]", line)[0]) for line in lines}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_is_a_declared_dependency():
    """Also those that other packages bring along today."""
    declared = dependencies()
    homes = packages_distributions()
    for path in (ROOT / "corr").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for top in {module.split(".")[0] for module in modules}:
                if top == "corr" or top in sys.stdlib_module_names:
                    continue
                found = {normal(home) for home in homes.get(top, [])}
                assert found & declared, f"{path.relative_to(ROOT)} imports {top} ({found})"


def test_constraints_pin_every_dependency_exactly():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert all(re.fullmatch(r"[\w.]+", version) for version in pinned.values())
    assert dependencies(dev=True) <= {normal(name) for name in pinned}
