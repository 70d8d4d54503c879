#include <catch2/catch.hpp>

#include "tests/support/allocations.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;

TEST_CASE("a put in steady state allocates nothing, alone or in a batch", "[store]") {
  const auto flush = GENERATE(store::FlushMode::kAsync, store::FlushMode::kSync);
  TempDir dir;
  auto options = small_store(dir.path());
  options.flush = flush;
  options.commit_log_file_bytes = 64 * 1024 * 1024;
  options.consume_queue_file_bytes = 6'000'000;
  RunningStore store(options);
  const auto request = RunningStore::request("T", 0, std::string_view("a body of some length"),
                                             "UNIQ_KEY\x01"
                                             "0123456789ABCDEF\x02",
                                             "TagA");
  const std::vector<store::PutRequest> batch(8, request);
  std::vector<PhyOffset> places;
  // The ring grows to what a flush interval brings and stays so.
  for (int i = 0; i < 20'000; ++i) REQUIRE(store->put(request).status == store::PutStatus::kOk);
  REQUIRE(eventually([&] { return store->durable_end().value == store->figures().max_offset.value; }));
  for (int i = 0; i < 8; ++i) REQUIRE(store->put_batch(batch, places).status == store::PutStatus::kOk);
  const int64_t before = allocations();
  for (int i = 0; i < 2'000; ++i) {
    if (store->put(request).status != store::PutStatus::kOk) FAIL("a put was refused");
    if (i % 100 == 0 && store->put_batch(batch, places).status != store::PutStatus::kOk) FAIL("a batch was refused");
  }
  CHECK(allocations() - before == 0);
}
