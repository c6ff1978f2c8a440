// SimGrid's side of the comparison. It plays what it is given and decides nothing: links, routes
// and flows come in a file that the Rust side writes and reads too.
//
//   peer timed FILE            plays the flows of the file; prints when each of them ends
//   peer closed FILE N M K     N slots, each sending one flow after the other, until M flows have
//                              ended behind the first; prints processor seconds, the clock when K
//                              flows had ended behind the first, and memory
//
// Options of SimGrid (--cfg=...) may stand anywhere.

#include <simgrid/s4u.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace s4u = simgrid::s4u;

namespace {

struct Flow {
  uint64_t start_ns;
  size_t source;
  size_t target;
  uint64_t bytes;
  double cap; // bytes per second; 0: none
};

struct Platform {
  std::vector<s4u::Host*> hosts;
  std::vector<const s4u::Link*> links;
  std::vector<Flow> flows;
};

[[noreturn]] void fail(const std::string& what)
{
  std::cerr << "peer: " << what << "\n";
  std::exit(2);
}

Platform read(const s4u::Engine& engine, const std::string& file)
{
  Platform platform;
  std::ifstream in(file);
  if (not in)
    fail("cannot read " + file);
  auto* zone = engine.get_netzone_root()->add_netzone_full("network");
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "hosts") {
      size_t count = 0;
      words >> count;
      for (size_t host = 0; host < count; host++)
        platform.hosts.push_back(zone->add_host("h" + std::to_string(host), 1e9));
    } else if (kind == "link") {
      double bytes_per_second = 0;
      words >> bytes_per_second;
      const std::string name = "l" + std::to_string(platform.links.size());
      platform.links.push_back(zone->add_link(name, bytes_per_second)->set_latency(0)->seal());
    } else if (kind == "route") {
      size_t source = 0, target = 0, link = 0;
      words >> source >> target;
      std::vector<s4u::LinkInRoute> path;
      while (words >> link)
        path.emplace_back(platform.links.at(link));
      zone->add_route(platform.hosts.at(source), platform.hosts.at(target), path, false);
    } else if (kind == "flow") {
      Flow flow{};
      words >> flow.start_ns >> flow.source >> flow.target >> flow.bytes >> flow.cap;
      platform.flows.push_back(flow);
    } else if (not kind.empty()) {
      fail("unknown line: " + line);
    }
  }
  zone->seal();
  return platform;
}

double cpu_seconds()
{
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double memory_mib_peak()
{
  std::ifstream in("/proc/self/status");
  std::string line;
  while (std::getline(in, line))
    if (line.rfind("VmHWM:", 0) == 0)
      return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

uint64_t mix(uint64_t x)
{
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// The flow that a slot sends after `sent` others: as in closed.rs.
Flow draw(uint64_t slot, uint64_t sent, uint64_t hosts)
{
  const uint64_t key = mix(mix(slot + 1) + sent);
  const uint64_t a = mix(key + 0x9e3779b97f4a7c15ULL);
  const uint64_t b = mix(key + 2 * 0x9e3779b97f4a7c15ULL);
  const uint64_t c = mix(key + 3 * 0x9e3779b97f4a7c15ULL);
  Flow flow{};
  flow.source = a % hosts;
  flow.target = (flow.source + 1 + b % (hosts - 1)) % hosts;
  const double uniform = static_cast<double>((c >> 11) + 1) / 9007199254740992.0;
  flow.bytes = static_cast<uint64_t>(-std::log(uniform) * 1e7) + 1;
  return flow;
}

// Direct communications know no cap, so flows with a cap go through a mailbox of their own.
void send(const Platform& platform, const Flow& flow, s4u::Mailbox* mailbox)
{
  if (flow.cap > 0) {
    static char nothing;
    mailbox->put_init(&nothing, flow.bytes)->set_rate(flow.cap)->wait();
  } else {
    s4u::Comm::sendto_init(platform.hosts[flow.source], platform.hosts[flow.target])
        ->set_payload_size(flow.bytes)
        ->wait();
  }
}

void timed(s4u::Engine& engine, const Platform& platform)
{
  std::vector<double> ends(platform.flows.size(), -1.0);
  for (size_t index = 0; index < platform.flows.size(); index++) {
    const Flow& flow = platform.flows[index];
    auto* mailbox    = flow.cap > 0 ? s4u::Mailbox::by_name(std::to_string(index)) : nullptr;
    if (mailbox != nullptr)
      platform.hosts.at(flow.target)->add_actor("r", [mailbox]() { mailbox->get<char>(); });
    platform.hosts.at(flow.source)->add_actor("a", [&platform, &flow, &ends, index, mailbox]() {
      const double start = static_cast<double>(flow.start_ns) / 1e9;
      if (start > 0)
        s4u::this_actor::sleep_until(start);
      send(platform, flow, mailbox);
      ends[index] = s4u::Engine::get_clock();
    });
  }
  engine.run();
  for (const double end : ends)
    std::printf("%.17g\n", end);
}

void closed(s4u::Engine& engine, const Platform& platform, uint64_t slots, uint64_t flows, uint64_t check)
{
  uint64_t ended = 0;
  double begin   = 0;
  double checked = 0;
  for (uint64_t slot = 0; slot < slots; slot++) {
    platform.hosts[slot % platform.hosts.size()]->add_actor("a", [&platform, &ended, &begin, &checked, slot, flows, check]() {
      for (uint64_t sent = 0;; sent++) {
        send(platform, draw(slot, sent, platform.hosts.size()), nullptr);
        if (ended == 0)
          begin = cpu_seconds();
        if (ended == check)
          checked = s4u::Engine::get_clock();
        if (ended++ == flows) {
          std::printf("%.9f %.17g %.3f\n", cpu_seconds() - begin, checked, memory_mib_peak());
          std::fflush(stdout);
          // Nobody needs the other slots any more, and taking them down costs minutes.
          std::_Exit(0);
        }
      }
    });
  }
  engine.run();
}

} // namespace

int main(int argc, char* argv[])
{
  s4u::Engine engine(&argc, argv);
  if (argc < 3)
    fail("usage: peer timed FILE, peer closed FILE N M K");
  const std::string mode = argv[1];
  const Platform platform = read(engine, argv[2]);
  if (mode == "timed")
    timed(engine, platform);
  else if (mode == "closed" && argc == 6)
    closed(engine, platform, std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10),
           std::strtoull(argv[5], nullptr, 10));
  else
    fail("unknown mode " + mode);
  return 0;
}
