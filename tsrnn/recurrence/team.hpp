// Threads: each takes the next piece of a call until none is left; the arguments of all pieces lie end to end.
#pragma once
#include <cstdint>

struct Team {  // as in structs.py
  int (*run)(const void*);
  const char* arguments;
  int64_t size;  // of one piece's, in bytes
  int64_t count, next, failed;  // pieces, those taken, and whether one found no memory
};

extern "C" void team(Team* shared) {
  for (int64_t k; (k = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED)) < shared->count;)
    if (shared->run(shared->arguments + k * shared->size)) __atomic_store_n(&shared->failed, 1, __ATOMIC_RELAXED);
}
