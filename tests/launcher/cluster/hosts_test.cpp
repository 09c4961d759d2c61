// Host lists and files, and how ranks are shared out.
#include "launcher/cluster/hosts.h"

#include <gtest/gtest.h>

#include "tests/launcher/refusal.h"

namespace convoy {
namespace {

using Hosts = std::vector<Host>;

TEST(Hosts, AreListedWithOrWithoutRanks) {
  EXPECT_EQ(parse_host_list("c1,node-2.site:16"), (Hosts{{"c1", 0}, {"node-2.site", 16}}));
}

TEST(Hosts, RefuseWhatIsNoList) {
  const auto refused = [](const std::string& text) {
    return refusal([&] { (void)parse_host_list(text); });
  };
  EXPECT_EQ(refused("c1,,c2"),
            "--cluster.hosts: '' is no host; hosts are names or addresses, such as c1 or c1:2");
  EXPECT_EQ(refused("-oProxyCommand=x"),
            "--cluster.hosts: '-oProxyCommand=x' is no host; hosts are names or addresses, such as "
            "c1 or c1:2");
  EXPECT_EQ(refused("c1:0"),
            "--cluster.hosts: 'c1:0' must have a number of ranks from 1 to 65536 behind the colon");
  EXPECT_EQ(refused("c1,c1"),
            "--cluster.hosts: the host c1 is listed twice; write c1:2 for two ranks on it");
}

TEST(Hosts, StandInAFileOneALine) {
  EXPECT_EQ(parse_host_file("# rack 1\nc1 slots=2\n\n c2:3 # spare\r\nc3\n", "f"),
            (Hosts{{"c1", 2}, {"c2", 3}, {"c3", 0}}));
  EXPECT_EQ(refusal([] { (void)parse_host_file("c1 slot=2\n", "hosts"); }),
            "hosts, line 1: 'slot=2' is not understood; a line is c1, c1:2 or c1 slots=2");
  EXPECT_EQ(refusal([] { (void)parse_host_file("# none\n", "hosts"); }), "hosts lists no host");
}

TEST(PlaceRanks, FillsWhatHostsSay) {
  EXPECT_EQ(place_ranks({{"a", 2}, {"b", 3}}, 0, 0), (Hosts{{"a", 2}, {"b", 3}}));
  EXPECT_EQ(place_ranks({{"a", 0}, {"b", 0}}, 0, 0), (Hosts{{"a", 1}, {"b", 1}}));
  EXPECT_EQ(place_ranks({{"a", 0}, {"b", 1}}, 0, 4), (Hosts{{"a", 4}, {"b", 1}}));
}

TEST(PlaceRanks, SharesRanksOutEvenly) {
  EXPECT_EQ(place_ranks({{"a", 0}, {"b", 0}, {"c", 0}}, 7, 0),
            (Hosts{{"a", 3}, {"b", 2}, {"c", 2}}));
  EXPECT_EQ(place_ranks({{"a", 4}, {"b", 0}}, 6, 0), (Hosts{{"a", 4}, {"b", 2}}));
}

TEST(PlaceRanks, LeavesOutHostsThatAreNotNeeded) {
  EXPECT_EQ(place_ranks({{"a", 2}, {"b", 2}, {"c", 2}}, 3, 0), (Hosts{{"a", 2}, {"b", 1}}));
}

TEST(PlaceRanks, RefusesFewerPlacesThanRanks) {
  EXPECT_EQ(refusal([] {
              (void)place_ranks({{"a", 1}, {"b", 2}}, 4, 0);
            }),
            "cluster.ranks is 4, but the hosts take 3 ranks together; list more hosts or give them "
            "more ranks (c1:2)");
  EXPECT_EQ(refusal([] {
              (void)place_ranks({{"a", 0}, {"b", 0}}, 1, 0);
            }),
            "1 ranks are too few for 2 hosts, each of which takes at least one; leave out hosts or "
            "raise cluster.ranks");
}

}  // namespace
}  // namespace convoy
