"""`python -m bench composers`: composes the national and an agency's graph in other composers; prints Apollo's plan."""

import subprocess
import tempfile
from pathlib import Path

import schema
from bench.federation import PEERS
from gateway.cli.demo_agency import AGENCY, CROSSING, EXAMPLE
from gateway.federation.composition import SubgraphSource
from gateway.registry.check import NATIONAL, PublishedSubgraph, add_local_cases
from gateway.registry.prefixes import assign_prefixes


def check_composers() -> tuple[bool, str]:
    """Returns whether all composers accept both graphs, and their output. The national SDL is the registry's."""
    source = SubgraphSource(AGENCY, "", (EXAMPLE.parent / "schema.graphql").read_text(encoding="utf-8"))
    agency = PublishedSubgraph(source, assign_prefixes([AGENCY])[AGENCY])
    national = add_local_cases(SubgraphSource(NATIONAL, "", schema.print_subgraph_sdl()), [agency])
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        texts = {"operation": CROSSING, NATIONAL: national.sdl, AGENCY: source.sdl}
        files = [Path(folder) / f"{name}.graphql" for name in texts]
        for file, text in zip(files, texts.values(), strict=True):
            file.write_text(text, encoding="utf-8")
        command = ["node", "composes.mjs", *map(str, files)]
        done = subprocess.run(command, cwd=PEERS, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr
