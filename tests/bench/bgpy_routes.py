"""Every AS's path as bgpy finds it, for `steerlab-bench internet`.

usage: bgpy_routes.py GRAPH ORIGINS one|anycast OUT

GRAPH is a file of AS relationships, ORIGINS a file of AS numbers separated by commas or white space.
Writes `asn,as_path` lines to OUT and one line of JSON with processor seconds to stdout. Needs the
package bgpy-pkg.
"""

import json
import re
import resource
import sys
import time

from bgpy.as_graphs import ASGraphInfo, CAIDAASGraph, CustomerProviderLink, PeerLink
from bgpy.simulation_engine import BGP, Announcement, SimulationEngine

PREFIX = "1.2.0.0/16"


class Plain:
    """As much of a scenario as the engine asks for: everybody runs plain BGP."""

    def __init__(self, announcements):
        self.announcements = announcements

    def get_policy_cls(self, _as):
        return BGP


def load(path):
    """The graph of a file."""
    down, across = set(), set()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            a, b, relation = line.strip().split("|")[:3]
            if relation == "-1":
                down.add(CustomerProviderLink(provider_asn=int(a), customer_asn=int(b)))
            else:
                across.add(PeerLink(int(a), int(b)))
    info = ASGraphInfo(customer_provider_links=frozenset(down), peer_links=frozenset(across))
    return CAIDAASGraph(info, store_customer_cone_size=False)


def main():
    graph_path, origins_path, job, out_path = sys.argv[1:]
    with open(origins_path, encoding="utf-8") as file:
        origins = [int(word) for word in re.split(r"[\s,]+", file.read()) if word]
    if job == "one":
        origins = origins[:1]
    begin = time.process_time()
    graph = load(graph_path)
    loaded = time.process_time()
    announcements = tuple(
        Announcement(prefix=PREFIX, as_path=(origin,), seed_asn=origin) for origin in origins
    )
    scenario = Plain(announcements)
    engine = SimulationEngine(graph)
    engine.setup(scenario)
    ready = time.process_time()
    engine.run(propagation_round=0, scenario=scenario)
    solved = time.process_time()
    with open(out_path, "w", encoding="utf-8") as out:
        for system in sorted(graph, key=lambda system: system.asn):
            found = system.policy.local_rib.get(PREFIX)
            if found is not None:
                out.write(f"{system.asn},{'-'.join(map(str, found.as_path))}\n")
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "load_cpu_s": loaded - begin,
                "setup_cpu_s": ready - loaded,
                "solve_cpu_s": solved - ready,
                "memory_mib_peak": peak_kib / 1024,
            }
        )
    )


main()
